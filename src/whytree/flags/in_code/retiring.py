"""When a flag may go, and what stays: its solution's decision, its rollout and its code, put side by side.

A flag goes by decision, not by age: a short-lived one whose solution was rolled back is ready, an old one whose
question is still open is not.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from whytree.code.references.flag_references import FlagInCode, flag_in_code, flags_in_code
from whytree.engines.flags import FULL_COVERAGE, percent
from whytree.errors import Invalid
from whytree.tree.models import State
from whytree.workspace.models import Product
from whytree.workspace.sockets import doubts

from ..models import Flag
from ..queries import list_flags

TAKEN_BACK = frozenset({State.ROLLED_BACK, State.DROPPED})


class Standing(StrEnum):
    """How far a flag is on its way out: derived from its hypothesis, its solution's decision, its rollout and its code."""

    UNJUSTIFIED = "unjustified"
    RUNNING = "running"
    DECIDED = "decided"
    READY = "ready_to_remove"
    REMOVED = "removed"

    @property
    def words(self) -> str:
        return self.value.replace("_", " ")


#: What needs a person first.
_ORDER = (Standing.READY, Standing.DECIDED, Standing.UNJUSTIFIED, Standing.RUNNING, Standing.REMOVED)


@dataclass(frozen=True)
class Retirement:
    """`keep` is the variant whose branch stays; "" while nothing is decided."""

    flag: Flag
    code: FlagInCode
    standing: Standing
    says: str
    keep: str = ""

    @property
    def is_ready(self) -> bool:
        return self.standing is Standing.READY

    @property
    def command(self) -> str:
        """What takes it out of Python code."""
        return f"whytree flag remove {self.flag.key} --keep {self.keep}" if self.keep else ""


def retirement_of(flag: Flag) -> Retirement:
    return _retirement(flag, flag_in_code(flag.product, flag.key), doubts(flag.product))


def retirements(product: Product, flags: Iterable[Flag] | None = None) -> list[Retirement]:
    """Every flag in use and every archived one, as far as it is out."""
    flags = [*list_flags(product), *list_flags(product, archived=True)] if flags is None else list(flags)
    code = flags_in_code(product, [flag.key for flag in flags])
    doubted = doubts(product)
    return [_retirement(flag, code[flag.key], doubted) for flag in flags]


def removable(product: Product) -> list[Retirement]:
    """Those that can go now, the ones in most places first; age only breaks ties."""
    return in_state(product, Standing.READY)


def in_state(product: Product, state: str = "") -> list[Retirement]:
    """Flags by how far they are: those that can go first, then what waits for a decision."""
    if state and state not in list(Standing):
        raise Invalid(f"A flag is one of: {', '.join(Standing)}.")
    found = [one for one in retirements(product) if not state or one.standing == state]
    return sorted(found, key=_urgency)


def _urgency(one: Retirement) -> tuple[int, int, datetime, str]:
    return _ORDER.index(one.standing), -len(one.code.references), one.flag.created_at, one.flag.key


def served_to_all(flag: Flag) -> str | None:
    """The variant that everybody gets; None while people get different ones."""
    if not flag.is_on:
        return flag.off_variant
    if flag.has_more_rules:
        return None
    if flag.coverage == 0:
        return flag.default_variant
    arms = [arm.name for arm in flag.arms if arm.weight]
    if len(arms) == 1 and (flag.coverage == FULL_COVERAGE or arms[0] == flag.default_variant):
        return arms[0]
    return None


def _retirement(flag: Flag, code: FlagInCode, doubted: Mapping[int, str]) -> Retirement:
    if code.last is not None:
        went = f"Its last reference went with {code.last.sha[:7]} on {code.last.at:%-d %b %Y}."
        return Retirement(flag, code, Standing.REMOVED, went + _archive_next(flag))
    solution = flag.solution
    if solution is None:
        says = "It brings no solution, so nothing decides when it goes. Link it to one."
        return Retirement(flag, code, Standing.UNJUSTIFIED, says)
    state = State(solution.state)
    if state is not State.KEPT and state not in TAKEN_BACK:
        if flag.hypothesis_id is None:
            says = f"It tests no hypothesis of {solution.ref}, so nothing will be learned from it. Say what it should change."
            return Retirement(flag, code, Standing.UNJUSTIFIED, says)
        # however long that takes: a test with too few people yet is no debt
        says = f"It stays until {solution.ref} is decided: it is {state.label} now."
        return Retirement(flag, code, Standing.RUNNING, says)
    served = served_to_all(flag)
    decided = f"{solution.ref} was {state.label.lower()}"
    if solution.pk in doubted:
        says = f"{decided}, but {doubted[solution.pk]}. Until that is settled the flag is the way back."
        return Retirement(flag, code, Standing.DECIDED, says)
    obstacle = _obstacle(flag, state, served)
    if obstacle or served is None:
        return Retirement(flag, code, Standing.DECIDED, f"{decided}, {obstacle}")
    if not code.looked_in:
        says = f"{decided} and everybody gets “{served}”. Where does code ask for it? Look: whytree flag references"
        return Retirement(flag, code, Standing.DECIDED, says, served)
    if not code.references:
        says = f"{decided}, everybody gets “{served}”, and no code speaks of it.{_archive_next(flag)}"
        return Retirement(flag, code, Standing.READY, says, served)
    places = len(code.references)
    where = f"{places} {'place' if places == 1 else 'places'} in {code.files} {'file' if code.files == 1 else 'files'}"
    return Retirement(flag, code, Standing.READY, f"{decided}, everybody gets “{served}”; {where}.", served)


def _obstacle(flag: Flag, state: State, served: str | None) -> str:
    """What still has to happen before its code may go; "" for nothing."""
    if served is None and flag.has_more_rules:
        return "but rules still single people out. Clear them: whytree flag rules " + f"{flag.key} --clear"
    if served is None:
        return f"but people still get different variants at {percent(flag.coverage)}. " + (
            "Open it to everybody with one variant." if state is State.KEPT else "Turn it off."
        )
    if state is State.KEPT and flag.archived_at is None and served == flag.off_variant:
        return f"but everybody gets “{served}”. Open the variant that was kept to everybody."
    if state in TAKEN_BACK and served != flag.off_variant:
        return f"but everybody gets “{served}”. Turn the flag off."
    if state is State.KEPT and flag.archived_at is not None:
        return "and the flag is archived: code gets its own default. Restore it to say which variant stays."
    return ""


def _archive_next(flag: Flag) -> str:
    return "" if flag.archived_at is not None else f" Archive it: whytree flag archive {flag.key}"
