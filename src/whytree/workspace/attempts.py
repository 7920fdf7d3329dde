"""Guessing passwords is slow: after some wrong ones an address waits.

Counted in this process: an attacker who reaches several web processes gets that many times the guesses, which is still few.
"""

from django.core.cache import cache

from whytree.errors import TooMany

WINDOW_SECONDS = 15 * 60
WRONG_PER_ACCOUNT = 8  # from one address for one e-mail: a person who half remembers gets through
WRONG_PER_ADDRESS = (
    60  # from one address for any: an office behind one address gets through, a list of accounts does not
)


RECORDED_IN_WINDOW = 100  # lines about wrong passwords in the activity, whoever guesses from wherever


def refuse_too_many(address: str, email: str) -> None:
    """Raise `TooMany` when this address has been wrong too often; call it before a password is even looked at."""
    counts = cache.get_many([_account(address, email), _address(address)])
    if (
        counts.get(_account(address, email), 0) >= WRONG_PER_ACCOUNT
        or counts.get(_address(address), 0) >= WRONG_PER_ADDRESS
    ):
        raise TooMany(
            "Too many wrong passwords. Wait a quarter of an hour, or get a link on the server: whytree sign-in",
            retry_after=WINDOW_SECONDS,
        )


def count_wrong(address: str, email: str) -> int:
    """Count a wrong password; returns how many there were from this address for this e-mail."""
    _count(_address(address))
    return _count(_account(address, email))


def is_worth_recording(count: int) -> bool:
    """Whether the wrong password with this number tells something new, and there is room for it."""
    return count in (1, WRONG_PER_ACCOUNT) and _count("wrong-password-recorded") <= RECORDED_IN_WINDOW


def _count(key: str) -> int:
    cache.add(key, 0, WINDOW_SECONDS)
    try:
        return cache.incr(key)
    except ValueError:  # it ran out, or was thrown out, in between
        cache.set(key, 1, WINDOW_SECONDS)
        return 1


def forget_wrong(address: str, email: str) -> None:
    """The right password was given: this account starts anew."""
    cache.delete(_account(address, email))


def _account(address: str, email: str) -> str:
    return f"wrong-password:{address}:{email.strip().lower()[:254].encode().hex()}"


def _address(address: str) -> str:
    return f"wrong-password:{address}"
