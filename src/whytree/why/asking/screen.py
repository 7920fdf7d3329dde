"""One answer on one terminal screen: five hops, how each was found, and what is missing.

What people and commits say is data: its control characters are shown, never obeyed.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from rich.table import Table
from rich.text import Text

from whytree.engines.figures import between, number, percent
from whytree.engines.texts.words import cut as _cut
from whytree.workspace.terminal import printing
from whytree.workspace.terminal.printing import plain, quoted

Answer = dict[str, Any]

MOST_CODE = 6
MOST_OF_A_LINE = 500  # characters; a longer one was written by a machine
MOST_VOICES = 3
MOST_OTHERS = 6
_BAR = 12
# Where there is less room, how a step was found stands behind it and not in a column of its own.
_WIDE = 100
_DIM, _STATED, _INFERRED = "dim", "green", "yellow"
_COLOURS = {
    "commit": "default",
    "ticket": "default",
    "solution": "blue",
    "hypothesis": "blue",
    "opportunity": "magenta",
    "outcome": "green",
    "review": "green",
}


def print_answer(answer: Answer) -> None:
    """Print it, as wide as the terminal is."""
    console = printing.console()
    console.print(_head(answer))
    console.print(Text(plain(answer["sentence"]), style="bold"))
    console.print()
    grid = Table.grid(padding=(0, 2, 0, 0), expand=True)
    grid.add_column(no_wrap=True)
    grid.add_column(ratio=1)
    is_wide = console.width >= _WIDE
    if is_wide:
        grid.add_column(justify="right", no_wrap=True)
    for label, body, provenance in _rows(answer):
        if is_wide:
            grid.add_row(_label(label), body, _provenance(provenance))
            continue
        body.rstrip()
        grid.add_row(_label(label), Text("  ").join([body, _provenance(provenance)]) if provenance else body)
    console.print(grid)


def answer_lines(answer: Answer) -> list[str]:
    """The same for whoever has no screen: a step a line, in brackets how it was found."""
    return [*_head(answer).plain.split("\n"), answer["sentence"], *flat(_rows(answer))]


def flat(rows: Iterable[tuple[str, Text, str]]) -> list[str]:
    """Rows of a screen as lines: "label: body [how it was found]", the body's further lines below it."""
    lines = []
    for label, body, provenance in rows:
        first, *more = body.plain.split("\n")
        lines.append(f"{f'{label}: ' if label else '  '}{first.strip()}{f'  [{provenance}]' if provenance else ''}")
        lines += [f"  {line.strip()}" for line in more]
    return lines


def _head(answer: Answer) -> Text:
    head = Text(plain(answer["ref"]), style="cyan")
    if answer["at"]:
        head.append(f"  at {answer['at'][:7]}", style=_DIM)
    if answer["lines"] and answer["lines"] not in answer["ref"]:
        head.append(f"  {'lines ' if answer['commit'] else ''}{answer['lines']}", style=_DIM)
    for line in answer["code"][:MOST_CODE]:
        if line["asked"]:
            head.append(f"\n{line['number']:>6}  ", style=_DIM)
            head.append(_cut(line["text"].expandtabs(4).rstrip(), MOST_OF_A_LINE), style="default")
    more = len(answer["code"]) - MOST_CODE
    if more > 0:
        head.append(f"\n        … and {more:,} more lines", style=_DIM)
    return head


def _label(label: str) -> Text:
    return Text(label, style=_COLOURS.get(label, _DIM))


def _provenance(words: str) -> Text:
    return Text(plain(words), style=_STATED if words.startswith("stated") else _INFERRED)


# The card of `start` ----------------------------------------------------------------------------------


def print_card(card: Answer) -> None:
    """What one should know before starting, on one screen."""
    console = printing.console()
    grid = Table.grid(padding=(0, 2, 0, 0), expand=True)
    grid.add_column(no_wrap=True)
    grid.add_column(ratio=1)
    for label, body in _card_rows(card):
        grid.add_row(Text(label, style=_COLOURS.get(label, _DIM)), body)
    console.print(grid)


def card_lines(card: Answer) -> list[str]:
    """The same for whoever has no screen."""
    return flat((label, body, "") for label, body in _card_rows(card))


def _card_rows(card: Answer) -> Iterator[tuple[str, Text]]:
    if card["vision"]:
        yield "vision", Text(plain(card["vision"]), style="bold")
    for hop in ("ticket", "outcome", "opportunity", "solution"):
        if card[hop]:
            yield hop, _HOPS[hop](card[hop])
    for voice in card["voices"]:
        yield "", _voice(voice)
    for one in card["tried"]:
        body = _named(one["ref"], one["title"])
        body.append("  " + ", ".join(filter(None, (one["state"], plain(one["result"])))), style=_DIM)
        body.append(f"\nlearned: {_cut(plain(one['learned']), 160)}" if one["learned"] else "", style="default")
        yield "tried", body
    if card["tested"]:
        yield "tested", Text(plain(card["tested"]))
    for remark in card["remarks"]:
        yield remark["kind"], _remark(remark)
    for choice in card["choices"]:
        yield "perhaps", _named(choice["ref"], choice["title"])
    if not any(card[part] for part in ("outcome", "opportunity", "choices")):
        yield "tree", Text("Nothing is known yet about what should change, and for whom.", style=_INFERRED)


def _remark(remark: Answer) -> Text:
    body = Text(plain(remark["text"]))
    more = [plain(remark["author"]), remark["node"]]
    if remark["cost"]:
        more.insert(0, f"costs {plain(remark['cost'])}")
    if remark["alternative"]:
        more.insert(0, f"instead: {plain(remark['alternative'])}")
    body.append("  " + " · ".join(filter(None, more)), style=_DIM)
    return body


# Rows: (label, what, how it was found) ----------------------------------------------------------------


def _rows(answer: Answer) -> Iterator[tuple[str, Text, str]]:
    yield from _hops(answer)
    yield from _not_told(answer)
    if len(answer["parts"]) > 1 or not answer["commit"]:
        for at, part in enumerate(answer["parts"]):
            yield "" if at else "lines", _part(part), part["provenance"]
    for note in answer["notes"]:
        yield "note", Text(plain(note)), ""
    yield from _others(answer)
    if answer["links"] and answer["explained"]:
        yield "links", Text(_tally(answer), style=_DIM), ""
    for question in answer["open_questions"]:
        yield "open", Text(plain(question), style=_INFERRED), ""
    for step in answer["next"]:
        yield "next", Text(plain(step)), ""


def _hops(answer: Answer) -> Iterator[tuple[str, Text, str]]:
    """From the line to what its change did, with the words on the way."""
    found = _Found(answer)
    if answer["gone"]:
        yield "gone", _gone(answer["gone"]), answer["gone"]["provenance"]
    for hop, draw in _HOPS.items():
        if answer[hop]:
            body = _ticket(answer[hop], heard=_is_heard(answer)) if hop == "ticket" else draw(answer[hop])
            if hop == "outcome" and answer["review"]:
                body.append_text(_moved(answer["review"]))
            yield hop, body, found.way_from(answer[hop])
        if hop == "commit":
            yield from _reasons(answer)
        if hop == "opportunity":
            yield from _voices(answer)


def _not_told(answer: Answer) -> Iterator[tuple[str, Text, str]]:
    """What is missing on the way, and what could be said with one word."""
    if answer["explained"] and (answer["solution"] or answer["opportunity"]):
        yield from _missing(answer)
    elif answer["ticket"] and not answer["explained"]:
        yield "outcome", Text("nobody has said what this should change for people", style=_INFERRED), "open question"
    for one in answer.get("drafts", ()):
        body = Text(f"{one['kind']} ", style=_DIM).append(plain(one["title"]), style="default")
        yield "draft", body.append(f"  yes: whytree draft confirm {one['id']}", style=_DIM), one["provenance"]


def _others(answer: Answer) -> Iterator[tuple[str, Text, str]]:
    """Further commits behind the same lines."""
    shown = MOST_OTHERS if answer["parts"] else len(answer["others"])
    for other in answer["others"][:shown]:
        yield "also", _other(other), other["provenance"]
    if (more := len(answer["others"]) - shown) > 0:
        yield "", Text(f"and {more} more commits" if more > 1 else "and one more commit", style=_DIM), ""


class _Found:
    """How the way on from each hop was found."""

    def __init__(self, answer: Answer) -> None:
        self._links = answer["links"]

    def way_from(self, hop: Answer) -> str:
        start = hop.get("short") or hop.get("ref") or hop.get("key")
        step = next((step for step in self._links if step["from"] == start), None)
        if step is None:
            return ""
        is_rule = step["provenance"] == "stated" and step["rule"] not in {"tree", "evidence", "review"}
        return f"stated: {step['rule']}" if is_rule else _with_score(step)


def _with_score(step: Answer) -> str:
    """inferred: closing keyword (0.9)"""
    score = step.get("score")
    return f"{step['provenance']} ({score:g})" if score is not None else str(step["provenance"])


def _commit(hop: Answer) -> Text:
    body = Text()
    body.append(hop["short"], style=_DIM)
    body.append(f" {plain(hop['subject'])}")
    facts = [plain(hop["author"]), day(hop["authored_at"])]
    if hop["pull_request"]:
        facts.append(f"pull request {hop['pull_request']}")
    if hop["live_since"]:
        since = "by" if hop["live_before"] else "since"
        facts.append(f"live {since} {day(hop['live_since'])} in {plain(hop['live_in'])}")
    skipped = len(hop["looked_through"])
    if skipped:
        facts.append(f"looked through {skipped} commit{'s' if skipped > 1 else ''} of maintenance or formatting")
    body.append("  " + " · ".join(filter(None, facts)), style=_DIM)
    return body


def _reasons(answer: Answer) -> Iterator[tuple[str, Text, str]]:
    for reason in answer["reasons"]:
        body = Text(quoted(reason["words"]), style="italic")
        body.append("  " + " · ".join(filter(None, (plain(reason["who"]), day(reason["told_at"])))), style=_DIM)
        yield "reason", body, f"stated: {reason['rule']}"


def _is_heard(answer: Answer) -> bool:
    """Whether the ticket's words stand below as a voice."""
    return any(one["ref"] == answer["ticket"]["key"] for one in answer["evidence"])


def _ticket(hop: Answer, *, heard: bool = False) -> Text:
    body = _named(hop["key"], hop["title"])
    body.append(f"  {hop['state']}" if hop["state"] else "", style=_DIM)
    if hop["words"] and not heard:
        body.append(f"\n{quoted(hop['words'], 200)}", style="italic")
        body.append(f"  {plain(hop['author']) or 'its author'}", style=_DIM)
    return body


def _solution(hop: Answer) -> Text:
    body = _named(hop["ref"], hop["title"])
    body.append(f"  {hop['state']}", style="bold")
    for flag in hop["flags"]:
        body.append(f"  flag {plain(flag['key'])} {flag['state']}", style=_DIM)
    return body


def _hypothesis(hop: Answer) -> Text:
    body = _named(hop["ref"], hop["title"])
    low, likely, high = (_signed(hop[end]) for end in ("low", "likely", "high"))
    body.append(f"  {plain(hop['metric'])} {likely} {hop['unit']} (80 %: {low} to {high})")
    locked = f"locked {day(hop['locked_at'])}" if hop["locked_at"] else "not locked yet"
    body.append(f"  {locked}", style=_DIM)
    return body


def _opportunity(hop: Answer) -> Text:
    body = _named(hop["ref"], hop["title"])
    people = f"{hop['people']:,} independent {'voice' if hop['people'] == 1 else 'voices'}, " if hop["people"] else ""
    rungs = f" ({', '.join(hop['sources'])})" if hop["sources"] else ""
    body.append(f"\n{people}evidence: {hop['evidence']}{rungs}", style=_DIM)
    return body


def _outcome(hop: Answer) -> Text:
    body = _named(hop["ref"], hop["title"])
    if hop["value"] is not None:
        body.append(f"  now {_amount(hop['value'], hop['unit'])}", style="bold")
        body.append(f" (95 %: {between(hop['low'], hop['high'])})" if hop["low"] is not None else "")
        body.append(f"  n = {hop['n']:,}, {day(hop['from_at'])} to {day(hop['last_day'])}", style=_DIM)
    if hop["target"] is not None:
        start = f"{number(hop['baseline'])} → " if hop["baseline"] is not None else ""
        body.append(f"  wanted: {start}{_amount(hop['target'], hop['unit'])}", style=_DIM)
    return body


def _moved(review: Answer) -> Text:
    """What the change did to the outcome, where its review measured it."""
    body = Text()
    if review["difference"] is None:
        return body
    if review["before"] is not None and review["after"] is not None:
        body.append(
            f"\n{plain(review['metric'])} {number(review['before'])} → {_amount(review['after'], review['unit'])}"
        )
    body.append(f"  {_signed(review['difference'])} {review['difference_unit']}", style="bold")
    interval = f"95 %: {between(review['low'], review['high'])}, " if review["low"] is not None else ""
    body.append(f" ({interval}n = {review['n']:,})")
    return body


def _review(hop: Answer) -> Text:
    body = Text(hop["ref"], style=_DIM)
    if hop["verdict"]:
        decided = " · ".join(filter(None, (hop["verdict"], hop["decision"], day(hop["decided_at"]))))
        body.append(f" {decided}", style="default")
    elif hop["difference"] is None:
        body.append(f" due {day(hop['due_at'])}: what it did is not known yet", style="default")
    else:
        body.append(f" waits for a verdict since {day(hop['due_at'])}", style=_INFERRED)
    rails = f"Guardrails: {', '.join(hop['guardrails'])}." if hop["guardrails"] else ""
    said = [plain(one) for one in (hop["prediction"], rails, hop["warning"]) if one]
    if said:
        body.append("\n" + " ".join(said), style=_DIM)
    if hop["learning"]:
        body.append(f"\nlearned: {plain(hop['learning'])}", style="default")
    return body


_HOPS = {
    "commit": _commit,
    "ticket": _ticket,
    "solution": _solution,
    "hypothesis": _hypothesis,
    "opportunity": _opportunity,
    "outcome": _outcome,
    "review": _review,
}


def _voices(answer: Answer) -> Iterator[tuple[str, Text, str]]:
    quoted = [one for one in answer["evidence"] if one["quote"]]
    for one in (quoted or answer["evidence"])[:MOST_VOICES]:
        if one["ref"] != one["node"]:
            yield "", _voice(one), one["provenance"]
            continue
        steps = [step for step in answer["links"] if step["from"] == one["ref"]]  # the words of a ticket
        yield "voice", _voice(one), _with_score(steps[-1]) if len(steps) > 1 else ""


def _voice(one: Answer) -> Text:
    body = Text()
    if one["quote"]:
        body.append(quoted(one["quote"], 220), style="italic")
    else:
        body.append(plain(one["statement"] or one["ref"]))
    who = plain(one["who"]) or ("somebody" if one["quote"] else plain(one["type"]))
    against = "speaks against it" if one["stance"] == "contradicts" else ""
    said = [who, day(one["said_at"]), plain(one["source"]), against]
    body.append("  " + " · ".join(filter(None, said)), style=_DIM)
    return body


def _missing(answer: Answer) -> Iterator[tuple[str, Text, str]]:
    """A hop that is not there says so."""
    if answer["solution"] and not answer["opportunity"]:
        yield "opportunity", Text("open question: which problem does it solve?", style=_INFERRED), ""
    if not answer["outcome"]:
        yield "outcome", Text("nobody has said what this should change for people", style=_INFERRED), ""


def _other(other: Answer) -> Text:
    body = Text()
    body.append(f"{other['lines']}  " if other["lines"] else "", style="cyan")
    body.append(f"{plain(other['label'])} ", style=_DIM)
    body.append(_cut(plain(other["title"]), 80))
    if other["leads_to"]:
        body.append(f" → {_cut(plain(other['leads_to']), 60)}", style=_DIM)
    return body


def _gone(gone: Answer) -> Text:
    body = Text()
    body.append(gone["short"], style=_DIM)
    body.append(f" {plain(gone['subject'])}  ")
    body.append(day(gone["authored_at"]), style=_DIM)
    if gone["lives_at"]:
        body.append(f"\nlives on as {plain(gone['lives_at'])}", style="cyan")
    if gone["leads_to"]:
        body.append(f"\ntaken away for {_cut(plain(gone['leads_to']), 80)}", style=_DIM)
    return body


def _part(part: Answer) -> Text:
    filled = round(part["share"] * _BAR)
    body = Text("█" * filled + "░" * (_BAR - filled), style="blue" if part["ref"] else _DIM)
    body.append(f" {percent(part['share']):>9} {part['lines']:>9,}  ", style="default")
    body.append(f"{part['ref']} " if part["ref"] else "", style=_DIM)
    body.append(_cut(plain(part["title"]), 48), style="default" if part["ref"] else _INFERRED)
    body.append(f"  {part['state']}" if part["state"] else "", style="bold")
    return body


def _tally(answer: Answer) -> str:
    inferred = sum(step["provenance"] != "stated" for step in answer["links"])
    return f"{inferred} inferred, {len(answer['links']) - inferred} stated" if inferred else "every link stated"


def _named(ref: str, title: str) -> Text:
    body = Text(plain(ref), style=_DIM)
    body.append(f" {plain(title)}", style="default")
    return body


def _amount(value: float, unit: str) -> str:
    return f"{number(value)} {unit}".rstrip()


def _signed(value: float) -> str:
    return f"+{number(value)}" if value > 0 else number(value)


def day(moment: str | None) -> str:
    """12 May 2026"""
    if not moment:
        return ""
    date = datetime.fromisoformat(moment)
    return f"{date.day} {date:%b %Y}"
