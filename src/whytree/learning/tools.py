"""What was learned, over MCP: the base rate before anybody predicts."""

from typing import Annotated, Literal

from msgspec import Meta

from whytree.workspace.terminal.tooling import Desk, Request, Told, tool

from .priors.commands import effect_lines


class EffectsAsked(Request):
    metric: Annotated[str, Meta(min_length=1, max_length=100, description="A metric's key, as activated_7d.")]
    change: Annotated[
        str, Meta(max_length=2000, description="The change in words: finds what was learned from changes like it.")
    ] = ""
    likely: Annotated[float | None, Meta(description="What you think most likely: is it outside all ever seen?")] = None
    unit: Annotated[
        Literal["pp", "%", ""], Meta(description='"pp" points, "%" percent of the value, "" the metric\'s own unit.')
    ] = "pp"


@tool("What did changes like this one do?")
def list_past_effects(desk: Desk, asked: EffectsAsked) -> Told:
    """What earlier changes did to a metric, each with its 95 % interval; what was learned from changes spoken of in like words; the range
    that holds eight of ten next effects; and whether a forecast lies outside all ever seen. Ask before you predict."""
    known = desk.client.get(
        desk.path("past-effects"), metric_key=asked.metric, unit=asked.unit, change=asked.change, likely=asked.likely
    )
    return Told(effect_lines(known), known)


TOOLS = (list_past_effects,)
