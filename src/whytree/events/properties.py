"""Properties as the store keeps them: flat text, whatever was sent. Pure.

A text stays as it is; other scalars become their JSON text (so 12.50 and "12.5" stay apart by their type, which the
catalogue knows); nested keys are dotted; lists become JSON text. `null` is the same as not sent. What lies deeper than
`MAX_DEPTH` stays one piece of JSON text, so nothing is lost.
"""

from typing import Any

import msgspec

MAX_PROPERTIES = 1_000
MAX_KEY = 200
MAX_DEPTH = 6

_FLAG = "$feature/"


class Unfit(ValueError):
    """These properties cannot be kept; the message says why."""


def flatten(values: dict[str, Any]) -> tuple[dict[str, str], str]:
    """The properties as flat text, and the letter of each one's type in the same order."""
    flat: dict[str, str] = {}
    letters: list[str] = []
    _flatten_into(flat, letters, values, "", MAX_DEPTH)
    if not flat:
        return flat, ""
    if len(flat) > MAX_PROPERTIES:
        raise Unfit(f"It has {len(flat):,} properties; the limit is {MAX_PROPERTIES:,}. Send lists as one property.")
    if max(map(len, flat)) > MAX_KEY:
        raise Unfit(f"One of its property names is longer than {MAX_KEY} characters. Send such texts as values.")
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


def flags_in(properties: dict[str, Any], said: dict[str, Any]) -> dict[str, str]:
    """The flag variants in force that a client sent with an event; takes them out of its properties.

    `said` is `context.flags`; the others are `properties.flags` as a map, `$feature/<key>` one by one and
    `$active_feature_flags` as a list.
    """
    flags: dict[str, str] = {}
    if "$" in "".join(properties):  # most events have no such names at all
        active = properties.pop("$active_feature_flags", None)
        if isinstance(active, list):
            flags |= {key: "true" for key in active if isinstance(key, str)}
        for key in [key for key in properties if key.startswith(_FLAG)]:
            flags[key.removeprefix(_FLAG)] = scalar_text(properties.pop(key))
    sent = properties.get("flags")
    if isinstance(sent, dict):
        flags |= _variants(sent)
        del properties["flags"]
    return flags | _variants(said) if said else flags


def _variants(sent: dict[str, Any]) -> dict[str, str]:
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
