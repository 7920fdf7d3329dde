"""Properties as the store keeps them: flat text, whatever was sent. Pure.

A text stays as it is; other scalars become their JSON text (so 12 and "12" stay apart by their type, which the
catalogue knows); nested keys are dotted; lists become JSON text. `null` is the same as not sent. What lies deeper than
`MAX_DEPTH` stays one piece of JSON text, so nothing is lost.

Most properties need none of that: a flat object of texts, numbers and booleans is read by the engine just so. Such JSON
is handed on as it was sent (`is_plain`), which is what makes capture several times cheaper.
"""

import json
import math
from typing import Any

import msgspec

MAX_PROPERTIES = 1_000
MAX_DEPTH = 6
MAX_PLAIN = 4_096  # bytes; more could be more than MAX_PROPERTIES

_FLAG = "$feature/"


class Unfit(ValueError):
    """These properties cannot be kept; the message says why."""


def is_plain(sent: bytes) -> bool:
    """Whether the engine reads this JSON as we would write it. Syntax and UTF-8 were checked when it was decoded.

    Looks at bytes, so a text that holds one of these takes the longer way without need, and nothing else happens to it.
    """
    return (
        sent.rfind(b"{") == 0  # an object without another one in it: nested keys are dotted, flags are a map
        and len(sent) <= MAX_PLAIN
        and b"[" not in sent  # lists lose their spaces
        and b"\n" not in sent  # rows are lines
        and (b"$" not in sent or b'"$' not in sent)  # may be a flag in force; one byte is found faster than two
        and b"null" not in sent  # is left out
        and b'"path"' not in sent  # fills a column
    )


def flatten(values: dict[str, Any]) -> tuple[dict[str, str], str]:
    """The properties as flat text, and the letter of each one's type in the same order."""
    flat: dict[str, str] = {}
    letters: list[str] = []
    _flatten_into(flat, letters, values, "", MAX_DEPTH)
    if not flat:
        return flat, ""
    if len(flat) > MAX_PROPERTIES:
        raise Unfit(f"It has {len(flat):,} properties; the limit is {MAX_PROPERTIES:,}. Send lists as one property.")
    if len(letters) != len(flat):  # {"a.b": 1, "a": {"b": 2}}: the later one counts
        letters = ["s"] * len(flat)
    return flat, "".join(letters)


def _flatten_into(flat: dict[str, str], letters: list[str], values: dict[str, Any], prefix: str, depth: int) -> None:
    for key, value in values.items():
        name = prefix + key if prefix else key
        kind = type(value)
        if kind is str:
            flat[name] = value
            letters.append("s")
        elif kind is float or kind is int:
            flat[name] = repr(value)
            letters.append("n")
        elif kind is bool:
            flat[name] = "true" if value else "false"
            letters.append("b")
        elif value is None:
            continue
        elif isinstance(value, dict) and depth > 0:
            _flatten_into(flat, letters, value, name + ".", depth - 1)
        else:
            flat[name] = as_json(value)
            letters.append("l")


def scalar_text(value: Any) -> str:
    """One value as the store keeps it."""
    return value if isinstance(value, str) else as_json(value)


def as_json(value: Any) -> str:
    try:
        return msgspec.json.encode(value, enc_hook=str).decode()
    except RecursionError:
        raise Unfit("It is nested too deeply. Send fewer levels.") from None


def flags_in(properties: dict[str, Any], said: dict[str, str]) -> dict[str, str]:
    """The flag variants in force that a client sent with an event; takes them out of its properties.

    `said` is what the context says already; the others are `properties.flags` as a map, `$feature/<key>` one by one and
    `$active_feature_flags` as a list.
    """
    flags: dict[str, str] = {}
    if "$" in "".join(properties):  # most events have no such names at all
        active = properties.pop("$active_feature_flags", None)
        if isinstance(active, list):
            flags |= {key: "true" for key in active if isinstance(key, str)}
        for key in [key for key in properties if key.startswith(_FLAG)]:
            if (value := properties.pop(key)) is not None:
                flags[key.removeprefix(_FLAG)] = scalar_text(value)
    sent = properties.get("flags")
    if isinstance(sent, dict):
        flags |= variants(sent)
        del properties["flags"]
    return flags | said if said else flags


def variants(sent: dict[str, Any]) -> dict[str, str]:
    """A map of flags to variants as text."""
    return {key: scalar_text(value) for key, value in sent.items() if value is not None}


def clean_text(text: str) -> str:
    """Half characters, which no UTF-8 can hold, as �."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def cleaned(value: Any) -> Any:
    """The same value without half characters anywhere in it."""
    if isinstance(value, str):
        return value if value.isascii() else clean_text(value)
    if isinstance(value, dict):
        return {cleaned(key): cleaned(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [cleaned(inner) for inner in value]
    return value


def decoded(sent: bytes) -> Any:
    """JSON whose syntax was checked before. A number beyond what numbers hold stays the text it is."""
    try:
        return msgspec.json.decode(sent)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return read_leniently(sent)


def read_leniently(sent: bytes) -> Any:
    """JSON as a person would still read it: half characters, NaN, endless numbers and bytes that are no UTF-8 become text.

    Raises `ValueError` for what is no JSON, and `RecursionError` for what is nested too deeply.
    """
    text = sent.decode("utf-8-sig", "replace")
    return cleaned(json.loads(text, parse_int=_whole, parse_float=_decimal, parse_constant=str))


def _whole(digits: str) -> int | str:
    return int(digits) if len(digits) < 40 else digits


def _decimal(digits: str) -> float | str:
    number = float(digits)
    return number if math.isfinite(number) else digits
