"""Numbers over MCP: a question of what people did, and a metric as it stands."""

from typing import Annotated, Any

from msgspec import Meta

from whytree.workspace.terminal.client import CommandError
from whytree.workspace.terminal.tooling import Desk, Request, Told, tool

from .asking.terminal import LINES
from .commands import measure_lines

MOST_EVENTS = 60
MOST_PROPERTIES = 12
EXAMPLES = (
    '{"kind": "funnel", "steps": ["opened", "signed_up"], "within": "1d", "by": "platform", "days": 28}; '
    '{"kind": "trends", "series": ["paid"], "measure": "people", "interval": "week", "days": 90}; '
    '{"kind": "retention", "begin": "signed_up", "back": "opened", "interval": "week", "stretches": 8}. '
    'An event may carry filters: {"event": "paid", "where": [{"field": "plan", "operator": "is", "values": ["free"]}]}.'
)


class AskAsked(Request):
    question: Annotated[
        dict[str, Any],
        Meta(
            description=f"The question, as JSON: a funnel, trends, retention, lifecycle, stickiness, paths or sessions. {EXAMPLES}"
        ),
    ] = {}
    kept: Annotated[str, Meta(max_length=20, description="Or the id of a question somebody kept, as ASK-1.")] = ""


@tool("What do people do?")
def ask(desk: Desk, asked: AskAsked) -> Told:
    """Ask a question of the events that people caused: a funnel, trends, retention and the like; the answer has n, its period and 95 %
    intervals. Without a question: the events there are, and the questions that somebody kept."""
    question = asked.question
    if asked.kept:
        question = desk.client.get(desk.path(f"questions/{_name(asked.kept)}"))["question"]
    if not question:
        return _what_there_is(desk)
    answer = desk.client.post(desk.path("ask"), {"question": {"version": 1, **question}})
    return Told(LINES[answer["question"]["kind"]](answer), answer)


def _what_there_is(desk: Desk) -> Told:
    events = desk.client.get(desk.path("events/catalogue"))["events"]
    kept = desk.client.get(desk.path("questions"))
    often = sorted(events, key=lambda event: -event["volume"])[:MOST_EVENTS]
    lines = [
        f"{event['name']}: {event['volume']:,} times, {event['people']:,} people; "
        + ", ".join(one["name"] for one in event["properties"][:MOST_PROPERTIES])
        for event in often
    ]
    lines += [f"kept {one['ref']}: {one['title']}" for one in kept]
    return Told(lines or ["No event came in yet."], {"events": often, "kept": kept})


class MetricAsked(Request):
    key: Annotated[
        str, Meta(max_length=100, description="A metric's key, as activated_7d; left out: which metrics there are.")
    ] = ""
    days: Annotated[int, Meta(ge=1, le=3650, description="Of the last so many days.")] = 28


@tool("How does a metric stand?")
def measure_metric(desk: Desk, asked: MetricAsked) -> Told:
    """A metric's value with its 95 % interval, n, period and source, and how it went; without a key, the metrics there are."""
    if not asked.key:
        metrics = desk.client.get(desk.path("metrics"))
        return Told(
            [f"{one['key']}: {one['name']}" for one in metrics] or ["There is no metric yet."], {"metrics": metrics}
        )
    each = "day" if asked.days <= 31 else "week"
    measure = desk.client.get(desk.path(f"metrics/{_name(asked.key)}/measure"), days=asked.days, each=each)
    return Told(measure_lines(measure), measure)


def _name(typed: str) -> str:
    """A name as part of an address: nothing in it leads to another one."""
    from urllib.parse import quote

    if not typed.strip("."):
        raise CommandError(f"{typed!r} names nothing.")
    return quote(typed, safe="")


TOOLS = (ask, measure_metric)
