"""Questions that bring opinions in place of stories: what is wrong with each, and what to ask instead.

    lint_guide("Would you use a calendar view?")     # (Finding(1, "speculative", "Would you", ...), ...)

What people say they would do is a guess, and what they usually do is an average nobody remembers; what they did last time is a fact
(Teresa Torres, *Continuous Discovery Habits*, 2021, ch. 5; Rob Fitzpatrick, *The Mom Test*, 2013, ch. 1). The rules are regular
expressions over English questions: they miss more than they find, and each says why it speaks.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

MOST_LINES = 500
LONGEST = 600
"""Characters of one question that are looked at; what is longer is no question anybody can ask."""


@dataclass(frozen=True, slots=True)
class Rule:
    name: str
    pattern: re.Pattern[str]
    why: str
    instead: str


@dataclass(frozen=True, slots=True)
class Finding:
    """`words` are those that gave the question away; line 0 speaks of the whole guide."""

    line: int
    rule: str
    words: str
    why: str
    instead: str


def _rule(name: str, patterns: tuple[str, ...], *, why: str, instead: str) -> Rule:
    return Rule(name, re.compile("|".join(patterns), re.IGNORECASE), why, instead)


_POLITE = r"tell|walk|show|describe|share|explain|give|take|talk|read|open|say more"
_NOT = r"don't|doesn't|didn't|isn't|aren't|wasn't|weren't|wouldn't|haven't|hasn't|can't|couldn't|shouldn't"
_JUDGED = (
    r"easy|hard|difficult|great|good|bad|useful|helpful|frustrat\w+|annoy\w+|confus\w+|simple|intuitive|happy"
    r"|satisf\w+|important"
)

RULES: tuple[Rule, ...] = (
    _rule(
        "price",
        (
            r"\b(?:how much|what) (?:would|will|could|might) (?:you|your \w+) (?:be willing to )?(?:pay|spend)\b",
            r"\bwilling to pay\b",
        ),
        why="Nobody knows what they would pay, and everybody is polite about it.",
        instead="What do you do about it today, and what does that cost you?",
    ),
    _rule(
        "speculative",
        (
            # "Could you show me" is polite, not a guess
            rf"\b(?:would|will|might|could) (?:you|they|your \w+)\b(?! (?:please|mind)\b| (?:also )?(?:{_POLITE})\b)",
            r"\bwould (?:it|that|this) (?:be|help|make)\b",
            r"\bhow likely\b",
            r"\bif (?:we|there were|there was|it|the app|you could|you had)\b",
            r"\b(?:imagine|suppose|what if|in the future)\b",
            r"\bdo you (?:think|see yourself|plan|intend)\b[^?]*\b(?:you'd|would|will|could|using|to)\b",
        ),
        why="It asks for a guess about the future. People are kind, and wrong about what they will do.",
        instead="Tell me about the last time this came up. What did you do?",
    ),
    _rule(
        "leading",
        (
            rf"(?:^|[,;:.] |\band )(?:{_NOT})\b",
            r",? (?:right|don't you|isn't it|wasn't it|doesn't it|didn't you|no|correct)\s*\?",
            rf"\bhow (?:{_JUDGED})\b",
            r"\bhow much (?:do|did) you (?:like|love|enjoy|hate|dislike|struggle|want|need)\b",
            r"\bwhat (?:do|did) you (?:like|love|hate|dislike|enjoy)\b",
            r"\b(?:obviously|clearly|surely|of course)\b",
            r"\bdo you agree\b",
            r"\bproblems? (?:do|did) you have\b",
        ),
        why="It carries its own answer. People agree with what is put into their mouth.",
        instead="What happened? And how was that for you?",
    ),
    _rule(
        "opinion",
        (
            r"\bwhat (?:do|did) you think (?:of|about)\b",
            r"\bdo you (?:like|want|need|prefer)\b",
            r"\bwhat features?\b",
            r"\bshould (?:we|it|the app)\b",
            r"\bwhat (?:do|would) you want (?:us|from)\b",
            r"\bany (?:ideas|suggestions|feedback)\b",
        ),
        why="It asks for an opinion about your product. The story behind it says what the problem is.",
        instead="When did you last need that? Walk me through it.",
    ),
    _rule(
        "general",
        (
            r"\b(?:usually|typically|normally|generally|in general|on average|most of the time|always|ever|tend to)\b",
            r"\bhow (?:often|frequently|many times)\b",
        ),
        why="It asks for an average, which memory makes up.",
        instead="Tell me about the last time. When was that, and what came first?",
    ),
    _rule(
        "yes or no",
        (
            r"^(?:and |so |then )?(?:do|does|did|are|is|was|were|have|has|had|can) "
            r"(?:you|it|they|he|she|there|the|this|that|your|anything|anybody|anyone)\b",
        ),
        why="It can be answered with yes, and then you know nothing yet.",
        instead="Begin with what, how, or “tell me about”.",
    ),
    _rule(
        "two at once",
        (
            r"\?[^?]*\w[^?]*\?",
            r"\w[^?]*\b(?:and|or) (?:how|what|why|when|where|who|do|did|does|are|is|would|could)\b[^?]*\?",
        ),
        why="These are two questions: people answer the second.",
        instead="Ask the first, wait, then ask the other.",
    ),
)
"""In the order in which they count; `general` and `yes or no` are only told where nothing worse is."""

_MILD = frozenset({"general", "yes or no"})
_STORY = re.compile(
    r"\b(?:last time|tell me about a time|walk me through|tell me the story|most recent|what happened|show me how you (?:did|do))\b",
    re.IGNORECASE,
)
_MARKER = re.compile(r"^\s*(?:[-*•–]|\d{1,3}[.)]|\[[ x]\])\s+")
_WOULD_DO = re.compile(
    r"^(?:would|will|could|might) you (?!like|want|use|pay|buy|be|have|ever|consider|recommend|say|prefer)(?P<what>[a-z][^?]{3,80})\?",
    re.IGNORECASE,
)
_OFTEN_DO = re.compile(
    r"^(?:how (?:often|frequently|many times) do you|do you (?:usually|typically|normally|generally)) (?P<what>[a-z][^?]{3,80})\?",
    re.IGNORECASE,
)

NO_STORY = Finding(
    0,
    "no story",
    "",
    "No question asks for something that happened.",
    "Open with one: “Tell me about the last time you …”, and let them tell it.",
)


def lint_guide(text: str) -> tuple[Finding, ...]:
    """Every line of a guide, and whether it asks for a story at all. Headings (`#`) and empty lines are no questions."""
    questions = [
        (number, _MARKER.sub("", line).strip())
        for number, line in enumerate(text.splitlines()[:MOST_LINES], start=1)
        if line.strip() and not line.lstrip().startswith(("#", "//", ">"))
    ]
    found = [finding for number, question in questions for finding in lint_question(question, number)]
    if questions and not any(_STORY.search(question) for _, question in questions):
        return (NO_STORY, *found)
    return tuple(found)


def lint_question(question: str, line: int = 1) -> tuple[Finding, ...]:
    """What is wrong with one question. What does not ask is never wrong: “Tell me ...” and notes for oneself."""
    question = question.strip()[:LONGEST].replace("’", "'")
    if "?" not in question:
        return ()
    found = list(_broken(question, line))
    if any(finding.rule not in _MILD for finding in found):
        found = [finding for finding in found if finding.rule not in _MILD]
    return tuple(found[:1] + [finding for finding in found[1:] if finding.rule == "two at once"])


def _broken(question: str, line: int) -> Iterator[Finding]:
    for rule in RULES:
        match = rule.pattern.search(question)
        if match is not None:
            yield Finding(line, rule.name, match[0].strip(" ,;:"), rule.why, _instead(rule, question))


def _instead(rule: Rule, question: str) -> str:
    """Where the question names what they do, the same about the last time."""
    shape = {"speculative": _WOULD_DO, "general": _OFTEN_DO}.get(rule.name)
    named = shape.match(question) if shape else None
    if named is None:
        return rule.instead
    return f"Tell me about the last time you wanted to {named['what'].strip()}."


def lint_lines(lines: Iterable[tuple[int, str]]) -> tuple[Finding, ...]:
    """The same for what was asked in a talk: each line may hold several sentences."""
    return tuple(
        finding
        for number, text in lines
        for sentence in re.split(r"(?<=[.!?])\s+", text)
        for finding in lint_question(sentence, number)
    )
