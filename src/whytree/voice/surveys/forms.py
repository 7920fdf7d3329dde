"""What the builder's form says, as the services take it; and what it shows, from a survey. Whatever is typed stays typed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC
from typing import Any, cast

from django.http import QueryDict

from whytree.engines.typed import optional_moment, whole_of
from whytree.errors import Invalid

from .models import Survey
from .questions import CHOICES, KINDS, MOST_QUESTIONS, Question, checked_questions
from .services import Settings

_TEXTS = ("intro", "thanks", "after_event", "flag", "variant", "cohort")
_NUMBERS = ("share", "cooldown_days")


@dataclass
class Row:
    """One question as it is typed. `skips` are pairs of what was answered and where it leads."""

    id: str = ""
    kind: str = "open"
    text: str = ""
    options: str = ""
    required: bool = True
    skips: list[tuple[str, str]] = field(default_factory=list)

    @property
    def has_options(self) -> bool:
        return self.kind in CHOICES

    @property
    def skip_rows(self) -> list[tuple[str, str]]:
        return [*self.skips, ("", "")] if self.kind not in ("open", "ranking", "matrix") else []

    @classmethod
    def of(cls, question: Question) -> "Row":
        skips = [("; ".join(map(str, one.when)), one.to) for one in question.skip]
        return cls(question.id, question.kind, question.text, "\n".join(question.options), question.required, skips)

    def as_json(self) -> dict[str, Any]:
        said: dict[str, Any] = {"id": self.id, "kind": self.kind, "text": self.text, "required": self.required}
        if self.has_options:
            said["options"] = [line.strip() for line in self.options.splitlines() if line.strip()]
        skips = [{"when": _when(when, self.has_options), "to": to} for when, to in self.skips if when.strip() and to]
        return said | ({"skip": skips} if skips else {})


def _when(text: str, are_options: bool) -> list[str | int]:
    """`9; 10` and `0-6` on a scale; the options themselves, parted by `;`, elsewhere."""
    found: list[str | int] = []
    for part in filter(
        None, (piece.strip() for piece in text.replace(",", ";" if not are_options else ",").split(";"))
    ):
        low, dash, high = part.replace("–", "-").partition("-")
        if are_options:
            found.append(part)
        elif dash and low.strip().isdecimal() and high.strip().isdecimal():
            found += range(int(low), min(int(high), int(low) + 20) + 1)
        elif part.isdecimal() and len(part) < 4:
            found.append(int(part))
        else:
            raise Invalid(f"“{part[:40]}” is no number. Write the answers as 9; 10 or as 0-6.")
    return found


@dataclass
class Typed:
    """The whole form."""

    title: str = ""
    rows: list[Row] = field(default_factory=list)
    fields: dict[str, str] = field(default_factory=dict)
    in_page: bool = False

    def questions(self) -> list[dict[str, Any]]:
        return [row.as_json() for row in self.rows]

    def preview(self) -> tuple[Question, ...]:
        """What can be shown of it; raises `Invalid` with what is missing."""
        return checked_questions(self.questions())

    def settings(self) -> Settings:
        said: dict[str, Any] = {name: self.fields.get(name, "") for name in _TEXTS}
        said |= {name: _number(self.fields.get(name, ""), name) for name in _NUMBERS}
        said["in_page"] = self.in_page
        said["stop_at"] = _number(self.fields["stop_at"], "stop_at") if self.fields.get("stop_at") else None
        said |= {name: optional_moment(self.fields.get(name, "")) for name in ("opens_at", "closes_at")}
        said["hidden"] = self.fields.get("hidden", "").replace(",", " ").split()
        said["origins"] = self.fields.get("origins", "").replace(",", " ").split()
        return cast(Settings, said)

    def change(self, act: str) -> None:
        """Add a question, take one away, move one up."""
        verb, _, number = act.partition(":")
        at = int(number) if number.isdecimal() and len(number) < 3 else -1
        if verb == "add" and len(self.rows) < MOST_QUESTIONS:
            self.rows.append(Row(id=_free_id(self.rows)))
        elif verb == "remove" and 0 <= at < len(self.rows):
            del self.rows[at]
        elif verb == "up" and 0 < at < len(self.rows):
            self.rows[at - 1], self.rows[at] = self.rows[at], self.rows[at - 1]


def _free_id(rows: Sequence[Row]) -> str:
    """Ids name the columns of the export, so one that was taken away is not given to another question at once."""
    taken = [int(row.id[1:]) for row in rows if row.id[:1] == "q" and row.id[1:].isdecimal()]
    return f"q{max(taken, default=0) + 1}"


def _number(text: str, name: str) -> int:
    words = {"share": "The share", "cooldown_days": "The cool-down", "stop_at": "The number of answers"}[name]
    return whole_of(text, f"{words} is a whole number.")


def typed(form: QueryDict) -> Typed:
    rows = []
    for at in range(MOST_QUESTIONS):
        if f"q-{at}-kind" not in form:
            break
        kind = form[f"q-{at}-kind"]
        skips = list(zip(form.getlist(f"q-{at}-when"), form.getlist(f"q-{at}-to"), strict=False))
        rows.append(
            Row(
                id=form.get(f"q-{at}-id", "") or f"q{at + 1}",
                kind=kind if kind in KINDS else "open",
                text=form.get(f"q-{at}-text", ""),
                options=form.get(f"q-{at}-options", ""),
                required=f"q-{at}-required" in form,
                skips=[pair for pair in skips if pair[0].strip()],
            )
        )
    names = (*_TEXTS, *_NUMBERS, "stop_at", "opens_at", "closes_at", "hidden", "origins")
    return Typed(form.get("title", ""), rows, {name: form.get(name, "") for name in names}, "in_page" in form)


def begun(title: str, questions: Sequence[Mapping[str, Any]], rest_days: int) -> Typed:
    """A form that begins with a template, and the rest that people have here."""
    rows = [Row.of(one) for one in checked_questions(questions)]
    return Typed(title, rows, {"share": "100", "cooldown_days": str(rest_days)})


def of_survey(survey: Survey) -> Typed:
    fields = {name: getattr(survey, name) for name in _TEXTS}
    fields |= {name: str(getattr(survey, name)) for name in _NUMBERS}
    fields["stop_at"] = str(survey.stop_at or "")
    for name in ("opens_at", "closes_at"):
        moment = getattr(survey, name)
        fields[name] = moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M") if moment else ""
    fields["hidden"], fields["origins"] = " ".join(survey.hidden), " ".join(survey.origins)
    return Typed(survey.title, [Row.of(one) for one in survey.asked], fields, survey.in_page)
