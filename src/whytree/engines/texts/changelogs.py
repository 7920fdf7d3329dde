"""What a changelog says is new, entry by entry, in its maintainers' own words.

    changes_in("## 1.2\n### Added\n- Pause a check from the list (#41)\n### Fixed\n- A crash\n")
    # [Change(line=3, title="Pause a check from the list", refs=("#41",))]

Markdown, reStructuredText and plain text with bullets. What was repaired, and what is for the makers, is left out. Pure.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from .chores import is_inner

LONGEST_TITLE = 160
_LONGEST_ENTRY = 2000

_PATH = re.compile(
    r"(?:docs?/(?:\w+/)?)?(?:changelog|changes|history|news|releases?|release[-_]notes|whats[-_]new)(?:\.(?:md|markdown|rst|txt))?",
    re.IGNORECASE,
)
_HEADING = re.compile(r"\s{0,3}#{1,6}\s+(?P<words>.+?)\s*#*\s*$")
_UNDERLINE = re.compile(r"\s{0,3}(?:=+|-+|~+|\^+|\*{3,})\s*$")
_LABEL = re.compile(r"\s{0,3}\*{0,2}(?P<words>[A-Z][\w ]{2,30})\*{0,2}:?\*{0,2}\s*$")
_BULLET = re.compile(r"(?P<indent>\s{0,3})[-*+•]\s+(?P<words>\S.*)$")
_REPAIRS = re.compile(r"\b(?:fix\w*|bug\w*|hot ?fix\w*|security|patch\w*)\b", re.IGNORECASE)
_MAKERS = re.compile(
    r"\b(?:internal\w*|dependenc\w+|docs?|documentation|chores?|maintenance|build|ci|tests?|refactor\w*|packaging|other|syntaxes|deprecat\w+"
    r"|contributors?|removed|themes?|translations?|acknowledg\w+|thanks|credits)\b",
    re.IGNORECASE,
)
_REPAIRED = re.compile(
    r"\W*(?:[\w ]{1,20}: )?(?:hot)?(?:fix|bug ?fix|security|correct|resolv|prevent|revert|remov|drop|deprecat)",
    re.IGNORECASE,
)
_LINK = re.compile(
    r"!?\[(?P<words>[^\]]*)\]\([^)\s]*\)|`(?P<rst>[^`<]+)\s<[^`>]*>`__?|:[a-z]+:`(?P<role>[^`<]*)(?:<[^`>]*>)?`"
)
_DEEPER = re.compile(r"\s*[-*+•]\s")
_ROLE = re.compile(r":(?:issue|pr|pull|gh|bug)s?:`(?P<number>\d+)`")
_REF = re.compile(r"(?<![\w/&])#[1-9]\d{0,6}\b")
# Its mark before the words: "Feature #162: ".
_KIND = re.compile(r"(?:new )?(?:feature|enhancement)s?\s*:\s+", re.IGNORECASE)
# What stands behind the words: who, and where one can read more.
_BEHIND = re.compile(
    r"[\s,;.–—-]*(?:\((?:[^()]*(?:#\d|@\w|thanks|by )[^()]*)\)"
    r"|(?:see|closes?|fixes|refs?|via|by|thanks to|cc)\b:?\s+(?:(?:also|and|to)\s+)*[#@(\[].*)\s*\.?\s*$",
    re.IGNORECASE,
)
_NAMES = re.compile(r"\s*\((?:[A-Z][\w'’.-]+(?: [A-Z(][\w'’.)-]*| van| de| der)*(?:, )?)+\)\s*$")
_SENTENCE = re.compile(r"(?<!\be\.g)(?<!\bi\.e)(?<=[\w`\"')])[.:;](?:\s+(?=[A-Z`\"])|\s*$)")


@dataclass(frozen=True, slots=True)
class Change:
    """One entry: the line where it begins, its words without what stands behind them, tickets or requests it names."""

    line: int
    title: str
    refs: tuple[str, ...] = ()


def is_changelog(path: str) -> bool:
    """Whether a file of this name is one: at the top, or in the documentation."""
    return bool(_PATH.fullmatch(path))


def changes_in(text: str) -> Iterator[Change]:
    """What it says is new, in the file's order: mostly the newest first."""
    for number, section, words in _entries(text.splitlines()):
        words = _ROLE.sub(r"#\g<number>", words[:_LONGEST_ENTRY])
        refs = tuple(dict.fromkeys(_REF.findall(words)))
        title = _title(words)
        is_new = not (_REPAIRS.search(section) or _MAKERS.search(section) or _REPAIRED.match(title))
        if is_new and title.count(" ") > 1 and not is_inner(title):
            yield Change(number, title, refs)


def _entries(lines: list[str]) -> Iterator[tuple[int, str, str]]:
    """Bullets of the outermost level, each with its line and the heading above; what is indented below goes on with it."""
    section, is_code = "", False
    entry: list[str] = []
    start = outer = 0
    for number, line in enumerate([*lines, "# end"], 1):
        if line.lstrip().startswith("```"):
            is_code = not is_code
            continue
        if is_code and line != "# end":
            continue
        bullet = _BULLET.match(line)
        goes_on = entry and line.startswith(" ")
        heading = "" if goes_on else _heading(line, lines[number] if number < len(lines) else "")
        if entry and (heading or not line.strip() or not line.startswith(" ")):
            yield start, section, " ".join(entry)
            entry = []
        if heading:
            section, outer = ("" if re.search(r"\d+\.\d|\d{4}", heading) else heading), 3
        elif bullet and len(bullet["indent"]) <= outer:
            if entry:
                yield start, section, " ".join(entry)
            outer = len(bullet["indent"])
            start, entry = number, [bullet["words"]]
        elif entry and _DEEPER.match(line):
            yield start, section, " ".join(entry)
            entry = []
        elif entry:
            entry.append(line.strip())


def _heading(line: str, following: str) -> str:
    if marked := _HEADING.match(line):
        return marked["words"]
    if line.strip() and not _BULLET.match(line) and not line.startswith("  ") and _UNDERLINE.match(following):
        return line.strip()
    label = _LABEL.match(line)
    return label["words"] if label else ""


def _title(words: str) -> str:
    bare = _LINK.sub(lambda found: found["words"] or found["rst"] or found["role"] or "", words)
    bare = bare.replace("**", "").replace("``", "`")
    while (shorter := _NAMES.sub("", _BEHIND.sub("", bare))) != bare:
        bare = shorter
    first = _SENTENCE.split(bare, maxsplit=1)[0]
    first = bare if len(first) < 12 else first
    first = " ".join(_REF.sub("", first).replace("()", "").split()).strip(" .,;:-")
    first = _KIND.sub("", first, count=1) if _KIND.match(first) else first
    return first if len(first) <= LONGEST_TITLE else f"{first[: LONGEST_TITLE - 1].rpartition(' ')[0]}…"
