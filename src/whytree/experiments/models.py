"""What is stored of an experiment: its plan, when it ran, and how it was decided."""

import hashlib
import json
from datetime import datetime
from typing import Any, NamedTuple

from django.db import models
from django.db.models import Q

from whytree.errors import Conflict
from whytree.flags.models import KEY_LENGTH, Flag
from whytree.tree.models import TITLE_LENGTH, Hypothesis
from whytree.workspace.models import Product, User

from .judgement.design import Design, design_from

PREFIX = "EXP"
TEXT_LENGTH = 5_000


class Times(NamedTuple):
    """Of a started experiment: `read_at` is when it ends by its plan, or was stopped before."""

    started_at: datetime
    ends_at: datetime
    read_at: datetime


FIXED = "{ref} has started: its plan and decision rule are fixed. Stop it and design another one, or note what you would have done."


class Decision(models.TextChoices):
    SHIP = "ship", "ship it"
    STAY = "stay", "stay with control"
    ITERATE = "iterate", "change it and try again"


class Experiment(models.Model):
    """A test with random assignment on live users: a flag, its arms, metrics, guardrails, and a plan.

    From `started_at` on nothing of the plan can change: `save` refuses whatever no longer fits `plan_hash`. `result` is
    the reading as it stood when a person decided, `despite` their reason where checks spoke against deciding.
    """

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="+")
    number = models.PositiveIntegerField()
    title = models.CharField(max_length=TITLE_LENGTH)
    flag = models.ForeignKey(Flag, on_delete=models.RESTRICT, related_name="experiments")
    hypothesis = models.ForeignKey(
        Hypothesis, on_delete=models.RESTRICT, null=True, blank=True, related_name="experiments"
    )
    plan = models.JSONField()
    plan_hash = models.CharField(max_length=64, blank=True, default="")
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    ends_at = models.DateTimeField(null=True, blank=True)
    stopped_at = models.DateTimeField(null=True, blank=True)
    stop_reason = models.TextField(blank=True, default="")
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    decision = models.CharField(max_length=7, choices=Decision.choices, blank=True, default="")
    shipped = models.CharField(max_length=KEY_LENGTH, blank=True, default="")
    learning = models.TextField(blank=True, default="")
    despite = models.TextField(blank=True, default="")
    result = models.JSONField(null=True, blank=True)

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["product", "number"], name="experiments_number"),
            models.UniqueConstraint(
                fields=["flag"],
                condition=Q(started_at__isnull=False, decided_at=None, stopped_at=None),
                name="experiments_one_running_each_flag",
            ),
            models.CheckConstraint(
                condition=Q(started_at=None, ends_at=None, plan_hash="")
                | (Q(started_at__isnull=False, ends_at__isnull=False) & ~Q(plan_hash="")),
                name="experiments_start_fixes_the_plan",
            ),
            models.CheckConstraint(
                condition=Q(stopped_at=None, stop_reason="") | (Q(started_at__isnull=False) & ~Q(stop_reason="")),
                name="experiments_stopped_with_a_reason",
            ),
            models.CheckConstraint(
                condition=Q(decided_at=None, decision="", learning="")
                | (
                    Q(decided_at__isnull=False, started_at__isnull=False, decision__in=Decision.values)
                    & ~Q(learning="")
                ),
                name="experiments_decided_whole_or_not",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.ref} {self.title}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        # The last guard, below every door, import and undo.
        fixed = Experiment.objects.filter(pk=self.pk).values_list("plan_hash", flat=True).first() if self.pk else ""
        if fixed and (self.plan_hash != fixed or self.content_hash() != fixed):
            raise Conflict(FIXED.format(ref=self.ref))
        super().save(*args, **kwargs)

    @property
    def ref(self) -> str:
        return f"{PREFIX}-{self.number}"

    @property
    def url(self) -> str:
        return f"/p/{self.product.slug}/experiments/{self.ref}"

    @property
    def design(self) -> Design:
        return design_from(self.plan)

    @property
    def is_started(self) -> bool:
        return self.started_at is not None

    @property
    def is_decided(self) -> bool:
        return self.decided_at is not None

    @property
    def read_at(self) -> datetime | None:
        """The day on which it is read: when it was planned to end, or was stopped."""
        moments = [moment for moment in (self.ends_at, self.stopped_at) if moment is not None]
        return min(moments) if moments else None

    @property
    def times(self) -> Times:
        """Only a started one has them, all of them: the database holds it."""
        if self.started_at is None or self.ends_at is None or self.read_at is None:
            raise RuntimeError(f"{self.ref} has not started")
        return Times(self.started_at, self.ends_at, self.read_at)

    def content_hash(self) -> str:
        """SHA-256 over what was planned; the start stores it, and anybody can compute it again."""
        content = {"plan": self.plan, "flag": self.flag_id, "hypothesis": self.hypothesis_id}
        text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


class RolloutState(models.TextChoices):
    RUNNING = "running", "running"
    HALTED = "halted", "halted"
    ROLLED_BACK = "rolled_back", "rolled back"
    DONE = "done", "done"
    ENDED = "ended", "ended by hand"


class AfterHarm(models.TextChoices):
    ROLL_BACK = "roll_back", "roll back"
    MEND = "mend", "mend it first"
    GO_ON = "go_on", "go on all the same"


#: In which a rollout holds its flag.
OPEN_STATES = (RolloutState.RUNNING, RolloutState.HALTED)


class Rollout(models.Model):
    """A change brought to more and more people, step by step, while guardrails are watched.

    `steps` hold each step's share of people in basis points, the days and the people it must have at least; `guardrails`
    the metrics that must not get worse, with margins in people's units. `says` is why it stands where it stands.
    `decision` is null until a guardrail is harmed, then a draft, and from `decided_at` on what a person decided.
    """

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="+")
    flag = models.ForeignKey(Flag, on_delete=models.RESTRICT, related_name="rollouts")
    variant = models.CharField(max_length=KEY_LENGTH)
    steps = models.JSONField()
    guardrails = models.JSONField()
    roll_back = models.BooleanField(default=False)
    state = models.CharField(max_length=11, choices=RolloutState.choices, default=RolloutState.RUNNING)
    step = models.PositiveSmallIntegerField(default=0)
    started_at = models.DateTimeField()
    step_since = models.DateTimeField()
    looked_at = models.DateTimeField(null=True, blank=True)
    says = models.TextField(blank=True, default="")
    owner = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    decision = models.TextField(null=True, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-started_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["flag"], condition=Q(state__in=["running", "halted"]), name="experiments_one_rollout_each_flag"
            ),
            models.CheckConstraint(condition=Q(state__in=RolloutState.values), name="experiments_rollout_state_known"),
        ]

    def __str__(self) -> str:
        return f"rollout of {self.flag.key}"

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_STATES

    @property
    def wants_decision(self) -> bool:
        return self.decision is not None and self.decided_at is None

    @property
    def now(self) -> dict[str, int]:
        """The step it stands at."""
        current: dict[str, int] = self.steps[self.step]
        return current

    @property
    def next(self) -> dict[str, int] | None:
        return self.steps[self.step + 1] if self.step + 1 < len(self.steps) else None


class Bandit(models.Model):
    """A flag whose weights follow, day by day, what each arm has earned: for what needs no inference.

    `weights` are those it set last: others mean that a person took over. `says` is what its last look came to.
    """

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="+")
    flag = models.ForeignKey(Flag, on_delete=models.RESTRICT, related_name="bandits")
    metric_key = models.CharField(max_length=KEY_LENGTH)
    weights = models.JSONField()
    started_at = models.DateTimeField()
    looked_at = models.DateTimeField(null=True, blank=True)
    says = models.TextField(blank=True, default="")
    ended_at = models.DateTimeField(null=True, blank=True)
    end_reason = models.TextField(blank=True, default="")

    class Meta:
        ordering = ["-started_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["flag"], condition=Q(ended_at=None), name="experiments_one_bandit_each_flag"
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None, end_reason="") | (Q(ended_at__isnull=False) & ~Q(end_reason="")),
                name="experiments_bandit_ended_with_a_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"bandit of {self.flag.key}"
