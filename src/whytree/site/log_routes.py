"""What the log says of a request: the route it took. A path may hold a secret, as /feed/<token> does."""

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # logging is set up before anything is asked, also for the command line
    from django.http import HttpRequest


def route_of(request: "HttpRequest") -> str:
    """The pattern of its address; of one that was never looked up, the first part."""
    if request.resolver_match is not None:
        return f"/{request.resolver_match.route}"
    first, _, rest = request.path.removeprefix("/").partition("/")
    return f"/{first}/…" if rest else f"/{first}"


class Routes(logging.Filter):
    """Puts the route where Django logs the path of a request."""

    def filter(self, record: logging.LogRecord) -> bool:
        request: HttpRequest | None = getattr(record, "request", None)
        if request is not None and isinstance(record.args, tuple):
            record.args = tuple(route_of(request) if word == request.path else word for word in record.args)
        return True
