"""What is stored of a flag: its rules now, and every state its rollout was ever in."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from django.db import models
from django.db.models import Q
from django.utils import timezone

from whytree.engines.flags import BUCKETING, FULL_COVERAGE, Prerequisite, Rules, Slots, Switching, Unit, percent
from whytree.tree.models import Hypothesis, Solution
from whytree.workspace.entry.environments import PRODUCTION
from whytree.workspace.models import Environment, Product, User

# A key travels in a path that clients do not escape well, so it must not need escaping.
KEY_PATTERN = r"^[A-Za-z0-9_][A-Za-z0-9._:-]*$"
KEY_LENGTH = 100


class Kind(models.TextChoices):
    BOOLEAN = "boolean", "boolean: on or off"
    STRING = "string", "string: a word or a text"
    NUMBER = "number", "number: whole, or with decimals"
    JSON = "json", "json: an object or a list"


class BucketBy(models.TextChoices):
    PERSON = "person", "person: each gets their own"
    COMPANY = "company", "company: all of one company get the same"


class Bucketing(models.TextChoices):
    """How a value becomes a bucket (`engines.flags.rules.bucketing`)."""

    FLAGD_3 = "3", "flagd, version 3"
    FLAGD_2 = "2", "flagd, version 2"
    POSTHOG = "posthog", "PostHog"
    GROWTHBOOK_2 = "growthbook-2", "GrowthBook, version 2"
    GROWTHBOOK_1 = "growthbook-1", "GrowthBook, version 1"


class FlagCondition(models.Model):
    """A condition with a name, for rules to refer to as `{"$ref": name}`: flagd's `$evaluators`, others' segments."""

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=KEY_LENGTH)
    name = models.CharField(max_length=200, blank=True, default="")
    logic = models.JSONField()
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["key"]
        constraints = [models.UniqueConstraint(fields=["product", "key"], name="flags_one_condition_each")]

    def __str__(self) -> str:
        return self.key


class ExclusionGroup(models.Model):
    """Flags that share no person: each has places of its own among the 10,000 into which the group hashes everybody."""

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=KEY_LENGTH)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["key"]
        constraints = [models.UniqueConstraint(fields=["product", "key"], name="flags_one_group_each")]

    def __str__(self) -> str:
        return self.key


class Holdout(models.Model):
    """People who meet no change of any flag that heeds it, so that all changes together can be measured."""

    product = models.OneToOneField(Product, primary_key=True, on_delete=models.CASCADE, related_name="+")
    share = models.PositiveIntegerField(default=0, help_text="In basis points; 0 is no holdout.")
    salt = models.CharField(max_length=KEY_LENGTH, default="holdout")
    since = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(share__lte=FULL_COVERAGE // 2), name="flags_holdout_at_most_half")
        ]

    def __str__(self) -> str:
        return f"holdout of {percent(self.share)}"


class Flag(models.Model):
    """A switch in the code, moved from here.

    `variants` maps names to values of one type, `weights` names to their share of the rollout, `coverage` is the
    rollout's part of all people in basis points. A flag belongs to the solution it brings and the hypothesis it tests;
    without a hypothesis pages call it unjustified, since nothing can be learned from it.
    """

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=KEY_LENGTH)
    name = models.CharField(max_length=200, blank=True, default="")
    kind = models.CharField(max_length=8, choices=Kind.choices, default=Kind.BOOLEAN)
    variants = models.JSONField()
    default_variant = models.CharField(max_length=KEY_LENGTH, help_text="For people outside the rollout.")
    off_variant = models.CharField(max_length=KEY_LENGTH, help_text="For everybody while the flag is off.")
    weights = models.JSONField()
    coverage = models.PositiveIntegerField(default=0)
    is_on = models.BooleanField(default=False)
    salt = models.CharField(max_length=KEY_LENGTH, blank=True, default="", help_text="Hashed in place of the key.")
    bucketing = models.CharField(max_length=12, choices=Bucketing.choices, default=BUCKETING)
    arm_order = models.JSONField(default=list, blank=True, help_text="Of the weights when hashing; empty: by name.")
    targeting = models.JSONField(
        null=True, blank=True, help_text="JsonLogic in flagd's format; null: nobody is singled out."
    )
    overrides = models.JSONField(default=dict, blank=True, help_text="A person's id to the variant they get.")
    prerequisites = models.JSONField(default=list, blank=True, help_text="[{flag, variants}] that must be given.")
    on_from = models.DateTimeField(null=True, blank=True)
    on_until = models.DateTimeField(null=True, blank=True)
    unit = models.CharField(max_length=8, choices=BucketBy.choices, default=BucketBy.PERSON)
    is_sticky = models.BooleanField(default=False, help_text="Who has a variant keeps it, whatever the weights become.")
    group = models.ForeignKey(ExclusionGroup, null=True, blank=True, on_delete=models.RESTRICT, related_name="flags")
    group_start = models.PositiveIntegerField(default=0)
    group_end = models.PositiveIntegerField(default=FULL_COVERAGE)
    heeds_holdout = models.BooleanField(default=True)
    switching = models.JSONField(
        null=True,
        blank=True,
        help_text="All get the arm of the period (engines.flags.switching); null: each their own.",
    )
    metadata = models.JSONField(
        default=dict, blank=True, help_text="Texts, numbers and booleans sent along with answers."
    )
    solution = models.ForeignKey(Solution, null=True, blank=True, on_delete=models.RESTRICT, related_name="flags")
    hypothesis = models.ForeignKey(Hypothesis, null=True, blank=True, on_delete=models.RESTRICT, related_name="flags")
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(auto_now=True)
    archived_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["key"]
        constraints = [
            models.UniqueConstraint(fields=["product", "key"], name="flags_one_key_each"),
            models.CheckConstraint(condition=Q(key__regex=KEY_PATTERN), name="flags_key_needs_no_escaping"),
            models.CheckConstraint(condition=Q(kind__in=Kind.values), name="flags_kind_known"),
            models.CheckConstraint(condition=Q(coverage__lte=FULL_COVERAGE), name="flags_coverage_at_most_all"),
            models.CheckConstraint(condition=Q(bucketing__in=Bucketing.values), name="flags_bucketing_known"),
            models.CheckConstraint(condition=Q(unit__in=BucketBy.values), name="flags_unit_known"),
            models.CheckConstraint(
                condition=Q(group_end__lte=FULL_COVERAGE, group_start__lt=models.F("group_end")),
                name="flags_group_places_known",
            ),
            models.CheckConstraint(
                condition=Q(on_from=None) | Q(on_until=None) | Q(on_from__lt=models.F("on_until")),
                name="flags_schedule_has_a_length",
            ),
            models.CheckConstraint(condition=Q(archived_at=None) | Q(is_on=False), name="flags_archived_is_off"),
        ]

    # Where it is looked at; None: production. Elsewhere the fields in `PLACED` are those of that environment (`placing`).
    environment: Environment | None = None
    state_there: "FlagState | None" = None

    def __str__(self) -> str:
        return self.key

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.environment is not None:
            raise RuntimeError(f"{self.key} as it is in {self.environment} must not become what it is in production")
        super().save(*args, **kwargs)

    @property
    def place(self) -> str:
        return self.environment.key if self.environment else PRODUCTION

    @property
    def follows_production(self) -> bool:
        """Nobody changed it here, so it answers as in production."""
        return self.environment is not None and self.state_there is None

    @property
    def rules(self) -> Rules:
        """What the flag itself says. Conditions it refers to and the holdout are the product's: see `live.rules_of`."""
        return Rules(
            key=self.key,
            variants=self.variants,
            default_variant=self.default_variant,
            off_variant=self.off_variant,
            weights=self.weights,
            coverage=self.coverage,
            is_on=self.is_on,
            salt=self.salt,
            bucketing=self.bucketing,
            arm_order=tuple(self.arm_order),
            targeting=self.targeting,
            overrides=self.overrides,
            prerequisites=tuple(Prerequisite(one["flag"], tuple(one["variants"])) for one in self.prerequisites),
            on_from=_seconds(self.on_from),
            on_until=_seconds(self.on_until),
            unit=_UNITS[self.unit],
            is_sticky=self.is_sticky,
            group=self.slots,
            switching=self.switches,
        )

    @property
    def switches(self) -> Switching | None:
        """How periods are drawn in place of people, where they are."""
        return None if self.switching is None else msgspec.convert(self.switching, Switching)

    @property
    def slots(self) -> Slots | None:
        """Its places in its exclusion group."""
        return Slots(self.group.key, self.group.key, self.group_start, self.group_end) if self.group else None

    @property
    def has_more_rules(self) -> bool:
        """Something beside switch, coverage and weights decides."""
        return bool(
            self.targeting is not None
            or self.overrides
            or self.prerequisites
            or self.on_from
            or self.on_until
            or self.group_id
            or self.switching
        )

    @property
    def is_open(self) -> bool:
        """Somebody can be in the rollout now."""
        return self.rules.is_open

    @property
    def is_justified(self) -> bool:
        return self.hypothesis_id is not None

    @property
    def state(self) -> str:
        """Where it stands, in two or three words: "on 25 %"."""
        if self.archived_at is not None:
            return "archived"
        if self.is_on and self.coverage == 0 and self.targeting is not None:
            return "on by its rule"
        return f"on {percent(self.coverage)}" if self.is_on else "off"

    @property
    def standing(self) -> str:
        """The state, and how people are split while more than one arm gets some: "on 25 %, 50:50"."""
        shares = sorted((weight for weight in self.weights.values() if weight > 0), reverse=True)
        if not self.is_open or len(shares) < 2:
            return self.state
        return f"{self.state}, " + ":".join(f"{100 * weight / sum(shares):.0f}" for weight in shares)

    @property
    def coverage_percent(self) -> str:
        """2500 -> "25", as a form field and a bar's width need it."""
        return f"{self.coverage / 100:g}"

    @property
    def arms(self) -> list["Arm"]:
        """Every variant, largest share first."""
        total = sum(self.weights.values())
        arms = [Arm(name, value, self.weights.get(name, 0), total) for name, value in self.variants.items()]
        return sorted(arms, key=lambda arm: (-arm.weight, arm.name))


_UNITS: dict[str, Unit] = {"person": "person", "company": "company"}


def _seconds(at: datetime | None) -> float | None:
    return None if at is None else at.timestamp()


@dataclass(frozen=True)
class Arm:
    """A variant as pages show it."""

    name: str
    value: Any
    weight: int
    total: int

    @property
    def percent(self) -> str:
        return f"{100 * self.weight / self.total:.3g}"

    @property
    def json(self) -> str:
        return json.dumps(self.value, ensure_ascii=False)


#: What differs from environment to environment: who gets what now. What a flag is, and how it hashes, is the same everywhere.
PLACED = ("is_on", "coverage", "weights", "targeting", "overrides", "prerequisites", "on_from", "on_until")


class FlagState(models.Model):
    """What a flag answers in an environment beside production, from the first change there; until then as in production."""

    flag = models.ForeignKey(Flag, on_delete=models.CASCADE, related_name="elsewhere")
    environment = models.ForeignKey(Environment, on_delete=models.CASCADE, related_name="+")
    is_on = models.BooleanField()
    coverage = models.PositiveIntegerField()
    weights = models.JSONField()
    targeting = models.JSONField(null=True, blank=True)
    overrides = models.JSONField(default=dict, blank=True)
    prerequisites = models.JSONField(default=list, blank=True)
    on_from = models.DateTimeField(null=True, blank=True)
    on_until = models.DateTimeField(null=True, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["flag", "environment"], name="flags_one_state_each"),
            models.CheckConstraint(condition=Q(coverage__lte=FULL_COVERAGE), name="flags_state_coverage_at_most_all"),
        ]

    def __str__(self) -> str:
        return f"{self.flag.key} in {self.environment.key}"


class FlagSettings(models.Model):
    """What a team agreed on about the flags of a product."""

    product = models.OneToOneField(Product, primary_key=True, on_delete=models.CASCADE, related_name="+")
    needs_approval = models.BooleanField(default=False, help_text="Of another maintainer, for changes in production.")

    def __str__(self) -> str:
        return f"flags of {self.product}"


class ChangeRequest(models.Model):
    """A change of a flag in production that waits for another maintainer. `before` and `after` hold the fields that differ."""

    class State(models.TextChoices):
        OPEN = "open", "waits for another maintainer"
        APPROVED = "approved", "approved"
        DECLINED = "declined", "declined"
        WITHDRAWN = "withdrawn", "withdrawn"
        EXPIRED = "expired", "expired: the flag was changed meanwhile"

    flag = models.ForeignKey(Flag, on_delete=models.CASCADE, related_name="requests")
    verb = models.CharField(max_length=60)
    before = models.JSONField()
    after = models.JSONField()
    words = models.CharField(max_length=1_000, blank=True, default="")
    asked_by = models.CharField(max_length=160, help_text="The name at that time.")
    user = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    key_id = models.BigIntegerField(null=True, blank=True, help_text="The server key that asked, where no person did.")
    asked_at = models.DateTimeField(default=timezone.now)
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    decided_by = models.CharField(max_length=160, blank=True, default="")
    decided_at = models.DateTimeField(null=True, blank=True)
    answer = models.CharField(max_length=1_000, blank=True, default="")

    class Meta:
        ordering = ["-asked_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["open", "approved", "declined", "withdrawn", "expired"]),
                name="flags_request_state_known",
            ),
        ]

    def __str__(self) -> str:
        return self.flag.key


class FlagChange(models.Model):
    """The rollout from this moment to the next change. Written once and never again: results are stratified by these."""

    flag = models.ForeignKey(Flag, on_delete=models.CASCADE, related_name="changes")
    at = models.DateTimeField(default=timezone.now)
    coverage = models.PositiveIntegerField()
    weights = models.JSONField()
    is_on = models.BooleanField()
    on_from = models.DateTimeField(null=True, blank=True)
    on_until = models.DateTimeField(null=True, blank=True)
    targets = models.BooleanField(default=False, help_text="A targeting rule could give somebody a variant.")
    rules = models.CharField(max_length=16, blank=True, default="", help_text="Digest of all else that decides.")
    by = models.CharField(max_length=160, help_text="The name at that time.")
    user = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        ordering = ["at", "pk"]
        indexes = [models.Index(fields=["flag", "at"], name="flags_change_at")]
        constraints = [
            models.CheckConstraint(condition=Q(coverage__lte=FULL_COVERAGE), name="flags_change_coverage_at_most_all"),
        ]

    def __str__(self) -> str:
        return f"{self.flag_id} {'on' if self.is_on else 'off'} {percent(self.coverage)} from {self.at:%Y-%m-%d %H:%M}"


class FlagSetVersion(models.Model):
    """A token that changes with any flag of the product: how other processes notice that theirs are old."""

    product = models.OneToOneField(Product, primary_key=True, on_delete=models.CASCADE, related_name="+")
    token = models.CharField(max_length=32)

    def __str__(self) -> str:
        return self.token


class KeptVariant(models.Model):
    """The variant that a sticky flag gave somebody first. `unit` is a person's or a company's id."""

    flag = models.ForeignKey(Flag, on_delete=models.CASCADE, related_name="kept")
    unit = models.CharField(max_length=400)
    variant = models.CharField(max_length=KEY_LENGTH)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["flag", "unit"], name="flags_one_kept_variant_each")]

    def __str__(self) -> str:
        return f"{self.unit} keeps {self.variant}"
