"""What all sources need: nested objects out of dotted columns, ids, times."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Values = Mapping[str, Any]
Message = dict[str, Any]


@dataclass(frozen=True)
class Source:
    """A tool's export: how it is recognised, and what a row of it says. `convert` raises `ValueError` in words.

    `profile` is whose row it is and what was known of them then, where each row repeats that.
    """

    name: str
    title: str
    dialect: str  # segment or posthog
    fits: Callable[[set[str]], bool]
    convert: Callable[[Values], Message]
    profile: Callable[[Values], tuple[str, Message]] | None = None


def under(values: Values, prefix: str) -> dict[str, Any]:
    """The columns below a prefix, without it; also a column of that name that holds JSON."""
    whole = as_object(values.get(prefix.removesuffix(".")))
    return whole | {name.removeprefix(prefix): value for name, value in values.items() if name.startswith(prefix)}


def as_object(value: Any) -> dict[str, Any]:
    """An object, given as one or as its JSON text."""
    if isinstance(value, str) and value[:1] == "{":
        try:
            value = json.loads(value)
        except ValueError:
            return {}
    return value if isinstance(value, dict) else {}


def nested(values: Values) -> dict[str, Any]:
    """Dotted names as objects in objects."""
    made: dict[str, Any] = {}
    for name, value in values.items():
        *way, last = name.split(".")
        here = made
        for step in way:
            inner = here.setdefault(step, {})
            if not isinstance(inner, dict):
                break
            here = inner
        else:
            here[last] = value
    return made


def said(values: Values) -> dict[str, Any]:
    """Without what is empty: an empty cell says nothing."""
    return {name: value for name, value in values.items() if value is not None and value != ""}


def text(value: Any) -> str:
    """A cell as text: numbers as they are written; "" for what says nothing."""
    if value is None or isinstance(value, bool):
        return ""
    return value.strip() if isinstance(value, str) else str(value)


def row_id(values: Values, seen: Counter[bytes]) -> str:
    """The id of a row that has none: what it says, and how many equal ones came before it."""
    whole = json.dumps(values, sort_keys=True, default=str, ensure_ascii=False)
    digest = hashlib.blake2b(whole.encode("utf-8", "surrogatepass"), digest_size=16).digest()
    seen[digest] += 1
    return f"row:{digest.hex()}:{seen[digest]}"


def fingerprint(path: Path, how: str) -> str:
    """The file's content and how it is read: the same file read in another way is another run."""
    with path.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256")
    digest.update(how.encode())
    return digest.hexdigest()


def when(value: Any) -> str | float:
    """A time as messages carry it; objects of Parquet become ISO texts. Raises for none."""
    if hasattr(value, "isoformat"):
        moment: str = value.isoformat()
        return moment
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    found = text(value)
    if not found:
        raise ValueError("it has no time")
    if found.endswith(" UTC"):
        found = found.removesuffix(" UTC") + "+00:00"
    return float(found) if found.replace(".", "", 1).isdigit() and len(found) >= 10 else found
