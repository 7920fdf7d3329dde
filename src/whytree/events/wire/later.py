"""Answers that wait for the disk in no thread; what a server and the doors say to each other in the environment.

A view that can only answer once its events are on disk returns a `Later` when whoever serves it understands that
(`site/serving/lanes.py`). Elsewhere (tests, the command line in one process) it simply waits.
"""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

LATER = "whytree.later"
TOO_MUCH = "whytree.too_much"  # more is under way than will be done soon: refuse, and read nothing


class Later(HttpResponse):
    """An answer that `begin` makes possible: it calls back from any thread, and `settle` makes this the answer then."""

    def __init__(self, begin: Callable[[Callable[[], None]], None], finish: Callable[[], HttpResponse]) -> None:
        super().__init__(status=204)  # of which nobody tells the length
        self.begin = begin
        self.finish = finish

    def settle(self) -> None:
        """Take over what is known now; headers that were set on the way stay."""
        known = self.finish()
        self.status_code, self.content = known.status_code, known.content
        for name, value in known.headers.items():
            self.headers[name] = value
        if known.status_code != 204:
            self.headers["Content-Length"] = str(len(known.content))


def can_wait(request: HttpRequest) -> bool:
    """Whether this request may be answered with a `Later`."""
    return LATER in request.META
