"""The page behind the link with which a mail is ended, signed in or not."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods


def stop_page(
    template: str, find: Callable[[str], Any], switch: Callable[..., Any], is_on: Callable[[Any], bool]
) -> Callable[[HttpRequest, str], HttpResponse]:
    """GET only shows a button: programs that look into mails must not press it; RFC 8058's POST does it.

    `find` and `switch` take the address's token and give what it ends; `template` extends `workspace/stop_mail.html`.
    """

    @never_cache
    @csrf_exempt
    @require_http_methods(["GET", "HEAD", "POST"])
    def stop(request: HttpRequest, token: str) -> HttpResponse:
        on = request.POST.get("act") == "on"
        found = switch(token, on=on) if request.method == "POST" else find(token)
        return render(request, template, {"found": found, "subject": found.product, "is_on": is_on(found)})

    return stop
