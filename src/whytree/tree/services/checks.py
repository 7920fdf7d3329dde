"""Refusals that every act on the tree shares."""

from collections.abc import Mapping
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction

from whytree.errors import Conflict, Invalid, NotFound
from whytree.tree.models import Node
from whytree.workspace.models import Product

AnyModel = TypeVar("AnyModel", bound=models.Model)
AnyNode = TypeVar("AnyNode", bound=Node)


def save_checked(row: AnyModel) -> AnyModel:
    """Save what its own model finds valid; else say in one sentence what to change, with every field in the details.

    The constraints are the database's to hold; only when it refuses are they asked, one by one, which of them it was.
    """
    try:
        row.full_clean(validate_constraints=False)
        try:
            with transaction.atomic():
                row.save()
        except IntegrityError:
            row.full_clean()
            raise
    except ValidationError as error:
        raise Invalid(_sentence(error), details={"fields": _problems(error)}) from error
    return row


def assign(row: models.Model, changes: Mapping[str, object]) -> None:
    for name, value in changes.items():
        if isinstance(value, str):
            value = value.strip()
        elif isinstance(value, tuple):
            value = list(value)
        setattr(row, name, value)


def for_update(node: AnyNode) -> AnyNode:
    """The node as it stands now, held until the transaction ends."""
    manager: models.Manager[AnyNode] = type(node)._default_manager
    return manager.select_for_update().get(pk=node.pk)


def refuse_other_product(product: Product, *rows: Any) -> None:
    """What belongs to another product does not exist here."""
    for row in rows:
        if row is not None and row.product_id != product.pk:
            raise NotFound("There is no such node in this product.")


def refuse_closed(node: Node) -> None:
    if node.is_closed:
        raise Conflict(f"{node.ref} is closed. Reopen it first.")


def _problems(error: ValidationError) -> list[dict[str, str]]:
    return [{"field": name, "problem": text} for name, texts in error.message_dict.items() for text in texts]


def _sentence(error: ValidationError) -> str:
    """The first problem in words; whole-row rules say it all by themselves."""
    first = _problems(error)[0]
    if first["field"] == "__all__":
        return first["problem"]
    return f"{first['field'].replace('_', ' ').capitalize()}: {first['problem']}"
