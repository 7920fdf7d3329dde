"""Voices for one person: of people whom the code they changed has touched, three at a time, none twice.

Where to look, in this order, and each voice says where it was found:

1. what was said since about the problems that your commits are for,
2. what people said while a flag of yours was in force for them,
3. the tickets that your commits name, in their authors' words,
4. what was said about those problems before,
5. the newest voices of the product, where your code leads nowhere yet.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from itertools import chain

from django.db.models import Q, QuerySet
from django.db.models.functions import Lower
from django.urls import reverse
from django.utils import timezone

from whytree.code.models import Commit, Ticket, TicketComment
from whytree.engines.texts.words import cut
from whytree.flags.models import Flag
from whytree.tree.models import ERASED, EvidenceLink, Node, Opportunity, Solution, TicketLink
from whytree.tree.queries import find_node
from whytree.voice.models import Consent, FeedbackItem
from whytree.workspace.models import Product, User

from ..answer import EvidenceHop
from ..answering.hops import hops_of
from ..answering.linking import findings_of, hub_of
from ..answering.parts import main_ref
from ..models import Reader, Shown
from ..queries import page_of

LOOK_BACK = timedelta(days=30)
REMEMBER = timedelta(days=30)
MOST_COMMITS = 500
MOST_TICKETS = 100
MOST_ITEMS = 300
VOICES = 3
LONGEST = 400
LONGEST_REF = 80
NEW = "new; nothing that your code touched was spoken of"


@dataclass(frozen=True)
class Heard:
    """One person's words, and why this reader hears them. `ref` says what was shown, so that it is not shown again."""

    ref: str
    words: str
    who: str
    said_at: datetime
    source: str
    reason: str
    url: str
    person: str = ""  # to hear each person once; never shown
    touched: bool = True  # False: only new, from nobody that the reader's code is known to have touched


@dataclass(frozen=True)
class Touch:
    """What somebody's commits of the last days are for: solutions, each since their first commit for it."""

    commits: int
    solutions: dict[int, tuple[Solution, datetime]]
    tickets: tuple[tuple[str, str], ...]  # key, tracker
    flags: dict[str, frozenset[str]]  # key to the variants that leave people as they were


def emails_of(user: User, product: Product) -> set[str]:
    """The addresses a person's commits carry: their account's, and those they told from their clones."""
    reader = Reader.objects.filter(user=user, product=product).first()
    return {user.email.lower(), *(email.lower() for email in (reader.emails if reader else []))}


def touched_by(user: User, product: Product, now: datetime | None = None) -> Touch:
    """Follow a person's commits of the last 30 days by the link rules. An author's name alone is nobody."""
    now = now or timezone.now()
    rows = Commit.objects.filter(repository__product=product, authored_at__gt=now - LOOK_BACK)
    mine = rows.annotate(email=Lower("author_email")).filter(email__in=emails_of(user, product))
    commits = list(mine.select_related("repository").order_by("-authored_at")[:MOST_COMMITS])
    findings = findings_of(product, commits)
    solutions: dict[int, tuple[Solution, datetime]] = {}
    nodes: dict[str, Node] = {}
    for commit in commits:
        link = findings[commit.pk].link
        if link is None:
            continue
        ref = main_ref(link.refs)
        node = nodes.setdefault(ref, nodes.get(ref) or hub_of(find_node(product, ref)))
        if isinstance(node, Solution):
            since = min(commit.authored_at, solutions.get(node.pk, (node, commit.authored_at))[1])
            solutions[node.pk] = (node, since)
    tickets = dict.fromkeys((one["key"], one.get("tracker", "")) for commit in commits for one in commit.tickets)
    return Touch(len(commits), solutions, tuple(tickets), _flags(product, solutions, commits))


def _flags(product: Product, solutions: Iterable[int], commits: Sequence[Commit]) -> dict[str, frozenset[str]]:
    """Flags of these solutions, and those that the commits brought in."""
    added = {key for commit in commits for key in commit.flags_added}
    mine = Q(solution__in=list(solutions)) | Q(key__in=added)
    flags = Flag.objects.filter(mine, product=product, archived_at=None).order_by("key")
    return {flag.key: frozenset({flag.off_variant, flag.default_variant}) for flag in flags}


class Ear:
    """Looks for what a person should hear, source by source, until there is enough."""

    def __init__(self, product: Product, touch: Touch, now: datetime) -> None:
        self._product, self._touch, self._now = product, touch, now

    def hear(self, count: int, skip: Iterable[str] = ()) -> list[Heard]:
        """The next voices: none in `skip`, none of somebody who speaks already."""
        found: list[Heard] = []
        refs, people = set(skip), set[str]()
        sources = (self._since(), self._exposed(), self._tickets(), self._before(), self._newest())
        for one in chain.from_iterable(sources):
            if len(found) == count:
                break
            person = one.person or one.ref
            if one.ref not in refs and person not in people and one.words:
                refs.add(one.ref)
                people.add(person)
                found.append(one)
        return found

    def named(self, refs: Sequence[str]) -> list[Heard]:
        """These voices again, as they may be quoted today: whoever is forgotten since is not quoted."""
        wanted = set(refs)
        sources = chain(self._since(), self._exposed(), self._tickets(), self._before(), self._named(wanted))
        found: dict[str, Heard] = {}
        for one in sources:
            if one.ref in wanted and one.words:
                found.setdefault(one.ref, one)
            if len(found) == len(wanted):
                break
        return [found[ref] for ref in refs if ref in found]

    @cached_property
    def _problems(self) -> dict[int, tuple[Opportunity, Solution, datetime]]:
        """The problems behind the person's commits, with the solution they know it by."""
        return {
            solution.opportunity_id: (solution.opportunity, solution, since)
            for solution, since in self._touch.solutions.values()
            if solution.opportunity and solution.opportunity_id
        }

    @cached_property
    def _evidence(self) -> list[tuple[EvidenceLink, EvidenceHop]]:
        """What people said about those problems, the newest first."""
        rows = EvidenceLink.objects.filter(product=self._product, node_kind="OPP", node_id__in=list(self._problems))
        links = list(_quoted(rows)[:MOST_ITEMS])
        return list(zip(links, hops_of([(self._problems[link.node_id][0], link) for link in links]), strict=True))

    def _since(self) -> Iterator[Heard]:
        for link, hop in self._evidence:
            _, solution, since = self._problems[link.node_id]
            if link.said_or_added_at >= since:
                yield _of_hop(hop, link, f"since you changed {solution.ref}")

    def _before(self) -> Iterator[Heard]:
        for link, hop in self._evidence:
            problem, solution, since = self._problems[link.node_id]
            if link.said_or_added_at < since:
                yield _of_hop(hop, link, f"about {problem.ref}, which {solution.ref} is for")

    def _exposed(self) -> Iterator[Heard]:
        """Those who had the change; whoever was left as before was not touched."""
        if not self._touch.flags:
            return
        asked = Q()
        for key in self._touch.flags:
            asked |= Q(flags__has_key=key)
        items = self._quotable().filter(asked, said_at__gt=self._now - LOOK_BACK)
        for item in items.order_by("-said_at", "-pk")[:MOST_ITEMS]:
            for key, unchanged in self._touch.flags.items():
                if (variant := item.flags.get(key)) is not None and variant not in unchanged:
                    yield self._of_item(item, f"had your flag {key} on “{variant}”")
                    break

    def _tickets(self) -> Iterator[Heard]:
        """What people wrote on the tickets, the newest first, and what is said of the problems these are tied to."""
        if not self._touch.tickets:
            return
        asked = Q()
        for key, tracker in self._touch.tickets[:MOST_TICKETS]:
            asked |= Q(key=key, tracker=tracker) if tracker else Q(key=key)
        tickets = {ticket.pk: ticket for ticket in Ticket.objects.filter(asked, product=self._product)}
        written = [*self._opened(tickets), *self._commented(tickets)]
        yield from sorted(written, key=lambda one: one.said_at, reverse=True)
        ties = {tied.node_id: tied for tied in TicketLink.objects.filter(ticket__in=tickets, node_kind="OPP")}
        problems = Opportunity.objects.select_related("product").in_bulk(list(ties))
        rows = EvidenceLink.objects.filter(product=self._product, node_kind="OPP", node_id__in=list(problems))
        links = list(_quoted(rows)[:MOST_ITEMS])
        for link, hop in zip(links, hops_of([(problems[link.node_id], link) for link in links]), strict=True):
            key = tickets[ties[link.node_id].ticket_id].key
            yield _of_hop(hop, link, f"about {hop.node}, which ticket {key} is tied to")

    def _opened(self, tickets: Mapping[int, Ticket]) -> Iterator[Heard]:
        """Their authors' words; our own people's are not a user's voice."""
        for one in tickets.values():
            if one.body and not one.author_is_staff:
                yield self._of_ticket(one, "", one.author, one.body, one.opened_at or one.created_at)

    def _commented(self, tickets: Mapping[int, Ticket]) -> Iterator[Heard]:
        comments = TicketComment.objects.filter(ticket__in=tickets).exclude(text="").exclude(author_is_staff=True)
        for one in comments.order_by("-said_at", "-pk")[:MOST_ITEMS]:
            ticket = tickets[one.ticket_id]
            yield self._of_ticket(ticket, one.mark, one.author, one.text, one.said_at or ticket.created_at)

    def _of_ticket(self, ticket: Ticket, mark: str, author: str, words: str, said_at: datetime) -> Heard:
        reason = f"on the ticket {ticket.key}, which a commit of yours names"
        ref, url = _ref(f"{ticket.tracker}{ticket.key}{mark}"), page_of(self._product, ticket.url or ticket.key)
        return Heard(ref, _short(" ".join(words.split())), author, said_at, "ticket", reason, url, author)

    def _newest(self) -> Iterator[Heard]:
        items = self._quotable().filter(said_at__gt=self._now - LOOK_BACK)
        for item in items.order_by("-said_at", "-pk")[:100]:
            yield replace(self._of_item(item, NEW), touched=False)

    def _named(self, refs: Iterable[str]) -> Iterator[Heard]:
        numbers = [int(ref[3:]) for ref in refs if ref.startswith("FB-") and ref[3:].isdigit()]
        for item in self._quotable().filter(number__in=numbers):
            yield replace(self._of_item(item, NEW), touched=False)

    def _quotable(self) -> QuerySet[FeedbackItem]:
        items = FeedbackItem.objects.filter(product=self._product, said_at__lte=self._now).select_related("product")
        return items.exclude(consent=Consent.NONE).exclude(text="")

    def _of_item(self, item: FeedbackItem, reason: str) -> Heard:
        url = reverse("feedback_item", args=[self._product.slug, item.number])
        who = item.author_name
        words = _short(" ".join(item.text.split()))
        return Heard(item.ref, words, who, item.said_at, item.source, reason, url, item.person_key or who)


def _quoted(rows: QuerySet[EvidenceLink]) -> QuerySet[EvidenceLink]:
    return rows.exclude(quote="").exclude(person_key__startswith=ERASED).order_by("-said_at", "-pk")


def _of_hop(hop: EvidenceHop, link: EvidenceLink, reason: str) -> Heard:
    words, person = _short(hop.quote), link.person_key or hop.who
    return Heard(_ref(hop.ref), words, hop.who, hop.said_at or link.created_at, hop.source, reason, hop.url, person)


def seen_lately(user: User, product: Product, now: datetime) -> set[str]:
    """What this person was shown in the last 30 days."""
    rows = Shown.objects.filter(user=user, product=product, at__gt=now - REMEMBER)
    return set(rows.values_list("ref", flat=True))


def _ref(ref: str) -> str:
    """Short enough to be remembered; an address may be a page long."""
    return ref if len(ref) <= LONGEST_REF else hashlib.sha256(ref.encode()).hexdigest()


def _short(words: str) -> str:
    return cut(words, LONGEST)
