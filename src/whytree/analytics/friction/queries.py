"""What may be asked of a form. Every share carries its 95 % interval, every field how many it rests on."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.utils import timezone

from whytree.code.references.form_fields import form_fields
from whytree.engines.figures import number, percent
from whytree.engines.stats import Estimate, NoAnswer
from whytree.engines.stats.groups import proportion
from whytree.errors import Invalid, NotFound
from whytree.stores.usage.form_friction import FieldMet, FormMet, fields_met, forms_met
from whytree.workspace.models import Product

USUAL_DAYS = 28
MOST_DAYS = 730
FEW = 30  # people; below it a share is shown and nothing is concluded from it
NAMELESS = "a form without a name"


@dataclass(frozen=True)
class FormSeen:
    """One of the product's forms."""

    met: FormMet
    finished: Estimate | None  # of those who began

    @property
    def title(self) -> str:
        return self.met.form or NAMELESS


@dataclass(frozen=True)
class FieldFriction:
    """One field: of those who met it how many filled it in; of those how many corrected it, were refused, left there."""

    met: FieldMet
    reached: Estimate | None
    corrected: Estimate | None
    refused: Estimate | None
    left: Estimate | None
    verdict: str = ""  # what code does with the value: read, nobody, unsure, or nobody looked

    @property
    def name(self) -> str:
        return self.met.field


@dataclass(frozen=True)
class FormFriction:
    """A form with its fields, and what the figures say in a sentence."""

    form: FormSeen
    days: int
    from_at: datetime
    to_at: datetime
    fields: list[FieldFriction] = field(default_factory=list)

    @property
    def widest(self) -> int:
        return max((one.met.reached for one in self.fields), default=0)

    @property
    def is_told(self) -> bool:
        """Whether fields say how it went, as whytree.js makes them; other events only say that somebody was there."""
        return any(one.met.told for one in self.fields)

    @property
    def sentence(self) -> str:
        if not self.fields:
            return f"Nobody filled in {self.form.title} in these {self.days} days."
        leaving = max((one for one in self.fields if one.met.left), key=lambda one: one.met.left, default=None)
        if leaving is not None and leaving.left is not None and leaving.met.reached >= FEW:
            return f"{percent(leaving.left.value)} of those who reach {leaving.name} leave the form there."
        slow = max((one for one in self.fields if one.met.seconds), key=lambda one: one.met.seconds or 0, default=None)
        if slow is not None and slow.met.timed >= FEW:
            return f"{slow.name} keeps people longest: {number(slow.met.seconds or 0)} s (median)."
        return f"{max(one.met.shown for one in self.fields)} people met this form: too few to say where it hurts."


def forms_seen(product: Product, *, days: int = USUAL_DAYS) -> list[FormSeen]:
    """The forms that people met in the last days, those of most people first."""
    start, end = _period(days)
    return [_seen(met) for met in forms_met(product.pk, start, end)]


def form_friction(product: Product, name: str, *, days: int = USUAL_DAYS) -> FormFriction:
    """One form. Raises `NotFound` with the names there are when nobody met such a form."""
    start, end = _period(days)
    met = {one.form: one for one in forms_met(product.pk, start, end)}
    wanted = "" if name == NAMELESS else name
    if wanted not in met:
        raise NotFound(_no_such_form(name, list(met), days))
    verdicts = {one.name: one.verdict for one in form_fields(product)}
    fields = [_friction(one, verdicts.get(one.field, "")) for one in fields_met(product.pk, wanted, start, end)]
    return FormFriction(_seen(met[wanted]), days, product.there(start), product.there(end), fields)


def _period(days: int) -> tuple[datetime, datetime]:
    if not 1 <= days <= MOST_DAYS:
        raise Invalid(f"Ask for 1 to {MOST_DAYS} days.")
    end = timezone.now()
    return end - timedelta(days=days), end


def _no_such_form(name: str, names: list[str], days: int) -> str:
    if not names:
        return f"No form was met in the last {days} days. whytree.js tells of them by itself: docs/capture.md."
    known = ", ".join(f"“{one or NAMELESS}”" for one in names[:10])
    return f"Nobody met a form “{name[:80]}” in the last {days} days. There are {known}{' and more' if len(names) > 10 else ''}."


def _seen(met: FormMet) -> FormSeen:
    return FormSeen(met, _share(min(met.submitted, met.started), met.started))


def _friction(met: FieldMet, verdict: str) -> FieldFriction:
    known = met.reached if met.told else 0
    return FieldFriction(
        met=met,
        reached=_share(met.reached, met.shown) if met.told else None,
        corrected=_share(min(met.corrected, known), known),
        refused=_share(min(met.refused, met.shown), met.shown) if met.told else None,
        left=_share(min(met.left, known), known),
        verdict=verdict,
    )


def _share(part: int, whole: int) -> Estimate | None:
    found = proportion(part, whole)
    return None if isinstance(found, NoAnswer) else found
