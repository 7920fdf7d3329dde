"""A form that may be refused: the sentence of the service is shown at the form, with what the person wrote."""

from types import TracebackType
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse

from whytree.errors import Conflict, Invalid


class Attempt:
    """
    attempt = Attempt(request)
    if request.method == "POST":
        with attempt:
            services.do_it(...)
            return done(request, "It is done.", "products")
    return attempt.page("workspace/products.html", {...})

    What cannot be taken (`Invalid`, `Conflict`) brings the form back with status 400; other errors fly on.
    """

    def __init__(self, request: HttpRequest) -> None:
        self.request = request
        self.error = ""

    def __enter__(self) -> "Attempt":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        if not isinstance(error, Invalid | Conflict):
            return False
        self.error = error.message
        return True

    def page(self, template: str, context: dict[str, Any]) -> HttpResponse:
        """The page with `error` and, after a refusal, `form`: what was written."""
        written = self.request.POST if self.error else {}
        return render(
            self.request,
            template,
            {"error": self.error, "form": written, **context},
            status=400 if self.error else 200,
        )


def done(request: HttpRequest, message: str, name: str, *args: Any) -> HttpResponseRedirect:
    """Say what was done on the page one goes to next."""
    messages.success(request, message)
    return HttpResponseRedirect(reverse(name, args=args))
