"""Bringing definitions in, and taking them back."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.utils import timezone

from whytree.engines.definition_moving import Incoming, LeftOut, Unreadable, read_definitions
from whytree.errors import Conflict, Invalid, NotFound, WhytreeError
from whytree.events.queries import property_names
from whytree.workspace.models import Product
from whytree.workspace.records.activity import record
from whytree.workspace.records.numbering import next_number
from whytree.workspace.rights.access import require
from whytree.workspace.rights.actors import Actor
from whytree.workspace.rights.roles import Role

from ..answers.ground import refuse_unseen
from ..asking.links import typed_filter
from ..boards.services import MOST_CARDS, add_card, create_board, delete_board, edit_board
from ..cohorts.queries import definition_of
from ..cohorts.services import create_cohort, delete_cohort
from ..definitions import checked_definition, warnings
from ..models import Board, Cohort, DefinitionImport, Metric, SavedQuestion
from ..models.metrics import KEY_LENGTH
from ..queries import known_events
from ..questions import COHORT, checked_question
from ..questions.parts import checked_filters
from ..saved.services import delete_question, keep_question
from ..services import create_metric, delete_metric

PREFIX = "DEF"
NAME_LENGTH = 200


@dataclass(frozen=True)
class Became:
    """What became of one definition: `made` (its `ref` says under which name), `known` since an earlier time, or `left out`."""

    foreign: str
    name: str
    kind: str
    what: str
    ref: str = ""
    sentence: str = ""
    notes: tuple[str, ...] = ()


@dataclass
class _Run:
    actor: Actor
    product: Product
    known: dict[str, str]
    made: list[dict[str, str]] = field(default_factory=list)


def import_definitions(
    actor: Actor, product: Product, documents: Sequence[Any], *, dry_run: bool = False
) -> tuple[str, list[Became], int | None]:
    """The tool, what each definition becomes, and the number by which all of it can be taken back.

    What was brought in before and is still there stays as it is, whatever was done to it since. A dry run goes all the way,
    with every refusal, and takes it back.
    """
    require(actor, product, Role.MEMBER)
    try:
        tool, found = read_definitions(documents)
    except Unreadable as error:
        raise Invalid(str(error)) from error
    with transaction.atomic():
        run = _Run(actor, product, _known(product, tool))
        became = [_became(run, one) for one in _in_turn(found)]
        number = _noted(run, tool) if run.made else None
        if dry_run:
            transaction.set_rollback(True)
    return tool, became, None if dry_run else number


def list_imports(product: Product) -> list[DefinitionImport]:
    return list(DefinitionImport.objects.filter(product=product).select_related("created_by"))


@transaction.atomic
def undo_import(actor: Actor, product: Product, number: int) -> list[str]:
    """Take back what was brought in at one time. What something rests on by now stays: said for each, with the reason."""
    require(actor, product, Role.MEMBER)
    run = DefinitionImport.objects.select_for_update().filter(product=product, number=number).first()
    if run is None:
        raise NotFound(f"No definitions were brought in under the number {number}.")
    if run.undone_at is not None:
        raise Conflict("These were taken back already.")
    stays = []
    for one in reversed(run.made):
        try:
            with transaction.atomic():
                _REMOVED[one["kind"]](actor, product, one["ref"])
        except NotFound:
            continue
        except WhytreeError as error:
            stays.append(f"{one['ref']}: {error.message}")
    run.undone_at = timezone.now()
    run.save(update_fields=["undone_at"])
    record(actor, product, "undo_definition_import", run, after={"stays": stays}, undoable=False)
    return stays


_REMOVED: Mapping[str, Callable[[Actor, Product, str], None]] = {
    "question": delete_question,
    "metric": delete_metric,
    "cohort": delete_cohort,
    "board": lambda actor, product, ref: delete_board(actor, product, int(ref)),
}


def _noted(run: _Run, tool: str) -> int:
    number = next_number(run.product, PREFIX)
    noted = DefinitionImport(
        product=run.product, number=number, tool=tool, made=run.made, created_by_id=run.actor.user_id
    )
    noted.save()
    record(run.actor, run.product, "import_definitions", noted, undoable=False)
    return number


def _known(product: Product, tool: str) -> dict[str, str]:
    """What came in before and is still there: what it goes by there, and here."""
    here = {
        "question": {one.ref for one in SavedQuestion.objects.filter(product=product)},
        "metric": set(Metric.objects.filter(product=product).values_list("key", flat=True)),
        "cohort": set(Cohort.objects.filter(product=product).values_list("key", flat=True)),
        "board": {str(number) for number in Board.objects.filter(product=product).values_list("number", flat=True)},
    }
    runs = DefinitionImport.objects.filter(product=product, tool=tool, undone_at=None)
    return {one["foreign"]: one["ref"] for run in runs for one in run.made if one["ref"] in here[one["kind"]]}


def _in_turn(found: Sequence[Incoming | LeftOut]) -> list[Incoming | LeftOut]:
    """Each after the cohorts and questions that it names."""
    waiting, done, ordered = list(found), set[str](), list[Incoming | LeftOut]()
    coming = {one.foreign for one in found if isinstance(one, Incoming)}
    while waiting:
        ready = [one for one in waiting if isinstance(one, LeftOut) or not (_named(one) & coming) - done]
        ready = ready or waiting  # they name each other; whoever makes them will say so
        ordered += ready
        done |= {one.foreign for one in ready}
        waiting = [one for one in waiting if one not in ready]
    return ordered


def _named(one: Incoming) -> set[str]:
    found = {card["question"] for card in one.definition.get("cards", ()) if "question" in card}

    def note(foreign: str) -> str:
        found.add(foreign)
        return foreign

    _replaced(one.definition, note)
    return found


def _replaced(value: Any, named: Callable[[str], str]) -> Any:
    """A definition with each cohort's foreign name put through `named`."""
    if isinstance(value, Mapping):
        return {
            name: named(one) if name == "cohort" and isinstance(one, str) else _replaced(one, named)
            for name, one in value.items()
        }
    if isinstance(value, list):
        return [_replaced(one, named) for one in value]
    if isinstance(value, str) and value.startswith(f"{COHORT}cohort "):
        return COHORT + named(value.removeprefix(COHORT))
    return value


def _became(run: _Run, one: Incoming | LeftOut) -> Became:
    kind = one.kind if isinstance(one, Incoming) else one.foreign.partition(" ")[0]
    if isinstance(one, LeftOut):
        return Became(one.foreign, one.name, kind, "left out", notes=(f"Left out: {one.why}.",))
    if one.foreign in run.known:
        return Became(one.foreign, one.name, kind, "known", run.known[one.foreign])
    try:
        with transaction.atomic():  # a refusal takes back this one alone
            ref, sentence, notes = _MADE[one.kind](run, one, _replaced(one.definition, _keys(run)))
    except WhytreeError as error:
        return Became(one.foreign, one.name, kind, "left out", notes=(f"Left out: {error.message}",))
    run.known[one.foreign] = ref
    run.made.append({"foreign": one.foreign, "kind": one.kind, "ref": ref})
    return Became(one.foreign, one.name, kind, "made", ref, sentence, (*one.notes, *notes))


def _keys(run: _Run) -> Callable[[str], str]:
    def key(foreign: str) -> str:
        if foreign not in run.known:
            raise Invalid(f"It names the {foreign}, which did not come along.")
        return run.known[foreign]

    return key


def _question(run: _Run, one: Incoming, definition: Any) -> tuple[str, str, tuple[str, ...]]:
    saved = keep_question(run.actor, run.product, question=definition, title=_plain(one.name))
    checked = checked_question(saved.question)
    try:
        refuse_unseen(run.product, checked)
    except Invalid as error:  # its events may be yet to come, with the history
        return saved.ref, checked.sentence, (error.message,)
    return saved.ref, checked.sentence, ()


def _metric(run: _Run, one: Incoming, definition: Any) -> tuple[str, str, tuple[str, ...]]:
    checked = checked_definition(definition)
    made = create_metric(
        run.actor,
        run.product,
        key=_free_key(one.name, set(Metric.objects.filter(product=run.product).values_list("key", flat=True))),
        definition=definition,
        name=_plain(one.name),
        description=_plain(one.description),
        owner=_plain(one.owner),
        direction=one.direction,
    )
    return made.key, checked.sentence, tuple(warnings(checked, known_events(run.product), property_names(run.product)))


def _cohort(run: _Run, one: Incoming, definition: Any) -> tuple[str, str, tuple[str, ...]]:
    taken = set(Cohort.objects.filter(product=run.product).values_list("key", flat=True))
    made = create_cohort(
        run.actor, run.product, key=_free_key(one.name, taken), definition=definition, name=_plain(one.name)
    )
    return made.key, definition_of(made).words, ()


def _board(run: _Run, one: Incoming, definition: Any) -> tuple[str, str, tuple[str, ...]]:
    notes = []
    made = create_board(run.actor, run.product, title=_plain(one.name) or one.foreign)
    where = [typed_filter(condition) for condition in checked_filters(definition["where"])]
    if None in where:
        notes.append("One of its filters cannot be typed, and stays out: put it into the questions themselves.")
    typed = "; ".join(text for text in where if text)
    edit_board(run.actor, run.product, made.number, days=definition["days"], where=typed)
    for card in definition["cards"][:MOST_CARDS]:
        if "text" in card:
            add_card(run.actor, run.product, made.number, text=card["text"].replace("\x00", " "), wide=card["wide"])
        elif card["question"] in run.known:
            add_card(run.actor, run.product, made.number, question=run.known[card["question"]], wide=card["wide"])
        else:
            notes.append(f"Without “{_plain(card['name']) or card['question']}”, which did not come along.")
    if (rest := len(definition["cards"]) - MOST_CARDS) > 0:
        notes.append(f"Without its last {rest} tiles: a board has {MOST_CARDS} cards at most.")
    cards = made.cards.count()
    return str(made.number), f"a board of {cards} card{'' if cards == 1 else 's'}", tuple(notes)


_MADE: Mapping[str, Callable[[_Run, Incoming, Any], tuple[str, str, tuple[str, ...]]]] = {
    "question": _question,
    "metric": _metric,
    "cohort": _cohort,
    "board": _board,
}


def _free_key(name: str, taken: set[str]) -> str:
    """The name as a key; with a number where that one is taken."""
    plain = re.sub(r"[^a-z0-9]+", "_", name.casefold()).strip("_")[: KEY_LENGTH - 6] or "brought_in"
    numbered = (f"{plain}_{number}" for number in range(2, 10_000))
    return next(key for key in (plain, *numbered) if key not in taken and key != "new")


def _plain(text: str) -> str:
    return text.replace("\x00", " ")[:NAME_LENGTH].strip()
