"""A round, the people watched in it, and what they stumbled over.

A session may say who was watched, by the id of their events or by the talk with them: what observers noted is forgotten with that person.
"""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from whytree.tree.models import Solution
from whytree.workspace.models import Product, User

from ..interviews.models import Interview
from ..models.sizes import NAME_LENGTH

TITLE = 140
SCRIPT = 20_000
SEVERITIES = {
    1: "Cosmetic: they hardly noticed",
    2: "Minor: it cost them a moment",
    3: "Major: it cost them much, or they went astray",
    4: "Stopped: they could not go on",
}
"""Nielsen's scale ("Severity Ratings for Usability Problems", 1994) without its zero: what is no problem is not written down."""


class Outcome(models.TextChoices):
    DID = "did", "Did it"
    HELPED = "helped", "With help"
    FAILED = "failed", "Did not"


class UsabilityRound(models.Model):
    """`tasks` are what each person is asked to do, one a line of the script's list; a task is called by its place, from 1."""

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="+")
    number = models.PositiveIntegerField()
    title = models.CharField(max_length=TITLE)
    tasks = models.JSONField(default=list)
    script = models.TextField(blank=True)
    solution = models.ForeignKey(Solution, null=True, on_delete=models.SET_NULL, related_name="+")
    planned_for = models.DateField(null=True)
    retest_of = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="retests")
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("-number",)
        constraints = (models.UniqueConstraint(fields=("product", "number"), name="voice_round_number"),)

    def __str__(self) -> str:
        return self.ref

    @property
    def ref(self) -> str:
        return f"USR-{self.number}"


class UsabilitySession(models.Model):
    """One person, watched. `outcomes`: a task's place -> how it went."""

    round = models.ForeignKey(UsabilityRound, on_delete=models.CASCADE, related_name="sessions")
    number = models.PositiveSmallIntegerField()
    interview = models.ForeignKey(Interview, null=True, on_delete=models.SET_NULL, related_name="+")
    person_key = models.CharField(max_length=NAME_LENGTH, blank=True, default="")
    held_at = models.DateTimeField(default=timezone.now)
    outcomes = models.JSONField(default=dict)

    class Meta:
        ordering = ("number",)
        constraints = (models.UniqueConstraint(fields=("round", "number"), name="voice_session_number"),)

    def __str__(self) -> str:
        return f"person {self.number}"


class UsabilityProblem(models.Model):
    """What somebody stumbled over. `solution` is the smallest fix, once the debrief chose one."""

    round = models.ForeignKey(UsabilityRound, on_delete=models.CASCADE, related_name="problems")
    number = models.PositiveSmallIntegerField()
    title = models.CharField(max_length=TITLE)
    severity = models.PositiveSmallIntegerField()
    task = models.PositiveSmallIntegerField(null=True)
    solution = models.ForeignKey(Solution, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        ordering = ("number",)
        constraints = (
            models.UniqueConstraint(fields=("round", "number"), name="voice_problem_number"),
            models.CheckConstraint(condition=Q(severity__gte=1, severity__lte=4), name="voice_problem_severity"),
        )

    def __str__(self) -> str:
        return self.title


class ProblemSighting(models.Model):
    """Somebody of the team saw it happen to this person."""

    problem = models.ForeignKey(UsabilityProblem, on_delete=models.CASCADE, related_name="sightings")
    session = models.ForeignKey(UsabilitySession, on_delete=models.CASCADE, related_name="sightings")
    observer = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    note = models.CharField(max_length=2_000, blank=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("problem", "session", "observer"), name="voice_sighting_once"),)

    def __str__(self) -> str:
        return f"{self.problem_id} in {self.session_id}"
