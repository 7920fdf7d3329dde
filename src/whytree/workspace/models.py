"""Accounts, products, keys, and what everybody did."""

from collections.abc import Iterator
from datetime import datetime
from typing import ClassVar
from zoneinfo import ZoneInfo

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import Q
from django.utils.timezone import now

from .rights.roles import Discipline, Role


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, name: str = "") -> "User":
        user = self.model(email=self.normalize_email(email).lower(), name=name)
        user.set_password(password)
        user.save(using=self._db)
        return user


class User(AbstractBaseUser):
    """Somebody who signs in. People who use the product are `people.Person`."""

    email = models.EmailField(unique=True)
    name = models.CharField(max_length=120, blank=True)
    is_active = models.BooleanField(default=True)
    sign_outs = models.PositiveIntegerField(
        default=0, help_text="How often all browsers were signed out at once; a session from before opens nothing."
    )
    created_at = models.DateTimeField(default=now)

    USERNAME_FIELD = "email"
    objects: ClassVar[UserManager] = UserManager()

    def get_session_auth_hash(self) -> str:
        """What a session has to know to be this account's: Django's hash of the password, and `sign_outs`."""
        return self._with_sign_outs(super().get_session_auth_hash())

    def get_session_auth_fallback_hash(self) -> Iterator[str]:
        """The same by each secret key of before."""
        return map(self._with_sign_outs, super().get_session_auth_fallback_hash())

    def _with_sign_outs(self, told: str) -> str:
        return f"{told}.{self.sign_outs}" if self.sign_outs else told

    def __str__(self) -> str:
        return self.name or self.email


class Product(models.Model):
    """What a team builds; everything else belongs to one."""

    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    vision = models.CharField(max_length=300, blank=True, help_text="One sentence, shown wherever work starts.")
    timezone = models.CharField(max_length=60, default="UTC")
    created_at = models.DateTimeField(default=now)

    def __str__(self) -> str:
        return self.name

    def there(self, moment: datetime) -> datetime:
        """The same moment by this product's clock: its day is the product's day."""
        return moment.astimezone(ZoneInfo(self.timezone))


class Membership(models.Model):
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=12, choices=Role.choices)
    discipline = models.CharField(max_length=12, choices=Discipline.choices, default=Discipline.OTHER)
    created_at = models.DateTimeField(default=now)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("user", "product"), name="one_membership_each"),
            models.CheckConstraint(condition=Q(role__in=Role.values), name="membership_role_known"),
            models.CheckConstraint(condition=Q(discipline__in=Discipline.values), name="membership_discipline_known"),
        )

    def __str__(self) -> str:
        return f"{self.user}, {self.role} of {self.product}"


class Invitation(models.Model):
    """A link that makes its bearer a member, once."""

    product = models.ForeignKey(Product, on_delete=models.CASCADE)
    email = models.EmailField(
        blank=True, help_text="Who it is meant for; by a verified one the OpenID provider lets in."
    )
    role = models.CharField(max_length=12, choices=Role.choices)
    token_hash = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL)
    created_at = models.DateTimeField(default=now)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (models.CheckConstraint(condition=Q(role__in=Role.values), name="invitation_role_known"),)

    def __str__(self) -> str:
        return f"Invitation to {self.product} as {self.role}"


class SignInLink(models.Model):
    """A link that signs its bearer in, once: printed by the command line, so that no mail server is needed."""

    user = models.ForeignKey(User, on_delete=models.CASCADE)
    token_hash = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"Sign-in link for {self.user}"


class ProviderAccount(models.Model):
    """An account at the OpenID provider that signs in as one of ours. Who it is says `subject`; addresses change hands."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="provider_accounts")
    issuer = models.CharField(max_length=500)
    subject = models.CharField(max_length=255, help_text="The provider's `sub`.")
    created_at = models.DateTimeField(default=now)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("issuer", "subject"), name="one_user_per_provider_account"),
            models.UniqueConstraint(fields=("user", "issuer"), name="one_account_per_provider"),
        )

    def __str__(self) -> str:
        return f"{self.user} at {self.issuer}"


class SecondFactor(models.Model):
    """An authenticator app that signing in asks for a code of. What the app knows is derived from `seed` (`second_factor`)."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="second_factor")
    seed = models.CharField(max_length=32)
    key_mark = models.CharField(max_length=12, help_text="Of the server's secret key: with another one no code fits.")
    last_step = models.BigIntegerField(
        default=0, help_text="The time step whose code was used last; it opens nothing again."
    )
    created_at = models.DateTimeField(default=now)

    def __str__(self) -> str:
        return f"Second factor of {self.user}"


class RecoveryCode(models.Model):
    """Stands in for the app, once; only its hash is kept."""

    factor = models.ForeignKey(SecondFactor, on_delete=models.CASCADE, related_name="codes")
    code_hash = models.CharField(max_length=64, unique=True)
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"Recovery code of {self.factor.user}"


class Environment(models.Model):
    """Where code runs that is not production: flags have states of their own there, and no number counts it."""

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=30)
    created_at = models.DateTimeField(default=now)

    class Meta:
        ordering = ("pk",)
        constraints = (
            models.UniqueConstraint(fields=("product", "key"), name="one_environment_each"),
            models.CheckConstraint(condition=~Q(key__in=("", "production")), name="production_is_no_row"),
        )

    def __str__(self) -> str:
        return self.key


class Key(models.Model):
    """A secret that opens a door; only its hash is kept."""

    class Kind(models.TextChoices):
        CAPTURE = "capture", "Capture key: public, can only send"
        SERVER = "server", "Server key: secret, sends and reads for one product"
        PERSONAL = "personal", "Personal token: acts as you"

    kind = models.CharField(max_length=8, choices=Kind.choices)
    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=16, help_text="First characters, to recognise it by.")
    secret_hash = models.CharField(max_length=64, unique=True)
    product = models.ForeignKey(Product, null=True, on_delete=models.CASCADE)
    user = models.ForeignKey(User, null=True, on_delete=models.CASCADE, help_text="Whose token, or who made the key.")
    environment = models.ForeignKey(
        Environment, null=True, on_delete=models.RESTRICT, related_name="+", help_text="None: production."
    )
    scopes = models.JSONField(default=list, help_text="Empty: all its kind allows. Else some of read, write.")
    created_at = models.DateTimeField(default=now)
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(kind="personal", user__isnull=False)
                | Q(kind__in=("capture", "server"), product__isnull=False),
                name="key_belongs_to_somebody",
            ),
        )

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"


class Activity(models.Model):
    """Who did what to what, with what it was before and after. Never edited, never deleted."""

    product = models.ForeignKey(Product, null=True, on_delete=models.CASCADE)
    user = models.ForeignKey(User, null=True, on_delete=models.SET_NULL)
    actor = models.CharField(max_length=160, help_text="The name at that time.")
    via = models.CharField(max_length=12, help_text="page, api, cli or system")
    verb = models.CharField(max_length=60)
    subject_type = models.CharField(max_length=60, help_text="Model label, as tree.Solution.")
    subject_id = models.BigIntegerField()
    subject_label = models.CharField(max_length=200)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    undoable = models.BooleanField(default=False)
    undoes = models.OneToOneField("self", null=True, on_delete=models.PROTECT, related_name="undone_by")
    at = models.DateTimeField(default=now)

    class Meta:
        verbose_name_plural = "activities"
        indexes = (
            models.Index(fields=("product", "-at")),
            models.Index(fields=("subject_type", "subject_id")),
        )

    def __str__(self) -> str:
        return f"{self.actor} {self.verb} {self.subject_label}"


class Sequence(models.Model):
    """The last number given out for a prefix, as 12 in SOL-12."""

    product = models.ForeignKey(Product, on_delete=models.CASCADE)
    prefix = models.CharField(max_length=8)
    last = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("product", "prefix"), name="one_sequence_each"),)

    def __str__(self) -> str:
        return f"{self.prefix}-{self.last}"


class Job(models.Model):
    """Work for later, claimed by a conditional UPDATE: the table is the queue."""

    class State(models.TextChoices):
        WAITING = "waiting"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"

    kind = models.CharField(max_length=60)
    payload = models.JSONField(default=dict)
    key = models.CharField(max_length=120, blank=True, help_text="Two waiting jobs of one kind never share a key.")
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    run_after = models.DateTimeField(default=now)
    claimed_by = models.CharField(max_length=60, blank=True)
    claimed_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.TextField(blank=True)
    created_at = models.DateTimeField(default=now)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (models.Index(fields=("state", "run_after")),)
        constraints = (
            models.UniqueConstraint(
                fields=("kind", "key"), condition=Q(state="waiting") & ~Q(key=""), name="one_waiting_job_per_key"
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.state}"
