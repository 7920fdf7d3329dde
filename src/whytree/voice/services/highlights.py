"""Sort marked words by tags, whether somebody wrote them or said them in a talk."""

from collections.abc import Iterable

from django.db import transaction
from django.db.models import Q

from whytree.errors import Invalid, NotFound
from whytree.voice.models import Highlight, HighlightTag, Tag
from whytree.voice.models.triage import NAME
from whytree.workspace.models import Product
from whytree.workspace.records.activity import record
from whytree.workspace.rights.access import require
from whytree.workspace.rights.actors import Actor
from whytree.workspace.rights.roles import Role

MOST_TAGS = 20


def find_highlight(product: Product, pk: int) -> Highlight:
    """A highlight of an item or of a talk."""
    mine = Q(item__product=product) | Q(interview__product=product)
    found = Highlight.objects.filter(mine, pk=pk).select_related("item__product", "interview__product").first()
    if found is None:
        raise NotFound("There is no such highlight. It may have been removed.")
    return found


def tag_highlight(actor: Actor, mark: Highlight, tags: Iterable[str]) -> Highlight:
    """Exactly these tags; new ones are made."""
    product = product_of(mark)
    require(actor, product, Role.MEMBER)
    wanted = _checked(tags)
    with transaction.atomic():
        before = sorted(mark.tags.values_list("name", flat=True))
        kept = add_tags(mark, wanted)
        HighlightTag.objects.filter(highlight=mark).exclude(tag__in=kept).delete()
        after = {"tags": sorted(tag.name for tag in kept)}
        if after["tags"] != before:
            record(actor, product, "tag_highlight", mark, before={"tags": before}, after=after, undoable=False)
    return mark


def add_tags(mark: Highlight, tags: Iterable[str]) -> list[Tag]:
    """These tags beside those it has; a tag is the same in any case of its letters."""
    product, found = product_of(mark), []
    for name in _checked(tags):
        tag = Tag.objects.filter(product=product, name__iexact=name).first()
        tag = tag or Tag.objects.create(product=product, name=name)
        HighlightTag.objects.get_or_create(highlight=mark, tag=tag)
        found.append(tag)
    return found


def product_of(mark: Highlight) -> Product:
    source = mark.item or mark.interview
    if source is None:
        raise NotFound("This highlight belongs to nothing.")
    return source.product


def _checked(tags: Iterable[str]) -> list[str]:
    names = list(dict.fromkeys(" ".join(tag.replace("\0", "").split()) for tag in tags if tag.strip()))
    if len(names) > MOST_TAGS:
        raise Invalid(f"That are {len(names)} tags; {MOST_TAGS} is the most for one highlight.")
    if (long := next((name for name in names if len(name) > NAME), None)) is not None:
        raise Invalid(f"The tag “{long[:30]}…” has {len(long)} characters; {NAME} is the most.")
    return names
