"""Reads what people say from the files in `texts/`. Pure."""

import re
import tomllib
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

SOURCES = ("play", "in_app", "support", "survey", "github")
_ANY = ("play", "in_app", "survey")  # where a text filed under "any" may turn up


@dataclass(frozen=True)
class Text:
    """One thing that can be said. `who` names the people it can come from, `stars` are the ratings that go with it."""

    theme: str
    source: str
    who: str
    stars: tuple[int, ...]
    language: str
    text: str

    @property
    def has_slots(self) -> bool:
        return "{" in self.text


@dataclass(frozen=True)
class Key:
    """A voice with a part in the story; `quote` is what the team marks in it."""

    source: str
    who: str
    day: float
    text: str
    quote: str = ""
    author: str = ""
    stars: int = 0
    company: str = ""
    consent: str = "internal"
    back: float = 0.0  # the day of a second try; 0: none
    books: bool = False

    @property
    def marked(self) -> str:
        return self.quote or self.text


@dataclass(frozen=True)
class Interview:
    """A talk, turn by turn. `quotes` are the highlights: the key of each and the words themselves."""

    name: str
    who: str
    country: str
    day: int
    interviewer: str
    minutes: int
    text: str
    quotes: dict[str, str]
    company: str = ""
    guide: str = ""
    snapshot: dict[str, Any] = field(default_factory=dict)
    back: float = 0.0
    books: bool = False


@cache
def shares() -> dict[str, int]:
    """How often each theme comes up, in hundredths of all that is said."""
    return {theme: int(table["share"]) for theme, table in _read("themes.toml").items()}


@cache
def texts() -> tuple[Text, ...]:
    """Everything that can be said, theme by theme."""
    return tuple(
        Text(theme, source, str(table["who"]), tuple(table["stars"]), *_language(text))
        for theme, table in _read("themes.toml").items()
        for place in (*SOURCES, "any")
        for number, text in enumerate(table.get(place, ()))
        for source in (place if place != "any" else _ANY[number % len(_ANY)],)
    )


def _language(text: str) -> tuple[str, str]:
    found = re.match(r"(de|pl|nl|fr):", text)
    return (found[1], text[3:]) if found else ("en", text)


@cache
def keys() -> dict[str, Key]:
    return {name: Key(**table) for name, table in _read("keys.toml").items()}


@cache
def interviews() -> tuple[Interview, ...]:
    """In the order in which they were held."""
    held = [Interview(**table) for table in _read("interviews.toml").values()]
    for interview in held:
        for quote in (*interview.quotes.values(), interview.snapshot.get("memorable_quote", "")):
            if quote not in interview.text:
                raise ValueError(f"{interview.name} does not say: {quote}")
    return tuple(sorted(held, key=lambda interview: interview.day))


def speakers() -> dict[str, Key | Interview]:
    """Everybody whom the story calls by name, by the key of their voice."""
    return {**keys(), **{interview.name: interview for interview in interviews()}}


@cache
def eases() -> dict[str, list[str]]:
    """What is written beside an answer to the survey, by what people met and how it was for them."""
    return _read("ease.toml")


@cache
def commits() -> tuple[dict[str, Any], ...]:
    """The app's history, oldest first, as `repository.build` takes it."""
    return tuple(_read("commits.toml")["commit"])


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads(files(__package__).joinpath("texts", name).read_text(encoding="utf-8"))
