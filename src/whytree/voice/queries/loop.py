"""Asked, exposed, used, says solved: how many of those who asked for a change came how far, and who is to be told."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from whytree.analytics.definitions import goal_event
from whytree.analytics.queries import definition_of, metrics_by_key
from whytree.errors import Invalid, NotFound
from whytree.flags.queries import flags_of
from whytree.people.identity import person_hash
from whytree.people.queries import people_by_key
from whytree.stores.errors import StoreUnavailable
from whytree.stores.exposed.followed import Followed, followed
from whytree.stores.identity.people import overrides_of
from whytree.tree.models import Solution
from whytree.tree.queries import find_node, hypotheses_of
from whytree.voice.arriving.authors import main_keys
from whytree.voice.contacts import reach_of
from whytree.voice.models import Loop, Requester
from whytree.workspace.background.fresh import kept
from whytree.workspace.models import Product

from .speaking import Voice, demand

STEPS = ("asked", "exposed", "used", "solved")


@dataclass(frozen=True)
class Asker:
    """One person who asked, and how far the change has come to them."""

    key: str
    name: str
    email: str
    quote: str
    exposed_at: datetime | None
    variant: str
    used_at: datetime | None
    told_at: datetime | None
    asked_at: datetime | None
    solved: bool | None
    requester: int | None = None  # primary key of what is known of them here
    email_proved: bool = False
    left_alone: bool = False
    """They said that nobody shall ask them for anything."""
    refused_at: datetime | None = None
    """Their mail server would not take what went by itself."""

    @property
    def step(self) -> str:
        """The last step they came to."""
        if self.solved:
            return "solved"
        return "used" if self.used_at else "exposed" if self.exposed_at else "asked"

    @property
    def is_to_tell(self) -> bool:
        return self.exposed_at is not None and self.told_at is None and not self.left_alone

    @property
    def is_to_ask(self) -> bool:
        return self.used_at is not None and self.asked_at is None and self.solved is None and not self.left_alone


@dataclass(frozen=True)
class Way:
    """A solution's way back. `unknown` spoke without a name; `store_answers` False: events cannot be read now."""

    solution: Solution
    askers: list[Asker]
    unknown: int
    flags: list[str]
    used_event: str
    message: str
    tells: bool = False
    """Each of them is told by mail, by itself, when the change reaches them."""
    store_answers: bool = True

    @property
    def funnel(self) -> list[tuple[str, int]]:
        """The four steps; answers that say no are no fourth step."""
        reached = {
            "asked": len(self.askers),
            "exposed": sum(one.exposed_at is not None for one in self.askers),
            "used": sum(one.used_at is not None for one in self.askers),
            "solved": sum(one.solved is True for one in self.askers),
        }
        return [(step, reached[step]) for step in STEPS]

    @property
    def to_tell(self) -> list[Asker]:
        return [one for one in self.askers if one.is_to_tell]

    @property
    def to_mail(self) -> list[Asker]:
        """Those to tell at an address that is proved theirs: mail may go there by itself."""
        return [one for one in self.to_tell if one.email and one.email_proved]

    @property
    def to_ask(self) -> list[Asker]:
        return [one for one in self.askers if one.is_to_ask]

    @property
    def unproved(self) -> int:
        """How many of those to tell or to ask have an address that only a page or a mail said."""
        next_ones = {one.key: one for one in (*self.to_tell, *self.to_ask)}.values()
        return sum(bool(one.email) and not one.email_proved for one in next_ones)

    @property
    def not_solved(self) -> int:
        return sum(one.solved is False for one in self.askers)


def loop_of(solution: Solution, *, seconds: int = 0) -> Way:
    """Who asked for the opportunity behind the solution, each person once, and how far it came to them.

    What they met and used may be so many seconds old; what was done about it never is.
    """
    product = solution.product
    voices = demand(solution.opportunity).voices if solution.opportunity is not None else []
    voices = [voice for voice in voices if voice.item is None or not voice.item.from_team]
    known = [voice for voice in voices if not voice.is_anonymous and not voice.latest.is_erased]
    told = _told(solution)
    flags = flags_of(solution)
    variants = [
        (flag.key, name)
        for flag in flags
        for name in flag.variants
        if name not in (flag.default_variant, flag.off_variant)
    ]
    settings = Loop.objects.filter(solution=solution).first()
    used_event = settings.used_event if settings and settings.used_event else _used_by_default(solution)
    keys, answers = sorted(voice.key for voice in known), True
    look = partial(_followed, product, keys, variants, used_event)
    try:
        by_key = kept("followed", [product.pk, keys, variants, used_event], seconds, look) if seconds else look()
    except StoreUnavailable:
        by_key, answers = {}, False
    return Way(
        solution,
        _askers(product, known, by_key, told),
        len(voices) - len(known),
        [flag.key for flag in flags],
        used_event,
        settings.message if settings else "",
        bool(settings and settings.tells),
        answers,
    )


def _told(solution: Solution) -> dict[str, Requester]:
    """By who they are now: ids may have been joined since."""
    rows = list(Requester.objects.filter(solution=solution))
    mains = main_keys(solution.product_id, {one.person_key for one in rows})
    return {mains.get(one.person_key, one.person_key): one for one in rows}


def _used_by_default(solution: Solution) -> str:
    """What the metric of its latest hypothesis counts: somebody who did that has used the change."""
    open_ones = [one for one in hypotheses_of(solution) if not one.is_closed]
    if not open_ones:
        return ""
    key = open_ones[-1].metric_key
    metric = metrics_by_key(solution.product, [key]).get(key)
    if metric is None:
        return ""
    return goal_event(definition_of(metric))


def _followed(
    product: Product, keys: Sequence[str], variants: Sequence[tuple[str, str]], used: str
) -> dict[str, Followed]:
    hashed = {key: person_hash(product.pk, key) for key in keys}
    overrides = overrides_of(product.pk, hashed.values()) if hashed else {}
    canonical = {key: overrides[own].canonical if own in overrides else own for key, own in hashed.items()}
    found = {one.who: one for one in followed(product.pk, variants, used, set(canonical.values()))}
    return {key: found[who] for key, who in canonical.items() if who in found}


def _askers(
    product: Product, voices: Sequence[Voice], by_key: dict[str, Followed], told: dict[str, Requester]
) -> list[Asker]:
    profiles = people_by_key(product, [voice.key for voice in voices])
    reach = reach_of(product, [voice.key for voice in voices])
    askers = []
    for voice in voices:
        met, known, profile = by_key.get(voice.key), told.get(voice.key), profiles.get(voice.key)
        askers.append(
            Asker(
                key=voice.key,
                name=str(profile) if profile else voice.key,
                email=profile.email if profile else "",
                quote=voice.latest.quote,
                exposed_at=met.exposed_at if met else None,
                variant=met.variant if met else "",
                used_at=met.used_at if met else None,
                told_at=known.told_at if known else None,
                asked_at=known.asked_at if known else None,
                solved=known.solved if known else None,
                requester=known.pk if known else None,
                email_proved=bool(profile and profile.email_proved),
                left_alone=reach[voice.key].wish is False,
                refused_at=known.refused_at if known else None,
            )
        )
    return askers


def find_solution(product: Product, ref: str) -> Solution:
    node = find_node(product, ref)
    if not isinstance(node, Solution):
        raise Invalid(f"{node.ref} is no solution. Those who asked are followed for a solution, as SOL-3.")
    return node


def find_requester(pk: int) -> Requester:
    found = Requester.objects.filter(pk=pk).select_related("solution__opportunity", "product").first()
    if found is None:
        raise NotFound("This link leads nowhere any more.")
    return found
