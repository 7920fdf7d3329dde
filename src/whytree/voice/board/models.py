"""What stands on a product's board. Every word on it is a feedback item; here is only where it stands."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from whytree.voice.models.items import FeedbackItem
from whytree.voice.models.notes import Remark
from whytree.workspace.models import Product

INTRO = 2_000


class Board(models.Model):
    """How a product's board is run. `webhook` hears what is new on it, signed with `secret`."""

    product = models.OneToOneField(Product, primary_key=True, on_delete=models.CASCADE, related_name="+")
    is_open = models.BooleanField(default=False)
    intro = models.CharField(max_length=INTRO, blank=True)
    indexable = models.BooleanField(default=False, help_text="Search engines may list it.")
    webhook = models.CharField(max_length=2000, blank=True)
    secret = models.CharField(max_length=100, blank=True)

    def __str__(self) -> str:
        return f"board of {self.product}"

    @classmethod
    def of(cls, product: Product) -> "Board":
        """As stored; a product that never said anything has a closed one, which is not stored."""
        return cls._default_manager.filter(product=product).first() or cls(product=product)


class EntryKind(models.TextChoices):
    POST = "post", "Post"
    COMMENT = "comment", "Comment"
    VOTE = "vote", "Vote"


class EntryState(models.TextChoices):
    WAITING = "waiting", "Waits for a reader"
    PUBLIC = "public", "On the board"
    REFUSED = "refused", "Not on the board"


class Progress(models.TextChoices):
    """What the team says of a post; closed, so that everybody means the same by it."""

    OPEN = "open", "Under consideration"
    PLANNED = "planned", "Planned"
    BUILDING = "building", "In the works"
    DONE = "done", "Done"
    DECLINED = "declined", "Not planned"


class Entry(models.Model):
    """A feedback item's place on the board. A comment and a vote belong to a `post`; a vote's item is one person's voice.

    Nothing a stranger wrote is PUBLIC before somebody of the team read it. `muted`: they want no mail about this post.
    """

    item = models.OneToOneField(FeedbackItem, primary_key=True, on_delete=models.CASCADE, related_name="board_entry")
    post = models.ForeignKey("self", null=True, on_delete=models.CASCADE, related_name="below")
    kind = models.CharField(max_length=7, choices=EntryKind.choices)
    state = models.CharField(max_length=7, choices=EntryState.choices, default=EntryState.WAITING)
    progress = models.CharField(max_length=8, choices=Progress.choices, default=Progress.OPEN)
    muted = models.BooleanField(default=False)

    class Meta:
        constraints = (
            models.CheckConstraint(condition=Q(kind__in=EntryKind.values), name="voice_entry_kind"),
            models.CheckConstraint(condition=Q(state__in=EntryState.values), name="voice_entry_state"),
            models.CheckConstraint(condition=Q(progress__in=Progress.values), name="voice_entry_progress"),
            models.CheckConstraint(
                condition=Q(kind="post", post=None) | Q(kind__in=["comment", "vote"], post__isnull=False),
                name="voice_entry_of_post",
            ),
        )
        indexes = (models.Index(fields=("kind", "state"), name="voice_entry_kind_state"),)

    def __str__(self) -> str:
        return f"{self.kind} {self.item}"

    @property
    def number(self) -> int:
        return self.item.number

    @property
    def title(self) -> str:
        return first_line(self.item.text)

    @property
    def words(self) -> str:
        """What stands below the title."""
        return self.item.text.partition("\n")[2].strip()


def first_line(text: str) -> str:
    """The title of a post."""
    return text.partition("\n")[0].strip()


class NewsKind(models.TextChoices):
    PUBLISHED = "published", "New"
    PROGRESS = "progress", "Status"
    ANSWER = "answer", "Answer"


class News(models.Model):
    """Something that those who voted for a post hear of: by mail, by the webhook, and in the board's Atom feed."""

    post = models.ForeignKey(Entry, on_delete=models.CASCADE, related_name="news")
    kind = models.CharField(max_length=9, choices=NewsKind.choices)
    progress = models.CharField(max_length=8, choices=Progress.choices, blank=True)
    remark = models.OneToOneField(Remark, null=True, on_delete=models.CASCADE, related_name="board_news")
    at = models.DateTimeField(default=timezone.now)
    told_webhook = models.BooleanField(default=False)
    mailed = models.JSONField(
        default=list, help_text="Entries whose person got the mail: tried again, nobody gets it twice."
    )

    class Meta:
        ordering = ("-at", "-pk")
        constraints = (
            models.CheckConstraint(condition=Q(kind__in=NewsKind.values), name="voice_news_kind"),
            models.CheckConstraint(condition=Q(progress__in=["", *Progress.values]), name="voice_news_progress"),
        )

    def __str__(self) -> str:
        return f"{self.kind} of {self.post_id}"

    @property
    def headline(self) -> str:
        """As feeds and mails begin with it."""
        said = {
            NewsKind.PUBLISHED: "New",
            NewsKind.PROGRESS: self.get_progress_display(),
            NewsKind.ANSWER: "Answered",
        }
        return f"{said[NewsKind(self.kind)]}: {self.post.title}"
