"""How a test before code fills itself: what is counted, and what would count as a yes. Stored on the test, versioned.

    {"version": 1, "kind": "fake_door", "seen": "door_seen", "pressed": "door_pressed", "of": 400, "needed": 40, "flag": ""}
    {"version": 1, "kind": "data", "metric_key": "activated_7d", "way": "at_least", "threshold": 30, "days": 28}
    {"version": 1, "kind": "people", "of": 5, "needed": 4}
    {"version": 1, "kind": "survey", "survey": "SUR-3", "question": "q1", "yes": ["This week"], "of": 50, "needed": 20}

A fake door counts the first `of` people who see it, and is closed with its flag when they have; data are a metric's value over
the last days; people are watched or asked one by one; a survey counts the first `of` who answer one of its
questions. A spike has no measure: its time is its limit.
"""

import math
from collections.abc import Mapping
from typing import Any, Literal

from django.core.exceptions import ValidationError

VERSION = 1
Kind = Literal["fake_door", "data", "people", "survey"]

FIELDS: dict[str, frozenset[str]] = {
    "fake_door": frozenset({"seen", "pressed", "of", "needed", "flag"}),
    "data": frozenset({"metric_key", "way", "threshold", "days"}),
    "people": frozenset({"of", "needed"}),
    "survey": frozenset({"survey", "question", "yes", "of", "needed"}),
}
#: People in a test before code; more than that is an experiment.
MOST_PEOPLE = 100_000
MOST_DAYS = 366
NAME_LENGTH = 200
MOST_ANSWERS = 20
WAYS = ("at_least", "at_most")


def measure_definition(value: object) -> None:
    """Raise `ValidationError` with what to do for what cannot be counted."""
    if value is None:
        return
    if not isinstance(value, Mapping) or value.get("version") != VERSION or value.get("kind") not in FIELDS:
        raise ValidationError(f'A measure has "version": {VERSION} and a kind: {", ".join(FIELDS)}.')
    kind = str(value["kind"])
    given = set(value) - {"version", "kind"}
    missing = FIELDS[kind] - given - {"flag"}
    if missing or given - FIELDS[kind]:
        raise ValidationError(f"A {_words(kind)} needs {', '.join(sorted(FIELDS[kind] - {'flag'}))}.")
    _check_data(value) if kind == "data" else _check_people(value)
    if kind == "survey":
        _check_yes(value["yes"])
    for name in ("seen", "pressed", "metric_key", "flag", "survey", "question"):
        text = value.get(name, "x")
        if (
            not isinstance(text, str)
            or len(text) > NAME_LENGTH
            or "\x00" in text
            or (not text.strip() and name != "flag")
        ):
            raise ValidationError(f"“{name}” is a name, as your product sends it.")


def _words(kind: str) -> str:
    names = {
        "fake_door": "fake door",
        "data": "data question",
        "people": "test with people",
        "survey": "survey's question",
    }
    return names[kind]


def _check_people(value: Mapping[str, Any]) -> None:
    of, needed = value["of"], value["needed"]
    if not (_whole(of) and _whole(needed) and 1 <= needed <= of <= MOST_PEOPLE):
        raise ValidationError("Say how many of how many: needed is 1 at least, and at most all of them.")


def _is_answer(value: object) -> bool:
    return _whole(value) or (isinstance(value, str) and 0 < len(value) <= NAME_LENGTH)


def _check_yes(answers: object) -> None:
    if not isinstance(answers, list) or not 1 <= len(answers) <= MOST_ANSWERS or not all(map(_is_answer, answers)):
        raise ValidationError("Say which answers are a yes: a list of options, or of points on the scale.")


def _check_data(value: Mapping[str, Any]) -> None:
    threshold = value["threshold"]
    if isinstance(threshold, bool) or not isinstance(threshold, int | float) or not math.isfinite(threshold):
        raise ValidationError("The threshold is a number, in the metric's own unit.")
    if value["way"] not in WAYS or not (_whole(value["days"]) and 1 <= value["days"] <= MOST_DAYS):
        raise ValidationError(f"The way is {' or '.join(WAYS)}, and the days are 1 to {MOST_DAYS}.")


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def session_list(value: object) -> None:
    """`[{"at": ..., "passed": true, "note": "..."}]`: one row a person who was watched or asked."""
    fits = isinstance(value, list) and all(
        isinstance(row, Mapping)
        and set(row) == {"at", "passed", "note"}
        and isinstance(row["passed"], bool)
        and isinstance(row["at"], str)
        and isinstance(row["note"], str)
        for row in value
    )
    if not fits:
        raise ValidationError("A session says when it was, whether it passed, and a note.")


def criterion_of(measure: Mapping[str, Any]) -> str:
    """What would count as a yes, in a sentence, where nobody wrote another."""
    if measure["kind"] == "fake_door":
        seen, pressed = measure["seen"], measure["pressed"]
        return (
            f"{measure['needed']:,} of the first {measure['of']:,} people who see it (“{seen}”) press it (“{pressed}”)."
        )
    if measure["kind"] == "data":
        way = "at least" if measure["way"] == "at_least" else "at most"
        return f"{measure['metric_key']} is {way} {measure['threshold']:g} over {measure['days']} days."
    if measure["kind"] == "survey":
        yes = " or ".join(f"“{one}”" for one in measure["yes"])
        asked = f"{measure['question']} of {measure['survey']}"
        return f"{measure['needed']:,} of the first {measure['of']:,} people who answer {asked} say {yes}."
    return f"{measure['needed']} of {measure['of']} people."
