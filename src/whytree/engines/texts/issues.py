"""What a person wrote into an issue, apart from what the form, the machine and other people put there.

    spoken("### Describe the bug\\n\\nI get paged at night.\\n\\n```\\ntrace\\n```")     # "I get paged at night."

Nothing is reworded: whole lines are left out, the rest stands as it was written.
"""

import re

_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_FENCE = re.compile(r"^[ \t]*(```|~~~).*?(?:^[ \t]*\1[ \t]*$|\Z)", re.DOTALL | re.MULTILINE)
_DETAILS = re.compile(r"<details>.*?(?:</details>|\Z)", re.DOTALL | re.IGNORECASE)
# Bounded, and no bracket within brackets: a body of nothing but brackets would be searched from each of them.
_IMAGE = re.compile(r"!\[[^\][\n]{0,500}\]\([^()\n]{0,2000}\)|<img\b[^<>]{0,2000}>", re.IGNORECASE)
_LINK = re.compile(r"\[([^\][\n]{1,500})\]\([^()\n]{0,2000}\)")
# A heading, a quotation, a box to tick, a rule, a table, Jira's own headings and blocks, code by indentation,
# a form's empty answer, a bare address.
_NOT_SAID = re.compile(
    r"#{1,6}\s|>|[-*]\s*\[[ xX]\]|[-=_*]{3,}\s*$|\||h[1-6]\.\s|\{(?:code|noformat|quote)|(?: {4}|\t)\S"
    r"|_No response_\s*$|\*\*[^*]{1,60}\*\*:?\s*$|https?://\S+\s*$"
)
_SIGNED = re.compile(r"(?:Co-authored-by|Signed-off-by|Closes?|Fix(?:es)?|Refs?|Resolves?):?\s+\S+\s*$", re.IGNORECASE)
SHORTEST = 12  # characters: less than that says nothing to a reader
SEARCHED = 20_000


def spoken(body: str) -> str:
    """The person's own sentences on one line; "" when the body holds none."""
    text = body[:SEARCHED].replace("\r", "")
    for pattern in (_COMMENT, _FENCE, _DETAILS, _IMAGE):
        text = pattern.sub("", text)
    said = [line.strip() for line in text.split("\n") if line.strip() and not _is_not_said(line)]
    words = " ".join(_LINK.sub(r"\1", " ".join(said)).split())
    return words if len(words) >= SHORTEST else ""


def _is_not_said(line: str) -> bool:
    return bool(_NOT_SAID.match(line) or _NOT_SAID.match(line.lstrip(" ")) or _SIGNED.match(line.strip()))


def is_machine(author: str) -> bool:
    """Whether an account's name says that nobody is behind it."""
    name = author.lower()
    return name.endswith(("[bot]", "-bot")) or name in {"dependabot", "renovate", "sentry-io", "github-actions"}
