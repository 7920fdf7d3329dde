"""The code behind a number: the lines that send its events, the form fields these speak of, the flags in force."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import quote

from django.utils import timezone

from whytree.code.models import Repository
from whytree.code.references.event_references import events_in_code
from whytree.code.references.form_fields import fields_defined
from whytree.stores.exposed.flags_in_force import InForce, fields_spoken_of, in_force
from whytree.stores.questions.metrics import seen_between
from whytree.workspace.background.fresh import kept
from whytree.workspace.models import Product

from .cached import FRESH_SECONDS

MOST_LINES = 6
LATELY = timedelta(days=28)


@dataclass(frozen=True)
class Line:
    """A line that sends an event, names it, or defines the form field that it speaks of. `why` is the page that explains it."""

    event: str
    repository: str
    path: str
    line: int
    how: str
    says: str
    hunk: str | None
    why: str

    @property
    def place(self) -> str:
        return f"{self.path}:{self.line}"


@dataclass(frozen=True)
class CodeBehind:
    """`lines` of the events that tell a part of an answer, those that send one first; `unknown` events have none."""

    events: tuple[str, ...]
    lines: tuple[Line, ...]
    flags: tuple[InForce, ...]
    unknown: tuple[str, ...]
    has_clone: bool
    several: bool


def code_behind(product: Product, events: tuple[str, ...]) -> CodeBehind:
    """Where these events come from."""
    repositories = Repository.objects.filter(product=product).count()
    lines = lines_behind(product, events)
    known = {line.event for line in lines}
    return CodeBehind(
        events,
        tuple(lines),
        _flags(product, events),
        tuple(event for event in events if event not in known),
        bool(repositories),
        repositories > 1,
    )


def lines_behind(product: Product, events: tuple[str, ...]) -> list[Line]:
    """The lines alone."""
    repositories = Repository.objects.filter(product=product).count()
    return _lines(product, events, several=repositories > 1) if repositories else []


def _lines(product: Product, events: tuple[str, ...], *, several: bool) -> list[Line]:
    found: list[Line] = []
    fields = kept("fields", [product.pk, *events], FRESH_SECONDS, lambda: fields_spoken_of(product.pk, events))
    for event, references in events_in_code(product, events).items():
        sent = [one for one in references if one.how == one.How.SENT] or references
        found += [
            _line(product, event, one.repository.name, one.path, one.line, one.how, one.says, one.hunk, several=several)
            for one in sent[:MOST_LINES]
        ]
        for field, repository, place in fields_defined(product, fields.get(event, ())):
            says = f"defines the field {field}"
            found.append(
                _line(product, event, repository, place["path"], place["line"], "field", says, None, several=several)
            )
    # where several events speak of one field, its line stands once
    once = {(one.repository, one.path, one.line): one for one in reversed(found)}
    return [one for one in found if once[one.repository, one.path, one.line] is one]


def _line(
    product: Product,
    event: str,
    repository: str,
    path: str,
    line: int,
    how: str,
    says: str,
    hunk: str | None,
    *,
    several: bool,
) -> Line:
    place = f"{repository}:{path}:{line}" if several else f"{path}:{line}"
    why = f"/p/{product.slug}/why?q={quote(place, safe='')}"
    return Line(event, repository, path, line, how, says, hunk, why)


def _flags(product: Product, events: Iterable[str]) -> tuple[InForce, ...]:
    """Of the last four weeks in which these events happened: what was in force then is what people met."""
    names = list(events)
    last = seen_between(product.pk, names)[1] if names else None
    if last is None:
        return ()
    end = min(last + timedelta(milliseconds=1), timezone.now())
    return tuple(in_force(product.pk, names, end - LATELY, end))


def flags_in_words(flags: Iterable[InForce]) -> list[tuple[str, str]]:
    """Each flag with its variants: ("defer_phone", "on for 51 %, off for 49 %")."""
    people: Counter[str] = Counter()
    some = list(flags)
    for one in some:
        people[one.flag] += one.people
    return [
        (flag, ", ".join(f"{one.variant} for {100 * one.people / total:.0f} %" for one in some if one.flag == flag))
        for flag, total in people.items()
    ]
