"""What this app plugs into the workspace's sockets: it forgets and gives out the words of a ticket's author."""

from typing import Any

from django.db.models import Q

from whytree.workspace.models import Activity, Product
from whytree.workspace.sockets import plug_erase, plug_export

from .models import Ticket


def plug() -> None:
    """Called once at start-up."""
    plug_erase(erase_person)
    plug_export(export_person)


def erase_person(product: Product, person_key: str) -> None:
    """Forget what this person wrote in tickets, here and in the activity list; the ticket's key and title stay."""
    nobody = {"author": "", "body": ""}
    Ticket.objects.filter(product=product, author=person_key).update(**nobody)
    told = Q(before__author=person_key) | Q(after__author=person_key)
    for activity in Activity.objects.filter(told, product=product, subject_type=Ticket._meta.label):
        activity.before = activity.before and activity.before | nobody
        activity.after = activity.after and activity.after | nobody
        activity.save()


def export_person(product: Product, person_key: str) -> dict[str, Any]:
    """Tickets this person wrote, as their tracker told us."""
    tickets = Ticket.objects.filter(product=product, author=person_key)
    return {"tickets": [{"key": one.key, "url": one.url, "title": one.title, "body": one.body} for one in tickets]}
