"""What hangs on any node: evidence, notes, tickets."""

import re
from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils import timezone

from whytree.code.models import Ticket
from whytree.workspace.models import Product, User

from .columns import one_of, storable_text, text_field
from .nodes import KINDS, Node


class Attached(models.Model):
    """Hangs on a node of any kind."""

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="+")
    node_kind = models.CharField(max_length=3)
    node_id = models.PositiveBigIntegerField()

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(condition=Q(node_kind__in=sorted(KINDS)), name="tree_%(class)s_node_kind"),
        ]

    def node(self) -> Node:
        return KINDS[self.node_kind]._default_manager.get(pk=self.node_id)


class Stance(models.TextChoices):
    SUPPORTS = "supports"
    CONTRADICTS = "contradicts"
    CONTEXT = "context"


class EvidenceType(models.TextChoices):
    """Gilad's ladder, from what we tell ourselves to what people did after launch."""

    SELF_CONVICTION = "self_conviction", "our own conviction"
    PITCH_DECK = "pitch_deck", "a pitch"
    THEMATIC_SUPPORT = "thematic_support", "fits a theme"
    OTHERS_OPINION = "others_opinion", "opinion of others"
    ESTIMATES_AND_PLANS = "estimates_and_plans", "estimates and plans"
    ANECDOTAL = "anecdotal", "anecdote"
    MARKET_DATA = "market_data", "market data"
    USER_EVIDENCE = "user_evidence", "user evidence"
    TEST_RESULTS = "test_results", "test results"
    LAUNCH_DATA = "launch_data", "launch data"


class SourceKind(models.TextChoices):
    FEEDBACK = "feedback"
    INTERVIEW = "interview"
    EXPERIMENT = "experiment"
    URL = "url"
    NOTE = "note"
    REVIEW = "review"
    QUESTION = "question"


class Provenance(models.TextChoices):
    STATED = "stated"
    INFERRED = "inferred"


class Importance(models.IntegerChoices):
    """Productboard's scale; the default is the second."""

    NOT_IMPORTANT = 0, "not important"
    NICE_TO_HAVE = 1, "nice to have"
    IMPORTANT = 2, "important"
    CRITICAL = 3, "critical"


# Stands in place of who said it once a person is erased, with a random number behind it.
ERASED = "erased:"


def data_set(source_kind: str, source_id: str) -> str:
    """The source as one body of data: two problems of one round (`USR-1#problem-2`) were shown by the same people."""
    return f"{source_kind}:{source_id.partition('#')[0] if source_kind == SourceKind.NOTE else source_id}"


class EvidenceLink(Attached):
    """Evidence on a node. `quote` holds a person's own words, `statement` ours. `rule` says how an inferred link was found.

    One source speaks once on a node: linking it again replaces what it said (the latest wins).
    """

    who = ""  # what the person is called, where a page looked it up; never stored

    stance = models.CharField(max_length=12, choices=Stance.choices, default=Stance.SUPPORTS)
    evidence_type = models.CharField(max_length=20, choices=EvidenceType.choices)
    source_kind = models.CharField(max_length=12, choices=SourceKind.choices)
    source_id = models.CharField(max_length=1000, blank=True, default="", validators=[storable_text])
    person_key = models.CharField(max_length=512, blank=True, default="", validators=[storable_text])
    quote = text_field()
    statement = text_field()
    said_at = models.DateTimeField(null=True, blank=True)
    importance = models.PositiveSmallIntegerField(choices=Importance.choices, default=Importance.NICE_TO_HAVE)
    provenance = models.CharField(max_length=8, choices=Provenance.choices, default=Provenance.STATED)
    rule = models.CharField(max_length=200, blank=True, default="", validators=[storable_text])
    added_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta(Attached.Meta):
        ordering = ["-importance", "-said_at", "-id"]
        indexes = [
            models.Index(fields=["product", "node_kind", "node_id"], name="tree_evidence_node"),
            models.Index(fields=["product", "person_key"], name="tree_evidence_person"),
            models.Index(fields=["source_kind", "source_id"], name="tree_evidence_source"),
        ]
        constraints = [
            *Attached.Meta.constraints,
            one_of("stance", Stance),
            one_of("evidence_type", EvidenceType),
            one_of("source_kind", SourceKind),
            one_of("provenance", Provenance),
            models.CheckConstraint(condition=Q(importance__range=(0, 3)), name="tree_evidencelink_importance"),
            models.CheckConstraint(
                condition=Q(provenance=Provenance.STATED) | ~Q(rule=""),
                name="tree_evidencelink_rule",
                violation_error_message="An inferred link says by which rule.",
            ),
            models.UniqueConstraint(
                fields=["product", "node_kind", "node_id", "source_kind", "source_id"],
                condition=~Q(source_id=""),
                name="tree_evidencelink_once",
            ),
        ]

    def __str__(self) -> str:
        return self.quote or self.statement

    @property
    def said_or_added_at(self) -> datetime:
        return self.said_at or self.created_at

    @property
    def is_erased(self) -> bool:
        """What the person said was forgotten; that somebody said something of this weight stays."""
        return self.person_key.startswith(ERASED)

    @property
    def source_url(self) -> str:
        """Where a stranger can look it up; empty unless it is an address that a browser may safely open."""
        is_web = self.source_kind == SourceKind.URL and self.source_id.startswith(("https://", "http://"))
        return self.source_id if is_web else ""

    @property
    def has_page(self) -> bool:
        """Whether its source is one of ours with a page at its own ref: a voice, a talk, a frozen answer, a part of a round."""
        return self.source_kind in _WITH_PAGES and bool(_REF.fullmatch(self.source_id))


_WITH_PAGES = frozenset({SourceKind.FEEDBACK, SourceKind.INTERVIEW, SourceKind.QUESTION, SourceKind.NOTE})
_REF = re.compile(r"[A-Z]{2,4}-[1-9]\d{0,8}(?:#[a-z]{1,20}-[1-9]\d{0,8})?")


class NoteKind(models.TextChoices):
    COMMENT = "comment"
    QUESTION = "question"
    CHALLENGE = "challenge"
    CONSTRAINT = "constraint"
    DECISION = "decision"


# Kinds that wait for an answer, and are shown until they have one.
ASKING = frozenset({NoteKind.QUESTION, NoteKind.CHALLENGE})


class Note(Attached):
    """What somebody has to say about a node. Questions and challenges want an answer; a constraint names cost and alternative."""

    kind = models.CharField(max_length=10, choices=NoteKind.choices, default=NoteKind.COMMENT)
    text = text_field(blank=False)
    cost = text_field()
    alternative = text_field()
    author = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    author_name = models.CharField(max_length=200, blank=True, default="")
    created_at = models.DateTimeField(default=timezone.now)
    answer = text_field()
    answered_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    answered_at = models.DateTimeField(null=True, blank=True)

    class Meta(Attached.Meta):
        ordering = ["created_at", "id"]
        indexes = [models.Index(fields=["product", "node_kind", "node_id"], name="tree_note_node")]
        constraints = [
            *Attached.Meta.constraints,
            one_of("kind", NoteKind),
            models.CheckConstraint(condition=~Q(text=""), name="tree_note_text"),
            models.CheckConstraint(
                condition=Q(answered_at=None, answer="") | (Q(answered_at__isnull=False) & ~Q(answer="")),
                name="tree_note_answer",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind}: {self.text}"

    @property
    def wants_answer(self) -> bool:
        return self.kind in ASKING and self.answered_at is None


class TicketLink(Attached):
    """A ticket of the team's own tracker that belongs to a node."""

    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="node_links")
    provenance = models.CharField(max_length=8, choices=Provenance.choices, default=Provenance.STATED)
    rule = models.CharField(max_length=200, blank=True, default="")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta(Attached.Meta):
        constraints = [
            *Attached.Meta.constraints,
            models.UniqueConstraint(fields=["ticket", "node_kind", "node_id"], name="tree_ticketlink_once"),
            one_of("provenance", Provenance),
            models.CheckConstraint(
                condition=Q(provenance=Provenance.STATED) | ~Q(rule=""), name="tree_ticketlink_rule"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.ticket} on {self.node_kind} {self.node_id}"
