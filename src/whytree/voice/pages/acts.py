"""What is done to voices from the inbox or from a voice's own page. `back` says where the person was."""

from collections.abc import Sequence

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from whytree.errors import Conflict, Forbidden, Invalid, NotFound, TooLarge
from whytree.voice import queries, services
from whytree.voice.models import FeedbackItem
from whytree.voice.queries import Wanted
from whytree.workspace.entry.doors import PageRequest, page
from whytree.workspace.models import Activity, Product
from whytree.workspace.rights.roles import Role

from .inbox import address, wanted_of
from .reading import keep_typed, said_span
from .sorting import act_of, forget, remember, remembered


@require_POST
@page(Role.MEMBER)
def link(request: PageRequest, product: Product, number: int) -> HttpResponse:
    """These words speak for this opportunity."""
    item = queries.find_feedback(product, number)
    try:
        opportunity = services.find_opportunity_by_words(product, request.POST.get("opportunity", ""))
        span = said_span(item, request.POST)
        importance = services.importance_of(request.POST.get("importance", "1"))
        onward = _next(request, product, item)
        with services.together(request.actor, product) as activities:
            services.link_excerpt(request.actor, item, opportunity, span=span, importance=importance)
    except (Invalid, NotFound) as error:
        messages.error(request, error.message)
        keep_typed(request, item)
        return redirect(_here(request, product, item))
    remember(request, f"{item.ref} was linked to {opportunity.ref}", activities)
    request.session["voices_opportunity"] = opportunity.ref
    heard = queries.demand(opportunity).people
    messages.success(
        request,
        f"{item.ref} speaks for {opportunity.ref} “{opportunity.title}”: {heard} {'person' if heard == 1 else 'people'} by now.",
    )
    return redirect(onward)


@require_POST
@page(Role.MEMBER)
def unlink(request: PageRequest, product: Product, number: int, ref: str) -> HttpResponse:
    item = queries.find_feedback(product, number)
    try:
        services.unlink(request.actor, item, services.find_opportunity(product, ref))
    except Conflict as error:
        messages.error(request, error.message)
    else:
        messages.success(request, f"{item.ref} speaks for {ref.upper()} no longer. Its highlight stays.")
    return redirect(_here(request, product, item))


@require_POST
@page(Role.MEMBER)
def put_away(request: PageRequest, product: Product, number: int) -> HttpResponse:
    """Read, and nothing to link; on to the next one."""
    item = queries.find_feedback(product, number)
    onward = _next(request, product, item)
    with services.together(request.actor, product) as activities:
        services.put_away(request.actor, item)
    remember(request, f"{item.ref} was put away", activities)
    return redirect(onward)


@require_POST
@page(Role.MEMBER)
def bring_back(request: PageRequest, product: Product, number: int) -> HttpResponse:
    item = queries.find_feedback(product, number)
    services.bring_back(request.actor, item)
    messages.success(request, f"{item.ref} waits for a reader again.")
    return redirect(_here(request, product, item))


@require_POST
@page(Role.MEMBER)
def tag_mark(request: PageRequest, product: Product, number: int, pk: int) -> HttpResponse:
    """Sort marked words by tags."""
    item = queries.find_feedback(product, number)
    mark = services.find_highlight(product, pk)
    if mark.item_id != item.pk:
        raise NotFound(f"There is no such highlight in {item.ref}.")
    try:
        services.tag_highlight(request.actor, mark, request.POST.get("tags", "").split(","))
    except Invalid as error:
        messages.error(request, error.message)
    return redirect(_here(request, product, item))


@require_POST
@page(Role.MEMBER)
def set_consent(request: PageRequest, product: Product, number: int) -> HttpResponse:
    item = queries.find_feedback(product, number)
    services.set_consent(request.actor, item, request.POST.get("consent", ""))
    return redirect(_here(request, product, item))


@require_POST
@page(Role.MEMBER)
def remark(request: PageRequest, product: Product, number: int) -> HttpResponse:
    """A private note, or an official answer."""
    item = queries.find_feedback(product, number)
    text, unproved = request.POST.get("text", ""), request.POST.get("unproved") == "1"
    by_mail = unproved or request.POST.get("by_mail") == "1"
    try:
        if request.POST.get("kind") == "answer":
            made = services.answer_voice(request.actor, item, text, by_mail=by_mail, unproved=unproved)
            sent = f", by mail to {made.mailed:,} {'person' if made.mailed == 1 else 'people'}" if made.mailed else ""
            messages.success(request, f"{item.ref} is answered{sent}.")
        else:
            services.add_note(request.actor, item, text)
            messages.success(request, f"Noted on {item.ref}, for the team alone.")
    except (Conflict, Invalid) as error:
        messages.error(request, error.message)
        keep_typed(request, item)
    return redirect(_here(request, product, item))


@require_POST
@page(Role.MEMBER)
def remove_remark(request: PageRequest, product: Product, number: int, remark_id: int) -> HttpResponse:
    item = queries.find_feedback(product, number)
    try:
        services.remove_remark(request.actor, item, remark_id)
        messages.success(request, "It is gone.")
    except Conflict as error:
        messages.error(request, error.message)
    return redirect(_here(request, product, item))


def _came_from(request: PageRequest) -> QueryDict | None:
    """The query of the inbox where the person was; None when they were on the voice's own page.

    Only the query is taken from the form: the address itself is ours, so nobody can be led elsewhere.
    """
    back = request.POST.get("back", "")
    return QueryDict(back.partition("?")[2]) if back else None


def _here(request: PageRequest, product: Product, item: FeedbackItem) -> str:
    params = _came_from(request)
    if params is None:
        return reverse("feedback_item", args=[product.slug, item.number])
    return address(product, wanted_of(params), after=params.get("after", ""), item=item.ref)


def _next(request: PageRequest, product: Product, item: FeedbackItem) -> str:
    """Where to go when this one is dealt with: in the waiting list the next one, else the same."""
    params = _came_from(request)
    wanted = wanted_of(params) if params is not None else Wanted(state="all")
    if params is None or wanted.state != "waiting":
        return _here(request, product, item)
    following = None if wanted.words.strip() else queries.neighbour(product, wanted, item)
    return address(product, wanted, item=following.ref if following else "")


@require_POST
@page(Role.MEMBER)
def triage(request: PageRequest, product: Product) -> HttpResponse:
    """Do one thing to the voices that were chosen, or to all that the list would show."""
    back = _came_from(request) or QueryDict()
    wanted = wanted_of(back)
    opened = request.POST.get("open", "")
    try:
        items = _chosen(request, product, wanted)
        act = act_of(request.POST)
        onward = _after(request, product, wanted, items, opened, act.name)
        done = services.triage(request.actor, product, items, act)
    except (Conflict, Invalid, NotFound, TooLarge) as error:
        messages.error(request, error.message)
        return redirect(address(product, wanted, after=back.get("after", ""), item=opened))
    many = f"{done.changed:,} voices are" if len(items) > 1 else f"{items[0].ref} is"
    if done.changed:
        remember(request, f"{many} {done.said}", done.activities)
    else:
        messages.info(request, f"Nothing changed: {'all are' if len(items) > 1 else 'it is'} {done.said} already.")
    return redirect(onward)


def _chosen(request: PageRequest, product: Product, wanted: Wanted) -> list[FeedbackItem]:
    if request.POST.get("all") == "1":
        return list(queries.listed(product, wanted)[: services.MOST_AT_ONCE])
    refs = request.POST.getlist("item")[: services.MOST_AT_ONCE + 1]
    if not refs:
        raise Invalid("Choose some voices first: tick their boxes, or press x.")
    return queries.find_many(product, refs)


def _after(
    request: PageRequest, product: Product, wanted: Wanted, items: list[FeedbackItem], opened: str, act: str
) -> str:
    """Where to go on: what leaves the list of those that wait is followed by the next one."""
    if "back" not in request.POST or not request.POST["back"]:
        return reverse("feedback_item", args=[product.slug, items[0].number])
    leaves = wanted.state == "waiting" and act in ("put_away", "link", "snooze", "set_status", "merge")
    if not leaves or len(items) > 1:
        gone = leaves and any(item.ref == opened for item in items)
        return address(product, wanted, item="" if gone else opened)
    following = None if wanted.words.strip() else queries.neighbour(product, wanted, items[0])
    return address(product, wanted, item=following.ref if following else "")


@require_POST
@page(Role.MEMBER)
def undo(request: PageRequest, product: Product) -> HttpResponse:
    """Take the last act back, whole, and show what it was done to."""
    last = remembered(request, product)
    params = _came_from(request) or QueryDict()
    opened = params.get("item", "")
    forget(request)
    try:
        services.undo_triage(request.actor, product, last.activities if last else [])
    except (Conflict, Forbidden, NotFound) as error:
        messages.error(request, error.message)
    else:
        messages.success(request, "Taken back.")
        opened = _done_to(last.activities if last else []) or opened
    number = request.POST.get("page", "")
    if number.isascii() and number.isdecimal() and len(number) < 9:
        return redirect("feedback_item", product.slug, int(number))
    return redirect(address(product, wanted_of(params), after=params.get("after", ""), item=opened))


def _done_to(activities: Sequence[int]) -> str:
    """The first voice that these lines of the activity list are of."""
    lines = Activity.objects.filter(pk__in=activities, subject_type=FeedbackItem._meta.label)
    return lines.order_by("pk").values_list("subject_label", flat=True).first() or ""
