"""A question asked of events, as data: versioned JSON, checked here and nowhere else. Pure.

{"version": 1, "kind": "funnel", "within": "1d", "by": "platform", "days": 28,
 "steps": [{"event": "opened"}, {"event": "paid", "where": [{"field": "plan", "operator": "is", "values": ["free"]}]}]}
{"version": 1, "kind": "trends", "series": ["paid"], "measure": "sum:price", "interval": "week", "by": "plan"}
{"version": 1, "kind": "lifecycle", "event": "opened", "interval": "week"}
{"version": 1, "kind": "stickiness", "event": "opened", "interval": "day", "days": 28}
{"version": 1, "kind": "paths", "from": "opened", "depth": 5, "hide": ["heartbeat"]}
{"version": 1, "kind": "sessions", "event": "paid", "interval": "week", "by": "platform", "days": 28, "previous": true}
{"version": 1, "kind": "retention", "begin": "signed_up", "back": "opened", "interval": "week", "stretches": 8}

`days` are the last so many; `"since": "2026-05-01", "until": "2026-05-31"` two days and all between; without any of them it is
about everything there is. A `where` beside the events holds for each of them.
"""

from .funnel import MOST_STEPS, Funnel
from .kinds import KINDS, VERSION, Question, as_json, checked_question, events_of, fields_of
from .living import Lifecycle, Stickiness
from .parts import (
    COHORT,
    COMPANY_TRAIT,
    PERSON_TRAIT,
    SESSION,
    THEN,
    filter_json,
    filter_words,
    label,
    parse_filter,
    parse_span,
    refuse_unknown,
    span,
    span_words,
)
from .paths import Paths
from .reading import by_text
from .retention import Retention, bracket_words
from .sessions import Sessions
from .trends import ACTIVE, LETTERS, MOST_SERIES, Measured, Trends
from .typed import parse_event, parse_series, parse_step
from .when import When, in_last, in_time

__all__ = [
    "ACTIVE",
    "COHORT",
    "COMPANY_TRAIT",
    "KINDS",
    "LETTERS",
    "MOST_SERIES",
    "MOST_STEPS",
    "PERSON_TRAIT",
    "SESSION",
    "THEN",
    "VERSION",
    "Funnel",
    "Lifecycle",
    "Measured",
    "Paths",
    "Question",
    "Retention",
    "Sessions",
    "Stickiness",
    "Trends",
    "When",
    "as_json",
    "bracket_words",
    "by_text",
    "checked_question",
    "events_of",
    "fields_of",
    "filter_json",
    "filter_words",
    "in_last",
    "in_time",
    "label",
    "parse_event",
    "parse_filter",
    "parse_series",
    "parse_span",
    "parse_step",
    "refuse_unknown",
    "span",
    "span_words",
]
