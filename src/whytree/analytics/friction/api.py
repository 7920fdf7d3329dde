"""Form friction over REST."""

from datetime import datetime
from typing import Any

from ninja import Router, Schema
from pydantic import Field

from whytree.engines.stats import Estimate
from whytree.workspace.entry.doors import ApiRequest, api_product
from whytree.workspace.rights.roles import Role

from .queries import USUAL_DAYS, FieldFriction, FormSeen, form_friction, forms_seen

router = Router(tags=["Forms"])


class PartOut(Schema):
    """A share from 0 to 1 of `n` people, with its 95 % interval."""

    value: float
    low: float
    high: float
    n: int


class FormOut(Schema):
    """A form and how many people came how far with it."""

    form: str
    path: str
    fields: int
    people: int
    shown: int
    started: int
    submitted: int
    left: int
    finished: PartOut | None = Field(description="Those who sent it, of those who began.")
    seconds: float | None = Field(description="Median from the first focus to the end.")
    last_seen: datetime


class FieldOut(Schema):
    """A field of a form. Numbers are people, unless they say otherwise."""

    field: str
    position: int
    shown: int
    reached: int
    reached_share: PartOut | None
    corrected: PartOut | None = Field(description="Changed it again, of those who reached it.")
    refused: PartOut | None = Field(description="Were shown an error, of those who met it.")
    left: PartOut | None = Field(description="Left the form there, of those who reached it.")
    corrections: int = Field(description="How often it was changed again.")
    errors: int = Field(description="How many errors were shown.")
    seconds: float | None = Field(description="Median of the visits that were timed.")
    seconds_low: float | None
    seconds_high: float | None
    timed: int
    verdict: str = Field(description="What code does with it: read, nobody, unsure, or nothing when nobody looked.")


class FrictionOut(FormOut):
    """One form with its fields in their order."""

    sentence: str
    days: int
    from_at: datetime
    to_at: datetime
    by_field: list[FieldOut]


@router.get("/products/{product}/forms", response=list[FormOut], operation_id="list_forms")
def list_forms(request: ApiRequest, product: str, days: int = USUAL_DAYS) -> Any:
    """The forms that people met in the last days."""
    return [_form(one) for one in forms_seen(api_product(request, product, Role.VIEWER), days=days)]


@router.get("/products/{product}/forms/friction", response=FrictionOut, operation_id="ask_form")
def ask_form(request: ApiRequest, product: str, form: str, days: int = USUAL_DAYS) -> Any:
    """Where one form hurts: field by field who reached it, seconds, corrections, errors, and who left there."""
    found = form_friction(api_product(request, product, Role.VIEWER), form, days=days)
    return {
        **_form(found.form),
        "sentence": found.sentence,
        "days": found.days,
        "from_at": found.from_at,
        "to_at": found.to_at,
        "by_field": [_field(one) for one in found.fields],
    }


def _form(seen: FormSeen) -> dict[str, Any]:
    met = seen.met
    return {
        "form": seen.title,
        "path": met.path,
        "fields": met.fields,
        "people": met.people,
        "shown": met.shown,
        "started": met.started,
        "submitted": met.submitted,
        "left": met.left,
        "finished": _part(seen.finished),
        "seconds": met.seconds,
        "last_seen": met.last_seen,
    }


def _field(one: FieldFriction) -> dict[str, Any]:
    met = one.met
    return {
        "field": met.field,
        "position": met.position,
        "shown": met.shown,
        "reached": met.reached,
        "reached_share": _part(one.reached),
        "corrected": _part(one.corrected),
        "refused": _part(one.refused),
        "left": _part(one.left),
        "corrections": met.corrections,
        "errors": met.errors,
        "seconds": met.seconds,
        "seconds_low": met.low,
        "seconds_high": met.high,
        "timed": met.timed,
        "verdict": one.verdict,
    }


def _part(estimate: Estimate | None) -> dict[str, Any] | None:
    if estimate is None:
        return None
    return {"value": estimate.value, "low": estimate.low, "high": estimate.high, "n": estimate.n}
