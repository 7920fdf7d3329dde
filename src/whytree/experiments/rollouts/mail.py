"""Tells a rollout's owner what its guardrails did: by mail, after the transaction, and tried again while the server is down."""

from django.conf import settings

from whytree.experiments.models import Rollout
from whytree.workspace import mail
from whytree.workspace.jobs import enqueue

TELL = "experiments.tell_owner"


def tell_owner(rollout: Rollout, text: str) -> None:
    """Ask for a mail to whoever started it; silent where no mail server is set or nobody owns it any more."""
    if mail.is_set() and rollout.owner is not None and rollout.owner.is_active:
        enqueue(TELL, {"rollout": rollout.pk, "text": text})


def send_told(rollout_id: int, text: str) -> None:
    """The mail itself."""
    rollout = Rollout.objects.filter(pk=rollout_id).select_related("owner", "flag", "product").first()
    if rollout is None or rollout.owner is None or not mail.is_set():
        return
    solution = rollout.flag.solution
    where = f"/p/{rollout.product.slug}/{solution.ref if solution is not None else 'experiments'}"
    asks = "\n\nWhat now? A decision is drafted there, and waits for you." if rollout.wants_decision else ""
    body = f"{text}{asks}\n\n{settings.WHYTREE.base_url}{where}\n"
    mail.send(mail.Mail(rollout.owner.email, f"{rollout.flag.key}: {rollout.get_state_display()}", body))
