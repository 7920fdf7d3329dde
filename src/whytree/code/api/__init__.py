"""What the app answers over REST, by subject."""

from ninja import Router

from ..delivery import api as delivery
from ..delivery import devlake
from ..mirrors import api as mirrors
from . import events, found, repositories, tickets

router = Router(tags=["Code"])
for part in (repositories, mirrors, tickets, found, events, delivery, devlake):
    router.add_router("", part.router)
