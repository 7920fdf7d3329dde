"""A tree proposed backwards, from what was built and asked for: flags, merged and announced work -> solutions, alike
tickets -> opportunities, metrics that somebody named -> outcomes. All of it drafts; at most some tens, those of most
code first.

Titles are those people gave: a ticket's, a pull request's, a changelog's, a commit's, a flag's key. No word is made up.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from whytree.code.models import Commit, FileBlame, Repository, Ticket
from whytree.engines.git.log import parse_merge
from whytree.engines.links.rules import SCORES
from whytree.engines.texts.chores import is_chore, is_inner, is_product
from whytree.engines.texts.headlines import brings, headline
from whytree.engines.texts.issues import is_machine, spoken
from whytree.engines.texts.metric_names import metrics_named
from whytree.engines.texts.topics import MOST_TEXTS, Text, topics
from whytree.flags.models import Flag
from whytree.tree.models import Outcome, TicketLink
from whytree.tree.services import Proposal, Proposed, commit_key, propose_drafts, request_key
from whytree.workspace.models import Product
from whytree.workspace.rights.actors import Actor

from .announced import Announced, Changelog, Entry, announced
from .first_look import is_written
from .heard import led

# A tree of four hundred nodes that a machine made helps nobody.
MOST_SOLUTIONS = 20
MOST_OPPORTUNITIES = 8
MOST_OUTCOMES = 3
MOST_FLAGS = 8
# Two tickets that are alike may be a coincidence, or a duplicate.
FEWEST_TICKETS = 3
FEWEST_PEOPLE = 2
# What is left of smaller work is not worth a node.
FEWEST_LINES = 12
# Of work of more commits than this, these tell well enough which files it touched.
MOST_COMMITS = 100
# A ticket whose words nobody knows is called by what brought so much of its work.
MOST_OF_IT = 0.6
# Data, tests and documents (a map, a theme, what a test expects) have many lines and little to say: each counts a fifth,
# and all of one work no more than a feature.
OTHER_THAN_CODE = 0.2
MOST_OTHER_THAN_CODE = 300
# So many are looked at for their files.
MOST_LOOKED_AT = 200
# A metric that one ticket mentions by the way is nobody's goal yet.
FEWEST_MENTIONS = 2

# How far to trust a draft, 0 to 1.
DRAFT_SCORES = {
    "work on one ticket": 0.7,  # a ticket and the commits that name it: at worst it is a chore
    "one pull request": 0.5,  # merged as one, but nobody said what for
    "changelog": 0.6,  # its makers told everybody; how much of it is this commit's is not said
    "feature commit": 0.5,  # "feat: ..."
    "commit that adds": 0.3,  # by its verb: what is added may be a part of something
    "flag in code": 0.6,  # somebody wanted to be able to take it back
    "alike tickets": 0.4,  # alike in words is not yet the same problem
    "metric named by people": 0.3,  # named is not wanted
}


@dataclass
class Work:
    """What was built for one ticket, in one pull request, or in one commit that says so (`where`, if in a changelog)."""

    title: str
    where: str = ""
    lines: int = 0
    commits: list[int] = field(default_factory=list)
    ticket: Ticket | None = None
    rules: set[str] = field(default_factory=set)


@dataclass
class Built:
    """All work of a product, but what a stated node explains already: by ticket, by request where no ticket is named,
    and by commit where neither is."""

    product: Product
    by_ticket: dict[int, Work] = field(default_factory=dict)
    by_request: dict[tuple[int, str], Work] = field(default_factory=dict)
    by_commit: list[tuple[Repository, Announced]] = field(default_factory=list)
    titles: dict[tuple[int, str], str] = field(default_factory=dict)  # of all requests


def propose(actor: Actor, repository: Repository, changes: Sequence[Entry] = ()) -> Proposed:
    """Make the product's open drafts be what its code and tickets suggest now, and what the repository's changelogs do."""
    product = repository.product
    return propose_drafts(actor, product, list(_proposals(product, {repository.pk: changes})))


def _proposals(product: Product, changes: Mapping[int, Sequence[Entry]]) -> Iterator[Proposal]:
    built = _work(product, changes)
    by_ticket = built.by_ticket
    groups = _topics(product, by_ticket)
    outcomes = list(_outcomes(product))
    yield from outcomes
    above: dict[int, str] = {}
    for tickets in groups:
        key = _topic_key(tickets)
        above |= {ticket.pk: key for ticket in tickets}
        lines = sum(by_ticket[ticket.pk].lines for ticket in tickets if ticket.pk in by_ticket)
        people = len({ticket.author or ticket.pk for ticket in tickets})
        yield Proposal(
            kind="OPP",
            key=key,
            title=tickets[0].title,
            rule="alike tickets",
            score=DRAFT_SCORES["alike tickets"],
            because=f"{len(tickets)} tickets by {people} people: {', '.join(ticket.key for ticket in tickets[:12])}",
            tickets=[ticket.pk for ticket in tickets],
            lines=lines,
        )
    flags = list(_flags(product))[:MOST_FLAGS]
    yield from flags
    yield from _solutions(built, above, MOST_SOLUTIONS - len(flags))


# What was built ----------------------------------------------------------------------------------------


def _work(product: Product, changes: Mapping[int, Sequence[Entry]]) -> Built:
    built = Built(product)
    rows = Ticket.objects.filter(product=product).only("key", "tracker", "title", "author", "product_id")
    tickets = {ticket.pk: ticket for ticket in rows.iterator()}
    for repository in Repository.objects.filter(product=product).select_related("product"):
        changelog = Changelog(repository, changes.get(repository.pk))
        taken = set()
        for one in led(repository):
            if not one.end and not one.request:
                continue
            taken.add(one.commit)
            if one.end in {"node", "maintenance"} or one.by_machine:
                continue
            if ticket := tickets.get(one.ticket or 0):
                title = ticket.title or changelog.titles.get(ticket.key, "")
                work = built.by_ticket.setdefault(ticket.pk, Work(title, ticket=ticket))
                work.rules.add(one.rule)
            elif one.request:
                work = built.by_request.setdefault((repository.pk, one.request), Work(""))
            else:
                continue
            work.lines += one.lines
            work.commits.append(one.commit)
        built.by_commit += [(repository, one) for one in announced(repository, changelog, taken, FEWEST_LINES)]
    _name_requests(built)
    _name_tickets(built)
    return built


def _name_requests(built: Built) -> None:
    """A request's own title: the line of its own in its merge's message, or the squash's subject without the number."""
    repositories = Repository.objects.filter(product=built.product)
    rows = Commit.objects.filter(repository__in=repositories).exclude(pr_number="")
    for pk, number, subject, body in rows.values_list("repository_id", "pr_number", "subject", "body"):
        own = parse_merge(subject, body)
        if own.pull_request != number:
            continue
        first, *more = body.strip().partition("\n\n")[0].splitlines() or [""]
        alone = "" if more else first.lstrip("# ").strip()  # lines that run on are prose
        built.titles[pk, number] = alone if own.branch else subject.removesuffix(f"({number})").strip()
    for key, work in built.by_request.items():
        work.title = built.titles.get(key, "")


def _name_tickets(built: Built) -> None:
    """Where a ticket's words are not known: what the one request that brought most of it was called, else what the
    commit that did says it brings."""
    nameless = [work for work in built.by_ticket.values() if not work.title and work.lines >= FEWEST_LINES]
    pks = [pk for work in nameless for pk in work.commits[:MOST_COMMITS]]
    rows = Commit.objects.filter(pk__in=pks).values_list("pk", "repository_id", "pr_number", "subject", "lines")
    facts = {pk: (repository, number, subject, lines) for pk, repository, number, subject, lines in rows}
    for work in nameless:
        mine = [facts[pk] for pk in work.commits[:MOST_COMMITS] if pk in facts]
        requests: Counter[tuple[int, str]] = Counter()
        for repository, number, _, lines in mine:
            requests[repository, number] += lines
        (most, lines), *_ = requests.most_common(1)
        biggest = max(mine, key=lambda one: one[3])
        if most[1]:
            work.title = built.titles.get(most, "") if lines >= MOST_OF_IT * work.lines else ""
        elif brings(biggest[2]) and biggest[3] >= MOST_OF_IT * work.lines:
            work.title = biggest[2]


def _solutions(built: Built, above: dict[int, str], most: int) -> list[Proposal]:
    """The biggest work that has a name and is for somebody, by its lines of code; its other lines count a fifth."""
    found = [
        (work, "work on one ticket", f"ticket {work.ticket.tracker}{work.ticket.key}")
        for work in built.by_ticket.values()
        if work.ticket and not is_machine(work.ticket.author)
    ]
    found += [(work, "one pull request", request_key(pk, number)) for (pk, number), work in built.by_request.items()]
    for repository, one in built.by_commit:
        found.append(
            (Work(one.title, one.where, one.lines, [one.commit]), one.rule, commit_key(repository.pk, one.sha))
        )
    named = [one for one in found if one[0].lines >= FEWEST_LINES and one[0].title and not is_inner(one[0].title)]
    written = _written(built.product)
    sizes = {key: _size(work, sum(written[pk] for pk in work.commits)) for work, _, key in named}
    named.sort(key=lambda one: -sizes[one[2]])
    wanted = ((work, rule, key) for work, rule, key in named[:MOST_LOOKED_AT] if not is_inner(work.title, _paths(work)))
    return [_solution(work, rule, key, above, sizes[key]) for work, rule, key in islice(wanted, max(most, 0))]


def _size(work: Work, written: int) -> int:
    """Lines of code, and a little for the others."""
    return written + min(round(OTHER_THAN_CODE * (work.lines - written)), MOST_OTHER_THAN_CODE)


def _written(product: Product) -> Counter[int]:
    """Lines of the product's own code that are still there, by commit."""
    by_sha: dict[int, Counter[str]] = defaultdict(Counter)
    rows = FileBlame.objects.filter(repository__product=product).values_list("repository_id", "path", "spans")
    for repository, path, spans in rows.order_by("pk").iterator():
        if is_written(path) and is_product(path):
            for start, end, sha in spans:
                by_sha[repository][sha] += end - start + 1
    commits = Commit.objects.filter(repository__product=product).values_list("pk", "repository_id", "sha")
    return Counter({pk: by_sha[repository][sha] for pk, repository, sha in commits.iterator()})


def _paths(work: Work) -> set[str]:
    """Files that were touched for it."""
    rows = Commit.objects.filter(pk__in=work.commits[:MOST_COMMITS]).values_list("files", flat=True)
    return {path for files in rows for path in files}


def _solution(work: Work, rule: str, key: str, above: dict[int, str], size: int) -> Proposal:
    ticket, count = work.ticket, len(work.commits)
    said = ticket.key if ticket else work.where
    best = max(SCORES.get(rule, 0.0) for rule in work.rules) if ticket else 1.0
    commits = "1 commit" if count == 1 else f"{count:,} commits"
    return Proposal(
        kind="SOL",
        key=key,
        title=headline(work.title),
        rule=rule,
        score=round(DRAFT_SCORES[rule] * best, 2),
        because=f"{commits}, {work.lines:,} lines are still there{f'; {said}' if said else ''}",
        under=above.get(ticket.pk, "") if ticket else "",
        tickets=[ticket.pk] if ticket else [],
        lines=size,
    )


def _flags(product: Product) -> Iterator[Proposal]:
    """Keys that code asks for and that no flag here has."""
    known = set(Flag.objects.filter(product=product).values_list("key", flat=True))
    for repository in Repository.objects.filter(product=product):
        for flag in repository.survey.get("flags", []):
            if flag["key"] in known:
                continue
            known.add(flag["key"])
            path, line = flag["places"][0] if flag["places"] else ("", 0)
            places = "once" if flag["count"] == 1 else f"in {flag['count']} places"
            yield Proposal(
                kind="SOL",
                key=f"flag {flag['key']}",
                title=flag["key"],
                rule="flag in code",
                score=DRAFT_SCORES["flag in code"],
                because=f"The code asks for this flag {places}, first in {path}:{line}",
                lines=flag["count"],
            )


# What was asked for ------------------------------------------------------------------------------------


def _topics(product: Product, by_ticket: dict[int, Work]) -> list[list[Ticket]]:
    """Groups of alike tickets that nobody has placed yet; those behind most code first, then those of most people."""
    placed = TicketLink.objects.filter(product=product).values("ticket_id")
    rows = Ticket.objects.filter(product=product).exclude(title="").exclude(pk__in=placed)
    tickets = {ticket.pk: ticket for ticket in rows if not is_machine(ticket.author) and not is_chore(ticket.title)}
    # Where there are more than can be grouped, those that code was written for.
    ordered = sorted(tickets.values(), key=lambda one: (one.pk not in by_ticket, -one.pk))[:MOST_TEXTS]
    found = []
    for topic in topics([Text(f"{one.pk:012}", one.title, spoken(one.body)) for one in ordered]):
        members = [tickets[int(key)] for key in topic.keys]
        people = {ticket.author or str(ticket.pk) for ticket in members}
        if len(members) >= FEWEST_TICKETS and len(people) >= FEWEST_PEOPLE:
            found.append(members)
    built = {pk: work.lines for pk, work in by_ticket.items()}
    found.sort(key=lambda one: (-sum(bool(built.get(t.pk)) for t in one), -len(one), one[0].pk))
    return found[:MOST_OPPORTUNITIES]


def _topic_key(tickets: Sequence[Ticket]) -> str:
    """The oldest ticket stays in its topic while others come and go, so it names the topic best."""
    oldest = min(tickets, key=lambda one: one.pk)
    return f"topic {oldest.tracker}{oldest.key}"


def _outcomes(product: Product) -> Iterator[Proposal]:
    """Metrics named in decision records or by several tickets; never one that nobody named."""
    named: dict[str, list[str]] = defaultdict(list)
    for ticket in Ticket.objects.filter(product=product).exclude(title="").iterator():
        if not is_machine(ticket.author):
            for metric in metrics_named(f"{ticket.title}\n{spoken(ticket.body)}"):
                named[metric].append(ticket.key)
    for repository in Repository.objects.filter(product=product):
        for record in repository.survey.get("decisions", []):
            for metric in metrics_named(record["title"]):
                named[metric] += [record["path"]] * FEWEST_MENTIONS
    there = {title.lower() for title in Outcome.objects.filter(product=product).values_list("title", flat=True)}
    ordered = sorted(named, key=lambda metric: (-len(named[metric]), metric))
    wanted = [metric for metric in ordered if len(named[metric]) >= FEWEST_MENTIONS]
    for metric in [one for one in wanted if not any(one in title for title in there)][:MOST_OUTCOMES]:
        where = list(dict.fromkeys(named[metric]))
        yield Proposal(
            kind="OUT",
            key=f"metric {metric}",
            title=metric[0].upper() + metric[1:],
            rule="metric named by people",
            score=DRAFT_SCORES["metric named by people"],
            because=f"Named in {', '.join(where[:8])}",
        )
