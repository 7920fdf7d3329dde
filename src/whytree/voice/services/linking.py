"""Mark what matters in somebody's words, and hang it on the problem it shows.

Productboard's rule: each person counts once on an opportunity, with the importance of what they said last.
"""

import re
from dataclasses import dataclass

from django.db import transaction
from django.db.models import QuerySet

from whytree.errors import Conflict, Invalid, NotFound
from whytree.tree.models import EvidenceLink, EvidenceType, Importance, Opportunity, Provenance, SourceKind
from whytree.tree.queries import evidence_from, find_node
from whytree.tree.services import link_evidence, unlink_evidence
from whytree.voice.models import Consent, FeedbackItem, Highlight
from whytree.workspace.models import Product
from whytree.workspace.records.activity import record, snapshot
from whytree.workspace.rights.access import require
from whytree.workspace.rights.actors import Actor
from whytree.workspace.rights.roles import Role

from .items import mark_handled
from .merging import is_through_merge, settle

MOST_WORDS = 4_000
"""Characters of one quote: more than that nobody reads on a node's page."""


_REF = re.compile(r"OPP-[1-9][0-9]{0,8}\b", re.IGNORECASE)


@dataclass(frozen=True)
class Span:
    """A part of an item's text: `start` and `end` count characters (not bytes, not UTF-16 units)."""

    start: int
    end: int

    @classmethod
    def of(cls, item: FeedbackItem, *, start: int | None = None, end: int | None = None, quote: str = "") -> "Span":
        """The part somebody means: by place, by the words themselves, or, when neither is said, the whole text."""
        if start is not None and end is not None:
            return trimmed(item.text, start, end)
        if quote.strip():
            return place_of(item.text, quote)
        return trimmed(item.text, 0, len(item.text))


def trimmed(text: str, start: int, end: int) -> Span:
    if not 0 <= start < end <= len(text):
        raise Invalid(f"There are {len(text):,} characters; the part from {start} to {end} is not among them.")
    part = text[start:end]
    if not part.strip():
        raise Invalid("There is no word in that part. Select the words that matter.")
    return Span(start + len(part) - len(part.lstrip()), end - len(part) + len(part.rstrip()))


def place_of(text: str, quote: str) -> Span:
    """Where the words stand; line ends and runs of spaces may differ from how they were typed or copied."""
    pattern = r"\s+".join(map(re.escape, quote.split()))
    found = re.search(pattern, text)
    if found is None:
        raise Invalid("These words do not stand in the text. Copy them from it, or leave the field empty.")
    return Span(found.start(), found.end())


def highlight(actor: Actor, item: FeedbackItem, span: Span) -> Highlight:
    """Mark a part of the text; marking the same part again changes nothing."""
    require(actor, item.product, Role.MEMBER)
    with transaction.atomic():
        mark, created = Highlight.objects.get_or_create(
            item=item,
            start=span.start,
            end=span.end,
            defaults={"quote": item.text[span.start : span.end], "created_by_id": actor.user_id},
        )
        if created:
            record(actor, item.product, "highlight", mark)
    return mark


def link_excerpt(
    actor: Actor,
    item: FeedbackItem,
    opportunity: Opportunity,
    *,
    span: Span | None = None,
    importance: int = Importance.NICE_TO_HAVE,
) -> EvidenceLink:
    """These words speak for this opportunity. Linking the item to it again replaces excerpt and importance."""
    require(actor, item.product, Role.MEMBER)
    if importance not in Importance.values:
        raise Invalid("Importance is 0 (not important), 1 (nice to have), 2 (important) or 3 (critical).")
    span = span or Span.of(item)
    if span.end - span.start > MOST_WORDS:
        raise Invalid(f"That is a long text. Select the words that matter, {MOST_WORDS:,} characters at most.")
    with transaction.atomic():
        if item.is_waiting:
            before = snapshot(item)
            mark_handled(item, actor)
            record(actor, item.product, "read", item, before=before, after=snapshot(item))
        mark = highlight(actor, item, span)
        link = link_evidence(
            actor,
            item.product,
            opportunity,
            stance="supports",
            evidence_type=EvidenceType.OTHERS_OPINION if item.from_team else EvidenceType.ANECDOTAL,
            source_kind=SourceKind.FEEDBACK,
            source_id=item.ref,
            person_key=item.person_key,
            quote="" if item.consent == Consent.NONE else mark.quote,
            said_at=item.said_at,
            importance=importance,
            provenance=Provenance.STATED,  # what a theme had inferred is said by a person now
            rule="",
        )
        settle(actor, item)
    return link


def unlink(actor: Actor, item: FeedbackItem, opportunity: Opportunity) -> None:
    """These words do not speak for this opportunity after all. What was marked stays marked.

    A voice that was merged into another speaks for what that one speaks for; taking that link off is parting them.
    """
    require(actor, item.product, Role.MEMBER)
    link = evidence_from(SourceKind.FEEDBACK, opportunity).filter(source_id=item.ref).first()
    if link is None:
        raise NotFound(f"{item.ref} is not linked to {opportunity.ref}.")
    if is_through_merge(link) and item.merged_into is not None:
        raise Conflict(
            f"{item.ref} speaks for {opportunity.ref} because it was merged into {item.merged_into.ref}. "
            "Part them, or unlink that one."
        )
    with transaction.atomic():
        unlink_evidence(actor, link)
        settle(actor, item)


def find_opportunity(product: Product, ref: str) -> Opportunity:
    """The opportunity people call `ref`; a helpful refusal for any other kind of node."""
    node = find_node(product, ref)
    if not isinstance(node, Opportunity):
        raise Invalid(
            f"{node.ref} is {_article(node.kind_word)}. A voice is linked to an opportunity: the problem it shows."
        )
    return node


def find_opportunity_by_words(product: Product, typed: str) -> Opportunity:
    """The opportunity somebody means in a form: `OPP-3`, `OPP-3 I don't know why ...`, its title, or words that only one open one has."""
    typed = " ".join(typed.replace("\0", " ").split())
    ref = _REF.match(typed)
    if ref is not None:
        return find_opportunity(product, ref[0])
    titled = list(Opportunity.objects.filter(product=product, closed_at=None, title__iexact=typed)[:2]) if typed else []
    meant = titled or (list(opportunities_with(product, typed)[:2]) if typed else [])
    if len(meant) > 1:
        raise Invalid(f"Several open opportunities have “{typed[:80]}”. Choose one of them from the list, as OPP-3.")
    if not meant:
        raise Invalid("Choose an opportunity from the list, as OPP-3; or make a new one from these words.")
    return meant[0]


def opportunities_with(product: Product, typed: str) -> QuerySet[Opportunity]:
    """Open opportunities that hold all the words typed, or are called by that number; those in focus first, then the newest."""
    found = Opportunity.objects.filter(product=product, closed_at=None)
    for word in typed.replace("\0", "").removeprefix("OPP-").split():
        is_number = word.isdecimal() and word.isascii() and len(word) < 9
        found = found.filter(number=int(word)) if is_number else found.filter(title__icontains=word)
    return found.order_by("-in_focus", "-number")


def importance_of(typed: str) -> int:
    """0 to 3, from a form."""
    if typed not in ("0", "1", "2", "3"):
        raise Invalid("Importance is 0 (not important), 1 (nice to have), 2 (important) or 3 (critical).")
    return int(typed)


def _article(word: str) -> str:
    return f"an {word}" if word[0] in "aeiou" else f"a {word}"
