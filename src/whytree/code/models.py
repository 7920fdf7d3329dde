"""Facts of delivery: repositories, their commits, the tickets these speak of, and who wrote which lines last.

Facts only: what a commit is *for* is derived from them and from the tree, each time it is asked.
"""

from django.db import models
from django.utils.timezone import now

from whytree.workspace.models import Product, User

from .delivery.models import Deployment as Deployment
from .delivery.models import Incident as Incident
from .mirrors.models import Mirror as Mirror


class Repository(models.Model):
    """A clone somebody registered. Its first commit is its identity, so that a copy is the same repository."""

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=100)
    root_sha = models.CharField(max_length=64, help_text="First commit of the main line.")
    tracker = models.CharField(
        max_length=300, blank=True, default="", help_text='Whose ticket numbers it uses, as "github.com/acme/sprout".'
    )
    branch = models.CharField(max_length=250, blank=True, default="")
    head = models.CharField(max_length=64, blank=True, default="", help_text="Newest commit read.")
    with_hunks = models.BooleanField(
        default=True, help_text="Pieces of its files may be stored: lines of commits that lead to a node, and of flags."
    )
    with_code = models.BooleanField(
        default=False, help_text="Its files' text may be stored, so that pages can show it."
    )
    flags_scanned = models.JSONField(default=list, blank=True, help_text="Flag keys looked for in its whole history.")
    left_out = models.JSONField(default=list, blank=True, help_text="Sentences on what was not read, and why.")
    survey = models.JSONField(default=dict, blank=True, help_text="What its files say: see code.surveying.")
    created_at = models.DateTimeField(default=now)
    synced_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "repositories"
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["product", "root_sha"], name="code_repository_root"),
            models.UniqueConstraint(fields=["product", "name"], name="code_repository_name"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def keeps_pieces(self) -> bool:
        """Whether lines of its code may be stored at all."""
        return self.with_code or self.with_hunks


class Commit(models.Model):
    """One commit, as its message, its notes and the merge that brought it tell it."""

    repository = models.ForeignKey(Repository, on_delete=models.CASCADE, related_name="commits")
    sha = models.CharField(max_length=64)
    parents = models.JSONField(default=list)
    author_name = models.CharField(max_length=200, blank=True, default="")
    author_email = models.CharField(max_length=200, blank=True, default="")
    authored_at = models.DateTimeField()
    subject = models.CharField(max_length=500, blank=True, default="")
    body = models.TextField(blank=True, default="")
    trailers = models.JSONField(default=list, help_text="[[key, value], ...]")
    note = models.TextField(blank=True, default="", help_text="Its git note in refs/notes/whytree.")
    files = models.JSONField(default=list, help_text="Paths it touched.")
    merged_by = models.CharField(
        max_length=64, blank=True, default="", help_text="Merge that brought it to the main line."
    )
    pr_number = models.CharField(max_length=12, blank=True, default="", help_text='"#12", or "!12" for GitLab.')
    branch = models.CharField(max_length=200, blank=True, default="", help_text="As its merge names it.")
    flags_added = models.JSONField(default=list)
    tickets = models.JSONField(default=list, help_text='[{"key": "#12", "tracker": ""}, ...]')
    is_maintenance = models.BooleanField(default=False, help_text="It says `Why: none`.")
    is_unrelated = models.BooleanField(
        default=False, help_text="It came with another repository's history, whose ticket numbers are not ours."
    )
    answers = models.JSONField(
        default=list,
        blank=True,
        help_text='What people said of inferred links: [{"kind": "ticket", "key": "#12", "tracker": "", "right": true}, ...]',
    )
    lines = models.PositiveIntegerField(default=0, help_text="Lines at the last reading that came with it.")
    deployment = models.ForeignKey(
        Deployment,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="commits",
        help_text="First live in it.",
    )

    class Meta:
        ordering = ["-authored_at", "-id"]
        indexes = [models.Index(fields=["sha"], name="code_commit_sha")]
        constraints = [models.UniqueConstraint(fields=["repository", "sha"], name="code_commit_once")]

    def __str__(self) -> str:
        return f"{self.short} {self.subject}"

    @property
    def short(self) -> str:
        return self.sha[:7]


class ToldReason(models.Model):
    """What somebody said afterwards a commit is for, where its clone was not at hand: an id, a ticket, or words.

    The next `repository sync` keeps it as a git note in the clone.
    """

    commit = models.ForeignKey(Commit, on_delete=models.CASCADE, related_name="told")
    words = models.CharField(max_length=300)
    told_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    teller = models.CharField(max_length=160, help_text="Name of who said so, at that time.")
    told_at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["commit", "words"], name="code_toldreason_once")]

    def __str__(self) -> str:
        return f"{self.commit.short} {self.words}"


class CommitKey(models.Model):
    """A key that a link rule would try for a commit: what finds the commits of a node, a ticket or a flag.

    Derived from the commit alone. Whether it *is* a link is decided by the rules, in their order.
    """

    class Kind(models.TextChoices):
        NODE = "node"
        TICKET = "ticket"
        FLAG = "flag"

    commit = models.ForeignKey(Commit, on_delete=models.CASCADE, related_name="keys")
    kind = models.CharField(max_length=6, choices=Kind.choices)
    key = models.CharField(max_length=200)

    class Meta:
        indexes = [models.Index(fields=["kind", "key"], name="code_commitkey_key")]
        constraints = [models.UniqueConstraint(fields=["commit", "kind", "key"], name="code_commitkey_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"


class Ticket(models.Model):
    """An issue in its own tracker, noticed in a branch, a commit, a file or `start`; never a second tracker."""

    class State(models.TextChoices):
        OPEN = "open"
        CLOSED = "closed"
        UNKNOWN = "", "not known"

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=60, help_text='"#12" or "ABC-12".')
    tracker = models.CharField(
        max_length=300, blank=True, default="", help_text="Whose numbering; empty for keys like ABC-12."
    )
    url = models.URLField(max_length=1000, blank=True, default="")
    title = models.CharField(max_length=500, blank=True, default="")
    state = models.CharField(max_length=8, choices=State.choices, blank=True, default=State.UNKNOWN)
    body = models.TextField(blank=True, default="")
    author = models.CharField(max_length=200, blank=True, default="")
    author_is_staff = models.BooleanField(
        null=True, blank=True, help_text="One of the team, or a bot: no user's voice. Empty: the tracker does not say."
    )
    labels = models.JSONField(default=list, blank=True)
    votes = models.PositiveIntegerField(default=0, help_text="Thumbs up, upvotes, votes: whatever its tracker counts.")
    opened_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    updated_at = models.DateTimeField(null=True, blank=True, help_text="In its tracker: what is older is not taken.")
    created_at = models.DateTimeField(default=now, help_text="First seen here.")
    erased_at = models.DateTimeField(
        null=True, blank=True, help_text="Its author was forgotten: author and body are not taken again."
    )

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["product", "tracker", "key"], name="code_ticket_once"),
            models.CheckConstraint(condition=models.Q(state__in=["open", "closed", ""]), name="code_ticket_state"),
        ]

    def __str__(self) -> str:
        return f"{self.key} {self.title}".strip()


class TicketComment(models.Model):
    """What somebody wrote under a ticket. One without author and text was forgotten, and is not told again."""

    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="comments")
    mark = models.CharField(max_length=64, help_text="What makes it the same one when it comes again.")
    author = models.CharField(max_length=200, blank=True, default="")
    author_is_staff = models.BooleanField(null=True, blank=True)
    text = models.TextField()
    said_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["said_at", "id"]
        indexes = [models.Index(fields=["author"], name="code_ticketcomment_author")]
        constraints = [models.UniqueConstraint(fields=["ticket", "mark"], name="code_ticketcomment_once")]

    def __str__(self) -> str:
        return self.text[:80]


class PullRequest(models.Model):
    """A merged pull or merge request as its tracker tells it: which commit it became, and what it was for.

    A squash or a rebase leaves nothing of it in the history but, at best, its number.
    """

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=12, help_text='"#12", or "!12" for GitLab.')
    tracker = models.CharField(max_length=300, blank=True, default="")
    url = models.URLField(max_length=1000, blank=True, default="")
    title = models.CharField(max_length=500, blank=True, default="")
    body = models.TextField(blank=True, default="")
    author = models.CharField(max_length=200, blank=True, default="")
    branch = models.CharField(max_length=200, blank=True, default="", help_text="It was merged from here.")
    merge_sha = models.CharField(max_length=64, blank=True, default="", help_text="The commit it became.")
    squash_sha = models.CharField(
        max_length=64, blank=True, default="", help_text="GitLab: the squash below its merge."
    )
    merged_at = models.DateTimeField(null=True, blank=True)
    closes = models.JSONField(default=list, blank=True, help_text='[{"key": "#38", "tracker": "..."}, ...]')
    whys = models.JSONField(default=list, blank=True, help_text='Its "Why:" lines as [[key, value], ...]')
    updated_at = models.DateTimeField(null=True, blank=True)
    erased_at = models.DateTimeField(
        null=True, blank=True, help_text="Its author was forgotten: author and body are not taken again."
    )

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["merge_sha"], name="code_pullrequest_merge"),
            models.Index(fields=["squash_sha"], name="code_pullrequest_squash"),
        ]
        constraints = [models.UniqueConstraint(fields=["product", "tracker", "key"], name="code_pullrequest_once")]

    def __str__(self) -> str:
        return f"{self.key} {self.title}".strip()


class TrackerReading(models.Model):
    """How far a tracker was read, so that the next reading goes on there. The token is never here."""

    class What(models.TextChoices):
        ISSUES = "issues"
        COMMENTS = "comments"
        REQUESTS = "requests"

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="+")
    tracker = models.CharField(max_length=300)
    what = models.CharField(max_length=8, choices=What.choices)
    since_at = models.DateTimeField(null=True, blank=True, help_text="All that changed before this is here.")
    page = models.PositiveIntegerField(default=0, help_text="Of a first reading that is under way; 0: none is.")
    etag = models.CharField(max_length=200, blank=True, default="")
    read_at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["tracker", "what"]
        constraints = [
            models.UniqueConstraint(fields=["product", "tracker", "what"], name="code_trackerreading_once"),
            models.CheckConstraint(
                condition=models.Q(what__in=["issues", "comments", "requests"]), name="code_trackerreading_what"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.what} of {self.tracker}"


class FileBlame(models.Model):
    """Which commit each line of a file came with, at one commit of the repository. `text` only when told to send it."""

    repository = models.ForeignKey(Repository, on_delete=models.CASCADE, related_name="files")
    path = models.CharField(max_length=1000)
    rev = models.CharField(max_length=64)
    spans = models.JSONField(default=list, help_text="[[first line, last line, commit], ...]")
    text = models.TextField(null=True, blank=True)
    hunks = models.JSONField(
        default=list, blank=True, help_text="[[first line, last line, text], ...] where its whole text is not sent."
    )
    stamp = models.CharField(
        max_length=64, blank=True, default="", help_text="Changes when anything that its clone tells of it does."
    )
    nesting = models.PositiveIntegerField(default=0, help_text="Indentation levels of all its lines, added up.")

    class Meta:
        ordering = ["path"]
        constraints = [models.UniqueConstraint(fields=["repository", "path"], name="code_fileblame_path")]

    def __str__(self) -> str:
        return self.path


class FlagScan(models.Model):
    """That a clone was looked through for flags: at which commit, and for which keys."""

    repository = models.OneToOneField(Repository, primary_key=True, on_delete=models.CASCADE, related_name="flag_scan")
    rev = models.CharField(max_length=64)
    keys = models.JSONField(default=list)
    left_out = models.JSONField(default=list, blank=True, help_text="Sentences on what was not looked at.")
    at = models.DateTimeField(default=now)

    def __str__(self) -> str:
        return f"flags in {self.repository_id} at {self.rev[:7]}"


class FlagReference(models.Model):
    """A line that speaks of a flag, as the last scan of its repository saw it. `hunk` only where code may be stored."""

    class How(models.TextChoices):
        RESOLVED = "resolved"
        TEXT = "text", "text match"

    repository = models.ForeignKey(Repository, on_delete=models.CASCADE, related_name="flag_references")
    key = models.CharField(max_length=200)
    path = models.CharField(max_length=1000)
    line = models.PositiveIntegerField()
    how = models.CharField(max_length=8, choices=How.choices)
    says = models.CharField(max_length=300, blank=True, default="", help_text="How it is known.")
    alias = models.CharField(max_length=200, blank=True, default="", help_text="The constant it goes by.")
    hunk = models.TextField(null=True, blank=True, help_text="The line with two before and two after it.")

    class Meta:
        ordering = ["key", "how", "repository", "path", "line"]
        indexes = [models.Index(fields=["key"], name="code_flagreference_key")]
        constraints = [
            models.UniqueConstraint(fields=["repository", "key", "path", "line"], name="code_flagreference_once"),
            models.CheckConstraint(condition=models.Q(how__in=["resolved", "text"]), name="code_flagreference_how"),
        ]

    def __str__(self) -> str:
        return f"{self.key} {self.path}:{self.line}"


class EventReference(models.Model):
    """A line that sends an event, or names one, as the last look at its repository saw it."""

    class How(models.TextChoices):
        SENT = "sent"
        TEXT = "text", "text match"

    repository = models.ForeignKey(Repository, on_delete=models.CASCADE, related_name="event_references")
    event = models.CharField(max_length=500)
    path = models.CharField(max_length=1000)
    line = models.PositiveIntegerField()
    how = models.CharField(max_length=4, choices=How.choices)
    says = models.CharField(max_length=300, blank=True, default="", help_text="How it is known.")
    hunk = models.TextField(null=True, blank=True, help_text="The line with two before and two after it.")
    rev = models.CharField(max_length=64)
    at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["event", "how", "repository", "path", "line"]
        indexes = [models.Index(fields=["event"], name="code_eventreference_event")]
        constraints = [
            models.UniqueConstraint(fields=["repository", "event", "path", "line"], name="code_eventreference_once"),
            models.CheckConstraint(condition=models.Q(how__in=["sent", "text"]), name="code_eventreference_how"),
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.path}:{self.line}"


class FlagExtinction(models.Model):
    """The commit that took a flag's last reference out of a repository."""

    repository = models.ForeignKey(Repository, on_delete=models.CASCADE, related_name="flag_extinctions")
    key = models.CharField(max_length=200)
    sha = models.CharField(max_length=64)
    subject = models.CharField(max_length=500, blank=True, default="")
    at = models.DateTimeField()

    class Meta:
        ordering = ["-at"]
        constraints = [models.UniqueConstraint(fields=["repository", "key"], name="code_flagextinction_once")]

    def __str__(self) -> str:
        return f"{self.key} went with {self.sha[:7]}"


class FieldReading(models.Model):
    """What a repository's code does with a form field's value, as the last look at it saw."""

    class Verdict(models.TextChoices):
        READ = "read"
        NOBODY = "nobody"
        UNSURE = "unsure"

    repository = models.ForeignKey(Repository, on_delete=models.CASCADE, related_name="field_readings")
    field = models.CharField(max_length=100)
    verdict = models.CharField(max_length=6, choices=Verdict.choices)
    says = models.CharField(max_length=300, blank=True, default="")
    reads = models.JSONField(default=list, blank=True, help_text='[{"path": ..., "line": ..., "says": ...}, ...]')
    hides = models.JSONField(default=list, blank=True, help_text="What may read it without naming it; likewise.")
    defined = models.JSONField(default=list, blank=True, help_text="Forms that have it; likewise.")
    tests = models.JSONField(default=list, blank=True, help_text="Tests that name it; likewise.")
    rev = models.CharField(max_length=64)
    at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["field", "repository"]
        constraints = [
            models.UniqueConstraint(fields=["repository", "field"], name="code_fieldreading_once"),
            models.CheckConstraint(
                condition=models.Q(verdict__in=["read", "nobody", "unsure"]), name="code_fieldreading_verdict"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.field}: {self.verdict}"
