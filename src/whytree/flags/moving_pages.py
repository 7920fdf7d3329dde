"""Flags from another tool, on a page: paste or choose its file, see what would become of each flag, then bring them in."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from whytree.errors import Invalid, TooLarge, WhytreeError
from whytree.workspace.entry.doors import PageRequest, page
from whytree.workspace.models import Product
from whytree.workspace.rights.roles import Role

from . import services
from .rules.reading import read_document
from .services import Moving

#: A page takes files of thousands of flags; the command line any.
MOST_CHARACTERS = 4_000_000


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.MEMBER)
def move_in(request: PageRequest, product: Product) -> HttpResponse:
    """GET shows the form; POST tries, or with `how=do` does it."""
    context: dict[str, object] = {"here": "changes", "most_mb": MOST_CHARACTERS // 1_000_000}
    if request.method != "POST":
        return render(request, "flags/move_in.html", context)
    text, bucketing, is_done = "", request.POST.get("bucketing", ""), request.POST.get("how") == "do"
    try:
        text = _text(request)
        found = services.import_flags(
            request.actor, product, read_document(text), dry_run=not is_done, bucketing=bucketing
        )
    except WhytreeError as error:
        context |= {"error": error, "text": text, "bucketing": bucketing}
        return render(request, "flags/move_in.html", context, status=error.status)
    context |= {"found": found, "is_done": is_done, "sentence": _sentence(found, is_done)}
    context |= {} if is_done else {"text": text, "bucketing": bucketing}
    return render(request, "flags/move_in.html", context)


def _text(request: PageRequest) -> str:
    """What was pasted, or the file's; a preview hands its text on."""
    upload = request.FILES.get("file")
    if upload is None:
        text = request.POST.get("document", "")
    else:
        if (upload.size or 0) > MOST_CHARACTERS:
            raise TooLarge(
                f"The file is larger than {MOST_CHARACTERS // 1_000_000} MB. `whytree import flags FILE` takes any."
            )
        try:
            text = upload.read().decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise Invalid("The file is no text. Choose the JSON that the tool exports.") from error
    if not text.strip():
        raise Invalid("Paste the tool's JSON, or choose its file.")
    return text


def _sentence(found: Moving, is_done: bool) -> str:
    """3 of 5 flags would come in from flagd. Of one people may change variant."""
    made = [one for one in found.flags if one.became == "made"]
    verb = ("came" if is_done else "would come") + " in"
    told = f"{len(made):,} of {len(found.flags):,} flag{'' if len(found.flags) == 1 else 's'} {verb} from {TOOLS[found.tool]}."
    move = [one for one in found.flags if not one.moves_nobody]
    if not move:
        return f"{told} Nobody changes variant." if made else told
    return f"{told} Of {'one' if len(move) == 1 else f'{len(move):,}'}, people may change variant."


TOOLS = {"flagd": "flagd", "posthog": "PostHog", "growthbook": "GrowthBook"}
