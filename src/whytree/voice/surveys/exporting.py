"""Every response as a row. Columns come from the survey itself, never from what somebody answered: they are the same every time."""

import json
from collections.abc import Iterator
from typing import Any

from whytree.engines import spreadsheet

from .models import Survey, SurveyResponse
from .questions import PARTED

VERSION = 1
_HEAD = (
    "export_version",
    "survey",
    "response",
    "person",
    "via",
    "asked_at",
    "dismissed_at",
    "answered_at",
    "app_version",
    "url",
    "flags",
)


def columns(survey: Survey) -> list[str]:
    """A column for each question by its id; of a choice of several, an order and a matrix one for each option, as `q2.Speed`."""
    found = [*_HEAD, *(f"hidden.{name}" for name in survey.hidden)]
    for one in survey.asked:
        found += [f"{one.id}.{option}" for option in one.options] if one.kind in PARTED else [one.id]
    return found


def rows(survey: Survey) -> Iterator[list[Any]]:
    """Everybody who was asked or answered, in the order they came."""
    questions = survey.asked
    for response in survey.responses.order_by("pk").iterator(chunk_size=2_000):
        row = _head(survey, response)
        row += [response.hidden.get(name, "") for name in survey.hidden]
        for one in questions:
            given = response.answers.get(one.id)
            if one.kind == "multi":
                row += ["" if given is None else int(option in given) for option in one.options]
            elif one.grid is not None:
                row += [(given or {}).get(line, "") for line in one.options]
            elif one.kind == "ranking":
                row += ["" if given is None else given.index(option) + 1 for option in one.options]
            else:
                row.append("" if given is None else given)
        yield row


def _head(survey: Survey, response: SurveyResponse) -> list[Any]:
    moments = [at.isoformat() if at else "" for at in (response.asked_at, response.dismissed_at, response.answered_at)]
    flags = json.dumps(response.flags, sort_keys=True, ensure_ascii=False) if response.flags else ""
    return [
        VERSION,
        survey.ref,
        response.pk,
        response.person_key,
        response.via,
        *moments,
        response.app_version,
        response.url,
        flags,
    ]


def as_csv(survey: Survey) -> str:
    """Texts that a spreadsheet would compute are quoted with an apostrophe."""
    return spreadsheet.as_csv(columns(survey), rows(survey))


def as_records(survey: Survey) -> list[dict[str, Any]]:
    """The same for programs, texts as they are."""
    names = columns(survey)
    return [dict(zip(names, row, strict=True)) for row in rows(survey)]
