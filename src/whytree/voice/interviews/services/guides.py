"""Keep what to ask."""

from django.db import transaction
from django.utils import timezone

from whytree.errors import Invalid
from whytree.voice.models import Guide
from whytree.workspace.models import Product
from whytree.workspace.records.activity import record, snapshot
from whytree.workspace.rights.access import require
from whytree.workspace.rights.actors import Actor
from whytree.workspace.rights.roles import Role

from ..models import GUIDE_NAME

GUIDE_LENGTH = 20_000


def write_guide(actor: Actor, product: Product, name: str, questions: str) -> Guide:
    """The guide of this name, with these questions, one a line. What the lint says of them is advice; it refuses nothing."""
    require(actor, product, Role.MEMBER)
    name = " ".join(name.replace("\0", "").split())
    questions = questions.replace("\0", "").replace("\r\n", "\n").strip()
    if not name or len(name) > GUIDE_NAME:
        raise Invalid(f"A guide has a name of at most {GUIDE_NAME} characters, as “First bookings”.")
    if not questions:
        raise Invalid("There is no question in it. Write one a line.")
    if len(questions) > GUIDE_LENGTH:
        raise Invalid(f"The guide has {len(questions):,} characters; {GUIDE_LENGTH:,} is the most.")
    with transaction.atomic():
        guide = Guide.objects.select_for_update().filter(product=product, name__iexact=name).first()
        before = snapshot(guide) if guide else None
        guide = guide or Guide(product=product, name=name)
        if guide.questions == questions and before is not None:
            return guide
        guide.questions, guide.changed_at = questions, timezone.now()
        guide.save()
        record(actor, product, "write_guide", guide, before=before, after=snapshot(guide))
    return guide


def remove_guide(actor: Actor, guide: Guide) -> None:
    """Take a guide out. Talks that followed it stay."""
    require(actor, guide.product, Role.MEMBER)
    with transaction.atomic():
        before, pk = snapshot(guide), guide.pk
        guide.delete()
        guide.pk = pk
        record(actor, guide.product, "remove_guide", guide, before=before, after=None)
