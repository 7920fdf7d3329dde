"""The six kinds of node, their states, and what may stand under what."""

import hashlib
import json
from typing import Any, ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from whytree.errors import Conflict
from whytree.tree.measures import measure_definition, session_list
from whytree.workspace.models import Product, User

from .columns import TITLE_LENGTH, finite, guardrail_list, key_list, one_of, storable_text, text_field, versioned


class Strength(models.TextChoices):
    """What pages say of a node's evidence; the number behind it stands in the breakdown."""

    NONE = "none"
    WEAK = "weak"
    MODERATE = "moderate"
    STRONG = "strong"


class Node(models.Model):
    """What all six have in common. `ref` ("SOL-3") is how people, commits and pages name a node."""

    prefix: ClassVar[str]
    word: ClassVar[str]

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="+")
    number = models.PositiveIntegerField()
    title = models.CharField(
        max_length=TITLE_LENGTH,
        validators=[storable_text],
        error_messages={"blank": "Say it in one sentence: the title is empty."},
    )
    description = text_field()
    owner = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(auto_now=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    close_reason = text_field()
    override = models.CharField(max_length=10, choices=Strength.choices, blank=True, default="")
    override_reason = text_field()

    class Meta:
        abstract = True
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["product", "number"], name="tree_%(class)s_number"),
            models.CheckConstraint(condition=~Q(title=""), name="tree_%(class)s_title"),
            models.CheckConstraint(
                condition=Q(closed_at=None, close_reason="") | (Q(closed_at__isnull=False) & ~Q(close_reason="")),
                name="tree_%(class)s_close_reason",
                violation_error_message="Say why it is closed.",
            ),
            models.CheckConstraint(
                condition=Q(override="", override_reason="")
                | (Q(override__in=Strength.values) & ~Q(override_reason="")),
                name="tree_%(class)s_override_reason",
                violation_error_message="Say why you see the evidence differently.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.ref} {self.title}"

    @property
    def ref(self) -> str:
        return f"{self.prefix}-{self.number}"

    @property
    def kind_word(self) -> str:
        return self.word

    @property
    def is_closed(self) -> bool:
        return self.closed_at is not None

    @property
    def standing(self) -> str:
        """Where it stands, in a word or two; empty where there is nothing to say."""
        return ""

    @property
    def parent_node(self) -> "Node | None":
        """The node this one stands under, whatever its kind."""
        raise TypeError(f"{type(self).__name__} does not say what it stands under.")


class OutcomeType(models.TextChoices):
    BUSINESS = "business_outcome", "business outcome"
    PRODUCT = "product_outcome", "product outcome"
    TRACTION = "traction_metric", "traction metric"


class Outcome(Node):
    """A metric with a baseline, a target and a day; the number itself is measured from events, never typed."""

    prefix = "OUT"
    word = "outcome"

    outcome_type = models.CharField(max_length=20, choices=OutcomeType.choices, default=OutcomeType.PRODUCT)
    metric_key = models.CharField(max_length=100, blank=True, default="", validators=[storable_text])
    baseline = models.FloatField(null=True, blank=True, validators=[finite])
    target = models.FloatField(null=True, blank=True, validators=[finite])
    due = models.DateField(null=True, blank=True)
    counter_metric_keys = models.JSONField(default=list, blank=True, validators=[key_list])
    parent = models.ForeignKey("self", on_delete=models.RESTRICT, null=True, blank=True, related_name="children")

    class Meta(Node.Meta):
        constraints = [
            *Node.Meta.constraints,
            one_of("outcome_type", OutcomeType),
            models.CheckConstraint(
                condition=Q(parent=None) | ~Q(parent=F("id")),
                name="tree_outcome_not_own_parent",
                violation_error_message="A node cannot stand under itself.",
            ),
        ]

    @property
    def kind_word(self) -> str:
        return OutcomeType(self.outcome_type).label

    @property
    def parent_node(self) -> Node | None:
        return self.parent


class OpportunityKind(models.TextChoices):
    NEED = "need", "need"
    PAIN_POINT = "pain_point", "pain point"
    DESIRE = "desire", "desire"


class Opportunity(Node):
    """A need, pain point or desire, as the person who has it would say it."""

    prefix = "OPP"
    word = "opportunity"

    kind = models.CharField(max_length=12, choices=OpportunityKind.choices, default=OpportunityKind.PAIN_POINT)
    outcome = models.ForeignKey(Outcome, on_delete=models.RESTRICT, null=True, blank=True, related_name="opportunities")
    parent = models.ForeignKey("self", on_delete=models.RESTRICT, null=True, blank=True, related_name="children")
    segment = models.CharField(max_length=200, blank=True, default="", validators=[storable_text])
    struggle_signal = models.JSONField(null=True, blank=True, default=None, validators=[versioned])
    in_focus = models.BooleanField(default=False)

    class Meta(Node.Meta):
        verbose_name_plural = "opportunities"
        constraints = [
            *Node.Meta.constraints,
            one_of("kind", OpportunityKind),
            models.CheckConstraint(
                condition=Q(parent=None) | Q(outcome=None),
                name="tree_opportunity_one_parent",
                violation_error_message="An opportunity stands under an outcome or under an opportunity, not both.",
            ),
            models.CheckConstraint(
                condition=Q(parent=None) | ~Q(parent=F("id")),
                name="tree_opportunity_not_own_parent",
                violation_error_message="A node cannot stand under itself.",
            ),
        ]

    @property
    def kind_word(self) -> str:
        return OpportunityKind(self.kind).label

    @property
    def standing(self) -> str:
        return "in focus" if self.in_focus else ""

    @property
    def parent_node(self) -> Node | None:
        return self.parent or self.outcome


class State(models.TextChoices):
    """What a solution is waiting for. There is no "done": `live` waits for its measurement."""

    IDEA = "idea", "idea"
    TESTING = "testing", "testing"
    BUILDING = "building", "building"
    LIVE = "live", "live"
    MEASURED = "measured", "measured"
    KEPT = "kept", "kept"
    ROLLED_BACK = "rolled_back", "rolled back"
    DROPPED = "dropped", "dropped"


# What may follow what. `dropped` is how a solution is closed; only before people have it, or after it was taken back.
MOVES: dict[State, frozenset[State]] = {
    State.IDEA: frozenset({State.TESTING, State.BUILDING, State.LIVE, State.DROPPED}),
    State.TESTING: frozenset({State.IDEA, State.BUILDING, State.LIVE, State.DROPPED}),
    State.BUILDING: frozenset({State.IDEA, State.TESTING, State.LIVE, State.DROPPED}),
    State.LIVE: frozenset({State.MEASURED, State.ROLLED_BACK}),
    State.MEASURED: frozenset({State.KEPT, State.ROLLED_BACK, State.BUILDING, State.LIVE}),
    State.KEPT: frozenset({State.BUILDING, State.ROLLED_BACK}),
    State.ROLLED_BACK: frozenset({State.BUILDING, State.DROPPED}),
    State.DROPPED: frozenset({State.IDEA}),
}
# States in which real people have it in their hands.
EXPOSED_STATES = frozenset({State.LIVE, State.MEASURED})
# States that wait for nothing.
SETTLED_STATES = frozenset({State.KEPT, State.ROLLED_BACK, State.DROPPED})


class Solution(Node):
    """One way to address one opportunity; also a removal. The hub of everything that is built for it."""

    prefix = "SOL"
    word = "solution"

    # Null while the question "which problem are we solving?" is still open.
    opportunity = models.ForeignKey(
        Opportunity, on_delete=models.RESTRICT, null=True, blank=True, related_name="solutions"
    )
    state = models.CharField(max_length=12, choices=State.choices, default=State.IDEA)
    is_removal = models.BooleanField(default=False)

    class Meta(Node.Meta):
        constraints = [
            *Node.Meta.constraints,
            one_of("state", State),
            models.CheckConstraint(
                condition=Q(state=State.DROPPED, closed_at__isnull=False)
                | (~Q(state=State.DROPPED) & Q(closed_at=None)),
                name="tree_solution_closed_is_dropped",
                violation_error_message="A solution is closed by dropping it, with a reason.",
            ),
        ]

    @property
    def kind_word(self) -> str:
        return "removal" if self.is_removal else self.word

    @property
    def standing(self) -> str:
        return State(self.state).label

    @property
    def parent_node(self) -> Node | None:
        return self.opportunity


class ForecastUnit(models.TextChoices):
    POINTS = "pp", "percentage points"
    PERCENT = "%", "percent of the value"
    OWN = "", "the metric's own unit"


LOCKED = "{ref} is locked: its prediction cannot change once people have seen the change. Say it in a note instead."


class Hypothesis(Node):
    """We believe *change* for *who* causes *behaviour*, shown by *metric* moving *low / likely / high* in *days*.

    The forecast is a difference in the metric's unit: its 10 % point, its most likely value, its 90 % point.
    From `locked_at` on nothing of it can change: `save` refuses whatever no longer fits `lock_hash`.
    """

    prefix = "HYP"
    word = "hypothesis"

    CONTENT = (
        "title",
        "description",
        "change",
        "who",
        "behaviour",
        "metric_key",
        "forecast_low",
        "forecast_likely",
        "forecast_high",
        "forecast_unit",
        "horizon_days",
        "guardrails",
    )

    solution = models.ForeignKey(Solution, on_delete=models.RESTRICT, related_name="hypotheses")
    change = text_field(blank=False)
    who = text_field()
    behaviour = text_field()
    metric_key = models.CharField(
        max_length=100,
        validators=[storable_text],
        error_messages={"blank": "Name the metric that will show it."},
    )
    forecast_low = models.FloatField(validators=[finite])
    forecast_likely = models.FloatField(validators=[finite])
    forecast_high = models.FloatField(validators=[finite])
    forecast_unit = models.CharField(
        max_length=2, choices=ForecastUnit.choices, blank=True, default=ForecastUnit.POINTS
    )
    horizon_days = models.PositiveIntegerField(default=28, validators=[MinValueValidator(1), MaxValueValidator(3650)])
    guardrails = models.JSONField(default=list, blank=True, validators=[guardrail_list])
    locked_at = models.DateTimeField(null=True, blank=True)
    lock_hash = models.CharField(max_length=64, blank=True, default="")
    opened_at = models.DateTimeField(null=True, blank=True)

    class Meta(Node.Meta):
        verbose_name_plural = "hypotheses"
        constraints = [
            *Node.Meta.constraints,
            one_of("forecast_unit", ForecastUnit),
            models.CheckConstraint(
                condition=Q(forecast_low__lt=F("forecast_likely"), forecast_likely__lt=F("forecast_high")),
                name="tree_hypothesis_forecast_order",
                violation_error_message="A forecast rises: low < most likely < high.",
            ),
            models.CheckConstraint(condition=~Q(metric_key=""), name="tree_hypothesis_metric"),
            models.CheckConstraint(condition=~Q(change=""), name="tree_hypothesis_change"),
            models.CheckConstraint(condition=Q(horizon_days__gte=1), name="tree_hypothesis_horizon"),
            models.CheckConstraint(
                condition=Q(locked_at=None, lock_hash="") | (Q(locked_at__isnull=False) & ~Q(lock_hash="")),
                name="tree_hypothesis_lock",
            ),
        ]

    def save(self, *args: Any, **kwargs: Any) -> None:
        # The last guard, below every door, import and undo.
        locked = Hypothesis.objects.filter(pk=self.pk).values_list("lock_hash", flat=True).first() if self.pk else ""
        if locked and (self.lock_hash != locked or self.content_hash() != locked):
            raise Conflict(LOCKED.format(ref=self.ref))
        super().save(*args, **kwargs)

    @property
    def is_locked(self) -> bool:
        return self.locked_at is not None

    @property
    def standing(self) -> str:
        return "locked" if self.is_locked else "open"

    @property
    def parent_node(self) -> Node | None:
        return self.solution

    def content_hash(self) -> str:
        """SHA-256 over what was predicted; the lock stores it, and anybody can compute it again."""
        content = {name: getattr(self, name) for name in self.CONTENT} | {"solution": self.solution.ref}
        text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


class AssumptionType(models.TextChoices):
    DESIRABILITY = "desirability"
    VIABILITY = "viability"
    FEASIBILITY = "feasibility"
    USABILITY = "usability"
    ETHICAL = "ethical"


class Assumption(Node):
    """A belief that must be true for the solution to work. Its status follows from its tests."""

    prefix = "ASM"
    word = "assumption"

    solution = models.ForeignKey(Solution, on_delete=models.RESTRICT, related_name="assumptions")
    assumption_type = models.CharField(
        max_length=12, choices=AssumptionType.choices, default=AssumptionType.DESIRABILITY
    )
    importance = models.PositiveSmallIntegerField(default=3, validators=[MinValueValidator(1), MaxValueValidator(5)])

    class Meta(Node.Meta):
        constraints = [
            *Node.Meta.constraints,
            one_of("assumption_type", AssumptionType),
            models.CheckConstraint(condition=Q(importance__range=(1, 5)), name="tree_assumption_importance"),
        ]

    @property
    def kind_word(self) -> str:
        return f"{self.assumption_type} assumption"

    @property
    def status(self) -> str:
        """What its concluded tests say together; "untested" until one of them says yes or no."""
        verdicts = {test.verdict for test in self.tests.all()} & {Verdict.VALIDATED, Verdict.INVALIDATED}
        if len(verdicts) == 2:
            return "mixed"
        if not verdicts:
            return "untested"
        return "supported" if verdicts == {Verdict.VALIDATED} else "refuted"

    @property
    def standing(self) -> str:
        return self.status

    @property
    def parent_node(self) -> Node | None:
        return self.solution


class Method(models.TextChoices):
    PROTOTYPE_TEST = "prototype_test", "prototype test"
    ONE_QUESTION_SURVEY = "one_question_survey", "one-question survey"
    DATA_MINING = "data_mining", "data mining"
    RESEARCH_SPIKE = "research_spike", "research spike"
    FAKE_DOOR = "fake_door", "fake door"
    CONCIERGE = "concierge", "concierge"
    WIZARD_OF_OZ = "wizard_of_oz", "Wizard of Oz"
    USABILITY_TEST = "usability_test", "usability test"
    EXPERIMENT = "experiment", "experiment"


class Progress(models.TextChoices):
    NOT_STARTED = "not_started", "not started"
    IN_PROGRESS = "in_progress", "in progress"
    DONE = "done", "done"


class Verdict(models.TextChoices):
    VALIDATED = "validated"
    INVALIDATED = "invalidated"
    INCONCLUSIVE = "inconclusive"


#: Days beyond which it is no small activity any more.
MOST_COST_DAYS = 100


class AssumptionTest(Node):
    """The smallest activity that makes one assumption more or less likely; its criterion is fixed before the start.

    `measure` says how it fills itself (`tree.measures`), `sessions` hold what became of each person who was watched or
    asked: when, passed or not, and a note.
    """

    prefix = "TST"
    word = "test"

    assumption = models.ForeignKey(Assumption, on_delete=models.RESTRICT, related_name="tests")
    method = models.CharField(max_length=20, choices=Method.choices, default=Method.PROTOTYPE_TEST)
    success_criterion = text_field()
    cost_days = models.FloatField(
        null=True, blank=True, validators=[finite, MinValueValidator(0.0), MaxValueValidator(MOST_COST_DAYS)]
    )
    measure = models.JSONField(null=True, blank=True, default=None, validators=[measure_definition])
    sessions = models.JSONField(default=list, blank=True, validators=[session_list])
    due = models.DateField(null=True, blank=True)
    status = models.CharField(max_length=12, choices=Progress.choices, default=Progress.NOT_STARTED)
    started_at = models.DateTimeField(null=True, blank=True)
    concluded_at = models.DateTimeField(null=True, blank=True)
    verdict = models.CharField(max_length=12, choices=Verdict.choices, blank=True, default="")
    result = text_field()

    class Meta(Node.Meta):
        constraints = [
            *Node.Meta.constraints,
            one_of("method", Method),
            one_of("status", Progress),
            models.CheckConstraint(
                condition=Q(status=Progress.NOT_STARTED) | ~Q(success_criterion=""),
                name="tree_assumptiontest_criterion",
                violation_error_message="Fix the success criterion before the test starts.",
            ),
            models.CheckConstraint(
                condition=(Q(status=Progress.DONE) & Q(verdict__in=Verdict.values))
                | (~Q(status=Progress.DONE) & Q(verdict="")),
                name="tree_assumptiontest_verdict",
                violation_error_message="A test that is done has a verdict; one that is not has none.",
            ),
        ]

    @property
    def kind_word(self) -> str:
        return Method(self.method).label

    @property
    def standing(self) -> str:
        return self.verdict or Progress(self.status).label

    @property
    def parent_node(self) -> Node | None:
        return self.assumption


KINDS: dict[str, type[Node]] = {
    model.prefix: model for model in (Outcome, Opportunity, Solution, Hypothesis, Assumption, AssumptionTest)
}


# What may stand under what, and in which column: PARENTS["OPP"]["OUT"] is Opportunity.outcome.
PARENTS: dict[str, dict[str, str]] = {
    "OUT": {"OUT": "parent"},
    "OPP": {"OUT": "outcome", "OPP": "parent"},
    "SOL": {"OPP": "opportunity"},
    "HYP": {"SOL": "solution"},
    "ASM": {"SOL": "solution"},
    "TST": {"ASM": "assumption"},
}
# What may stand alone: an opportunity nobody has placed yet, a solution whose problem is still an open question.
MAY_STAND_ALONE = frozenset({"OUT", "OPP", "SOL"})


def child_kinds(prefix: str) -> list[type[Node]]:
    """The kinds that may be added under a node of this kind."""
    return [KINDS[child] for child, parents in PARENTS.items() if prefix in parents]
