"""Two voices that say the same: one stands for both in the inbox, both keep their words, and both people count.

Nothing is copied and nothing is rewritten: a merged voice points at the one it was merged into (`merged_into`), and speaks
for what that one speaks for through links of its own, *inferred: merged into FB-3*. What a group's links have to be follows
from its own links and its pointers alone (`settle`), so that parting restores exactly what was there, in whatever order
voices were merged, linked and parted. No machine merges; it only suggests (`voice.finding.alike`).
"""

import re
from collections import defaultdict
from collections.abc import Iterable

from django.db import transaction

from whytree.errors import Conflict, Invalid, NotFound
from whytree.tree.models import EvidenceLink, EvidenceType, Opportunity, Provenance, SourceKind
from whytree.tree.services import link_evidence, unlink_evidence
from whytree.tree.services.fields import EvidenceFields
from whytree.voice.models import Consent, FeedbackItem
from whytree.workspace.models import Activity, Product
from whytree.workspace.records.activity import record, snapshot
from whytree.workspace.rights.access import require
from whytree.workspace.rights.actors import Actor
from whytree.workspace.rights.roles import Role

from .erasing import TOMBSTONE

MOST_MERGED = 5_000
"""Voices in one group: whatever the one that stands for them is linked to, all are, in one act. More than that is a theme, and
themes are found by themselves."""

RULE = "merged into "
LONGEST_QUOTE = 4_000
_REF = re.compile(r"\s*FB-([1-9][0-9]{0,8})\b", re.IGNORECASE)


def find_main(product: Product, typed: str) -> FeedbackItem:
    """The voice somebody means by `FB-12`, or `FB-12 and its first words`; where it was merged itself, the one it is under."""
    ref = _REF.match(typed)
    if ref is None:
        raise Invalid("Say which voice says the same, as FB-12.")
    items = FeedbackItem.objects.select_related("product", "merged_into")
    found = items.filter(product=product, number=int(ref[1])).first()
    if found is None:
        raise NotFound(f"There is no FB-{ref[1]} in {product.name}.")
    return main_of(found)


def merge(actor: Actor, item: FeedbackItem, main: FeedbackItem) -> bool:
    """`item` says the same as `main`, which stands for both from now on; whether that is new."""
    require(actor, item.product, Role.MEMBER)
    if item.product_id != main.product_id:
        raise NotFound("There is no such voice in this product.")
    with transaction.atomic():
        item, main = _locked(item, main)
        if item.merged_into_id == main.pk:
            return False
        if item.merged_into is not None:
            raise Conflict(f"{item.ref} is merged into {item.merged_into.ref} already. Part them first.")
        below = _below(item)
        if main.pk in {one.pk for one in below} or main.pk == item.pk:
            raise Conflict(f"{main.ref} is part of {item.ref} already. Choose another voice.")
        if len(below) + len(keys_of_group(main)) > MOST_MERGED:
            raise Conflict(
                f"{MOST_MERGED:,} voices is the most that are merged into one. Adopt a theme, or link them, to count more."
            )
        _point(actor, "merge", item, main)
        settle(actor, item)
    return True


def part(actor: Actor, item: FeedbackItem) -> bool:
    """`item` stands on its own again, with what was merged into it, as if it had never been merged; whether it was."""
    require(actor, item.product, Role.MEMBER)
    with transaction.atomic():
        (item,) = _locked(item)
        if item.merged_into_id is None:
            return False
        _point(actor, "part", item, None)
        settle(actor, item)
    return True


def _locked(*items: FeedbackItem) -> list[FeedbackItem]:
    """As they are now, kept from changing until the transaction ends; in the order of their keys, so that none waits for ever."""
    rows = FeedbackItem.objects.select_for_update(of=("self",)).select_related("product", "merged_into")
    found = {row.pk: row for row in rows.filter(pk__in=[item.pk for item in items]).order_by("pk")}
    if len(found) < len({item.pk for item in items}):
        raise NotFound("One of these voices is gone.")
    return [found[item.pk] for item in items]


def _point(actor: Actor, verb: str, item: FeedbackItem, main: FeedbackItem | None) -> None:
    before = snapshot(item)
    item.merged_into = main
    item.save(update_fields=["merged_into"])
    record(actor, item.product, verb, item, before=before, after=snapshot(item))


def main_of(item: FeedbackItem) -> FeedbackItem:
    """The voice that stands for it: itself where it was not merged."""
    return [item, *_above(item)][-1]


def group_of(item: FeedbackItem) -> list[FeedbackItem]:
    """All that were merged with it, the one that stands for them first; only itself where nothing was merged."""
    return _below(main_of(item))


def _above(item: FeedbackItem) -> list[FeedbackItem]:
    """What it was merged into, and what that was merged into."""
    above: list[FeedbackItem] = []
    seen, at = {item.pk}, item.merged_into
    while at is not None and at.pk not in seen:
        seen.add(at.pk)
        above.append(at)
        at = at.merged_into
    return above


def _below(item: FeedbackItem) -> list[FeedbackItem]:
    """Itself and what was merged into it, directly or not, the parts after what they are parts of."""
    found, level = {item.pk: item}, [item.pk]
    while level:
        rows = FeedbackItem.objects.filter(merged_into__in=level).select_related("product").order_by("pk")
        parts = [row for row in rows if row.pk not in found]
        for row in parts:
            row.merged_into = found[row.merged_into_id or 0]
            found[row.pk] = row
        level = [row.pk for row in parts]
    return list(found.values())


def keys_of_group(item: FeedbackItem) -> list[int]:
    """Primary keys of `group_of`, without reading any of them."""
    main = main_of(item).pk
    seen, level = {main: None}, [main]
    while level:
        below = FeedbackItem.objects.filter(merged_into__in=level).order_by("pk").values_list("pk", flat=True)
        level = [pk for pk in below if pk not in seen]
        seen.update(dict.fromkeys(level))
    return list(seen)


def is_through_merge(link: EvidenceLink) -> bool:
    """Whether a voice has this link only because it was merged."""
    return link.provenance == Provenance.INFERRED and link.rule.startswith(RULE)


def settle(actor: Actor, item: FeedbackItem) -> None:
    """Let `item` and what was merged into it speak for what they and the voices above them speak for themselves.

    Called after whatever changes a pointer or a link. A voice's own link is never touched.
    """
    above, below = _above(item), _below(item)
    if not above and len(below) == 1:
        below_links = _links(item.product_id, below)
        _drop(actor, [link for link in below_links[item.ref].values() if is_through_merge(link)])
        return
    links = _links(item.product_id, [*above, *below])
    own = {
        ref: {node: link for node, link in some.items() if not is_through_merge(link)} for ref, some in links.items()
    }
    opportunities = Opportunity.objects.in_bulk({node for some in own.values() for node in some})
    for one in below:
        _settle_one(actor, one, _above(one), own, links[one.ref], opportunities)


def follow_undo(product: Product, activity: Activity) -> None:
    """Undo puts one row back, whoever changed the others since: what its group's links have to be follows from it anew."""
    told = activity.before or activity.after or {}
    items = FeedbackItem.objects.select_related("product", "merged_into").filter(product=product)
    if activity.subject_type == FeedbackItem._meta.label and activity.verb in ("merge", "part"):
        found = items.filter(pk=activity.subject_id).first()
    elif activity.subject_type == EvidenceLink._meta.label and told.get("source_kind") == SourceKind.FEEDBACK:
        if str(told.get("rule", "")).startswith(RULE):  # part of an act that is taken back as a whole
            return
        ref = _REF.match(str(told.get("source_id", "")))
        found = items.filter(number=int(ref[1])).first() if ref else None
    else:
        return
    if found is not None:
        settle(Actor.system("Undo"), found)


Links = dict[int, EvidenceLink]
"""Primary key of an opportunity -> the link to it."""


def _settle_one(
    actor: Actor,
    item: FeedbackItem,
    above: Iterable[FeedbackItem],
    own: dict[str, Links],
    there: Links,
    opportunities: dict[int, Opportunity],
) -> None:
    wanted: dict[int, tuple[EvidenceLink, str]] = {}
    for main in above:  # the nearest one first
        for node, link in own.get(main.ref, {}).items():
            if node not in own.get(item.ref, {}):
                wanted.setdefault(node, (link, RULE + main.ref))
    _drop(actor, [link for node, link in there.items() if is_through_merge(link) and node not in wanted])
    for node, (link, rule) in wanted.items():
        old = there.get(node)
        if old is not None and (old.rule, old.importance, old.stance) == (rule, link.importance, link.stance):
            continue
        if node in opportunities:
            _link(actor, item, opportunities[node], link, rule, is_new=old is None)


def _link(
    actor: Actor, item: FeedbackItem, opportunity: Opportunity, like: EvidenceLink, rule: str, *, is_new: bool
) -> None:
    silent = item.consent == Consent.NONE or item.text == TOMBSTONE
    fields: EvidenceFields = {
        "stance": like.stance,
        "source_kind": SourceKind.FEEDBACK,
        "source_id": item.ref,
        "importance": like.importance,
        "provenance": Provenance.INFERRED,
        "rule": rule,
    }
    if is_new:
        fields |= {
            "evidence_type": EvidenceType.OTHERS_OPINION if item.from_team else EvidenceType.ANECDOTAL,
            "person_key": item.person_key,
            "quote": "" if silent else item.text[:LONGEST_QUOTE],
            "said_at": item.said_at,
        }
    link_evidence(actor, item.product, opportunity, **fields)


def _drop(actor: Actor, links: Iterable[EvidenceLink]) -> None:
    for link in links:
        unlink_evidence(actor, link)


def _links(product_id: int, items: Iterable[FeedbackItem]) -> dict[str, Links]:
    found: dict[str, Links] = defaultdict(dict)
    links = EvidenceLink.objects.filter(
        product=product_id,
        node_kind=Opportunity.prefix,
        source_kind=SourceKind.FEEDBACK,
        source_id__in=[item.ref for item in items],
    ).select_related("product")
    for link in links:
        found[link.source_id][link.node_id] = link
    return found
