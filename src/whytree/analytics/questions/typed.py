"""Events as one types them in a field or on a command line. Pure.

paid                              the event
paid where plan=pro; price>10     only those
people of paid                    with a measure of its own, in trends
coupon?                           an optional step of a funnel
"""

import re
from typing import Any

from whytree.errors import Invalid

from .parts import filter_json, parse_filter
from .trends import checked_measure

# Names of events are free text: “Clicked where to buy” has no sign behind its “where”, and is one.
_WHERE = re.compile(r"(?P<event>.+?)\s+where\s+(?P<filters>.*[=~<>].*|!.+)", re.DOTALL)


def parse_event(text: str) -> Any:
    """As a question's JSON has it."""
    found = _WHERE.fullmatch(text.strip())
    if found is None:
        return text.strip()
    filters = [filter_json(parse_filter(one)) for one in found["filters"].split(";") if one.strip()]
    return {"event": found["event"], "where": filters}


def parse_step(text: str) -> Any:
    """A funnel's step."""
    said = parse_event(text)
    event = said if isinstance(said, str) else said["event"]
    if not event.endswith("?"):
        return said
    more = {} if isinstance(said, str) else said
    return more | {"event": event.removesuffix("?").strip(), "optional": True}


def parse_series(text: str) -> Any:
    """A series of trends."""
    measure, of, rest = text.strip().partition(" of ")
    if not of or not rest.strip():
        return parse_event(text)
    try:
        checked_measure(measure)
    except Invalid:
        return parse_event(text)
    said = parse_event(rest)
    return ({"event": said} if isinstance(said, str) else said) | {"measure": measure.strip()}
