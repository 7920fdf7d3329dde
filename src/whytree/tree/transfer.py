"""The tree as a file that people can write by hand, keep in git and read in ten years.

    {"whytree_tree": 1,
     "product": {"name": "Sprout", "vision": "..."},
     "nodes": [{"id": "OUT-1", "kind": "outcome", "title": "...", "parent": null, ...}],
     "evidence": [{"node": "OPP-1", "stance": "supports", "evidence_type": "anecdotal", "statement": "...", "source_url": "..."}],
     "notes": [{"node": "SOL-1", "kind": "question", "text": "..."}],
     "tickets": [{"node": "SOL-1", "key": "#412", "tracker": "github.com/acme/sprout", "title": "..."}]}

A field that is left out has its default in a new node and stays as it is in one that exists.
Import goes by id and is idempotent; the second export is byte-equal to the first.
People's accounts are not part of it (a note keeps its author's name).
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from graphlib import CycleError, TopologicalSorter
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils import timezone

from whytree.code.trackers.tickets import TicketFacts, see_ticket
from whytree.engines.links.tickets import TicketRef
from whytree.errors import Conflict, Invalid
from whytree.tree.models import (
    KINDS,
    LOCKED,
    EvidenceLink,
    Hypothesis,
    Node,
    Note,
    Provenance,
    Solution,
    State,
    TicketLink,
)
from whytree.tree.queries import REF, NodeKey, key_of, nodes_of
from whytree.tree.services.checks import save_checked
from whytree.tree.services.lifecycle import hang_under, refuse_circle, refuse_misplaced
from whytree.tree.services.tickets import link_ticket
from whytree.workspace.models import Product
from whytree.workspace.records.activity import record, snapshot
from whytree.workspace.records.numbering import reserve_number
from whytree.workspace.rights.access import require
from whytree.workspace.rights.actors import Actor
from whytree.workspace.rights.roles import Role
from whytree.workspace.services import edit_product

VERSION = 1
Row = dict[str, Any]

_HEAD = ("title", "description")
_TAIL = ("created_at", "closed_at", "close_reason", "override", "override_reason")
# Columns of each kind as the file names them; "kind" is taken there, so an opportunity's own kind is called after it.
_COLUMNS: dict[str, dict[str, str]] = {
    prefix: {name: renamed.get(name, name) for name in (*_HEAD, *own, *_TAIL)}
    for prefix, own, renamed in (
        ("OUT", ("outcome_type", "metric_key", "baseline", "target", "due", "counter_metric_keys"), {}),
        ("OPP", ("kind", "segment", "struggle_signal", "in_focus"), {"kind": "opportunity_kind"}),
        ("SOL", ("state", "is_removal"), {}),
        (
            "HYP",
            (
                *("change", "who", "behaviour", "metric_key", "forecast_low", "forecast_likely", "forecast_high"),
                *("forecast_unit", "horizon_days", "guardrails", "locked_at", "lock_hash", "opened_at"),
            ),
            {},
        ),
        ("ASM", ("assumption_type", "importance"), {}),
        (
            "TST",
            (
                "method",
                "success_criterion",
                "cost_days",
                "measure",
                "sessions",
                "due",
                "status",
                "started_at",
                "concluded_at",
                "verdict",
                "result",
            ),
            {},
        ),
    )
}
_EVIDENCE = {
    name: name
    for name in (
        *("stance", "evidence_type", "source_kind", "source_id", "person_key", "quote", "statement", "said_at"),
        *("importance", "provenance", "rule", "created_at"),
    )
}
_NOTE = {
    name: {"author_name": "author"}.get(name, name)
    for name in ("kind", "text", "cost", "alternative", "author_name", "created_at", "answer", "answered_at")
}
_ATTACHED = {
    "evidence": {"source_url", *_EVIDENCE},
    "notes": {*_NOTE.values()},
    "tickets": {"key", "tracker", "url", "title"},
}
# Always written, even where they have their default: a reader should not have to know it.
_SHOWN = frozenset({"title", "state", "stance", "evidence_type", "kind", "text", "change", "created_at"})


@dataclass(frozen=True)
class ImportReport:
    """What an import did, or would do: ids, and how many pieces of evidence and notes are new."""

    created: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    evidence: int = 0
    notes: int = 0
    tickets: int = 0
    preview: bool = False

    @property
    def is_news(self) -> bool:
        return bool(self.created or self.changed or self.evidence or self.notes or self.tickets)

    def summary(self) -> Row:
        counts = {"created": len(self.created), "changed": len(self.changed)}
        return counts | {"evidence": self.evidence, "notes": self.notes, "tickets": self.tickets}


def export_tree(product: Product) -> Row:
    """The whole tree as a document; `as_text` writes it."""
    nodes = {key_of(node): node for prefix in KINDS for node in nodes_of(product, KINDS[prefix]).order_by("number")}
    return {
        "whytree_tree": VERSION,
        "product": {"name": product.name, "vision": product.vision},
        "nodes": [_node_row(node) for node in nodes.values()],
        "evidence": _attached_rows(EvidenceLink.objects.filter(product=product), nodes, _EVIDENCE),
        "notes": _attached_rows(Note.objects.filter(product=product), nodes, _NOTE),
        "tickets": _ticket_rows(product, nodes),
    }


def as_text(document: Row) -> str:
    """The document as it is written to a file: readable, and the same bytes for the same tree."""
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def import_tree(actor: Actor, product: Product, document: object, *, preview: bool = False) -> ImportReport:
    """Bring a document's nodes into a product, by id. All of it or nothing; `preview` changes nothing at all."""
    require(actor, product, Role.MAINTAINER)
    rows = _checked(document)
    with transaction.atomic():
        run = _Run(actor, product, rows)
        report = run.execute()
        if report.is_news:
            record(actor, product, "import_tree", product, after=report.summary(), undoable=False)
        if preview:
            transaction.set_rollback(True)
    return ImportReport(**{**report.__dict__, "preview": preview})


@dataclass(frozen=True)
class _Rows:
    vision: str
    nodes: list[Row]
    evidence: list[Row]
    notes: list[Row]
    tickets: list[Row]


class _Run:
    """One import; every step works on rows that `_checked` found well-formed."""

    def __init__(self, actor: Actor, product: Product, rows: _Rows) -> None:
        self.actor = actor
        self.product = product
        self.rows = rows
        self.known: dict[str, Node] = {node.ref: node for prefix in KINDS for node in nodes_of(product, KINDS[prefix])}
        self.report = ImportReport()

    def execute(self) -> ImportReport:
        if self.rows.vision and self.rows.vision != self.product.vision:
            edit_product(self.actor, self.product, vision=self.rows.vision)
        for row in _parents_first(self.rows.nodes):
            with _naming(row["id"]):
                self._bring_node(row)
        evidence = sum(self._bring(EvidenceLink, _EVIDENCE, _unfolded(row)) for row in self.rows.evidence)
        notes = sum(self._bring(Note, _NOTE, row) for row in self.rows.notes)
        tickets = sum(self._bring_ticket(row) for row in self.rows.tickets)
        return ImportReport(self.report.created, self.report.changed, self.report.unchanged, evidence, notes, tickets)

    def _bring_node(self, row: Row) -> None:
        ref = str(row["id"])
        prefix, number = ref.split("-")
        node = self.known.get(ref)
        before = snapshot(node) if node is not None else None
        node = node or KINDS[prefix](product=self.product, number=int(number))
        parent = self._parent(row)
        for name, value in _values(KINDS[prefix], _COLUMNS[prefix], row).items():
            setattr(node, name, value)
        _close_as_written(node, row)
        if "parent" in row or before is None:
            refuse_misplaced(prefix, parent.prefix if parent else None)
            refuse_circle(node, parent)
            hang_under(node, parent)
        self._keep(node, before)

    def _parent(self, row: Row) -> Node | None:
        ref = row.get("parent")
        if ref is None:
            return None
        if ref not in self.known:
            raise Invalid(f"There is no {ref} to stand under, neither in the file nor in {self.product.name}.")
        return self.known[ref]

    def _keep(self, node: Node, before: Row | None) -> None:
        if before is not None and snapshot(node) == before:
            self.report.unchanged.append(node.ref)
            return
        if isinstance(node, Hypothesis):
            _refuse_broken_lock(node, before)
        save_checked(node)
        reserve_number(self.product, node.prefix, node.number)
        record(self.actor, self.product, "import_node", node, before=before, after=snapshot(node), undoable=False)
        self.known[node.ref] = node
        (self.report.created if before is None else self.report.changed).append(node.ref)

    def _bring(self, model: type[EvidenceLink] | type[Note], columns: dict[str, str], row: Row) -> bool:
        """Add a piece of evidence or a note that its node does not have yet; True when it was new."""
        with _naming(str(row["node"])):
            node = self._node(row)
            values = _values(model, columns, {name: value for name, value in row.items() if name != "node"})
            place = {"product": self.product, "node_kind": node.prefix, "node_id": node.pk}
            if model._default_manager.filter(**place, **_identity(model, values)).exists():
                return False
            attached = model(**place, **values)
            if isinstance(attached, EvidenceLink):
                attached.added_by_id = self.actor.user_id
            save_checked(attached)
            record(
                self.actor,
                self.product,
                "import_evidence" if model is EvidenceLink else "import_note",
                attached,
                undoable=False,
            )
        return True

    def _bring_ticket(self, row: Row) -> bool:
        with _naming(str(row["node"])):
            node = self._node(row)
            facts = {name: str(row.get(name, "")) for name in ("key", "tracker", "url")}
            if not facts["key"]:
                raise Invalid('A ticket needs a "key".')
            ticket = see_ticket(
                self.actor, self.product, TicketFacts(TicketRef(**facts), title=str(row.get("title", "")))
            )
            if TicketLink.objects.filter(ticket=ticket, node_kind=node.prefix, node_id=node.pk).exists():
                return False
            link_ticket(self.actor, node, ticket)
        return True

    def _node(self, row: Row) -> Node:
        if row["node"] not in self.known:
            raise Invalid("There is no such node, neither in the file nor in the product.")
        return self.known[row["node"]]


class _naming:
    """Say which row of the file an error is about."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, Invalid | Conflict) and not error.message.startswith(self.name):
            error.message = f"{self.name}: {error.message}"
            error.args = (error.message,)


def _checked(document: object) -> _Rows:
    """The document's parts, once its form is right; every problem of form is reported at once."""
    if not isinstance(document, dict) or document.get("whytree_tree") != VERSION:
        raise Invalid('This is no tree file: it should start with {"whytree_tree": 1, ...}.')
    unknown = document.keys() - {"whytree_tree", "product", "nodes", "evidence", "notes", "tickets"}
    problems = [{"field": name, "problem": "is not a part of a tree file"} for name in sorted(unknown)]
    product = document.get("product") or {}
    vision = product.get("vision", "") if isinstance(product, dict) else None
    if not isinstance(vision, str):
        problems.append({"field": "product", "problem": 'should be {"name": "...", "vision": "..."}'})
    parts = {name: document.get(name, []) for name in ("nodes", "evidence", "notes", "tickets")}
    for name, part in parts.items():
        if not isinstance(part, list):
            problems.append({"field": name, "problem": "should be a list"})
        else:
            problems += [
                {"field": f"{name}[{at}]", "problem": text} for at, row in enumerate(part) for text in _wrong(name, row)
            ]
    if not problems:
        problems += _twice(parts["nodes"])
    if problems:
        first = problems[0]
        raise Invalid(f"{first['field']}: {first['problem']}. Nothing was imported.", details={"fields": problems[:50]})
    return _Rows(str(vision), **parts)


def _wrong(part: str, row: object) -> Iterator[str]:
    """What is wrong with the form of one row."""
    if not isinstance(row, dict):
        yield "should be an object"
        return
    ref = row.get("id" if part == "nodes" else "node")
    match = REF.fullmatch(ref) if isinstance(ref, str) and ref == ref.upper() else None
    if match is None:
        yield f"{ref!r} is no id; ids look like OUT-1, OPP-2, SOL-3"
        return
    prefix = match[1]
    if part == "nodes":
        word = KINDS[prefix].word
        if row.get("kind", word) != word:
            yield f"{ref} is an id of the kind {word}, not {row['kind']!r}"
        if not isinstance(row.get("parent"), str | None):
            yield "parent should be an id or null"
        known = {"id", "kind", "parent", *_COLUMNS[prefix].values()}
    else:
        known = {"node", *_ATTACHED[part]}
    unknown = sorted(row.keys() - known)
    if unknown:
        yield f"{ref} has unknown fields: {', '.join(unknown)}"


def _twice(rows: Sequence[Row]) -> list[dict[str, str]]:
    counted = Counter(row["id"] for row in rows)
    return [{"field": ref, "problem": "stands in the file twice"} for ref, times in counted.items() if times > 1]


def _parents_first(rows: Sequence[Row]) -> list[Row]:
    by_ref = {row["id"]: row for row in rows}
    graph = {ref: [row["parent"]] if row.get("parent") in by_ref else [] for ref, row in by_ref.items()}
    try:
        return [by_ref[ref] for ref in TopologicalSorter(graph).static_order()]
    except CycleError as error:
        raise Invalid(
            f"These stand under each other in a circle: {' < '.join(error.args[1])}. Nothing was imported."
        ) from error


def _values(model: type[models.Model], columns: dict[str, str], row: Row) -> Row:
    """The row's values as the model's columns take them; only those that the row names."""
    found: Row = {}
    for name, written in columns.items():
        if written in row:
            try:
                found[name] = _python(model._meta.get_field(name), row[written])
            except ValidationError as error:
                raise Invalid(f"{written} cannot be {row[written]!r}: {error.messages[0]}") from error
    return found


def _python(column: Any, value: Any) -> Any:
    if isinstance(column, models.JSONField):
        return value
    if isinstance(column, models.CharField | models.TextField):
        if not isinstance(value, str):
            raise ValidationError("It should be a text.")
        return value.strip()
    return column.to_python(value)


def _close_as_written(node: Node, row: Row) -> None:
    """A hand-written reason is enough to close; without one the node is open."""
    if not node.close_reason:
        node.closed_at = None
    elif node.closed_at is None:
        node.closed_at = timezone.now()
    if isinstance(node, Solution) and node.close_reason and "state" not in row:
        node.state = State.DROPPED


def _refuse_broken_lock(node: Hypothesis, before: Row | None) -> None:
    if before is not None and before["lock_hash"] and node.content_hash() != before["lock_hash"]:
        raise Conflict(LOCKED.format(ref=node.ref))
    if node.lock_hash and node.content_hash() != node.lock_hash:
        raise Invalid("its lock does not fit its content, so one of them was changed by hand. Nothing was imported.")


def _unfolded(row: Row) -> Row:
    """`source_url` is short for a source of the kind url; without any source the statement stands for itself."""
    plain = {name: value for name, value in row.items() if name != "source_url"}
    if "source_url" in row:
        return {**plain, "source_kind": "url", "source_id": row["source_url"]}
    return {"source_kind": "note", **plain}


def _identity(model: type[models.Model], values: Row) -> Row:
    """What makes a row in the file the same as one that is there: its source, else its words."""
    if model is EvidenceLink and values.get("source_id"):
        return {name: values[name] for name in ("source_kind", "source_id")}
    names = ("statement", "quote", "person_key") if model is EvidenceLink else ("kind", "text", "author_name")
    return {name: values[name] for name in names if name in values}


def _node_row(node: Node) -> Row:
    parent = node.parent_node
    row: Row = {"id": node.ref, "kind": node.word, "parent": parent.ref if parent else None}
    return row | _written(node, _COLUMNS[node.prefix])


def _attached_rows(
    found: Iterable[EvidenceLink] | Iterable[Note], nodes: dict[NodeKey, Node], columns: dict[str, str]
) -> list[Row]:
    """In the order of their nodes, then of their words: an order that survives import into an empty product."""
    order = {key: at for at, key in enumerate(nodes)}
    kept = [(order[item.node_kind, item.node_id], item) for item in found if (item.node_kind, item.node_id) in nodes]
    rows = [
        (at, {"node": nodes[item.node_kind, item.node_id].ref} | _folded(_written(item, columns))) for at, item in kept
    ]
    return [row for _, row in sorted(rows, key=lambda pair: (pair[0], json.dumps(pair[1], sort_keys=True)))]


def _ticket_rows(product: Product, nodes: dict[NodeKey, Node]) -> list[Row]:
    """Stated links only: what a rule infers is inferred again."""
    links = TicketLink.objects.filter(product=product, provenance=Provenance.STATED).select_related("ticket")
    rows = []
    for link in links:
        told = {
            name: getattr(link.ticket, name)
            for name in ("key", "tracker", "url", "title")
            if getattr(link.ticket, name)
        }
        rows.append({"node": nodes[link.node_kind, link.node_id].ref} | told)
    return sorted(rows, key=lambda row: json.dumps(row, sort_keys=True))


def _folded(row: Row) -> Row:
    if row.get("source_kind") != "url" or not row.get("source_id"):
        return row
    return {
        ("source_url" if name == "source_id" else name): value for name, value in row.items() if name != "source_kind"
    }


def _written(item: models.Model, columns: dict[str, str]) -> Row:
    row: Row = {}
    for name, written in columns.items():
        value = getattr(item, name)
        if name in _SHOWN or value != _default(type(item), name):
            row[written] = value.isoformat() if isinstance(value, datetime | date) else value
    return row


def _default(model: type[models.Model], name: str) -> Any:
    column = model._meta.get_field(name)
    return column.get_default() if isinstance(column, models.Field) else None
