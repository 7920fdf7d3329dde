"""Events sent below the right address: whoever gave their library a host with a path. Told to them, and on the page of what arrives.

Without it a browser says nothing but that CORS forbids it, which sends people looking in the wrong place.
"""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from whytree.errors import NotFound

from .answers import caught, refused, with_cors


@csrf_exempt
def misplaced(request: HttpRequest, before: str) -> HttpResponse:
    """404 that says which host to set; anything but a POST is a page that is not there."""
    if request.method == "OPTIONS":
        return with_cors(request, HttpResponse(status=204))
    if request.method != "POST":
        raise NotFound("There is no such page.")
    return with_cors(request, caught(request, lambda: _told(request, before), refused))


def _told(request: HttpRequest, before: str) -> HttpResponse:
    host = request.build_absolute_uri("/").rstrip("/")
    raise NotFound(f"No events are taken below /{before[:60]}. Set the host (api_host) to {host}, without a path.")
