"""Sockets: the few places where an app plugs into the ones below it, at start-up (in its `AppConfig.ready`).

A plain downward import is always preferred; a socket exists where what stands below has to show, ask or tell
something of what stands above. This file is the whole list.

panel     what others show on a node's page, beside a hypothesis while it is written, on an experiment's page, a flag's, a person's, Today,
          and beside a group of people that a number is made of
figure    what others draw on a node in the tree: a live value, voices, a flag
search    what the box **Why ...** finds
doubt     why a decision about a solution may not hold any more
since     what others know of a node that was otherwise on an earlier day
work      what a solution's code took, for its review
variants  which flag variants are in force for a person, stored with each event and each feedback item
fact      "this happened", told synchronously in the same transaction
erase     forget a person; a test demands a plug for every table that names one
export    give a person their data
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from .models import Product
from .rights.actors import Actor

Place = Literal["outcome", "opportunity", "solution", "hypothesis", "experiment", "flag", "person", "group", "today"]
PLACES: tuple[Place, ...] = (
    "outcome",
    "opportunity",
    "solution",
    "hypothesis",
    "experiment",
    "flag",
    "person",
    "group",
    "today",
)
Tone = Literal["", "leaf", "amber", "red", "blue", "plum"]


@dataclass(frozen=True)
class Panel:
    """A section on somebody else's page, drawn from its own template."""

    title: str
    template: str
    context: dict[str, Any] = field(default_factory=dict)
    column: Literal["main", "aside"] = "main"
    tone: Tone = ""
    headline: str = ""  # Today builds its first sentence from these
    lead: str = ""  # and says this below, when the headline comes first
    action: tuple[str, str] | None = None  # label and address of what to do about it


@dataclass(frozen=True)
class Chip:
    text: str
    tone: Tone = ""
    about: Literal["state", "result"] = "state"


@dataclass(frozen=True)
class Figure:
    """What is drawn on a node: all parts optional, all text ready to show."""

    value: str = ""
    change: str = ""
    note: str = ""
    spark: Sequence[float] = ()
    tone: Tone = ""
    chips: Sequence[Chip] = ()
    proposed: str = ""  # what the data propose, where a person is to decide


What = Literal[
    "came", "state", "evidence", "heard", "locked", "due", "decided", "verdict", "number", "note", "answer", "closed"
]


@dataclass(frozen=True)
class Difference:
    """One thing about a node that is otherwise than on an earlier day: what it `was`, what it is `now`, and what somebody said of it."""

    what: What
    was: str = ""
    now: str = ""
    words: str = ""


@dataclass(frozen=True)
class Hit:
    """Something the box found. A higher `rank` comes first; 1.0 is an exact match."""

    kind: str
    label: str
    title: str
    url: str
    rank: float = 0.5


@dataclass(frozen=True)
class Work:
    """The commits of a solution, counted; it names nobody. `lines_left` is None where no clone told whose lines are left."""

    commits: int
    people: int
    lines_left: int | None
    read_at: datetime | None  # when the clone was last read in
    first_sha: str
    first_at: datetime
    rules: Sequence[str]  # how it is known that they are for it: "stated: trailer"
    deployments: frozenset[int]  # that brought them
    url: str


Drawn = Literal["outcome", "opportunity", "solution", "test"]
PanelSource = Callable[[Actor, Product, Any], Panel | None]
FigureSource = Callable[[Product, Sequence[Any]], dict[int, Figure]]
SearchSource = Callable[[Actor, Product, str, int], list[Hit]]
# For a solution and the end of the time that counts; None where no commit is known.
WorkSource = Callable[[Any, datetime], Work | None]
# For a product: solutions by primary key, with a sentence each.
DoubtSource = Callable[[Product], dict[int, str]]
# For a product, a moment, and the nodes of its tree: what is otherwise since then, by the node's ref.
SinceSource = Callable[[Product, datetime, Sequence[Any]], dict[str, list[Difference]]]
# For a product: what tells a person's variants; None while there is nothing to tell anybody.
VariantTeller = Callable[[str], dict[str, str]]
VariantSource = Callable[[int], VariantTeller | None]
FactListener = Callable[..., None]
PersonVerb = Callable[[Product, str], Any]

_panels: dict[str, list[tuple[int, PanelSource]]] = defaultdict(list)
_figures: dict[str, list[FigureSource]] = defaultdict(list)
_searches: list[SearchSource] = []
_works: list[WorkSource] = []
_doubts: list[DoubtSource] = []
_sinces: list[SinceSource] = []
_variants: list[VariantSource] = []
_listeners: dict[str, list[FactListener]] = defaultdict(list)
_erasers: list[PersonVerb] = []
_exporters: list[PersonVerb] = []

# Every fact that is told, with its arguments.
FACTS = {
    "flag_opened": "actor, product, flag_key, hypothesis_id, at: a flag reaches people who are not internal",
    "exposure_received": "product_id, flag_key, at, trusted: the first exposure of a flag came from elsewhere; trusted: by no public key",
    "experiment_due": "actor, product, hypothesis_id, due_at: the day on which an experiment is read was set",
    "experiment_decided": "actor, product, hypothesis_id, verdict, decision, learning, arm, move_flag, despite: an experiment was decided",
    "hypothesis_changing": "actor, hypothesis, changes: told before the act's transaction, so that who refuses may log it",
    "test_starting": "test: a test before code is about to start; whoever would have to count what is not there raises",
    "test_concluded": "test: a test before code has its verdict",
    "solution_moved": "actor, product, solution_id, state: a solution entered a state: kept, rolled back, dropped ...",
    "cohort_leaving": "product, key: a cohort is about to be removed; whoever needs it raises",
    "cohort_changing": "product, keys: other people are about to belong to these cohorts; whoever cannot have that raises",
    "metric_changing": "product, key, is_leaving: a metric is about to count otherwise, or to be removed; whoever needs it raises",
    "flag_editing": "flag, before, after: what a flag is is about to change; whoever cannot have that raises",
    "act_undone": "product, activity: somebody took an act back, so that `before` holds again",
    "harm_seen": "product, owner_id, key, title, text, path, at: a standing watch saw harm; told once a key",
    "review_decided": "actor, product, solution_id, hypothesis_id, decision, learning, arm, despite: an outcome review was decided",
}


def plug_panel(place: Place, source: PanelSource, order: int = 50) -> None:
    _panels[place].append((order, source))
    _panels[place].sort(key=lambda entry: entry[0])


def panel_sources(place: Place) -> list[PanelSource]:
    """Whoever shows something in this place, in their order."""
    return [source for _, source in _panels[place]]


def panels(place: Place, actor: Actor, product: Product, subject: Any) -> list[Panel]:
    """The panels others show in this place, in their order."""
    shown = (source(actor, product, subject) for source in panel_sources(place))
    return [panel for panel in shown if panel is not None]


def plug_figure(kind: Drawn, source: FigureSource) -> None:
    _figures[kind].append(source)


def figures(kind: Drawn, product: Product, nodes: Sequence[Any]) -> dict[int, Figure]:
    """What to draw on each node, by primary key; several sources are merged, chips added up."""
    merged: dict[int, Figure] = {}
    for source in _figures[kind]:
        for pk, figure in source(product, nodes).items():
            merged[pk] = _joined(merged[pk], figure) if pk in merged else figure
    return merged


def _joined(one: Figure, two: Figure) -> Figure:
    return Figure(
        value=one.value or two.value,
        change=one.change or two.change,
        note=one.note or two.note,
        spark=one.spark or two.spark,
        tone=one.tone or two.tone,
        chips=(*one.chips, *two.chips),
        proposed=one.proposed or two.proposed,
    )


def plug_search(source: SearchSource) -> None:
    _searches.append(source)


def search(actor: Actor, product: Product, words: str, limit: int = 8) -> list[Hit]:
    """What every source finds for these words, best first."""
    hits = [hit for source in _searches for hit in source(actor, product, words, limit)]
    return sorted(hits, key=lambda hit: -hit.rank)[: limit * 2]


def plug_work(source: WorkSource) -> None:
    _works.append(source)


def work_of(solution: Any, until: datetime) -> Work | None:
    """What the first source that knows any tells of a solution's commits up to then."""
    return next((work for source in _works if (work := source(solution, until)) is not None), None)


def plug_doubt(source: DoubtSource) -> None:
    _doubts.append(source)


def doubts(product: Product) -> dict[int, str]:
    """Solutions whose decision may not hold any more, by primary key, with why."""
    return {pk: says for source in _doubts for pk, says in source(product).items()}


def plug_since(source: SinceSource) -> None:
    _sinces.append(source)


def differences_since(product: Product, start: datetime, nodes: Sequence[Any]) -> dict[str, list[Difference]]:
    """What every source knows to be otherwise, by the node's ref."""
    found: dict[str, list[Difference]] = defaultdict(list)
    for source in _sinces:
        for ref, differences in source(product, start, nodes).items():
            found[ref] += differences
    return found


def plug_variants(source: VariantSource) -> None:
    _variants.append(source)


def variants_in_force(product_id: int, distinct_id: str) -> dict[str, str]:
    """Flag key to variant for this person, now."""
    return {key: variant for tell in variant_tellers(product_id) for key, variant in tell(distinct_id).items()}


def variant_tellers(product_id: int) -> list[VariantTeller]:
    """Who tells people's variants now; whoever asks for many people and finds nobody need not ask for each."""
    return [tell for source in _variants if (tell := source(product_id)) is not None]


def on_fact(name: str, listener: FactListener) -> None:
    _known_fact(name)
    _listeners[name].append(listener)


def tell_fact(name: str, **payload: Any) -> None:
    """Tell all who listen, now and in this transaction; what they raise stops the teller too."""
    _known_fact(name)
    for listener in _listeners[name]:
        listener(**payload)


def _known_fact(name: str) -> None:
    if name not in FACTS:
        raise LookupError(f"no fact is called {name!r}; the facts are {', '.join(FACTS)}")


def plug_erase(eraser: PersonVerb) -> None:
    _erasers.append(eraser)


def plug_export(exporter: PersonVerb) -> None:
    _exporters.append(exporter)


def erase_everywhere(product: Product, person_key: str) -> None:
    """Every app forgets what it holds of this id; in the caller's transaction."""
    for eraser in _erasers:
        eraser(product, person_key)


def export_everywhere(product: Product, person_key: str) -> dict[str, Any]:
    """What every app holds of this id, by the app's name."""
    return {exporter.__module__.split(".")[1]: exporter(product, person_key) for exporter in _exporters}
