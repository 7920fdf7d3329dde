"""What people may do with themes. One verb a function; each is one Activity, and can be taken back."""

from collections.abc import Sequence
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from whytree.errors import Conflict, Invalid, NotFound
from whytree.tree.models import (
    EvidenceLink,
    EvidenceType,
    Importance,
    Opportunity,
    OpportunityKind,
    Outcome,
    Provenance,
    SourceKind,
)
from whytree.tree.queries import evidence_from
from whytree.tree.services import create_opportunity, link_evidence, unlink_evidence
from whytree.voice.models import Consent, FeedbackItem
from whytree.voice.services import link_excerpt, unlink
from whytree.voice.services.linking import MOST_WORDS
from whytree.workspace.background.jobs import enqueue
from whytree.workspace.models import Product
from whytree.workspace.records.activity import record, snapshot
from whytree.workspace.records.numbering import next_number
from whytree.workspace.rights.access import require
from whytree.workspace.rights.actors import Actor
from whytree.workspace.rights.roles import Role

from .counting import members_of
from .models import LABEL_LENGTH, Theme, ThemeMembership, ThemeRun, ThemeState

JOB = "voice.find_themes"
MOST_LINKED = 200
"""Voices that adopting a theme links: the most typical. Thousands of links say no more, and nobody can confirm them."""
MOST_SPLIT = 500
GIVEN_UP = timedelta(hours=2)
NEVER_ENDED = "It never ended. The server's log says why."
RULE = "in theme {ref}"


def ask_for_themes(actor: Actor, product: Product) -> ThemeRun:
    """Look for themes soon; while a look is waiting, asking again changes nothing."""
    require(actor, product, Role.MEMBER)
    waiting = ThemeRun.objects.filter(product=product, state=ThemeRun.State.WAITING).first()
    if waiting is not None and waiting.asked_at > timezone.now() - GIVEN_UP:
        return waiting
    with transaction.atomic():
        if waiting is not None:
            ThemeRun.objects.filter(pk=waiting.pk).update(state=ThemeRun.State.FAILED, error=NEVER_ENDED)
        run = ThemeRun.objects.create(product=product, asked_by_id=actor.user_id)
        record(actor, product, "ask_for_themes", run, undoable=False)
        enqueue(JOB, {"run": run.pk}, key=str(product.pk))
    return run


def rename_theme(actor: Actor, theme: Theme, name: str) -> Theme:
    """A name of your own; it stays through all runs. An empty one gives the theme back its own label."""
    name = " ".join(name.replace("\0", " ").split())
    if len(name) > LABEL_LENGTH:
        raise Invalid(f"A theme's name has at most {LABEL_LENGTH} characters.")
    return _change(actor, theme, "rename_theme", name=name)


def dismiss_theme(actor: Actor, theme: Theme) -> Theme:
    """Seen, and not worth a place: it is hidden, and stays so when it is found again."""
    if theme.state == ThemeState.ADOPTED:
        raise Conflict(f"{theme.ref} is adopted. Release it first: its voices speak for an opportunity.")
    return _change(actor, theme, "dismiss_theme", state=ThemeState.DISMISSED)


def bring_back_theme(actor: Actor, theme: Theme) -> Theme:
    """Show a dismissed theme again."""
    if theme.state != ThemeState.DISMISSED:
        raise Conflict(f"{theme.ref} was not dismissed.")
    return _change(actor, theme, "bring_back_theme", state=ThemeState.FOUND)


def join_themes(actor: Actor, theme: Theme, into: Theme) -> Theme:
    """Both are one: what is in `theme`, now and later, counts for `into`."""
    if theme.product_id != into.product_id:
        raise NotFound("There is no such theme in this product.")
    at: Theme | None = into
    while at is not None:
        if at.pk == theme.pk:
            raise Invalid(f"{into.ref} is part of {theme.ref} already. Choose another theme.")
        at = at.joined_to
    if theme.state == ThemeState.ADOPTED:
        raise Conflict(f"{theme.ref} is adopted. Join the other one to it, or release it first.")
    return _change(actor, theme, "join_themes", joined_to=into)


def part_theme(actor: Actor, theme: Theme) -> Theme:
    """Take a theme out of the one it was joined to."""
    if theme.joined_to_id is None:
        raise Conflict(f"{theme.ref} is joined to no other theme.")
    return _change(actor, theme, "part_theme", joined_to=None)


def split_theme(actor: Actor, theme: Theme, items: Sequence[FeedbackItem], name: str) -> Theme:
    """A theme of its own for some of a theme's voices. They stay there whatever is found later; undo puts them back."""
    require(actor, theme.product, Role.MEMBER)
    name = " ".join(name.replace("\0", " ").split())
    if not name or len(name) > LABEL_LENGTH:
        raise Invalid(f"Name the new theme, in at most {LABEL_LENGTH} characters: only you know what they share.")
    if not items or len(items) > MOST_SPLIT:
        raise Invalid(f"Choose the voices that belong into a theme of their own, {MOST_SPLIT} at most.")
    memberships = members_of(theme).filter(item__in=[item.pk for item in items])
    if len(memberships) != len({item.pk for item in items}):
        raise Invalid(f"Some of these voices are not in {theme.ref}. Load the page again and choose anew.")
    with transaction.atomic():
        made = Theme.objects.create(
            product=theme.product,
            number=next_number(theme.product, "THM"),
            label=name,
            name=name,
            terms=theme.terms,
            quotes=[one.item_id for one in memberships[:6]],
            split_off=True,
            x=min(theme.x + 0.03, 1.0),
            y=min(theme.y + 0.03, 1.0),
        )
        ThemeMembership.objects.filter(pk__in=[one.pk for one in memberships]).update(moved_to=made)
        record(actor, theme.product, "split_theme", made)
    return made


def adopt_theme(
    actor: Actor,
    theme: Theme,
    *,
    title: str = "",
    kind: str = OpportunityKind.PAIN_POINT,
    outcome: Outcome | None = None,
    parent: Opportunity | None = None,
) -> Opportunity:
    """An opportunity made of the theme, or the one it has. Its voices are linked as inferred, until a person confirms each."""
    require(actor, theme.product, Role.MEMBER)
    with transaction.atomic():
        opportunity = theme.opportunity
        if opportunity is None:
            opportunity = create_opportunity(
                actor,
                theme.product,
                outcome=outcome,
                parent=parent,
                title=title.strip() or theme.title,
                kind=kind,
            )
        _link_voices(actor, theme, opportunity)
        if theme.opportunity_id is None:
            adopted = {"state": ThemeState.ADOPTED, "opportunity": opportunity}
            _change(actor, theme, "adopt_theme", undoable=False, **adopted)  # `release_theme` takes it back
    return opportunity


def _link_voices(actor: Actor, theme: Theme, opportunity: Opportunity) -> int:
    """Link those that are not linked yet: what a person said of one stays."""
    linked = set(evidence_from(SourceKind.FEEDBACK, opportunity).values_list("source_id", flat=True))
    typical = [one.item for one in members_of(theme).select_related("item", "item__product")[:MOST_LINKED]]
    fresh = [item for item in typical if item.ref not in linked]
    for item in fresh:
        link_evidence(
            actor,
            theme.product,
            opportunity,
            stance="supports",
            evidence_type=EvidenceType.ANECDOTAL,
            source_kind=SourceKind.FEEDBACK,
            source_id=item.ref,
            person_key=item.person_key,
            quote="" if item.consent == Consent.NONE else item.text[:MOST_WORDS],
            said_at=item.said_at,
            importance=Importance.NICE_TO_HAVE,
            provenance=Provenance.INFERRED,
            rule=RULE.format(ref=theme.ref),
        )
    return len(fresh)


def release_theme(actor: Actor, theme: Theme) -> Theme:
    """The opportunity stands by itself: links that nobody confirmed go, the confirmed ones stay, the theme is machine-made again."""
    require(actor, theme.product, Role.MEMBER)
    if theme.state != ThemeState.ADOPTED:
        raise Conflict(f"{theme.ref} is not adopted.")
    with transaction.atomic():
        if theme.opportunity is not None:
            for link in inferred_links(theme, theme.opportunity):
                unlink_evidence(actor, link)
        return _change(actor, theme, "release_theme", undoable=False, state=ThemeState.FOUND, opportunity=None)


def inferred_links(theme: Theme, opportunity: Opportunity) -> list[EvidenceLink]:
    """The links this theme brought that nobody has confirmed."""
    links = evidence_from(SourceKind.FEEDBACK, opportunity)
    return list(links.filter(provenance=Provenance.INFERRED, rule=RULE.format(ref=theme.ref)))


def confirm_voice(actor: Actor, theme: Theme, item: FeedbackItem) -> EvidenceLink:
    """This voice does speak for the opportunity: what was inferred is stated."""
    return link_excerpt(actor, item, _adopted(theme))


def refuse_voice(actor: Actor, theme: Theme, item: FeedbackItem) -> None:
    """This voice does not speak for it: the inferred link goes."""
    unlink(actor, item, _adopted(theme))


def _adopted(theme: Theme) -> Opportunity:
    if theme.opportunity is None:
        raise Conflict(f"{theme.ref} is not adopted: there is no opportunity its voices could speak for.")
    return theme.opportunity


def _change(actor: Actor, theme: Theme, verb: str, *, undoable: bool = True, **values: object) -> Theme:
    require(actor, theme.product, Role.MEMBER)
    with transaction.atomic():
        fresh = Theme.objects.select_for_update().get(pk=theme.pk)
        before = snapshot(fresh)
        for name, value in values.items():
            setattr(fresh, name, value)
        if snapshot(fresh) == before:
            return fresh
        fresh.save()
        record(actor, theme.product, verb, fresh, before=before, after=snapshot(fresh), undoable=undoable)
    return fresh


def run_next_if_changed(product: Product) -> bool:
    """Ask for a look where voices came in since the last one; whether it did."""
    newest = FeedbackItem.objects.filter(product=product).order_by("-pk").values_list("pk", flat=True).first()
    last = ThemeRun.objects.filter(product=product).exclude(state=ThemeRun.State.FAILED).first()
    if newest is None or (last is not None and (last.newest_item >= newest or last.state == ThemeRun.State.WAITING)):
        return False
    ask_for_themes(Actor.system(), product)
    return True
