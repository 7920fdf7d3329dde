"""What this app plugs into the workspace's sockets: the code of a solution, and files, commits and tickets in the box."""

import re
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q
from django.urls import reverse

from whytree.code.models import Commit, FileBlame, Repository, Ticket
from whytree.tree.models import EXPOSED_STATES, SETTLED_STATES, Outcome, Solution
from whytree.workspace.models import Product, User
from whytree.workspace.rights.actors import Actor
from whytree.workspace.sockets import Hit, Panel, on_fact, plug_panel, plug_search, plug_work

from .daily.alarms import raise_alarm
from .daily.answer import todays
from .first.first_look import first_look, lead
from .first.questions import MOST_ASKED, questions
from .queries import Ask, commits_of, explain, page_of
from .refs import LineRef
from .work import work_on

_COMMIT = re.compile(r"[0-9a-f]{4,64}")


def plug() -> None:
    """Called once at start-up."""
    plug_panel("solution", code_panel, order=30)
    plug_panel("today", first_panel, order=5)
    plug_panel("today", daily_panel, order=30)
    plug_search(search_code)
    plug_work(work_on)
    on_fact("harm_seen", raise_alarm)


def first_panel(actor: Actor, product: Product, subject: object) -> Panel | None:
    """While nobody has stated an outcome: what the clone alone can tell, and one line as an example."""
    repository = Repository.objects.filter(product=product).exclude(synced_at=None).order_by("-synced_at").first()
    if repository is None or Outcome.objects.filter(product=product).exists():
        return None
    look = first_look(repository)
    answer = (
        explain(product, Ask(LineRef(look.example.path, look.example.first, look.example.first)))
        if look.example
        else None
    )
    steps = {step["from"]: step for step in answer.links} if answer else {}
    context = {
        "look": look,
        "why": answer,
        "commit_way": steps.get(answer.commit.short) if answer and answer.commit else None,
        "voice": answer.evidence[0] if answer and answer.evidence else None,
    }
    waiting = len(questions(repository))
    label = "Confirm one link" if waiting == 1 else f"Confirm {'ten' if waiting == MOST_ASKED else waiting} links"
    return Panel(
        "",
        "why/_first_look.html",
        context,
        headline=look.sentence,
        lead=lead(look, repository.survey.get("seconds", 0), waiting),
        action=(label, reverse("confirm_links", args=[product.slug])) if waiting else None,
    )


@dataclass(frozen=True)
class ShownCommit:
    short: str
    subject: str
    authored_at: datetime
    lines: int
    rule: str
    url: str


def code_panel(actor: Actor, product: Product, solution: Solution) -> Panel | None:
    """Commits made for the solution, with the lines they still have."""
    shown = [
        ShownCommit(
            commit.short,
            commit.subject,
            commit.authored_at,
            commit.lines,
            link.how,
            page_of(product, commit.sha),
        )
        for commit, link in commits_of(solution)
    ]
    may_start = not solution.is_closed and solution.state not in EXPOSED_STATES | SETTLED_STATES
    if not shown and not may_start:
        return None
    context = {
        "commits": shown,
        "lines": sum(one.lines for one in shown),
        "all_url": page_of(product, solution.ref),
        "ref": solution.ref,
        "start_url": f"{reverse('start', args=[product.slug])}?subject={solution.ref}" if may_start else "",
    }
    return Panel("Code", "why/_code_panel.html", context, column="aside")


def daily_panel(actor: Actor, product: Product, subject: None) -> Panel | None:
    """What `daily` shows of voices, for those whose code is read in; others have the voices that wait for a reader."""
    user = User.objects.filter(pk=actor.user_id or 0).first()
    if user is None:
        return None
    found = todays(user, product)
    voices = [voice for voice in found.voices if voice.touched]
    if not voices:
        return None
    return Panel("Voices from people your code touched", "why/_daily_panel.html", {"voices": voices}, column="aside")


def search_code(actor: Actor, product: Product, words: str, limit: int) -> list[Hit]:
    """Files by path, commits by id or subject, tickets by key or title. Each leads to its why."""
    wanted = words.strip()
    if len(wanted) < 2:
        return []
    return [*_files(product, wanted, limit), *_commits(product, wanted, limit), *_tickets(product, wanted, limit)]


def _files(product: Product, wanted: str, limit: int) -> list[Hit]:
    path = wanted.split(":")[0]
    files = FileBlame.objects.filter(repository__product=product, path__icontains=path).select_related("repository")
    return [
        Hit("file", file.path.rpartition("/")[2], file.path, page_of(product, file.path), 0.55 if "." in path else 0.4)
        for file in files.only("path", "repository__name")[:limit]
    ]


def _commits(product: Product, wanted: str, limit: int) -> list[Hit]:
    match = Q(subject__icontains=wanted)
    if _COMMIT.fullmatch(wanted):
        match |= Q(sha__startswith=wanted)
    commits = Commit.objects.filter(match, repository__product=product).only("sha", "subject")[:limit]
    return [
        Hit(
            "commit",
            commit.short,
            commit.subject,
            page_of(product, commit.sha),
            0.9 if commit.sha.startswith(wanted) else 0.35,
        )
        for commit in commits
    ]


def _tickets(product: Product, wanted: str, limit: int) -> list[Hit]:
    match = Q(title__icontains=wanted) | Q(key__iexact=wanted) | Q(key__iexact=f"#{wanted}")
    tickets = Ticket.objects.filter(match, product=product)[:limit]
    return [
        Hit(
            "ticket", ticket.key, ticket.title, page_of(product, ticket.url or ticket.key), 0.6 if ticket.title else 0.5
        )
        for ticket in tickets
    ]
