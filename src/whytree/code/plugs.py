"""What this app plugs into the workspace's sockets: unread form fields on Today; it forgets and gives out the words of a
ticket's author."""

from typing import Any

from django.db.models import Q

from whytree.errors import Unavailable
from whytree.workspace.actors import Actor
from whytree.workspace.models import Activity, Product
from whytree.workspace.sockets import Panel, plug_erase, plug_export, plug_panel

from .form_fields import unread_fields
from .models import Ticket


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
