"""Which part of a tree one page shows: all of a small one, the upper part of a large one, a page of a very wide one."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from whytree.tree.models import Opportunity
from whytree.tree.outline import Branch, Tree

# A page shows whole levels up to this many nodes; deeper ones open by a link.
MOST_NODES = 250
# Siblings beyond this go to a next page.
MOST_ROWS = 300


@dataclass(frozen=True)
class Row:
    """A node on the page. `hidden` nodes stand below it elsewhere; `closes` branches end after it when drawn as a tree.

    `lit` nodes lead to an opportunity in focus, `dim` ones are closed or stand below one that is.
    """

    branch: Branch
    depth: int
    is_leaf: bool
    hidden: int
    closes: range
    lit: bool
    dim: bool


@dataclass(frozen=True)
class View:
    """`top` is the node the page is cut down to, None for the whole tree; `after` is where the next page begins."""

    top: Branch | None
    rows: list[Row]
    closed: int
    after: int | None


def view_of(tree: Tree, *, top: Branch | None = None, with_closed: bool = True, start: int = 0) -> View:
    """Cut a tree down to what one page can show."""
    tops = [top] if top is not None else [*tree.roots, *tree.loose]
    base = top.depth if top is not None else 0
    branches = [branch for one in tops for branch in one.walk()]
    closed = sum(1 for branch in branches if branch.node.is_closed)
    if not with_closed:
        branches = _without_closed(tops)
    deepest = _deepest_level(branches, base)
    shown = [branch for branch in branches if branch.depth - base <= deepest]
    page = (
        [*_above(shown[start], shown), *shown[start : start + MOST_ROWS]]
        if 0 < start < len(shown)
        else shown[:MOST_ROWS]
    )
    after = start + MOST_ROWS if len(shown) > start + MOST_ROWS else None
    return View(top, _rows(page, base, deepest), closed, after)


def _above(first: Branch, shown: Sequence[Branch]) -> list[Branch]:
    """What stands above the first node of a further page, so that it is seen where it belongs."""
    parents = {id(child): branch for branch in shown for child in branch.children}
    above: list[Branch] = []
    while id(first) in parents:
        first = parents[id(first)]
        above.append(first)
    return above[::-1]


def _without_closed(tops: Sequence[Branch]) -> list[Branch]:
    """Closed nodes go, with all that stands below them."""
    found: list[Branch] = []
    waiting = [top for top in reversed(tops) if not top.node.is_closed]
    while waiting:
        branch = waiting.pop()
        found.append(branch)
        waiting.extend(child for child in reversed(branch.children) if not child.node.is_closed)
    return found


def _deepest_level(branches: Sequence[Branch], base: int) -> int:
    """The last level that still fits as a whole; always one below the top, so that there is a way on."""
    levels = Counter(branch.depth - base for branch in branches)
    total = deepest = 0
    for level in sorted(levels):
        total += levels[level]
        if total > MOST_NODES and level > 1:
            break
        deepest = level
    return deepest


def _rows(page: Sequence[Branch], base: int, deepest: int) -> list[Row]:
    rows = []
    parents = {child.node.ref: branch.node.ref for branch in page for child in branch.children}
    lit = _leading_to_focus(page, parents)
    dim: set[str] = set()
    for at, branch in enumerate(page):
        depth = branch.depth - base
        if branch.node.is_closed or parents.get(branch.node.ref) in dim:
            dim.add(branch.node.ref)
        below = page[at + 1].depth - base if at + 1 < len(page) else 0
        cut = depth == deepest and bool(branch.children)
        rows.append(
            Row(
                branch=branch,
                depth=depth,
                is_leaf=below <= depth,
                hidden=branch.size - 1 if cut else 0,
                closes=range(max(0, depth - below) if at + 1 < len(page) else depth),
                lit=branch.node.ref in lit,
                dim=branch.node.ref in dim,
            )
        )
    return rows


def _leading_to_focus(page: Sequence[Branch], parents: Mapping[str, str]) -> set[str]:
    lit: set[str] = set()
    for branch in page:
        ref: str | None = branch.node.ref if isinstance(branch.node, Opportunity) and branch.node.in_focus else None
        while ref is not None and ref not in lit:
            lit.add(ref)
            ref = parents.get(ref)
    return lit
