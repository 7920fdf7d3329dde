"""The first sentence of what lies ahead, the cheapest next test, and what would help most. Words only."""

from collections.abc import Sequence

from whytree.tree.models import AssumptionTest, Method, Opportunity, Progress

from .answer import MOST_NAMED, Ahead, Belief

# What settles a belief for least, by what kind of belief it is.
CHEAP_WAY = {
    "desirability": "a fake door, or one question in the product",
    "viability": "a look at the numbers there are",
    "feasibility": "a spike of a day",
    "usability": "five people and a prototype",
    "ethical": "a talk with those who would bear it",
}


def headline(ahead: Ahead) -> str:
    """One sentence or two: who struggles here, and what waits."""
    if ahead.is_empty and ahead.tickets:
        return _only_tickets(ahead)
    if ahead.is_empty:
        return "Nothing is known here yet that could be better."
    return " ".join(filter(None, (_who_struggles(ahead), _what_waits(ahead)))) or "Nothing waits here."


def _only_tickets(ahead: Ahead) -> str:
    keys = [one.key for one in ahead.tickets]
    keys += ["others"] if len(keys) == MOST_NAMED else []
    listed = keys[0] if len(keys) == 1 else f"{', '.join(keys[:-1])} and {keys[-1]}"
    written = f"{ahead.named:,} of {ahead.lines:,} lines were" if ahead.lines > 1 else "It was"
    return f"{written} written for {listed}. Nobody has said what that should change for people."


def _who_struggles(ahead: Ahead) -> str:
    heard = [one for one in ahead.struggles if one.people]
    if not heard:
        return ""
    first = heard[0]
    title = first.title.strip().strip('“”"')
    stop = "" if title.endswith((".", "!", "?", "…")) else "."
    who = "One person speaks" if first.people == 1 else f"{first.people:,} people speak"
    since = f" {first.since:,} of them since the change was live." if first.since else ""
    return f"{who} of “{title}”{stop}{since}"


def _what_waits(ahead: Ahead) -> str:
    """At most two of the things that are on hand, the most urgent first."""
    harmed = sum(one.state == "harmed" for one in ahead.guards)
    near = sum(one.state == "near" for one in ahead.guards)
    asked = sum(one.kind == "challenge" for one in ahead.remarks)
    verdicts = sum(one.is_measured for one in ahead.unmeasured)
    open_questions = sum(one.kind == "question" for one in ahead.remarks)
    parts = [
        _counted(harmed, "guardrail was harmed", "guardrails were harmed"),
        _counted(near, "guardrail is near its margin", "guardrails are near their margin"),
        _counted(verdicts, "result wants a verdict", "results want a verdict"),
        _counted(len(ahead.unmeasured) - verdicts, "change has no measured result", "changes have no measured result"),
        _counted(asked, "challenge is open", "challenges are open"),
        _counted(len(ahead.untested), "assumption is untested", "assumptions are untested"),
        _counted(len(ahead.spent), "flag could go", "flags could go"),
        _counted(open_questions, "question is open", "questions are open"),
        _counted(ahead.unread, "voice from here waits for a reader", "voices from here wait for a reader"),
    ]
    told = [part for part in parts if part][:2]
    return f"{', '.join(told).capitalize()}." if told else ""


def _counted(count: int, one: str, many: str) -> str:
    return "" if not count else f"one {one}" if count == 1 else f"{count:,} {many}"


def next_test(planned: AssumptionTest | None, beliefs: Sequence[Belief], problems: Sequence[Opportunity]) -> str:
    """The cheapest thing that would tell more: a test that stands there already, else what the riskiest belief lacks."""
    if planned is not None:
        about = f"{planned.assumption.ref} “{planned.assumption.title}”"
        if planned.status == Progress.IN_PROGRESS:
            return f"{planned.ref} runs: write its verdict when “{planned.success_criterion}” is decided. It is about {about}."
        method = Method(planned.method).label
        return f"{planned.ref} is planned and not started: a {method} on {about}."
    if beliefs:
        first = beliefs[0]
        return (
            f"{first.ref} “{first.title}” matters most ({first.importance} of 5) and is {first.status}: "
            f"{CHEAP_WAY[first.kind]} would tell. Add a test on {first.solution}'s page."
        )
    if problems:
        return f"Ask one person about {problems[0].ref}: nothing is planned that would tell more."
    return ""


def help_most(ahead: Ahead, *, of_page: bool = False, of_ticket: bool = False) -> tuple[str, ...]:
    """What is missing, the most useful first."""
    steps = []
    if ahead.tickets:
        steps.append(f'Tie {ahead.tickets[0].key} to what it should change: whytree start "{ahead.tickets[0].key}"')
    if ahead.lines and ahead.unexplained:
        steps.append(_explain(ahead))
    if not ahead.solutions and not ahead.lines:
        steps.append(_begin(ahead, of_page=of_page, of_ticket=of_ticket))
    for one in ahead.struggles:
        if not one.people:
            steps.append(f"Nobody's words stand behind {one.ref} yet: link what people said, under Voices.")
    lone = [one for one in ahead.solutions if not ahead.struggles]
    if lone:
        steps.append(f"Say which problem {lone[0].ref} solves: whytree move {lone[0].ref} --under OPP-N")
    if ahead.solutions and not ahead.untested and not ahead.next:
        steps.append(f"Say what must be true for {ahead.solutions[0].ref} to work: add an assumption on its page.")
    return tuple(steps[:3])


def _begin(ahead: Ahead, *, of_page: bool, of_ticket: bool) -> str:
    if of_page:
        return (
            "What people say from this page is found by the address sent along with it. Link their words to a problem, under Voices."
            if ahead.unread
            else "Nobody’s words came from this page yet: they are found by the address (url) that is sent along with them."
        )
    if of_ticket:
        return (
            f'No solution stands behind it. Begin with it, and say what it should change: whytree start "{ahead.ref}"'
        )
    return "No solution stands behind it: tie one to it with whytree start, or link what people said under Voices."


def _explain(ahead: Ahead) -> str:
    if ahead.ref.endswith("/") or ahead.ref == "." or ahead.ref.startswith("diff:"):
        return (
            f"{ahead.unexplained:,} of {ahead.lines:,} lines are unexplained: begin the next change with whytree start."
        )
    lines = "this line is" if ahead.lines == 1 else f"{ahead.unexplained:,} of {ahead.lines:,} lines are"
    if ahead.lines == 1:
        return f'Say what {lines} for: whytree why {ahead.ref} --tell "the reason, or an id"'
    return f"{lines[0].upper()}{lines[1:]} unexplained. See which: whytree why {ahead.ref}; then name one line with --tell."
