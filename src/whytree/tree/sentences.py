"""The sentence a page begins with: what the tree says, in words."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from whytree.tree.differing import Different, TreeDiff
from whytree.tree.models import EXPOSED_STATES, ForecastUnit, Hypothesis, Opportunity, Outcome, Solution, State
from whytree.tree.outline import Branch, Tree

AT_WORK = EXPOSED_STATES | {State.TESTING, State.BUILDING}
SHORT = 90


@dataclass(frozen=True)
class Sentence:
    """`head` answers the question of the page, `next` says what comes after it; both may stand alone."""

    head: str
    next: str = ""


def tree_sentence(tree: Tree) -> Sentence:
    """Where the outcome in focus stands, how many problems are in its way, and the one most heard of that nobody works on."""
    outcomes = [branch for branch in tree.roots if not branch.node.is_closed]
    everywhere = _open_problems(tree.walk())
    if not outcomes and not everywhere:
        return Sentence("What should change for people?", "Say it in one sentence; everything else grows from there.")
    if not outcomes:
        return Sentence(_way(everywhere), _next(everywhere))
    first = max(outcomes, key=_is_in_focus)
    problems = _open_problems(first.walk())
    way = _way(problems) if problems else "Nobody has said yet what stands in the way."
    return Sentence(f"{_stands(first)} {way}", _next(everywhere))


#: What a day's difference is called, most telling first: what it is, for one node and for several.
_TURNS = {
    "number": ("number moved", "numbers moved"),
    "decided": ("prediction came out", "predictions came out"),
    "due": ("prediction fell due", "predictions fell due"),
    "state": ("solution moved on", "solutions moved on"),
    "verdict": ("test was concluded", "tests were concluded"),
    "evidence": ("belief is stronger or weaker", "beliefs are stronger or weaker"),
    "came": ("is new", "are new"),
    "closed": ("was closed", "were closed"),
}
MOST_TURNS = 3


def diff_sentence(diff: TreeDiff, since: date) -> Sentence:
    """How many of what is otherwise; what people wrote is told last."""
    then = f"{since.day} {since:%b %Y}"
    if not diff.nodes:
        return Sentence(f"The tree says what it said on {then}.")
    told = Counter(what for node in diff.nodes for what in _turns(node))
    turns = [
        f"{told[what]:,}\N{NO-BREAK SPACE}{one if told[what] == 1 else many}"
        for what, (one, many) in _TURNS.items()
        if told[what]
    ]
    if not turns:
        return Sentence(f"Nothing is believed otherwise than on {then}.", "People added to what was known.")
    rest = f"Also: {', '.join(turns[MOST_TURNS:])}." if turns[MOST_TURNS:] else ""
    return Sentence(f"Since {then}: {', '.join(turns[:MOST_TURNS])}.", rest)


def _turns(node: Different) -> set[str]:
    """What is otherwise about a node; what is new has evidence for the first time, and is no belief that changed."""
    turns = {str(one.what) for one in node.differences}
    return turns - {"evidence"} if "came" in turns else turns


def _way(problems: list[Branch]) -> str:
    worked_on = sum(1 for branch in problems if _is_worked_on(branch))
    return f"{_counted(len(problems), 'problem')} in the way, {worked_on or 'none'} being worked on."


def _is_in_focus(outcome: Branch) -> bool:
    """Whether an opportunity below it is in focus; of several outcomes the first such one is spoken of."""
    return any(isinstance(branch.node, Opportunity) and branch.node.in_focus for branch in outcome.walk())


def _stands(branch: Branch) -> str:
    title = short(branch.node.title).rstrip(".")
    figure = branch.figure
    if not figure.value:
        return f"{title}: not measured yet." if isinstance(branch.node, Outcome) else f"{title}."
    change = f", {figure.change}" if figure.change else ""
    return f"{title}: {figure.value}{change}."


def _next(problems: list[Branch]) -> str:
    waiting = [branch for branch in problems if not _is_worked_on(branch)]
    if not waiting:
        return ""
    most = max(waiting, key=lambda branch: (branch.people, branch.confidence.value))
    heard = f"{_counted(most.people, 'person', 'people')} heard" if most.people else "nobody heard yet"
    tried = "nothing tried" if not most.children else "nothing at work"
    return f"Most heard of and untouched: {short(most.node.title)} ({heard}, {tried})."


def _open_problems(branches: Iterable[Branch]) -> list[Branch]:
    """Open opportunities that are not only a roof over narrower ones."""
    return [
        branch
        for branch in branches
        if isinstance(branch.node, Opportunity)
        and not branch.node.is_closed
        and not any(isinstance(child.node, Opportunity) and not child.node.is_closed for child in branch.children)
    ]


def _is_worked_on(branch: Branch) -> bool:
    return any(isinstance(child.node, Solution) and child.node.state in AT_WORK for child in branch.children)


def _counted(number: int, one: str, many: str = "") -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def short(text: str, length: int = SHORT) -> str:
    """A title that fits into a sentence."""
    return text if len(text) <= length else text[: length - 1].rsplit(" ", 1)[0].rstrip(",;:") + " …"


def forecast(hypothesis: Hypothesis) -> str:
    """+1 to +7 pp"""
    return f"{_signed(hypothesis.forecast_low)} to {_signed(hypothesis.forecast_high)}{_unit(hypothesis)}"


def likely(hypothesis: Hypothesis) -> str:
    """+4 pp"""
    return f"{_signed(hypothesis.forecast_likely)}{_unit(hypothesis)}"


def _unit(hypothesis: Hypothesis) -> str:
    return {ForecastUnit.POINTS: " pp", ForecastUnit.PERCENT: " %"}.get(ForecastUnit(hypothesis.forecast_unit), "")


def _signed(value: float) -> str:
    """With its sign, and a true minus."""
    return f"{value:+,.6g}".replace("-", "−") if value else "0"
