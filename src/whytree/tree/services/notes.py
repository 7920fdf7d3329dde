"""Say something about a node, and answer what asks for it."""

from django.db import transaction
from django.utils import timezone

from whytree.errors import Conflict, Invalid
from whytree.tree.models import ASKING, Node, Note, NoteKind
from whytree.workspace.models import Product
from whytree.workspace.records.activity import record, snapshot
from whytree.workspace.rights.access import require
from whytree.workspace.rights.actors import Actor
from whytree.workspace.rights.roles import Role

from .checks import refuse_other_product, save_checked


def add_note(
    actor: Actor, product: Product, node: Node, *, kind: str, text: str, cost: str = "", alternative: str = ""
) -> Note:
    """A comment, question, challenge, constraint or decision on a node. Only a constraint has a cost and an alternative."""
    require(actor, product, Role.MEMBER)
    refuse_other_product(product, node)
    if not text.strip():
        raise Invalid("The note is empty. Write what you want to say.")
    if kind != NoteKind.CONSTRAINT and (cost.strip() or alternative.strip()):
        raise Invalid("Cost and alternative belong to a constraint.")
    note = Note(
        product=product,
        node_kind=node.prefix,
        node_id=node.pk,
        kind=kind,
        text=text.strip(),
        cost=cost.strip(),
        alternative=alternative.strip(),
        author_id=actor.user_id,
        author_name=actor.label[:200],
    )
    with transaction.atomic():
        save_checked(note)
        record(actor, product, "add_note", note)
    return note


def answer_note(actor: Actor, note: Note, answer: str) -> Note:
    """Answer a question or a challenge; from then on it is no longer shown as open."""
    require(actor, note.product, Role.MEMBER)
    if note.kind not in ASKING:
        raise Invalid("Only questions and challenges are answered. Add a comment instead.")
    if not answer.strip():
        raise Invalid("The answer is empty. Write what you want to say.")
    with transaction.atomic():
        fresh = Note.objects.select_for_update().get(pk=note.pk)
        if fresh.answered_at is not None:
            raise Conflict("This was answered already. Add a comment to say more.")
        before = snapshot(fresh)
        fresh.answer, fresh.answered_at, fresh.answered_by_id = answer.strip(), timezone.now(), actor.user_id
        save_checked(fresh)
        record(actor, fresh.product, "answer_note", fresh, before=before, after=snapshot(fresh))
    return fresh
