"""The first sentence of an answer, and what to do about what is missing. Words only; decides nothing."""

from dataclasses import replace

from whytree.engines.figures import number, percent

from ..answer import ONLY_A_REQUEST, ONLY_A_TICKET, Why

TELL = 'Tell why: whytree why {ref} --tell "the reason, or an id"   (kept as a git note), or write “Why: …” into the next commit.'


def headline(why: Why) -> str:
    """One sentence that answers the question, from what there is."""
    if why.gone:
        gone = f"Moved to {why.gone.moved_to} in" if why.gone.moved_to else "Gone since"
        return f"{gone} {why.gone.short} {_quoted(why.gone.subject)} {headline(replace(why, gone=None))}"
    if why.uncommitted:
        return "This is not committed yet, so nobody has said why."
    if why.is_summary:
        return _by_share(why)
    if not why.explained:
        return _unexplained(why)
    return " ".join(filter(None, (_who_asked(why), _what_it_did(why))))


def _unexplained(why: Why) -> str:
    if why.commit and why.commit.is_maintenance:
        return f"This came with maintenance: {_quoted(why.commit.subject)}"
    if why.reasons:
        return f"{_quoted(why.reasons[-1].words)} Which problem of somebody's that solves is an open question."
    if why.ticket:
        asked = f"Somebody asked for this in {why.ticket.key} {_quoted(why.ticket.title)}"
        named = f"Its commit names {why.ticket.key}, whose words are not known here."
        return f"{asked if why.ticket.title else named} Nobody has said what it should change."
    if why.commit:
        return "Nobody has said why this is here."
    return "It is not there any more, or was never read in." if why.others else "Nothing leads from here yet."


def _by_share(why: Why) -> str:
    told = [part for part in why.parts if part.ref]
    tickets = sum(part.share for part in why.parts if part.title == ONLY_A_TICKET)
    requests = sum(part.share for part in why.parts if part.title == ONLY_A_REQUEST)
    if not told and requests > tickets:
        return f"{percent(requests)} of these lines came with pull requests that nobody has read yet."
    if not told and tickets:
        return f"{percent(tickets)} of these lines name a ticket. Nobody has said what any of them should change."
    if not told:
        return "Nobody has said why any of these lines are here."
    size = percent(why.explained_share)
    first = f"“{told[0].title.strip().rstrip('.')}”"
    return f"{size} of these lines can say what they are for, most of them {first} ({percent(told[0].share)})."


def _who_asked(why: Why) -> str:
    if why.opportunity is None:
        subject = why.solution or why.outcome
        return f"This is for {_quoted(subject.title)}" if subject else ""
    people = why.opportunity.people
    said = _quoted(why.opportunity.title)
    if not people:
        return f"This is for {said}"
    return f"{people:,} people speak for {said}" if people > 1 else f"One person speaks for {said}"


def _what_it_did(why: Why) -> str:
    if why.solution is None:
        return ""
    name = _quoted(why.solution.title).rstrip(".")
    review = why.review
    if review is None or review.difference is None:
        if why.opportunity is None:
            return "Which problem it solves is an open question."
        waiting = {"idea": "is an idea", "testing": "is being tested", "building": "is being built"}
        state = waiting.get(why.solution.state, f"is {why.solution.state}")
        return f"{name} {state}; what it does is not measured yet."
    unit = "points" if review.difference_unit == "pp" else review.difference_unit
    size = f"{number(abs(review.difference))} {unit}".strip()
    moved = "raised" if review.difference > 0 else "lowered"
    if review.low is not None and review.high is not None and review.low <= 0 <= review.high:
        return f"{name} made no difference to “{review.metric}” that can be told from chance."
    return f"{name} {moved} “{review.metric}” by {size}."


def _quoted(title: str) -> str:
    """A title in quotation marks, with a full stop where it has no end of its own."""
    title = title.strip().strip('“”"')
    return f"“{title}”" if title.endswith((".", "!", "?", "…")) else f"“{title}”."


def advice(why: Why, request: str = "") -> tuple[str, ...]:
    """What to do next about what is missing, the most useful first. `request`: a pull request that nobody has read."""
    if why.uncommitted:
        return ("Commit it with a line “Why: SOL-1” in the message, or begin with: whytree start TICKET",)
    if why.is_summary:
        is_unread = any(part.title == ONLY_A_REQUEST for part in why.parts)
        return ("Ask the tracker what its pull requests were for: whytree ticket sync",) if is_unread else ()
    if why.explained:
        return tuple(_gaps(why))
    if why.ticket:
        bring = (
            f"Bring the words of {why.ticket.key}: whytree ticket sync, or an export: whytree import tickets FILE",
        )
        return (
            *(bring if not why.ticket.title else ()),
            f'Say what {why.ticket.key} is for: whytree start "{why.ticket.key}"',
        )
    asks = (f"Ask the tracker what pull request {request} was for: whytree ticket sync",) if request else ()
    return (*asks, TELL.format(ref=why.ref)) if why.commit else ()


def _gaps(why: Why) -> list[str]:
    gaps = []
    if why.solution and why.opportunity is None:
        gaps.append(f"Say which problem {why.solution.ref} solves: whytree move {why.solution.ref} --under OPP-N")
    elif why.opportunity and not why.evidence:
        gaps.append(f"Nobody's words stand behind {why.opportunity.ref} yet: link what people said, under Voices.")
    if why.opportunity and why.outcome is None:
        gaps.append(f"Say which outcome {why.opportunity.ref} serves: whytree move {why.opportunity.ref} --under OUT-N")
    if why.solution and why.hypothesis is None and why.opportunity:
        gaps.append(f"Say what {why.solution.ref} should change: whytree hypothesis add {why.solution.ref} --help")
    return gaps
