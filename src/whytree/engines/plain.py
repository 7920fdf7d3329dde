"""Other people's words on a terminal and in a mail: control characters are shown, never obeyed."""

import re

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def plain(text: object) -> str:
    """Text with every control character replaced by its visible sign, on one line."""
    one_line = re.sub(r"\s*[\r\n\t]+\s*", " ", str(text))
    return CONTROL.sub(lambda found: chr(0x2400 + ord(found[0])) if ord(found[0]) < 0x20 else "�", one_line)


def cut(text: str, size: int) -> str:
    """At most `size` characters, with … where some were left out."""
    return text if len(text) <= size else text[: size - 1].rstrip() + "…"
