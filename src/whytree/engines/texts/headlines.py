"""What a commit's first line says it brings to those who use the product, in its author's own words.

    brings("feat(zsh): multi-line history (#12)")      # "feat"
    brings("Add --listen option")                      # "verb"
    brings("Fix a crash on exit")                      # ""
    headline("feat(zsh): multi-line history (#12)")    # "zsh: multi-line history"

Pure.
"""

import re
from typing import Literal

from .topics import STOP_WORDS, stem

_TYPED = re.compile(
    r"\W*(?P<type>feat(?:ure)?s?|new|added?)\]?(?:\((?P<scope>[^)]{1,40})\))?\]?!?:?(?P<colon>(?<=[:\]]))\s*(?P<words>\S.*)",
    re.IGNORECASE,
)
# How those who write plainly begin. Of "make", "update" or "improve" nobody knows for whom.
_VERB = re.compile(
    r"(?:(?!fix|bug)[\w./-]{1,20}: )?(?:add(?:s|ed|ing)?|allow(?:s|ed)?|support(?:s|ed)?|introduc(?:e|es|ed)"
    r"|implement(?:s|ed)?|enabl(?:e|es|ed)|provid(?:e|es|ed)|offer(?:s|ed)?|let) \S",
    re.IGNORECASE,
)
# ... and what of it nobody notices from outside: a part of how it is built.
_PART = re.compile(
    r"\b(?:missing|helpers?|utils?|utilit(?:y|ies)|class(?:es)?|methods?|functions?|structs?|modules?|wrappers?|abstractions?|base"
    r"|debug\w*|logging|logs?|comments?|assert\w*|checks? (?:for|that|if|to)|error handling|benchmarks?|examples?|scripts?|stubs?"
    r"|skeleton|placeholder|todos?|initial|first|basic|some|more|few|another|constants?|enums?|middleware|decorators?|signals?"
    r"|index(?:es)? (?:on|to|for)|columns? to|models?|fast paths?|simd|cach(?:e|es|ing) (?:of|for|to)|workaround|hack|polyfill"
    r"|assets?|images?|fonts?|illustrations?|schema|mock\w*|stor(?:y|ies))\b"
    r"|[A-Z]\w*\.[a-z_]\w*|\w\(\)|\w::\w|_\w+_",
    re.IGNORECASE,
)
_BEHIND = re.compile(
    r"\s*(?:\((?:[#!]\d+|[A-Z]{2,10}-\d+)(?:[,\s]+[#!]\d+)*\)|[,.;(-]*\s*(?:fix(?:es|ed)?|close[sd]?|resolve[sd]?|refs?|see)\b:?\s+[#!]\d+\)?)\s*\.?$",
    re.IGNORECASE,
)


# A mark of the ticket before the words: "Desktop: Resolves #5389: pin a note".
_BEFORE = re.compile(
    r"^(?P<scope>[\w ,/-]{1,40}: )?(?:fix(?:es|ed)?|close[sd]?|resolve[sd]?|refs?) #+\d+(?:, ?#+\d+)*\s?[:-]\s*(?=\S)",
    re.IGNORECASE,
)


def brings(subject: str) -> Literal["feat", "verb", ""]:
    """Whether a subject says that something is new for those who use it: by its kind, or by its verb."""
    if _TYPED.match(subject):
        return "feat"
    return "verb" if _VERB.match(subject) and not _PART.search(subject) else ""


def headline(title: str) -> str:
    """The words alone: without the kind of a conventional commit and the numbers of tickets and requests; its scope stays."""
    title = _BEFORE.sub(lambda found: found["scope"] or "", title)
    while (bare := _BEHIND.sub("", title)) != title:
        title = bare
    typed = _TYPED.match(title)
    if typed is None:
        return title.strip()
    return f"{typed['scope']}: {typed['words']}" if typed["scope"] else typed["words"]


_WORD = re.compile(r"[^\W\d_]{3,}")


def share_a_word(one: str, other: str) -> bool:
    """Whether two titles have a word in common that says what they are about, whatever its ending."""
    return not _stems(one).isdisjoint(_stems(other))


def _stems(title: str) -> set[str]:
    return {stem(word) for word in map(str.lower, _WORD.findall(headline(title))) if word not in STOP_WORDS}
