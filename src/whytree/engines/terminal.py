"""What others wrote, made harmless for a terminal."""

import re

# Controls, and marks that turn the direction of writing about.
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def plain(text: object) -> str:
    """Text with every control character replaced by its visible sign, on one line."""
    one_line = re.sub(r"\s*[\r\n\t]+\s*", " ", str(text))
    return CONTROL.sub(lambda found: chr(0x2400 + ord(found[0])) if ord(found[0]) < 0x20 else "�", one_line)
