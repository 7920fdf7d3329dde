"""What this app plugs into the workspace's sockets: unread form fields on Today; it forgets and gives out the words of a
ticket's author."""

from typing import Any

from django.db.models import Q
from django.utils import timezone

from whytree.errors import Unavailable
from whytree.workspace.models import Activity, Product
from whytree.workspace.rights.actors import Actor
from whytree.workspace.sockets import Panel, plug_erase, plug_export, plug_panel

from .models import PullRequest, Ticket, TicketComment
from .references.form_fields import unread_fields


def plug() -> None:
    """Called once at start-up."""
    plug_panel("today", today_panel, order=45)
    plug_erase(erase_person)
    plug_export(export_person)


def today_panel(actor: Actor, product: Product, subject: Any) -> Panel | None:
    """What people are asked and nobody reads."""
    try:
        unread = unread_fields(product)
    except Unavailable:
        return None
    if not unread:
        return None
    one = "One form field is" if len(unread) == 1 else f"{len(unread)} form fields are"
    context = {"product": product, "fields": unread[:3], "more": len(unread) - 3}
    says = f"{one} filled in and read by no code."
    return Panel("Nobody reads", "code/_today_panel.html", context, column="aside", headline=says)


def erase_person(product: Product, person_key: str) -> None:
    """Forget what this person wrote in tickets and pull requests, here and in the activity list.

    Keys and titles stay, and what a request closed: the line from code to ticket does not break. Rows stay too, and
    that they were forgotten: their tracker knows the words still, and would tell them again.
    """
    nobody = {"author": "", "body": ""}
    now = timezone.now()
    Ticket.objects.filter(product=product, author=person_key).update(**nobody, erased_at=now)
    PullRequest.objects.filter(product=product, author=person_key).update(**nobody, erased_at=now)
    TicketComment.objects.filter(ticket__product=product, author=person_key).update(author="", text="")
    told = Q(before__author=person_key) | Q(after__author=person_key)
    for activity in Activity.objects.filter(told, product=product, subject_type=Ticket._meta.label):
        activity.before = activity.before and activity.before | nobody
        activity.after = activity.after and activity.after | nobody
        activity.save()


def export_person(product: Product, person_key: str) -> dict[str, Any]:
    """Tickets, comments and pull requests this person wrote, as their tracker told us."""
    tickets = Ticket.objects.filter(product=product, author=person_key)
    comments = TicketComment.objects.filter(ticket__product=product, author=person_key).select_related("ticket")
    requests = PullRequest.objects.filter(product=product, author=person_key)
    return {
        "tickets": [_words(one) for one in tickets],
        "ticket_comments": [
            {"key": one.ticket.key, "said_at": one.said_at and one.said_at.isoformat(), "text": one.text}
            for one in comments
        ],
        "pull_requests": [_words(one) for one in requests],
    }


def _words(one: Ticket | PullRequest) -> dict[str, str]:
    return {"key": one.key, "url": one.url, "title": one.title, "body": one.body}
