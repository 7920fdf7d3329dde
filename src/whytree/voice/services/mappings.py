"""How a team reads the tables of a system nobody else knows: which column holds what, kept under a name.

A table with exactly the columns that a kept mapping was made for is read by it without being asked.
"""

from collections.abc import Collection, Mapping

from django.db import transaction

from whytree.errors import Conflict, Invalid, NotFound
from whytree.voice.importing.columns import WANTED
from whytree.voice.importing.files import Kept
from whytree.voice.models import ColumnMapping
from whytree.voice.models.triage import NAME
from whytree.workspace.models import Product
from whytree.workspace.records.activity import record, snapshot
from whytree.workspace.rights.access import require
from whytree.workspace.rights.actors import Actor
from whytree.workspace.rights.roles import Role

MOST_MAPPINGS = 100
MOST_COLUMNS = 1_000
LONGEST_COLUMN = 500


def keep_mapping(
    actor: Actor, product: Product, *, name: str, columns: Mapping[str, str], header: Collection[str]
) -> ColumnMapping:
    """Keep which column of a table with this header holds what; the same name again replaces it."""
    require(actor, product, Role.MAINTAINER)
    name = " ".join(name.replace("\0", " ").split())
    if not name or len(name) > NAME:
        raise Invalid(f"A mapping has a name of 1 to {NAME} characters, as “support desk”.")
    kept, there = _checked(columns, header), ColumnMapping.objects.filter(product=product)
    if there.exclude(name=name).count() >= MOST_MAPPINGS:
        raise Conflict(f"{MOST_MAPPINGS} mappings is the most. Remove one that nobody uses.")
    with transaction.atomic():
        mapping = there.filter(name=name).first()
        before = snapshot(mapping) if mapping else None
        mapping = mapping or ColumnMapping(product=product, name=name)
        mapping.columns, mapping.header = kept, sorted(set(header))
        mapping.save()
        record(actor, product, "keep_mapping", mapping, before=before, after=snapshot(mapping))
    return mapping


def _checked(columns: Mapping[str, str], header: Collection[str]) -> dict[str, str]:
    if not header or len(header) > MOST_COLUMNS or any(len(one) > LONGEST_COLUMN or "\0" in one for one in header):
        raise Invalid(f"A table has 1 to {MOST_COLUMNS:,} columns, each of at most {LONGEST_COLUMN} characters.")
    unknown = next((field for field in columns if field not in WANTED), None)
    if unknown is not None:
        raise Invalid(f"There is no field “{unknown[:40]}”; there are {', '.join(WANTED)}.")
    kept = {field: column for field, column in columns.items() if column and column != "-"}
    missing = next((column for column in kept.values() if column not in header), None)
    if missing is not None:
        raise Invalid(f"There is no column “{missing[:80]}” in this table.")
    if "text" not in kept:
        raise Invalid("Say which column holds what people said: the field “text”.")
    return kept


def remove_mapping(actor: Actor, product: Product, name: str) -> None:
    """What was imported with it stays."""
    require(actor, product, Role.MAINTAINER)
    mapping = find_mapping(product, name)
    with transaction.atomic():
        before, pk = snapshot(mapping), mapping.pk
        mapping.delete()
        mapping.pk = pk
        record(actor, product, "remove_mapping", mapping, before=before)


def find_mapping(product: Product, name: str) -> ColumnMapping:
    found = ColumnMapping.objects.filter(product=product, name=name.strip()).first()
    if found is None:
        raise NotFound(f"There is no mapping “{name[:NAME]}”. `whytree feedback mappings` lists them.")
    return found


def kept_mappings(product: Product) -> list[Kept]:
    """All of them, the one that was made last first, as `importing.files` reads by them."""
    rows = ColumnMapping.objects.filter(product=product).order_by("-pk")
    return [Kept(row.name, row.columns, frozenset(row.header)) for row in rows]
