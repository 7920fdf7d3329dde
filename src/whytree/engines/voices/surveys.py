"""Survey answers: Typeform, Google Forms, SurveyMonkey, Qualtrics, Formbricks.

An answer in somebody's own words is a voice; choices, grids and numbers stay beside it. Which question is which is
told by the sample, because only SurveyMonkey says it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from whytree.engines.tables import parse_time

from .records import Cells, Facts, Format, Read, Said, Unread, marks, text_of, unguarded

_RATES = re.compile(
    r"recommend|satisf|\brat(?:e|ing)\b|\bscore\b|how likely|how easy|how difficult|\bnps\b|\bcsat\b|\bces\b|empfehl|zufrieden",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"-?\d{1,4}(?:[.,]\d+)?")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_ASKS_WHO = re.compile(r"\b(?:your|first|last|full)?\s*name\b", re.IGNORECASE)
OWN_WORDS = 3.0
"""Words an answer has on average, from which a question is taken to be an open one ..."""

VARIETY = 0.5
"""... when at least this share of its answers differ: the same long choices come again and again."""


@dataclass(frozen=True)
class Questions:
    """Which columns are which."""

    opened: tuple[str, ...]
    rated: str = ""
    email: str = ""
    name: str = ""

    @classmethod
    def among(cls, columns: Sequence[str], sample: Sequence[Mapping[str, Any]], known: Iterable[str] = ()) -> Questions:
        """By what the sample holds; `known` are certainly open."""
        answers = {column: [text for row in sample if (text := unguarded(row.get(column)))] for column in columns}
        known = set(known)
        opened = [column for column in columns if column in known or _is_open(answers[column])]
        rated = [column for column in columns if _RATES.search(column) and _all(answers[column], _NUMBER)]
        emails = [column for column in columns if _all(answers[column], _EMAIL)]
        names = [column for column in columns if _ASKS_WHO.search(column) and len(column) < 60 and column not in known]
        taken = {*emails[:1], *names[:1]}
        return cls(
            tuple(column for column in opened if column not in taken),
            rated[0] if rated else "",
            emails[0] if emails else "",
            names[0] if names else "",
        )


def _all(answers: Sequence[str], pattern: re.Pattern[str]) -> bool:
    return bool(answers) and all(pattern.fullmatch(answer) for answer in answers)


def _is_open(answers: Sequence[str]) -> bool:
    words = [len(answer.split()) for answer in answers]
    if not words or sum(words) / len(words) < OWN_WORDS:
        return False
    return len(set(answers)) >= len(answers) * VARIETY or max(words) > 40


@dataclass(frozen=True)
class Answered:
    """What all answers of one row have in common."""

    submission_id: str
    at: Any = None
    person: str = ""
    email: str = ""
    name: str = ""
    language: str = ""
    is_preview: bool = False


def _voices(
    cells: Cells, questions: Questions, one: Answered, titles: Mapping[str, str] | None = None
) -> Iterator[Said]:
    """One for each open question that was answered. A rating without a word is one too: the reader's to count."""
    said = [(column, words) for column in questions.opened if (words := unguarded(cells.get(column)))]
    rating = text_of(cells.get(questions.rated)) if questions.rated else ""
    email = one.email or (text_of(cells.get(questions.email)) if questions.email else "")
    name = one.name or (unguarded(cells.get(questions.name)) if questions.name else "")
    beside = cells.beside()
    if not said and not rating:
        return
    common = Said(
        submission_id=one.submission_id,
        said_at=one.at,
        author_email=email,
        author_name=name,
        person=one.person,
        rating=rating or None,
        language=one.language,
        speaker="team" if one.is_preview else "user",
    )
    for column, words in said or [("", "")]:
        asked = {"question": (titles or {}).get(column, column)} if column else {}
        yield replace(common, text=words, field_id=column[:200], metadata={**asked, **beside})


# Typeform ---------------------------------------------------------------------------------------------

_TYPEFORM = frozenset(
    {"#", "Response Type", "Start Date (UTC)", "Stage Date (UTC)", "Submit Date (UTC)", "Network ID", "Tags", "Ending"}
)


def _typeform(facts: Facts) -> Read:
    """Three generations: bare; with a column for each choice; with type, stage, tags and ending."""
    questions = Questions.among([column for column in facts.columns if column not in _TYPEFORM], facts.sample)

    def read(cells: Cells) -> Iterable[Said]:
        name = cells.text("#")
        if not name:
            raise Unread("its first column, #, is empty; that is the answer's id")
        cells.skip("Network ID", "Start Date (UTC)", "Stage Date (UTC)")
        return _voices(cells, questions, Answered(name, cells.text("Submit Date (UTC)", "Start Date (UTC)") or None))

    return read


def _typeform_api(facts: Facts) -> Read:
    def read(cells: Cells) -> Iterable[Said]:
        name = cells.text("response_id", "token")
        if not name:
            raise Unread("the answer has no response_id")
        cells.skip("landing_id", "token", "metadata.network_id", "metadata.user_agent", "metadata.referer")
        answers = cells.listed("answers")
        hidden = {key: text_of(value) for key, value in cells.items() if key.startswith("hidden.")}
        email = next((text_of(one.get("email")) for one in answers if one.get("type") == "email"), "")
        rating = next((one.get("number") for one in answers if one.get("type") == "number"), None)
        at = cells.get("submitted_at") or cells.get("landed_at")
        person = next((hidden[key] for key in _PERSON_FIELDS if hidden.get(key)), "")
        closed = dict(filter(None, map(_typeform_choice, answers)))
        beside = cells.beside(**closed)
        for one in answers:
            words = text_of(one.get("text")) if one.get("type") == "text" else ""
            field = one.get("field") if isinstance(one.get("field"), dict) else {}
            if words:
                yield Said(
                    submission_id=name,
                    field_id=text_of((field or {}).get("ref")) or text_of((field or {}).get("id")),
                    text=words,
                    said_at=at,
                    author_email=email,
                    person=person,
                    rating=rating,
                    metadata=beside,
                )

    return read


_PERSON_FIELDS = ("hidden.user_id", "hidden.userid", "hidden.userId", "hidden.distinct_id", "hidden.person")


def _typeform_choice(answer: dict[str, Any]) -> tuple[str, str] | None:
    field = answer.get("field") if isinstance(answer.get("field"), dict) else {}
    name = text_of((field or {}).get("ref")) or text_of((field or {}).get("id"))
    choice, choices = answer.get("choice"), answer.get("choices")
    if isinstance(choice, dict):
        return name, text_of(choice.get("label")) or text_of(choice.get("other"))
    if isinstance(choices, dict) and isinstance(choices.get("labels"), list):
        return name, " / ".join(map(text_of, choices["labels"]))
    if isinstance(answer.get("boolean"), bool):
        return name, "yes" if answer["boolean"] else "no"
    return None


# Google Forms -----------------------------------------------------------------------------------------

_GOOGLE = frozenset({"Timestamp", "Email Address", "Username", "Score", "Total score"})


def _google(facts: Facts) -> Read:
    """No ids: when it was sent, and what was answered, is the answer's id."""
    asked = [column for column in facts.columns if column not in _GOOGLE]
    questions = Questions.among(asked, facts.sample)

    def read(cells: Cells) -> Iterable[Said]:
        at, email = cells.text("Timestamp"), cells.text("Email Address", "Username")
        if not at:
            raise Unread("it has no Timestamp; that is all Google Forms tells of when it was answered")
        first = next((words for column in questions.opened if (words := text_of(cells.get(column)))), "")
        return _voices(cells, questions, Answered(f"{at} {email or first[:100]}".strip(), at, email=email))

    return read


# SurveyMonkey and Qualtrics: more than one row of headers ---------------------------------------------

_MONKEY = frozenset(
    {
        "Respondent ID",
        "Collector ID",
        "Start Date",
        "End Date",
        "IP Address",
        "Email Address",
        "First Name",
        "Last Name",
    }
)


def _monkey(facts: Facts) -> Read:
    """The second row names the choices under each question, or says that the answer is open-ended."""
    second = dict(facts.sample[0]) if facts.sample and not text_of(facts.sample[0].get("Respondent ID")) else {}
    titles = _monkey_titles(facts.columns, second)
    known = [column for column, below in second.items() if text_of(below).lower() == "open-ended response"]
    asked = [column for column in facts.columns if column not in _MONKEY and not column.startswith("Custom Data")]
    sample = facts.sample[1:] if second else facts.sample
    questions = Questions.among(asked, sample, known)

    def read(cells: Cells) -> Iterable[Said]:
        name = cells.text("Respondent ID")
        if not name:
            return ()
        cells.skip("IP Address", "Collector ID", "Start Date")
        who = " ".join(part for key in ("First Name", "Last Name") if (part := cells.text(key)))
        at = cells.text("End Date", "Start Date") or None
        # SurveyMonkey writes 10/01/2026 10:00:00 AM for the first of October, wherever it is asked
        one = Answered(name, parse_time(at, day_first=False) or at, email=cells.text("Email Address"), name=who)
        return _voices(cells, questions, one, titles)

    return read


def _monkey_titles(columns: Sequence[str], second: Mapping[str, Any]) -> dict[str, str]:
    """A question's further columns have no header of their own: it is the last one that has."""
    titles: dict[str, str] = {}
    above = ""
    for position, column in enumerate(columns, start=1):
        above = above if column == f"column {position}" else column
        below = text_of(second.get(column))
        titles[column] = above if below.lower() in ("", "open-ended response", "response") else f"{above}: {below}"
    return titles


_QUALTRICS = frozenset(
    {
        *(
            "StartDate",
            "EndDate",
            "Status",
            "IPAddress",
            "Progress",
            "Duration (in seconds)",
            "Finished",
            "RecordedDate",
        ),
        *("ResponseId", "RecipientLastName", "RecipientFirstName", "RecipientEmail", "ExternalReference"),
        *("LocationLatitude", "LocationLongitude", "DistributionChannel", "UserLanguage"),
    }
)


def _qualtrics(facts: Facts) -> Read:
    """Three rows of headers: the names, the questions, and how to import them again."""
    heads = [dict(row) for row in facts.sample[:2] if _is_qualtrics_head(row)]
    titles = {column: text_of(heads[0].get(column)) or column for column in facts.columns} if heads else {}
    asked = [column for column in facts.columns if column not in _QUALTRICS]
    questions = Questions.among(asked, facts.sample[len(heads) :])

    def read(cells: Cells) -> Iterable[Said]:
        if _is_qualtrics_head(cells):
            return ()
        name = cells.text("ResponseId")
        if not name:
            raise Unread("it has no ResponseId")
        cells.skip("IPAddress", "LocationLatitude", "LocationLongitude", "StartDate", "EndDate")
        who = " ".join(part for key in ("RecipientFirstName", "RecipientLastName") if (part := cells.text(key)))
        at = cells.text("RecordedDate", "EndDate", "StartDate") or None
        one = Answered(
            name,
            at,
            person=cells.text("ExternalReference"),
            email=cells.text("RecipientEmail"),
            name=who,
            language=cells.text("UserLanguage"),
            is_preview=cells.text("Status") in ("Survey Preview", "1", "Survey Test", "2"),
        )
        return _voices(cells, questions, one, titles)

    return read


def _is_qualtrics_head(row: Mapping[str, Any]) -> bool:
    return text_of(row.get("StartDate")) == "Start Date" or text_of(row.get("StartDate")).startswith('{"ImportId"')


# Formbricks -------------------------------------------------------------------------------------------


def _hub(facts: Facts) -> Read:
    """A record of Formbricks Hub is one answer to one question; only those in words are voices."""

    def read(cells: Cells) -> Iterable[Said]:
        if cells.text("field_type") not in ("text", ""):
            return
        cells.skip("id", "tenant_id", "field_type", "updated_at")
        yield Said(
            submission_id=cells.text("submission_id"),
            field_id=cells.text("field_id"),
            text=cells.text("value_text"),
            said_at=cells.get("collected_at") or cells.get("created_at"),
            person=cells.text("user_id"),
            language=cells.text("language"),
            metadata=cells.beside(question=cells.text("field_label")),
        )

    return read


_FORMBRICKS = frozenset(
    {"No.", "Response ID", "Timestamp", "Finished", "Survey ID", "Formbricks ID (internal)", "User ID", "Tags", "Notes"}
)


def _formbricks(facts: Facts) -> Read:
    """Questions are numbered in front: `1. What is missing?`."""
    numbered = [column for column in facts.columns if re.match(r"\d{1,3}\. ", column)]
    asked = numbered or [column for column in facts.columns if column not in _FORMBRICKS]
    questions = Questions.among(asked, facts.sample)

    def read(cells: Cells) -> Iterable[Said]:
        name = cells.text("Response ID")
        if not name:
            raise Unread("it has no Response ID")
        cells.skip("No.", "Formbricks ID (internal)")
        one = Answered(name, cells.text("Timestamp") or None, person=cells.text("User ID", "userId"))
        return _voices(cells, questions, one)

    return read


def google_forms(columns: Sequence[str]) -> Format | None:
    """Only the first column's name is Google's: what else it asks has to look like a form."""
    if not columns or columns[0] != "Timestamp" or len(columns) < 2:
        return None
    others = columns[1:]
    if not ({"Email Address", "Username", "Score"} & set(others) or any(name.endswith(("?", "]")) for name in others)):
        return None
    return Format(
        "google-forms", "Google Forms answers (CSV)", "survey", (frozenset({"Timestamp"}),), _google, "Google Forms"
    )


FORMATS = (
    Format(
        "typeform",
        "Typeform answers (CSV)",
        "survey",
        marks("#, Submit Date (UTC)", "#, Network ID"),
        _typeform,
    ),
    Format("typeform", "Typeform answers (API)", "survey", marks("response_id, answers"), _typeform_api),
    Format("surveymonkey", "SurveyMonkey answers (CSV)", "survey", marks("Respondent ID, Collector ID"), _monkey),
    Format(
        "qualtrics",
        "Qualtrics answers (CSV)",
        "survey",
        marks("ResponseId, RecordedDate", "ResponseId, StartDate, EndDate"),
        _qualtrics,
    ),
    Format(
        "formbricks",
        "Formbricks Hub records",
        "survey",
        marks("submission_id, field_id, field_type"),
        _hub,
        "Formbricks",
    ),
    Format(
        "formbricks",
        "Formbricks answers (CSV)",
        "survey",
        marks("Response ID, Survey ID, Finished"),
        _formbricks,
        "Formbricks",
    ),
)
