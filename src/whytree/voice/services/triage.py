"""Sort voices, one or many at once: put away, tag, assign, snooze, give a status, link; and take all of it back together.

    triaged = triage(actor, product, items, Act("snooze", until=monday))
    undo_triage(actor, product, triaged.activities)

Each item leaves its own line in the activity list; the lines of one act are taken back together.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from whytree.errors import Conflict, Invalid, NotFound, TooLarge
from whytree.tree.models import Importance
from whytree.voice.models import FeedbackItem, ItemTag, Status, Tag
from whytree.voice.models.triage import NAME
from whytree.voice.replies.noting import note_status
from whytree.workspace.models import Activity, Membership, Product, User
from whytree.workspace.records.activity import record, snapshot, undo
from whytree.workspace.rights.access import require
from whytree.workspace.rights.actors import Actor
from whytree.workspace.rights.roles import Role

from .items import bring_back, put_away
from .linking import find_opportunity_by_words, link_excerpt
from .merging import find_main, merge, part

MOST_AT_ONCE = 500
LONGEST_SNOOZE = timedelta(days=366)
MOST_TAGS = 20

ACTS = {
    "put_away": "read, and nothing to link",
    "bring_back": "waits for a reader again",
    "tag": "value: the tag's name, made when it is new",
    "untag": "value: the tag's name",
    "assign": "value: a member's e-mail address; empty for nobody",
    "snooze": "value: a time or a number of days; empty ends it",
    "set_status": "value: a status' name; empty for none",
    "link": "value: an opportunity, as OPP-3 or its title; importance 0 to 3",
    "merge": "value: the voice that says the same, as FB-3, and stands for these from now on",
    "part": "no longer merged into another voice",
}


@dataclass(frozen=True)
class Act:
    """What is done to the items: one of `ACTS`, and its value."""

    name: str
    value: str = ""
    importance: int = Importance.NICE_TO_HAVE


@dataclass(frozen=True)
class Triaged:
    """How many items it changed, what was done in words, and the activities to take back."""

    changed: int
    said: str
    activities: list[int]


def triage(actor: Actor, product: Product, items: Sequence[FeedbackItem], act: Act) -> Triaged:
    """Do one thing to all of these items, or to none of them. Items that are so already are passed over."""
    require(actor, product, Role.MEMBER)
    if len(items) > MOST_AT_ONCE:
        raise TooLarge(f"That are {len(items):,} voices; {MOST_AT_ONCE} at once is the most. Narrow the list first.")
    if any(item.product_id != product.pk for item in items):
        raise NotFound("One of these voices is not in this product.")
    if act.name not in ACTS:
        raise Invalid(f"There is no act “{act.name[:40]}”; there are {', '.join(ACTS)}.")
    with together(actor, product) as activities:
        change, said = _READY[act.name](actor, product, act)
        changed = sum(change(item) for item in items)
    return Triaged(changed, said, activities)


@contextmanager
def together(actor: Actor, product: Product) -> Iterator[list[int]]:
    """One transaction whose activities are to be taken back together: the list that is given holds them afterwards."""
    activities: list[int] = []
    with transaction.atomic():
        last = Activity.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        yield activities
        if actor.user_id is None:
            return  # only people take their own acts back
        done = Activity.objects.filter(product=product, user_id=actor.user_id, pk__gt=last, undoes=None)
        activities += done.order_by("pk").values_list("pk", flat=True)


@transaction.atomic
def undo_triage(actor: Actor, product: Product, activities: Iterable[int]) -> int:
    """Take an act back, whole: its lines from the last to the first. Refused when anything happened since."""
    ids = sorted(set(activities), reverse=True)
    if not ids:
        raise Conflict("There is nothing to take back.")
    for pk in ids:
        undo(actor, product, pk)
    return len(ids)


Change = Callable[[FeedbackItem], bool]
Ready = tuple[Change, str]


def _set(actor: Actor, item: FeedbackItem, verb: str, **values: Any) -> bool:
    """Store what differs, with its line in the activity list."""
    values = {name: value for name, value in values.items() if getattr(item, name) != value}
    if not values:
        return False
    before = snapshot(item)
    for name, value in values.items():
        setattr(item, name, value)
    item.save(update_fields=list(values))
    record(actor, item.product, verb, item, before=before, after=snapshot(item))
    return True


def _handled(actor: Actor, item: FeedbackItem, *, waiting: bool) -> dict[str, Any]:
    if item.is_waiting == waiting:
        return {}
    return {"handled_at": None if waiting else timezone.now(), "handled_by_id": None if waiting else actor.user_id}


def _put_away(actor: Actor, product: Product, act: Act) -> Ready:
    return lambda item: item.is_waiting and bool(put_away(actor, item)), "put away"


def _bring_back(actor: Actor, product: Product, act: Act) -> Ready:
    return lambda item: not item.is_waiting and bool(bring_back(actor, item)), "brought back"


def _assign(actor: Actor, product: Product, act: Act) -> Ready:
    who = _member(actor, product, act.value)
    said = f"assigned to {who}" if who else "assigned to nobody"
    return lambda item: _set(actor, item, "assign", assignee_id=who.pk if who else None), said


def _member(actor: Actor, product: Product, named: str) -> User | None:
    if not named.strip():
        return None
    if named.strip().lower() == "me":
        found = User.objects.filter(pk=actor.user_id).first() if actor.user_id else None
    else:
        members = Membership.objects.filter(product=product).select_related("user")
        found = next(
            (one.user for one in members if named.strip().lower() in (one.user.email, one.user.name.lower())), None
        )
    if found is None:
        raise Invalid(f"Nobody called “{named[:60]}” belongs to {product.name}. Give a member's e-mail address.")
    return found


def _snooze(actor: Actor, product: Product, act: Act) -> Ready:
    until = _until(act.value.strip())
    said = f"asleep until {until:%-d %b %Y}" if until else "awake"
    return lambda item: _set(actor, item, "snooze", snoozed_until=until), said


def _until(typed: str) -> datetime | None:
    if not typed:
        return None
    now = timezone.now()
    if typed.isdecimal() and len(typed) < 4:
        until = now + timedelta(days=int(typed))
    else:
        try:
            until = datetime.fromisoformat(typed)
        except ValueError as error:
            raise Invalid(f"“{typed[:40]}” is no day. Give one as 2026-03-02, or a number of days.") from error
        until = until if until.tzinfo else until.replace(tzinfo=now.tzinfo)
    if not now < until <= now + LONGEST_SNOOZE:
        raise Invalid("A voice sleeps until a day within the next year.")
    return until


def _set_status(actor: Actor, product: Product, act: Act) -> Ready:
    """A status that does not wait puts the voice away; one that waits brings it back."""
    name = act.value.strip()
    if not name:
        return lambda item: _set(actor, item, "set_status", status_id=None), "without a status"
    status = find_status(product, name)

    def change(item: FeedbackItem) -> bool:
        handled = _handled(actor, item, waiting=status.waits)
        is_new = item.status_id != status.pk
        changed = _set(actor, item, "set_status", status_id=status.pk, **handled)
        if is_new:
            note_status(item, status)
        return changed

    return change, f"now “{status.name}”"


def _tag(actor: Actor, product: Product, act: Act) -> Ready:
    name = _name(act.value, "tag")
    tag = Tag.objects.filter(product=product, name__iexact=name).first() or Tag.objects.create(
        product=product, name=name
    )

    def change(item: FeedbackItem) -> bool:
        if item.tagged.count() >= MOST_TAGS:
            raise Invalid(f"{item.ref} has {MOST_TAGS} tags already. Take one off first.")
        tagged, created = ItemTag.objects.get_or_create(item=item, tag=tag)
        if created:
            record(actor, product, "tag", tagged)
        return created

    return change, f"tagged “{tag.name}”"


def _untag(actor: Actor, product: Product, act: Act) -> Ready:
    name = _name(act.value, "tag")

    def change(item: FeedbackItem) -> bool:
        tagged = item.tagged.filter(tag__name__iexact=name).select_related("tag").first()
        if tagged is None:
            return False
        before, pk = snapshot(tagged), tagged.pk
        tagged.delete()
        tagged.pk = pk
        record(actor, product, "untag", tagged, before=before)
        return True

    return change, f"no longer tagged “{name}”"


def _link(actor: Actor, product: Product, act: Act) -> Ready:
    opportunity = find_opportunity_by_words(product, act.value)

    def change(item: FeedbackItem) -> bool:
        link_excerpt(actor, item, opportunity, importance=act.importance)
        return True

    return change, f"linked to {opportunity.ref}"


def _merge(actor: Actor, product: Product, act: Act) -> Ready:
    main = find_main(product, act.value)
    # Who ticks a voice and what says the same means: these belong together. The main one is no part of itself.
    return lambda item: item.pk != main.pk and merge(actor, item, main), f"merged into {main.ref}"


def _part(actor: Actor, product: Product, act: Act) -> Ready:
    return lambda item: part(actor, item), "parted, as it was before"


_READY: dict[str, Callable[[Actor, Product, Act], Ready]] = {
    "put_away": _put_away,
    "bring_back": _bring_back,
    "tag": _tag,
    "untag": _untag,
    "assign": _assign,
    "snooze": _snooze,
    "set_status": _set_status,
    "link": _link,
    "merge": _merge,
    "part": _part,
}


def _name(typed: str, what: str) -> str:
    name = " ".join(typed.replace("\0", " ").split())
    if not name or len(name) > NAME:
        raise Invalid(f"A {what} has a name of 1 to {NAME} characters.")
    return name


def find_status(product: Product, name: str) -> Status:
    found = Status.objects.filter(product=product, name__iexact=name.strip()).first()
    if found is None:
        names = ", ".join(Status.objects.filter(product=product).values_list("name", flat=True))
        raise NotFound(f"There is no status “{name[:NAME]}”. {f'There are {names}.' if names else 'Make one first.'}")
    return found
