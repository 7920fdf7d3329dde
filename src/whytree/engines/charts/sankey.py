"""A Sankey diagram, drawn by hand: where things flow, column by column. Colours are the stylesheet's tokens. Pure."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT, BAR, GAP = 760.0, 380.0, 9.0, 6.0


@dataclass(frozen=True)
class Flow:
    """So much flows from a node in column `at` to a node in the next."""

    at: int
    source: str
    target: str
    size: float


@dataclass
class _Node:
    name: str
    size: float
    x: float = 0.0
    y: float = 0.0
    height: float = 0.0
    used_in: float = 0.0
    used_out: float = 0.0


def sankey(flows: Sequence[Flow], *, label: str) -> str:
    """An SVG; empty where nothing flows. What comes into a node stands above each other in the order of where it comes from."""
    shown = [flow for flow in flows if flow.size > 0]
    if not shown:
        return ""
    columns = _columns(shown)
    step = (WIDTH - BAR - 130) / max(len(columns) - 1, 1)
    scale = min(
        (HEIGHT - GAP * (len(nodes) - 1)) / max(sum(node.size for node in nodes.values()), 1e-9)
        for nodes in columns.values()
    )
    for at, nodes in columns.items():
        y = 0.0
        for node in sorted(nodes.values(), key=lambda one: -one.size):
            node.x, node.y, node.height = at * step, y, max(node.size * scale, 1.0)
            y += node.height + GAP
    bands = [_band(flow, columns[flow.at][flow.source], columns[flow.at + 1][flow.target], scale) for flow in shown]
    words = [_words(node, step) for nodes in columns.values() for node in nodes.values()]
    height = max(node.y + node.height for nodes in columns.values() for node in nodes.values())
    return (
        f'<svg class="sankey" viewBox="0 0 {WIDTH:g} {height + 4:.0f}" width="100%" role="img" '
        f'aria-label="{escape(label)}" font-family="var(--sans)" font-size="11">{"".join(bands)}{"".join(words)}</svg>'
    )


def _columns(flows: Sequence[Flow]) -> dict[int, dict[str, _Node]]:
    out: dict[tuple[int, str], float] = defaultdict(float)
    into: dict[tuple[int, str], float] = defaultdict(float)
    for flow in flows:
        out[flow.at, flow.source] += flow.size
        into[flow.at + 1, flow.target] += flow.size
    columns: dict[int, dict[str, _Node]] = defaultdict(dict)
    for at, name in sorted({*out, *into}):
        columns[at][name] = _Node(name, max(out[at, name], into[at, name]))
    return dict(columns)


def _band(flow: Flow, source: _Node, target: _Node, scale: float) -> str:
    thick = max(flow.size * scale, 0.8)
    y1, y2 = source.y + source.used_out + thick / 2, target.y + target.used_in + thick / 2
    source.used_out += thick
    target.used_in += thick
    x1, x2 = source.x + BAR, target.x
    middle = (x1 + x2) / 2
    says = escape(f"{flow.source} to {flow.target}: {flow.size:,.0f}")
    return (
        f'<path d="M{x1:.1f} {y1:.1f}C{middle:.1f} {y1:.1f} {middle:.1f} {y2:.1f} {x2:.1f} {y2:.1f}" fill="none" '
        f'stroke="var(--leaf)" stroke-opacity="0.28" stroke-width="{thick:.1f}"><title>{says}</title></path>'
    )


def _words(node: _Node, step: float) -> str:
    """The name beside its bar, cut to the room there is, and how much below it; a thin node has them as a hint only."""
    room = max(int((step - BAR - 10) / 6.4), 4)
    name = node.name if len(node.name) <= room else node.name[: room - 1] + "…"
    text, x = "", node.x + BAR + 4
    if node.height >= 26:
        y = node.y + node.height / 2 - 2
        text = (
            f'<text x="{x:.1f}" y="{y:.1f}" fill="var(--ink)">{escape(name)}'
            f'<tspan x="{x:.1f}" dy="14" fill="var(--ink-2)">{node.size:,.0f}</tspan></text>'
        )
    elif node.height >= 8:
        y = node.y + node.height / 2 + 4
        text = f'<text x="{x:.1f}" y="{y:.1f}" fill="var(--ink)">{escape(name)}</text>'
    title = escape(f"{node.name}: {node.size:,.0f}")
    return (
        f'<rect x="{node.x:.1f}" y="{node.y:.1f}" width="{BAR:g}" height="{node.height:.1f}" rx="2" '
        f'fill="var(--leaf)"><title>{title}</title></rect>{text}'
    )
