"""Guessing passwords is slow: after some wrong ones an address waits.

Counted in this process: an attacker who reaches several web processes gets that many times the guesses, which is still few.
"""

from whytree.errors import TooMany

from .pace import count_within, counts, holder_of

WINDOW_SECONDS = 15 * 60
WRONG_PER_ACCOUNT = 8  # from one address for one e-mail: a person who half remembers gets through
WRONG_PER_ADDRESS = (
    60  # from one address for any: an office behind one address gets through, a list of accounts does not
)
WRONG_FROM_ANYWHERE = 100  # from all addresses for one e-mail: more than any one of them may, whoever owns many

RECORDED_IN_WINDOW = 100  # lines about wrong passwords in the activity, whoever guesses from wherever


def refuse_too_many(address: str, email: str) -> None:
    """Raise `TooMany` when this address has been wrong too often; call it before a password is even looked at."""
    limits = {
        _account(address, email): WRONG_PER_ACCOUNT,
        _address(address): WRONG_PER_ADDRESS,
        _anywhere(email): WRONG_FROM_ANYWHERE,
    }
    wrong = counts.get_many(limits)
    if any(wrong.get(key, 0) >= limit for key, limit in limits.items()):
        raise TooMany(
            "Too many wrong passwords. Wait a quarter of an hour, or get a link on the server: whytree sign-in",
            retry_after=WINDOW_SECONDS,
        )


def count_wrong(address: str, email: str) -> int:
    """Count a wrong password; returns how many there were from this address for this e-mail."""
    _count(_address(address))
    if email:
        _count(_anywhere(email))
    return _count(_account(address, email))


def is_worth_recording(count: int) -> bool:
    """Whether the wrong password with this number tells something new, and there is room for it."""
    return count in (1, WRONG_PER_ACCOUNT) and _count("wrong-password-recorded") <= RECORDED_IN_WINDOW


def _count(key: str) -> int:
    return count_within(key, WINDOW_SECONDS)


def forget_wrong(address: str, email: str) -> None:
    """The right password was given: this account starts anew from here. What others guess elsewhere still counts."""
    counts.delete(_account(address, email))


def _account(address: str, email: str) -> str:
    return f"{_address(address)}:{_spelled(email)}"


def _anywhere(email: str) -> str:
    return f"wrong-password-anywhere:{_spelled(email)}"


def _address(address: str) -> str:
    return f"wrong-password:{holder_of(address)}"


def _spelled(email: str) -> str:
    return email.strip().lower()[:254].encode().hex()
