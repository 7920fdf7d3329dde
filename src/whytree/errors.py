"""Every error a person may meet.

WhytreeError
├── Invalid          400  what was sent cannot be taken
├── Unauthenticated  401  nobody we know
├── Forbidden        403  known, but the role or scope is too low
├── NotFound         404  not there, or not yours (the two look the same)
├── NotAllowed       405  this address takes another method
├── Conflict         409  against the state of things: locked, already decided
├── TooLarge         413  more than we take at once
├── TooMany          429  faster than we take
└── Unavailable      503  try again: nothing was lost

A message is a sentence that tells what to do next. The doors turn these into JSON
``{"code", "message", "details"?}`` or into a page; everything else flies with its traceback.
"""

from typing import Any


class WhytreeError(Exception):
    """Base of all; `details` is JSON-able and names fields or rows."""

    status = 500
    code = "error"

    def __init__(self, message: str, *, details: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.details = details

    def as_json(self) -> dict[str, Any]:
        body: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.details:
            body["details"] = self.details
        return body


class Invalid(WhytreeError):
    status = 400
    code = "invalid"


class Unauthenticated(WhytreeError):
    status = 401
    code = "unauthenticated"


class Forbidden(WhytreeError):
    status = 403
    code = "forbidden"


class NotFound(WhytreeError):
    status = 404
    code = "not_found"


class NotAllowed(WhytreeError):
    """`allowed` are the methods this address takes."""

    status = 405
    code = "method_not_allowed"

    def __init__(self, message: str, *, allowed: str) -> None:
        super().__init__(message)
        self.allowed = allowed


class Conflict(WhytreeError):
    status = 409
    code = "conflict"


class TooLarge(WhytreeError):
    status = 413
    code = "too_large"


class RetryLater(WhytreeError):
    """An error after which the same request may succeed; `retry_after` in seconds."""

    def __init__(self, message: str, *, retry_after: int = 5, details: dict[str, Any] | None = None) -> None:
        super().__init__(message, details=details)
        self.retry_after = retry_after


class TooMany(RetryLater):
    status = 429
    code = "too_many_requests"


class Unavailable(RetryLater):
    status = 503
    code = "unavailable"
