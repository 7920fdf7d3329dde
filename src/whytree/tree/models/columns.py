"""What the tree's columns may hold."""

import math

from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator
from django.db import models
from django.db.models import Q

TITLE_LENGTH = 500
TEXT_LENGTH = 20_000


def storable_text(value: str) -> None:
    """Refuse the two kinds of text that a database cannot keep: NUL characters and lone surrogates."""
    if "\x00" in value or any("\ud800" <= char <= "\udfff" for char in value):
        raise ValidationError("This text holds characters that cannot be stored. Copy it again as plain text.")


def finite(value: float) -> None:
    if not math.isfinite(value):
        raise ValidationError("Give a number.")


def guardrail_list(value: object) -> None:
    """`[{"metric_key": ..., "direction": "up" | "down", "margin": number >= 0}]`; direction is the way that harms."""
    message = "A guardrail needs a metric, the direction that harms (up or down) and a margin of 0 or more."
    if not isinstance(value, list):
        raise ValidationError(message)
    for item in value:
        if not isinstance(item, dict) or set(item) != {"metric_key", "direction", "margin"}:
            raise ValidationError(message)
        margin = item["margin"]
        fits = isinstance(margin, int | float) and not isinstance(margin, bool) and 0 <= margin < math.inf
        if not item["metric_key"] or not isinstance(item["metric_key"], str) or not fits:
            raise ValidationError(message)
        if item["direction"] not in ("up", "down"):
            raise ValidationError(message)


def key_list(value: object) -> None:
    if not isinstance(value, list) or not all(isinstance(key, str) and key for key in value):
        raise ValidationError("Give a list of metric keys.")


def versioned(value: object) -> None:
    """A stored definition is an object that says which version of its grammar it is written in."""
    if value is not None and not (isinstance(value, dict) and isinstance(value.get("version"), int)):
        raise ValidationError('A definition is a JSON object with a "version".')


def one_of(field: str, choices: type[models.TextChoices]) -> models.CheckConstraint:
    return models.CheckConstraint(condition=Q(**{f"{field}__in": choices.values}), name=f"tree_%(class)s_{field}")


def text_field(*, blank: bool = True) -> "models.TextField[str, str]":
    return models.TextField(blank=blank, default="", validators=[MaxLengthValidator(TEXT_LENGTH), storable_text])
