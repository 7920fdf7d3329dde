"""Reasons that somebody tells afterwards: what a commit is for that did not say so."""

import re

from django.db import transaction

from whytree.errors import Invalid
from whytree.workspace.records.activity import record, snapshot
from whytree.workspace.rights.access import require
from whytree.workspace.rights.actors import Actor
from whytree.workspace.rights.roles import Role

from ..cleaning import clean
from ..keys import store_keys
from ..models import Commit, ToldReason
from ..queries import facts_of

MOST_WORDS = 300
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]+")


def tell_reason(actor: Actor, commit: Commit, words: str) -> ToldReason:
    """Keep what somebody says a commit is for: an id, a ticket, or words on one line. Again changes nothing."""
    require(actor, commit.repository.product, Role.MEMBER)
    words = " ".join(_CONTROL.sub(" ", clean(words)).split())
    if not words or len(words) > MOST_WORDS:
        raise Invalid(f"Say what it is for in at most {MOST_WORDS} characters: SOL-3, #412, or a few words.")
    with transaction.atomic():
        known = commit.told.filter(words=words).first()
        if known is not None:
            return known
        told = ToldReason.objects.create(commit=commit, words=words, told_by_id=actor.user_id, teller=actor.label[:160])
        _keep_keys(commit)
        record(actor, commit.repository.product, "tell_reason", told)
    return told


def withdraw_reason(actor: Actor, told: ToldReason) -> None:
    """Take back what was told: one's own word, or as a maintainer anybody's. A git note of it stays where it is."""
    product = told.commit.repository.product
    mine = actor.user_id is not None and told.told_by_id == actor.user_id
    require(actor, product, Role.MEMBER if mine else Role.MAINTAINER)
    with transaction.atomic():
        record(actor, product, "withdraw_reason", told, before=snapshot(told), after=None)
        commit = told.commit
        told.delete()
        _keep_keys(commit)


def _keep_keys(commit: Commit) -> None:
    store_keys([(commit, facts_of(commit))], anew=True)
