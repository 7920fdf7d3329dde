"""JsonLogic's operators on evaluated arguments, and flagd's own `sem_ver`, `starts_with`, `ends_with`.

An operator gets the data in scope and its arguments. What it raises on impossible input (a division by zero, too many
arguments for `var`) is the caller's error, as in flagd.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import semver

from .values import NAN, at_most, less, loosely_equal, to_number, to_text, truthy

Operator = Callable[..., Any]

MOST_VERSION = 256  # characters: what is compared is remembered, and anybody may send it
MOST_TEXT = 1_000_000  # characters `cat` may build, so that a rule cannot be fed until the memory is full


class Drawn(str):
    """A variant that `fractional` drew: whoever gets it was assigned by chance, which makes it an exposure."""

    __slots__ = ()


def var(data: Any, key: Any = None, default: Any = None) -> Any:
    """A value of the data by its path, as "address.city" or "items.0"."""
    if key is None or key == "":
        return data
    if isinstance(key, int | float):
        if isinstance(data, list | str):
            return data[int(key)] if key == key and int(key) == key and 0 <= key < len(data) else default
        if not isinstance(data, dict):
            return default
        data = data.get(key)
        if data is None:
            return default
    return walk(data, to_text(key).split("."), default)


def walk(data: Any, path: list[str], default: Any) -> Any:
    """What stands at a path of keys and indices; the default where the path ends early."""
    for step in path:
        if isinstance(data, dict):
            data = data.get(step)
        elif isinstance(data, list | str):
            if step == "length":
                return len(data)
            index = _index(step)
            if index is None or index >= len(data):
                return default
            data = data[index]
        else:
            return default
    return default if data is None else data


def _index(step: str) -> int | None:
    try:
        index = int(step, 10)
    except ValueError:
        return None
    return index if step == str(index) and index >= 0 else None


def _missing(data: Any, *keys: Any) -> list[Any]:
    wanted = keys[0] if keys and isinstance(keys[0], list) else keys
    return [key for key in wanted if var(data, key) in (None, "")]


def _missing_some(data: Any, needed: Any = 0, keys: Any = None, *_: Any) -> list[Any]:
    if not isinstance(keys, list):
        return []
    gone = _missing(data, keys)
    return [] if len(keys) - len(gone) >= to_number(needed) else gone


def _in(data: Any, needle: Any = None, hay: Any = None, *_: Any) -> bool:
    if isinstance(hay, list):
        return needle in hay
    return to_text(needle) in hay if isinstance(hay, str) else False


def _cat(data: Any, *parts: Any) -> str:
    text = "".join(map(to_text, parts))
    if len(text) > MOST_TEXT:
        raise ValueError(f"cat may build {MOST_TEXT:,} characters")
    return text


def _substr(data: Any, said: Any = None, at: Any = None, length: Any = None, *_: Any) -> str:
    text, start = to_text(said), to_number(at)
    size = len(text)
    if start != start:  # NaN
        first = 0
    elif start < 0:
        first = 0 if -start >= size else size - int(-start)
    else:
        first = min(int(start), size)
    if length is None:
        return text[first:]
    length = to_number(length)
    if length != length:
        return ""
    length = int(length)
    last = max(size + length, first) if length < 0 else first + length
    return text[first:last]


def _merge(data: Any, *parts: Any) -> list[Any]:
    return [item for part in parts for item in (part if isinstance(part, list) else [part])]


def _add(data: Any, *parts: Any) -> float | int:
    total: float | int = 0
    for part in parts:
        total += to_number(part)
    return total


def _multiply(data: Any, *parts: Any) -> float | int:
    product: float | int = 1
    for part in parts:
        product *= to_number(part)
    return product


def _minus(data: Any, one: Any = None, two: Any = None, *_: Any) -> float | int:
    return -to_number(one) if two is None else to_number(one) - to_number(two)


def _less(data: Any, one: Any = None, two: Any = None, three: Any = None, *_: Any) -> bool:
    return less(one, two) and (three is None or less(two, three))


def _at_most(data: Any, one: Any = None, two: Any = None, three: Any = None, *_: Any) -> bool:
    return at_most(one, two) and (three is None or at_most(two, three))


def _greater(data: Any, one: Any = None, two: Any = None, three: Any = None, *_: Any) -> bool:
    return less(two, one) and (three is None or less(three, two))


def _at_least(data: Any, one: Any = None, two: Any = None, three: Any = None, *_: Any) -> bool:
    return at_most(two, one) and (three is None or at_most(three, two))


def _sem_ver(data: Any, *words: Any) -> bool | None:
    """Semantic versions; a partial one is filled up ("1.2" is 1.2.0). `^` is the same major, `~` the same minor too."""
    if len(words) != 3:
        return None
    one, operator, two = words
    left, right = str(one), str(two)
    if not isinstance(operator, str) or max(len(left), len(right)) > MOST_VERSION:
        return None
    return _compared(left, operator, right)


@lru_cache(maxsize=8_192)
def _compared(one: str, operator: str, two: str) -> bool | None:
    """Remembered: an application has few versions, and taking them apart takes longer than all the rest of a rule."""
    left, right = _version(one), _version(two)
    if left is None or right is None or operator not in _COMPARE:
        return None
    return _COMPARE[operator](left, right)


@lru_cache(maxsize=4_096)
def _version(text: str) -> semver.Version | None:
    text = text[1:] if text[:1] in ("v", "V") else text
    numbers = text.split("-")[0].split("+")[0]
    if numbers.count(".") < 2:
        text = numbers + ".0" * (2 - numbers.count(".")) + text[len(numbers) :]
    try:
        return semver.Version.parse(text)
    except ValueError:
        return None


_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": lambda one, two: bool(one == two),
    "!=": lambda one, two: bool(one != two),
    "<": lambda one, two: bool(one < two),
    "<=": lambda one, two: bool(one <= two),
    ">": lambda one, two: bool(one > two),
    ">=": lambda one, two: bool(one >= two),
    "^": lambda one, two: one.major == two.major,
    "~": lambda one, two: (one.major, one.minor) == (two.major, two.minor),
}


def _starts_with(data: Any, *words: Any) -> bool | None:
    return words[0].startswith(words[1]) if _two_texts(words) else None


def _ends_with(data: Any, *words: Any) -> bool | None:
    return words[0].endswith(words[1]) if _two_texts(words) else None


def _two_texts(words: tuple[Any, ...]) -> bool:
    return len(words) == 2 and isinstance(words[0], str) and isinstance(words[1], str)


OPERATORS: Mapping[str, Operator] = {
    "==": lambda data, one=None, two=None, *_: loosely_equal(one, two),
    "!=": lambda data, one=None, two=None, *_: not loosely_equal(one, two),
    "===": lambda data, one=None, two=None, *_: one == two,
    "!==": lambda data, one=None, two=None, *_: one != two,
    "<": _less,
    ">": _greater,
    "<=": _at_most,
    ">=": _at_least,
    "!": lambda data, one=None, *_: not truthy(one),
    "!!": lambda data, one=None, *_: truthy(one),
    "+": _add,
    "*": _multiply,
    "-": _minus,
    "/": lambda data, one=None, two=None, *_: to_number(one) / to_number(two),
    "%": lambda data, one=None, two=None, *_: to_number(one) % to_number(two),
    "in": _in,
    "min": lambda data, *each: min(map(to_number, each)) if each else NAN,
    "max": lambda data, *each: max(map(to_number, each)) if each else NAN,
    "cat": _cat,
    "log": lambda data, one=None, *_: one,  # prints in JsonLogic; a server's output is no place for a person's data
    "var": var,
    "substr": _substr,
    "merge": _merge,
    "missing": _missing,
    "missing_some": _missing_some,
    "sem_ver": _sem_ver,
    "starts_with": _starts_with,
    "ends_with": _ends_with,
}
