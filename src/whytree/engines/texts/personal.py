"""Personal data in what people write: e-mail addresses, phone numbers, card numbers, access tokens, IP addresses.

    find_personal("Call +49 151 23456789")          # [Found("phone", 5, 21)]
    redact("Call +49 151 23456789", KINDS)          # ("Call [phone number]", (Redacted("phone", 5, 19, "+49 151 ..."),))

Sure things only: what is taken out for a phone number and was an order number is lost to whoever reads it. A phone number
is one that begins with +, 00, 0 or a bracket; numbers without such a beginning are left alone.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import NamedTuple

KINDS: dict[str, str] = {
    "email": "e-mail address",
    "card": "card number",
    "token": "access token",
    "ip": "IP address",
    "phone": "phone number",
}
"""What is looked for, and what stands in its place; where two overlap the earlier kind counts."""

MOST_SEARCHED = 200_000
"""Characters of one text that are looked through."""


class Found(NamedTuple):
    kind: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Redacted:
    """`start` and `end` say where the words in its place stand in the text as it is now."""

    kind: str
    start: int
    end: int
    original: str


_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@(?:[\w-]{1,63}\.){1,8}[A-Za-z]{2,24}(?![\w-])")
_CARD = re.compile(r"(?<![\d.,-])\d(?:[ -]?\d){12,18}(?![\d])")
# Beginnings that makers of tokens chose so that they can be found, a JSON web token, and a key written out.
_TOKEN = re.compile(
    r"(?<![A-Za-z0-9])(?:gh[pousr]_[A-Za-z0-9]{20,255}|github_pat_\w{20,255}|glpat-[\w-]{20,64}|sk_(?:live|test)_[A-Za-z0-9]{16,128}"
    r"|sk-[A-Za-z0-9_-]{20,200}|rk_live_[A-Za-z0-9]{16,128}|xox[abeprs]-[A-Za-z0-9-]{10,200}|AKIA[0-9A-Z]{16}|AIza[\w-]{35}|npm_[A-Za-z0-9]{36}"
    r"|pypi-[\w-]{20,300}|SG\.[\w-]{16,64}\.[\w-]{16,64}|eyJ[\w-]{8,2000}\.eyJ[\w-]{8,4000}\.[\w-]{8,1000})"
    r"|(?i:\bbearer\s+)[A-Za-z0-9._~+/-]{20,2000}=*"
    r"|-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[\s\S]{0,8000}?(?:-----END [A-Z ]{0,30}PRIVATE KEY-----|\Z)"
)
_IPV4 = re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w]|\.\d)")
_IPV6 = re.compile(r"(?<![\w:])(?:[0-9A-Fa-f]{0,4}:){3,7}[0-9A-Fa-f]{0,4}(?![\w:])")
_VERSION = re.compile(
    r"(?:\b(?:version|ver|build|release|update|firmware|ios|android|app)\b|\bv)[^\w\n]{0,3}$", re.IGNORECASE
)
_PHONE = re.compile(r"(?<![\w.,/#-])(?:\+|00|\(?0|\(\d)[\d()][\d ()/.-]{5,22}\d(?![\w])")
_DATE = re.compile(r"\b(?:0?[1-9]|[12]\d|3[01])[./-](?:0?[1-9]|1[0-2])[./-](?:19|20)?\d\d\b")


def find_personal(text: str, kinds: Collection[str] = KINDS) -> list[Found]:
    """Where personal data stands, in order and without overlaps."""
    text = text[:MOST_SEARCHED]
    finders = {"email": _emails, "card": _cards, "token": _tokens, "ip": _addresses, "phone": _phones}
    found: list[Found] = []
    for kind in KINDS:
        if kind not in kinds:
            continue
        for start, end in finders[kind](text):
            found.append(Found(kind, start, end))
            # what is one thing is no part of another
            text = text[:start] + _TAKEN * (end - start) + text[end:]
    return sorted(found, key=lambda one: one.start)


def redact(text: str, kinds: Collection[str] = KINDS) -> tuple[str, tuple[Redacted, ...]]:
    """The text with what was found replaced by its name in brackets, and what stood there."""
    found = find_personal(text, kinds)
    if not found:
        return text, ()
    parts: list[str] = []
    taken: list[Redacted] = []
    at = length = 0
    for one in found:
        before, word = text[at : one.start], f"[{KINDS[one.kind]}]"
        parts += [before, word]
        start = length + len(before)
        length = start + len(word)
        taken.append(Redacted(one.kind, start, length, text[one.start : one.end]))
        at = one.end
    return "".join([*parts, text[at:]]), tuple(taken)


def restored(text: str, taken: Collection[Redacted]) -> str:
    """The text as it was; what no longer stands where it was put is left as it is."""
    for one in sorted(taken, key=lambda one: -one.start):
        if text[one.start : one.end] == f"[{KINDS[one.kind]}]":
            text = text[: one.start] + one.original + text[one.end :]
    return text


_TAKEN = "\ue000"
Spans = list[tuple[int, int]]


def _emails(text: str) -> Spans:
    return [match.span() for match in _EMAIL.finditer(text)] if "@" in text else []


def _cards(text: str) -> Spans:
    return [match.span() for match in _CARD.finditer(text) if _is_card(re.sub(r"\D", "", match[0]))]


def _is_card(digits: str) -> bool:
    """Luhn's check digit (ISO/IEC 7812-1, annex B), and a first digit that cards have."""
    if not 13 <= len(digits) <= 19 or digits[0] not in "3456" or len(set(digits)) < 2:
        return False
    total = 0
    for place, digit in enumerate(map(int, reversed(digits))):
        doubled = digit * 2 if place % 2 else digit
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0


def _tokens(text: str) -> Spans:
    return [match.span() for match in _TOKEN.finditer(text)]


def _addresses(text: str) -> Spans:
    """Four numbers may be a version too: what a word before them says, and 0.x and 1.2.3.4-like ones, count as that."""
    spans = [match.span() for match in _IPV4.finditer(text) if _is_ipv4(text, match)] if text.count(".") > 2 else []
    if text.count(":") > 2:
        spans += [match.span() for match in _IPV6.finditer(text) if _is_ipv6(match[0])]
    return spans


def _is_ipv4(text: str, match: re.Match[str]) -> bool:
    if _VERSION.search(text[max(0, match.start() - 20) : match.start()]):
        return False
    parts = [int(part) for part in match[0].split(".")]
    return all(part <= 255 for part in parts) and 0 < parts[0] < 240 and max(parts) > 20


def _is_ipv6(written: str) -> bool:
    try:
        address = ipaddress.IPv6Address(written)
    except ValueError:
        return False
    return not (address.is_loopback or address.is_unspecified)


def _phones(text: str) -> Spans:
    return [match.span() for match in _PHONE.finditer(text) if _is_phone(match[0])]


def _is_phone(written: str) -> bool:
    """E.164 has 8 to 15 digits; a date, a sum and a row of zeros are none."""
    digits = re.sub(r"\D", "", written)
    if not 8 <= len(digits) <= 15 or len(set(digits)) < 3 or _DATE.search(written):
        return False
    if written.startswith(("+", "00")):
        return True
    # 0123456789 in one piece may be an order's number; phone numbers at home have ten digits or more
    return len(digits) >= 10 or bool(re.search(r"[ ()/-]", written) and len(digits) >= 9)


def taken_out(count: int, *, ahead: bool = False) -> str:
    """Says how much of it was taken out; `ahead`: would be."""
    pieces = "One piece" if count == 1 else f"{count:,} pieces"
    was = "would be" if ahead else "was" if count == 1 else "were"
    return f"{pieces} of personal data {was} taken out."
