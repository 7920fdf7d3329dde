"""What may be asked of what was kept."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from whytree.errors import Invalid, NotFound
from whytree.people.queries import PeopleRef
from whytree.tree.models import Opportunity
from whytree.workspace.background.fresh import at_most
from whytree.workspace.models import Product

from ..answers import Behind, Part, checked_part, people_behind
from ..answers.cached import FRESH_SECONDS
from ..models import PREFIX, SavedQuestion
from ..questions import Question, checked_question, in_last

SIGNAL_VERSION = 1
STRUGGLE_DAYS = 28


def list_saved(product: Product) -> QuerySet[SavedQuestion]:
    """Questions under a name, the newest first; frozen answers are found on what they speak for."""
    return SavedQuestion.objects.filter(product=product, frozen_at=None)


def find_saved(product: Product, ref: str) -> SavedQuestion:
    number = ref.upper().removeprefix(f"{PREFIX}-")
    found = None
    if number.isdecimal() and len(number) < 10:
        found = SavedQuestion.objects.filter(product=product, number=int(number)).select_related("product").first()
    if found is None:
        raise NotFound(f"There is no question {ref[:20]} in {product.name}. `whytree ask saved` lists them.")
    return found


def question_of(saved: SavedQuestion) -> Question:
    return checked_question(saved.question)


# Struggle signals --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Signal:
    """What tells that somebody has an opportunity's problem: a question, and the part of its answer that they are."""

    question: Question
    part: Part


def signal_json(question: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    return {"version": SIGNAL_VERSION, "kind": "behind", "question": question, "part": part}


def signal_of(opportunity: Opportunity, days: int | None = STRUGGLE_DAYS) -> Signal | None:
    """The opportunity's signal as a question about the last days; None where there is none that we understand."""
    raw = opportunity.struggle_signal
    if not raw or raw.get("version") != SIGNAL_VERSION:
        return None
    try:
        if raw.get("kind") == "behind":
            return Signal(checked_question(in_last(raw["question"], days)), checked_part(raw.get("part", {})))
        if raw.get("kind") in ("unique", "count"):
            asked = {"version": 1, "kind": "trends", "series": [raw["event"]], "measure": "people", "interval": "day"}
            return Signal(checked_question(in_last(asked, days)), Part())
    except (Invalid, KeyError, TypeError):
        return None
    return None


@dataclass(frozen=True)
class Struggle:
    """How many people have an opportunity's problem, as their events tell, and over how many days that was counted."""

    signal: Signal
    behind: Behind
    days: int
    as_of: datetime

    @property
    def people(self) -> PeopleRef:
        return self.behind.people


def struggle_of(product: Product, opportunity: Opportunity) -> Struggle | None:
    """Who struggles, by the opportunity's signal, in the last days; nobody, where its events were never sent.

    At most a minute old: a page shows it beside much else, and a list of problems asks for each of them.
    """
    signal = signal_of(opportunity)
    if signal is None:
        return None
    facts = json.dumps([product.pk, product.timezone, opportunity.struggle_signal], sort_keys=True)
    key = "struggle:" + hashlib.sha256(facts.encode()).hexdigest()
    try:
        return at_most(key, FRESH_SECONDS, lambda: _asked(product, signal))
    except Invalid:
        return None


def _asked(product: Product, signal: Signal) -> Struggle:
    now = timezone.now()
    return Struggle(signal, people_behind(product, signal.question, signal.part), STRUGGLE_DAYS, now)
