"""The second factor: a code of an authenticator app (TOTP, RFC 6238), or one of ten recovery codes.

What the app knows is derived from the server's secret key and a seed, so neither the database nor a backup holds it. Where
the secret key is another one, no code of an app fits any more; recovery codes do, and `whytree sign-in EMAIL --reset`.
"""

import base64
import re
import secrets
import time
from contextlib import suppress
from dataclasses import dataclass

import pyotp
import segno
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from whytree.errors import Conflict, Forbidden, Invalid, TooMany

from ..models import RecoveryCode, SecondFactor, User
from ..records.activity import record
from ..rights.actors import Actor
from ..services import has_password, require_password, sign_out_everywhere
from .keys import hashed
from .pace import count_within, counts

STEP_SECONDS = 30
SKEW_STEPS = 1  # a phone's clock may be half a minute off, either way (RFC 6238, 5.2)
RECOVERY_CODES = 10
RECOVERY_BYTES = 10  # 80 bits: nothing to guess, so a plain SHA-256 keeps them
WRONG_IN_WINDOW = 10  # three of a million codes fit at a time: these are 3,000 guesses to a chance of one in a hundred
WINDOW_SECONDS = 15 * 60
ISSUER = "Whytree"
_SALT = "whytree.second-factor"

ON_ALREADY = "Your second factor is on already. Turn it off first to set up another app."
WRONG = "That code does not fit, or was used. Wait for the next one; is your phone's clock right?"
OTHER_KEY = (
    "This server's secret key is another one than when you set up your app, so no code of it fits. "
    "Use a recovery code, or whytree sign-in EMAIL --reset on the server."
)


@dataclass(frozen=True)
class Offer:
    """What an authenticator app takes over: by camera, or typed."""

    secret: str
    qr: str
    """SVG."""


def is_asked_for(user: User) -> bool:
    """Whether this account comes in only by a code: of the factor that it has, or of the one that it has to set up first."""
    return bool(settings.WHYTREE.second_factor) or factor_of(user) is not None


def factor_of(user: User) -> SecondFactor | None:
    return SecondFactor.objects.filter(user=user).first()


def codes_left(factor: SecondFactor) -> int:
    return factor.codes.filter(used_at=None).count()


def new_seed() -> str:
    return secrets.token_hex(16)


def offer(user: User, seed: str) -> Offer:
    secret = _secret(user, seed)
    uri = pyotp.TOTP(secret, interval=STEP_SECONDS).provisioning_uri(name=user.email, issuer_name=ISSUER)
    drawn = segno.make(uri, error="m").svg_inline(scale=4, border=4, dark="#000", light="#fff")
    return Offer(secret, str(drawn))


def _secret(user: User, seed: str) -> str:
    """160 bits, as RFC 4226 (4, R6) recommends, in Base32 as apps take them."""
    return base64.b32encode(salted_hmac(_SALT, f"{user.pk}:{seed}", algorithm="sha256").digest()[:20]).decode()


def _key_mark() -> str:
    return salted_hmac(f"{_SALT}.key", "").hexdigest()[:12]


@transaction.atomic
def turn_on(actor: Actor, user: User, *, seed: str, code: str, password: str | None) -> list[str]:
    """From now on signing in asks for a code, also of browsers that are in. Returns the recovery codes, which are not kept.

    No `password` where it was shown a moment ago: while signing in.
    """
    _require_self(actor, user)
    if password is not None:
        require_password(user, password)
    if factor_of(user) is not None:
        raise Conflict(ON_ALREADY)
    step = _fitting_step(_secret(user, seed), code)
    if step is None:
        raise Invalid("That is not the code your app shows now. Scan the picture again, or check your phone's clock.")
    factor, is_new = SecondFactor.objects.get_or_create(
        user=user, defaults={"seed": seed, "key_mark": _key_mark(), "last_step": step}
    )
    if not is_new:  # sent twice at the same moment
        raise Conflict(ON_ALREADY)
    sign_out_everywhere(user)
    record(actor, None, "turn_on_second_factor", user, after={}, undoable=False)
    return _fresh_codes(factor)


@transaction.atomic
def renew_codes(actor: Actor, user: User, *, proof: str) -> list[str]:
    """Ten new recovery codes; the old ones open nothing any more."""
    factor = _proved(actor, user, proof)
    record(actor, None, "renew_recovery_codes", user, after={}, undoable=False)
    return _fresh_codes(factor)


@transaction.atomic
def turn_off(actor: Actor, user: User, *, proof: str) -> None:
    """Signing in asks for no code any more. `proof` is the password; of an account without one, a code."""
    _proved(actor, user, proof).delete()
    record(actor, None, "turn_off_second_factor", user, after={}, undoable=False)


@transaction.atomic
def take_away(user: User) -> bool:
    """For whoever lost phone and codes: only the command line on the server's own machine does it. Whether there was one.

    Whoever found the phone is signed out there, as everywhere.
    """
    sign_out_everywhere(user)
    deleted, _ = SecondFactor.objects.filter(user=user).delete()
    if deleted:
        record(Actor.system(), None, "turn_off_second_factor", user, after={"by": "the server"}, undoable=False)
    return bool(deleted)


def check(user: User, code: str) -> str:
    """How the second step was taken, "code" or "recovery code"; each opens once. Raises `Invalid`, and soon `TooMany`."""
    factor = factor_of(user)
    if factor is None:  # taken away a moment ago
        return ""
    count_wrong = f"second-factor:{user.pk}"
    if count_within(count_wrong, WINDOW_SECONDS) > WRONG_IN_WINDOW:
        raise TooMany("Too many wrong codes. Wait a quarter of an hour and try again.", retry_after=WINDOW_SECONDS)
    how = _use(user, factor, code)
    with suppress(ValueError):  # it ran out in between
        counts.decr(count_wrong)  # counted beforehand, so that many at once are no more guesses
    return how


def _use(user: User, factor: SecondFactor, code: str) -> str:
    code = re.sub(r"[\s-]", "", code[:100]).lower()
    if not code.isdecimal():
        used = factor.codes.filter(code_hash=hashed(code), used_at=None).update(used_at=timezone.now())
        if not used:
            raise Invalid("That is none of your unused recovery codes.")
        return "recovery code"
    if factor.key_mark != _key_mark():
        raise Invalid(OTHER_KEY)
    step = _fitting_step(_secret(user, factor.seed), code)
    is_new = step is not None and SecondFactor.objects.filter(pk=factor.pk, last_step__lt=step).update(last_step=step)
    if not is_new:
        raise Invalid(WRONG)
    return "code"


def _fitting_step(secret: str, code: str) -> int | None:
    """The time step that this is the code of."""
    code = re.sub(r"\s", "", code[:100])
    totp, now = pyotp.TOTP(secret, interval=STEP_SECONDS), int(time.time()) // STEP_SECONDS
    near = range(now - SKEW_STEPS, now + SKEW_STEPS + 1)
    return next((step for step in near if constant_time_compare(totp.generate_otp(step), code)), None)


def _proved(actor: Actor, user: User, proof: str) -> SecondFactor:
    _require_self(actor, user)
    factor = factor_of(user)
    if factor is None:
        raise Conflict("Your second factor is off.")
    require_proof(user, proof)
    return factor


def require_proof(user: User, proof: str) -> None:
    """Raise unless this is the account's password; of one that has none, a code of its second factor, where it has that."""
    if has_password(user):
        require_password(user, proof)
    else:
        check(user, proof)


def _require_self(actor: Actor, user: User) -> None:
    if actor.user_id != user.pk:
        raise Forbidden("Only you can change how you sign in.")


def _fresh_codes(factor: SecondFactor) -> list[str]:
    factor.codes.all().delete()
    plain = [base64.b32encode(secrets.token_bytes(RECOVERY_BYTES)).decode().lower() for _ in range(RECOVERY_CODES)]
    RecoveryCode.objects.bulk_create(RecoveryCode(factor=factor, code_hash=hashed(code)) for code in plain)
    return ["-".join(code[at : at + 4] for at in range(0, len(code), 4)) for code in plain]
