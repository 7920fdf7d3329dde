"""CODEOWNERS, as GitHub and GitLab read it."""

import re
from collections.abc import Iterator

OWNERS_PLACES = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS")
_OWNER = re.compile(r"^(?:@[\w.-]+(?:/[\w./-]+)?|[^@\s]+@[^@\s]+\.[^@\s]+)$")


def parse_owners(text: str) -> Iterator[tuple[str, list[str]]]:
    """(pattern, owners) of a CODEOWNERS file, in its order; what is no such line is passed over."""
    for line in text.splitlines():
        words = line.split("#", 1)[0].split() if not line.lstrip().startswith("#") else []
        if words and words[0].startswith(("[", "^[")):  # GitLab's sections
            continue
        owners = [word for word in words[1:] if _OWNER.match(word)]
        if owners:
            yield words[0], owners
