"""People in the box Why …"""

from django.db.models import Q

from whytree.workspace.models import Product
from whytree.workspace.rights.actors import Actor
from whytree.workspace.sockets import Hit, plug_search

from .models import Person


def plug() -> None:
    """Called once at start-up."""
    plug_search(search)


def search(actor: Actor, product: Product, words: str, limit: int) -> list[Hit]:
    """Known people by id, e-mail, name or company."""
    words = words.strip()
    if len(words) < 2:
        return []
    like = (
        Q(key__istartswith=words) | Q(email__icontains=words) | Q(name__icontains=words) | Q(company__icontains=words)
    )
    people = Person.objects.filter(like, product=product, merged_into=None).order_by("-last_seen_at")[:limit]
    return [_hit(product, person, words) for person in people]


def _hit(product: Product, person: Person, words: str) -> Hit:
    exact = words.lower() in (person.key.lower(), person.email.lower(), person.name.lower())
    title = ", ".join(part for part in (str(person), person.company, person.plan) if part)
    return Hit("person", person.key[:40], title, person.get_absolute_url(product.slug), 0.95 if exact else 0.6)
