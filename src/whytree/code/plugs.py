"""What this app plugs into the workspace's sockets: it forgets and gives out the words of a ticket's author."""

from typing import Any

from django.db.models import Q

from whytree.workspace.models import Activity, Product
from whytree.workspace.sockets import plug_erase, plug_export

from .models import PullRequest, Ticket, TicketComment


def plug() -> None:
    """Called once at start-up."""
    plug_erase(erase_person)
    plug_export(export_person)


def erase_person(product: Product, person_key: str) -> None:
    """Forget what this person wrote in tickets and pull requests, here and in the activity list.

    Keys and titles stay, and what a request closed: the line from code to ticket does not break.
    """
    nobody = {"author": "", "body": ""}
    Ticket.objects.filter(product=product, author=person_key).update(**nobody)
    PullRequest.objects.filter(product=product, author=person_key).update(**nobody)
    TicketComment.objects.filter(ticket__product=product, author=person_key).delete()
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
