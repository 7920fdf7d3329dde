"""What a survey asks, as data: stored as versioned JSON, checked here and nowhere else. Pure.

    {"version": 1, "questions": [
      {"id": "q1", "kind": "nps", "text": "How likely are you to recommend Sprout?", "skip": [{"when": [9, 10], "to": "end"}]},
      {"id": "q2", "kind": "open", "text": "What is missing?"}]}

A question's `skip` leads forward only, so every way through ends. An answer is `{"q1": 7, "q2": "Reminders"}`: text for `open`, one
of the options for `single`, a list of them for `multi`, a whole number for a scale, and for `matrix` one for each line,
`{"Fast": 4}`.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from whytree.errors import Invalid

VERSION = 1
MOST_QUESTIONS = 20
MOST_OPTIONS = 20
TEXT_LENGTH = 400
OPTION_LENGTH = 120
ANSWER_LENGTH = 4_000
END = "end"

_ID = re.compile(r"[a-z][a-z0-9_]{0,23}")
_UNSTORABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")


@dataclass(frozen=True)
class Scale:
    """Whole numbers from `low` to `high`; from `good` on an answer counts as favourable. The ends carry words."""

    low: int
    high: int
    good: int
    low_words: str
    high_words: str

    @property
    def points(self) -> range:
        return range(self.low, self.high + 1)


SCALES = {
    "rating": Scale(1, 5, 4, "poor", "excellent"),
    # Reichheld, "The One Number You Need to Grow", Harvard Business Review 81(12), 2003: 9 and 10 promote, 0 to 6 detract.
    "nps": Scale(0, 10, 9, "not at all likely", "extremely likely"),
    "csat": Scale(1, 5, 4, "very dissatisfied", "very satisfied"),
    # Customer Effort Score 2.0: agreement that "it was made easy"; above the middle is favourable.
    "ces": Scale(1, 7, 5, "strongly disagree", "strongly agree"),
    # Sauro and Dumas, "Comparison of three one-question, post-task usability questionnaires", CHI 2009.
    "seq": Scale(1, 7, 5, "very difficult", "very easy"),
}
AGREEMENT = Scale(1, 5, 4, "strongly disagree", "strongly agree")
"""Of each line of a matrix. Likert, "A Technique for the Measurement of Attitudes", Archives of Psychology 140, 1932: five points."""
KINDS = {
    "open": "their own words",
    "single": "one of several",
    "multi": "any of several",
    "ranking": "several, put in order",
    "matrix": "several lines, each 1 to 5",
    "rating": "rating, 1 to 5",
    "nps": "NPS, 0 to 10",
    "csat": "CSAT, 1 to 5",
    "ces": "CES, 1 to 7",
    "seq": "SEQ, 1 to 7",
}
CHOICES = ("single", "multi", "ranking", "matrix")
LISTS = ("multi", "ranking")
"""Kinds whose answer is a list."""
PARTED = (*LISTS, "matrix")
"""Kinds of which each option has a column of its own."""
_FIELDS = {"id", "kind", "text", "options", "required", "skip"}

Value = str | int | list[str] | dict[str, int]
Answers = dict[str, Value]


@dataclass(frozen=True)
class Skip:
    """Whoever gave one of these answers goes on at `to`, a later question or the end."""

    when: tuple[str | int, ...]
    to: str


@dataclass(frozen=True)
class Question:
    """One question. `options` only where one chooses among several; of a matrix they are its lines."""

    id: str
    kind: str
    text: str
    options: tuple[str, ...] = ()
    required: bool = True
    skip: tuple[Skip, ...] = field(default=())

    @property
    def scale(self) -> Scale | None:
        return SCALES.get(self.kind)

    @property
    def grid(self) -> Scale | None:
        """What each of several lines is answered by."""
        return AGREEMENT if self.kind == "matrix" else None

    def as_json(self) -> dict[str, Any]:
        """The form that is stored and sent."""
        said: dict[str, Any] = {"id": self.id, "kind": self.kind, "text": self.text, "required": self.required}
        if self.options:
            said["options"] = list(self.options)
        if self.skip:
            said["skip"] = [{"when": list(one.when), "to": one.to} for one in self.skip]
        return said


def checked_questions(raw: object) -> tuple[Question, ...]:
    """The questions that this list means; `Invalid` says what to write instead."""
    if not isinstance(raw, Sequence) or isinstance(raw, str) or not raw:
        raise Invalid("A survey needs at least one question.")
    if len(raw) > MOST_QUESTIONS:
        raise Invalid(
            f"That are {len(raw)} questions; {MOST_QUESTIONS} is the most. Few people answer more than three."
        )
    questions = tuple(_question(one, at) for at, one in enumerate(raw, 1))
    ids = [one.id for one in questions]
    twice = next((one for one in ids if ids.count(one) > 1), None)
    if twice is not None:
        raise Invalid(f"Two questions have the id {twice}. Each needs its own: the columns of the export are named so.")
    for at, one in enumerate(questions):
        _check_skips(one, at, ids)
    return questions


def stored(questions: Sequence[Question]) -> dict[str, Any]:
    return {"version": VERSION, "questions": [one.as_json() for one in questions]}


def read(definition: Mapping[str, Any]) -> tuple[Question, ...]:
    """What `stored` wrote."""
    if definition.get("version") != VERSION:
        raise Invalid(f"These questions are of version {definition.get('version')!r}; this Whytree reads {VERSION}.")
    return checked_questions(definition["questions"])


def _question(raw: object, at: int) -> Question:
    if not isinstance(raw, Mapping):
        raise Invalid(f'Question {at} is no object, as {{"kind": "open", "text": "What is missing?"}}.')
    unknown = set(raw) - _FIELDS
    if unknown:
        raise Invalid(
            f"Question {at} has no field “{str(min(map(str, unknown)))[:40]}”; there are {', '.join(sorted(_FIELDS))}."
        )
    kind = raw.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        raise Invalid(f"Question {at}: there is no kind {str(kind)[:40]!r}; there are {', '.join(KINDS)}.")
    own = raw.get("id") or f"q{at}"
    if not isinstance(own, str) or not _ID.fullmatch(own) or own == END:
        raise Invalid(f"Question {at}: an id is a short word of small letters and digits, as q{at}, and not “{END}”.")
    required = raw.get("required", kind != "open")
    if not isinstance(required, bool):
        raise Invalid(f"Question {at}: required is true or false.")
    text = one_line(raw.get("text"), f"The text of question {at}", TEXT_LENGTH)
    if not text:
        raise Invalid(f"Question {at} asks nothing. Write what people are to read.")
    return Question(own, kind, text, _options(raw.get("options"), kind, at), required, _skips(raw.get("skip"), at))


def one_line(value: object, name: str, length: int) -> str:
    """Text on one line that any database keeps."""
    if value is None:
        return ""
    if not isinstance(value, str) or _UNSTORABLE.search(value):
        raise Invalid(f"{name} is plain text.")
    line = " ".join(value.split())
    if len(line) > length:
        raise Invalid(f"{name} has {len(line):,} characters; {length} is the most.")
    return line


def _options(raw: object, kind: str, at: int) -> tuple[str, ...]:
    if kind not in CHOICES:
        if raw:
            raise Invalid(f"Question {at}: only {', '.join(CHOICES)} have options.")
        return ()
    if not isinstance(raw, Sequence) or isinstance(raw, str):
        raise Invalid(f"Question {at} needs options, a list of texts.")
    if len(raw) > MOST_OPTIONS:
        raise Invalid(f"Question {at} has {len(raw)} options; {MOST_OPTIONS} is the most.")
    options = tuple(one_line(one, f"An option of question {at}", OPTION_LENGTH) for one in raw)
    if len(options) < 2 or "" in options or len(set(options)) < len(options):
        raise Invalid(f"Question {at} needs two options at least, none of them empty or there twice.")
    if kind == "ranking" and all(one.isdecimal() for one in options):
        raise Invalid(f"Question {at}: what is put in order has names. Numbers alone would be taken for places.")
    return options


def _skips(raw: object, at: int) -> tuple[Skip, ...]:
    if not raw:
        return ()
    wrong = Invalid(f'Question {at}: a skip is {{"when": [answers], "to": "q{at + 2}"}}, or to "{END}".')
    if not isinstance(raw, Sequence) or isinstance(raw, str) or len(raw) > MOST_OPTIONS:
        raise wrong
    skips = []
    for one in raw:
        if not isinstance(one, Mapping) or set(one) != {"when", "to"} or not isinstance(one["to"], str):
            raise wrong
        when = one["when"]
        if not isinstance(when, Sequence) or isinstance(when, str) or not when or len(when) > MOST_OPTIONS:
            raise wrong
        if not all(isinstance(each, str | int) and not isinstance(each, bool) for each in when):
            raise wrong
        skips.append(Skip(tuple(when), one["to"]))
    return tuple(skips)


def _check_skips(question: Question, at: int, ids: list[str]) -> None:
    later = {*ids[at + 1 :], END}
    possible: set[str | int] = set(question.scale.points) if question.scale else set(question.options)
    for one in question.skip:
        if question.kind in ("open", "ranking", "matrix"):
            raise Invalid(f"{question.id}: only a choice or a scale leads to different questions.")
        if one.to not in later:
            raise Invalid(
                f"{question.id} leads to “{one.to[:30]}”, which is no later question. Ways lead forward only."
            )
        strange = next((each for each in one.when if each not in possible), None)
        if strange is not None:
            raise Invalid(f"{question.id} skips on “{str(strange)[:40]}”, which nobody can answer.")


def has_ways(questions: Sequence[Question]) -> bool:
    """Whether what is asked depends on what was answered: then it is asked one by one."""
    return any(one.skip for one in questions)


def way(questions: Sequence[Question], answers: Mapping[str, Value]) -> list[Question]:
    """The questions that somebody with these answers is asked."""
    asked, waiting_for = [], ""
    for one in questions:
        if waiting_for and one.id != waiting_for:
            continue
        asked.append(one)
        waiting_for = _leads_to(one, answers.get(one.id))
        if waiting_for == END:
            break
    return asked


def _leads_to(question: Question, value: Value | None) -> str:
    if not question.skip:
        return ""
    given = set(value) if isinstance(value, list | dict) else {value}
    return next((one.to for one in question.skip if given & set(one.when)), "")


def checked_answers(questions: Sequence[Question], raw: object) -> Answers:
    """The answers to those questions that were to be asked. Raises `Invalid` with what is missing or no answer.

    What lies off the way is left out: a form may carry it when somebody went back and chose otherwise.
    """
    if not isinstance(raw, Mapping):
        raise Invalid('Answers are an object of question to answer, as {"q1": 7}.')
    known = {one.id for one in questions}
    strange = next((str(name) for name in raw if name not in known), None)
    if strange is not None:
        raise Invalid(f"This survey has no question “{strange[:30]}”; it has {', '.join(sorted(known))}.")
    given = {one.id: value for one in questions if (value := answer_to(one, raw.get(one.id))) is not None}
    asked = way(questions, given)
    missing = next((one for one in asked if one.required and one.id not in given), None)
    if missing is not None:
        raise Invalid(f"“{missing.text}” has no answer yet.", details={"question": missing.id})
    answers = {one.id: given[one.id] for one in asked if one.id in given}
    if not answers:
        raise Invalid("Nothing was answered yet.")
    return answers


def answer_to(question: Question, value: object) -> Value | None:
    """The answer as it is kept; None where none was given."""
    wrong = Invalid(f"“{question.text}”: this is none of the answers there are.", details={"question": question.id})
    if value is None or value in ("", [], {}):
        return None
    if question.grid is not None:
        return _by_line(question, value, wrong)
    if question.kind == "open":
        return _words(question, value)
    if question.kind == "multi":
        chosen = value if isinstance(value, list) else [value]
        if not all(isinstance(one, str) and one in question.options for one in chosen):
            raise wrong
        return [one for one in question.options if one in chosen]
    if question.kind == "ranking":
        return _in_order(question, value, wrong)
    if question.kind == "single":
        if not isinstance(value, str) or value not in question.options:
            raise wrong
        return value
    assert question.scale is not None  # noqa: S101 - for the type checker
    return _point(question.scale, value, wrong)


def _point(scale: Scale, value: object, wrong: Invalid) -> int:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 3:
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or value not in scale.points:
        raise wrong
    return value


def _by_line(question: Question, value: object, wrong: Invalid) -> dict[str, int] | None:
    """Line -> point, in the lines' own order. Where an answer is needed, each line needs one."""
    if not isinstance(value, Mapping) or not set(value) <= set(question.options):
        raise wrong
    given = {
        line: _point(AGREEMENT, value[line], wrong) for line in question.options if value.get(line) not in (None, "")
    }
    if given and question.required and len(given) < len(question.options):
        raise Invalid(f"“{question.text}”: give each line an answer.", details={"question": question.id})
    return given or None


def _in_order(question: Question, value: object, wrong: Invalid) -> list[str] | None:
    """All options in order; or, as a form sends it, the place of each in the options' own order."""
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise wrong
    if sorted(value) == sorted(question.options):
        return list(value)
    if not any(value):
        return None
    if len(value) != len(question.options) or set(value) != {str(at) for at in range(1, len(value) + 1)}:
        raise Invalid(f"“{question.text}”: give each a place of its own.", details={"question": question.id})
    return [option for _, option in sorted(zip(map(int, value), question.options, strict=True))]


def _words(question: Question, value: object) -> str | None:
    if not isinstance(value, str) or _UNSTORABLE.search(value):
        raise Invalid(f"“{question.text}” takes plain text.", details={"question": question.id})
    text = value.replace("\r\n", "\n").strip()
    if len(text) > ANSWER_LENGTH:
        raise Invalid(
            f"“{question.text}”: that are {len(text):,} characters; {ANSWER_LENGTH:,} is the most.",
            details={"question": question.id},
        )
    return text or None


# ---- where to begin ------------------------------------------------------------------------------------------------

WHY = {"kind": "open", "text": "What is the main reason for your answer?"}
TEMPLATES: dict[str, tuple[str, list[dict[str, Any]]]] = {
    "nps": (
        "Would recommend us",
        [{"kind": "nps", "text": "How likely are you to recommend us to a friend or colleague?"}, WHY],
    ),
    "csat": ("Satisfaction", [{"kind": "csat", "text": "How satisfied are you with what you just did here?"}, WHY]),
    "ces": ("Effort", [{"kind": "ces", "text": "It was easy to do what I came for."}, WHY]),
    "seq": (
        "Ease of a task",
        [{"kind": "seq", "text": "Overall, how difficult or easy was this task to complete?"}, WHY],
    ),
    "one_question": (
        "One question before code",
        [
            {
                "kind": "single",
                "text": "When did you last need this?",
                "options": ["This week", "This month", "Longer ago", "Never"],
            }
        ],
    ),
    "blank": ("", [{"kind": "open", "text": "What is the one thing you would change?"}]),
}
