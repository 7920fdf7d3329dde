"""What the app answers over REST, by subject."""

from ninja import Router

from . import events, found, repositories, tickets

router = Router(tags=["Code"])
for part in (repositories, tickets, found, events):
    router.add_router("", part.router)
