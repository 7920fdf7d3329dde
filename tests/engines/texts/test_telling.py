"""What a machine tells of a text: measured on real reviews with stars, on questions to a bank, and on Django's translations."""

import csv
import gettext
import gzip
import random
import re
from collections.abc import Iterator
from pathlib import Path

import django
import pytest

from whytree.engines.texts.telling import FEWEST_LETTERS, Told, language_name, tell, tell_all

LANGUAGES = "ar,cs,da,de,el,es,fi,fr,he,hi,hu,id,it,ja,ko,nl,pl,pt,ro,ru,sv,tr,uk,vi"


def _rows(path: Path, many: int) -> list[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return random.Random(5).sample(rows, many)


def _translations() -> Iterator[tuple[str, str]]:
    """Sentences that people translated, with their language; place-holders and tags taken out."""
    for language in re.findall(r"\w+", LANGUAGES):
        said: set[str] = set()
        for place in Path(django.__file__).parent.rglob(f"locale/{language}/LC_MESSAGES/django.mo"):
            with place.open("rb") as file:
                catalog = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]
            for original, translated in catalog.items():
                text = re.sub(r"%\(?\w*\)?[sdi]|<[^>]+>|\{[^}]*\}", "", translated)
                if original and translated != original and len(text) >= (12 if language in ("ja", "ko") else 40):
                    said.add(text)
        yield from ((text, language) for text in sorted(said)[:60])


def test_each_gets_an_answer_or_none() -> None:
    told = tell_all(
        [
            "It keeps crashing and I hate it",
            "Warum wollt ihr meine Nummer?",
            "電話番号はなぜ必要ですか",
            "ok",
            "👍👍👍",
            "",
        ]
    )
    assert told == [Told("en", "negative"), Told("de", ""), Told("ja", ""), Told(), Told(), Told()]
    assert tell("I love how easy this is, thank you!").sentiment == "positive"
    assert tell("The invoice is in the second menu").sentiment == "neutral"


@pytest.mark.parametrize(
    "text", ["https://example.org/a?b=c", "4711 0815", "x" * 100_000, "\0", "ab" * (FEWEST_LETTERS // 4), "\ud800 lone"]
)
def test_what_is_no_language_gets_no_feeling(text: str) -> None:
    assert tell(text).sentiment in ("", "neutral")


def test_a_language_is_called_by_its_name() -> None:
    assert [language_name(code) for code in ("de", "de-AT", "pt_BR", "qqq")] == [
        "German",
        "German",
        "Portuguese",
        "qqq",
    ]


def test_sentences_in_24_languages_are_told_apart() -> None:
    rows = list(_translations())
    assert len(rows) > 1_000
    told = [(tell(text).language, language) for text, language in rows]
    answered = [one for one in told if one[0]]
    assert len(answered) / len(told) > 0.95
    assert sum(found == language for found, language in answered) / len(answered) > 0.985


@pytest.mark.parametrize(
    ("name", "answered", "right"),
    [
        ("banking77/test.csv.gz", 0.96, 0.995),
        ("play-reviews/greenlight.csv.gz", 0.94, 0.995),
        (
            "play-reviews/fampay.csv.gz",
            0.80,
            0.98,
        ),  # English and Hindi in Latin letters, mixed; all of it counts as English
    ],
)
def test_what_real_people_wrote(shared_data: Path, name: str, answered: float, right: float) -> None:
    told = [tell(row["text"]).language for row in _rows(shared_data / name, 500)]
    named = [one for one in told if one]
    assert len(named) / len(told) > answered
    assert named.count("en") / len(named) > right


def test_sentiment_agrees_with_the_stars_of_real_reviews(shared_data: Path) -> None:
    reviews = _rows(shared_data / "play-reviews" / "greenlight.csv.gz", 1_500)
    rows = [(tell(row["text"]).sentiment, int(row["score"])) for row in reviews]
    positive = [stars for sentiment, stars in rows if sentiment == "positive"]
    negative = [stars for sentiment, stars in rows if sentiment == "negative"]
    assert sum(stars >= 4 for stars in positive) / len(positive) > 0.76
    assert sum(stars <= 2 for stars in negative) / len(negative) > 0.78
    assert sum(stars >= 4 for _, stars in rows) / len(rows) < 0.6  # what calling everything positive would come to


@pytest.mark.parametrize("word", ["a@", "a.", "a", "@."])
def test_a_text_of_one_endless_word_takes_no_longer_than_any(word: str) -> None:
    assert len(tell_all([word * 200_000])) == 1
