"""The flags of a product, and one flag with its rollout, exposures, history and step-by-step evaluation."""

import json
from collections.abc import Mapping
from functools import partial
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from whytree.code.models import FlagReference
from whytree.engines.flags import FULL_COVERAGE, percent
from whytree.engines.typed import number_of
from whytree.errors import Conflict, Invalid, Unavailable, WhytreeError
from whytree.tree.models import Hypothesis, Solution
from whytree.tree.pages.parts import draw_panels
from whytree.workspace.background.fresh import kept
from whytree.workspace.entry.doors import PageRequest, page
from whytree.workspace.entry.environments import find_environment
from whytree.workspace.models import Product
from whytree.workspace.rights.access import may_write
from whytree.workspace.rights.roles import Role

from . import queries, services
from .environments.pages import find_here, flag_requests, place_context, requests_context, told
from .environments.placing import all_placed
from .in_code.retiring import in_state, retirement_of
from .in_code.snippets import python_snippet
from .models import Flag, Kind
from .rules.definition import basis_points
from .rules.pages import rule_context, shared_context, will_lock
from .rules.reading import json_object, put_path, read_value
from .rules.versions import versions

DAYS = 14  # of exposures shown
PLACES = 50  # in code


@require_http_methods(["GET", "POST"])
@page(Role.VIEWER)
def flags(request: PageRequest, product: Product) -> HttpResponse:
    """All flags; POST makes one."""
    if request.method != "POST":
        return flag_list(request, product, request.GET)
    try:
        flag = services.create_flag(request.actor, product, **_new_flag(product, request.POST))
    except (Invalid, Conflict) as error:
        return flag_list(request, product, request.POST, error)
    if flag.archived_at is None:
        messages.success(request, f"{flag.key} is there, off and at 0 %.")
    else:
        messages.success(
            request, f"{flag.key} is made. Code keeps its own default until another maintainer approves it."
        )
    return redirect("flag", product.slug, flag.key)


def flag_list(
    request: PageRequest,
    product: Product,
    form: QueryDict | None = None,
    error: WhytreeError | None = None,
    condition_error: WhytreeError | None = None,
) -> HttpResponse:
    """The list, wherever it is looked at; `form` and `error` are of a flag that could not be made, `condition_error` of what they share."""
    archived = "archived" in request.GET
    here = find_environment(product, request.GET.get("environment", ""))
    shown = all_placed(queries.list_flags(product, archived=archived), here)
    stands = {one.flag.pk: one for one in in_state(product)}
    context = {
        "here": "changes",
        "ready": [] if archived else [one for one in stands.values() if one.is_ready],
        "flags": [(flag, stands[flag.pk]) for flag in shown],
        "archived": archived,
        "sentence": _archive_sentence(shown) if archived else _list_sentence(shown),
        "kinds": Kind.choices,
        "solutions": Solution.objects.filter(product=product, closed_at=None),
        "hypotheses": _open_hypotheses(product),
        "form": form or {},
        "adds": may_write(request.actor, product) and ("add" in request.GET or error is not None),
        "error": error,
        "condition_error": condition_error,
        "may_write": may_write(request.actor, product),
    }
    context |= shared_context(request, product, request.POST.dict() if condition_error else None)
    context |= place_context(product, here) | requests_context(request, product, queries.list_requests(product))
    refused = error or condition_error
    return render(request, "flags/flags.html", context, status=refused.status if refused else 200)


def _list_sentence(shown: list[Flag]) -> str:
    if not shown:
        return "No flag yet."
    opened = [flag for flag in shown if flag.is_open]
    if not opened:
        return "No flag is open to people."
    said = "1 flag is open to people" if len(opened) == 1 else f"{len(opened)} flags are open to people"
    blind = sum(not flag.is_justified for flag in opened)
    if not blind:
        return f"{said}, {'each ' if len(opened) > 1 else ''}with a hypothesis."
    if blind == 1:
        return f"{said}; {'it' if len(opened) == 1 else 'one of them'} has no hypothesis."
    return f"{said}, {'none' if blind == len(opened) else f'{len(opened) - blind} of them'} with a hypothesis."


def _archive_sentence(shown: list[Flag]) -> str:
    if not shown:
        return "No flag is archived."
    return f"{len(shown)} archived {'flag' if len(shown) == 1 else 'flags'}. Nobody gets them; their history stays."


def _open_hypotheses(product: Product) -> Any:
    return Hypothesis.objects.filter(product=product, closed_at=None).select_related("solution")


def _new_flag(product: Product, form: QueryDict) -> dict[str, Any]:
    kind = form.get("kind", Kind.BOOLEAN.value)
    return {
        "key": form.get("key", ""),
        "name": form.get("name", ""),
        "kind": kind,
        "variants": _variants_of(form.get("variants", ""), kind),
        "solution": queries.find_solution(product, form.get("solution")),
        "hypothesis": queries.find_hypothesis(product, form.get("hypothesis")),
    }


def _variants_of(text: str, kind: str) -> dict[str, Any] | None:
    """Lines of `name = value`: JSON, or for a string flag the text as it is."""
    variants: dict[str, Any] = {}
    for line in filter(None, (line.strip() for line in text.splitlines())):
        name, sign, value = (part.strip() for part in line.partition("="))
        if not (name and sign):
            raise Invalid(f"{line!r} is not a variant. Write one on each line, as in: control = 9.90")
        try:
            variants[name] = value if kind == Kind.STRING else json.loads(value)
        except (ValueError, RecursionError) as error:
            raise Invalid(
                f"The value of {name} is no JSON: {value[:60]}. A {kind} flag needs values in JSON."
            ) from error
    return variants or None


@require_GET
@page(Role.VIEWER)
def flag(request: PageRequest, product: Product, key: str) -> HttpResponse:
    """One flag. With `?person=` also what that person gets, and why."""
    found = find_here(request, product, key)
    if request.htmx and "person" in request.GET:
        return render(request, "flags/_evaluation.html", {"flag": found} | _evaluation(found, request))
    return flag_page(request, found)


def flag_page(
    request: PageRequest,
    flag: Flag,
    error: WhytreeError | None = None,
    rule_form: dict[str, Any] | None = None,
    variants_text: str = "",
    sent: QueryDict | None = None,
) -> HttpResponse:
    """The whole page; `error` says why something was not done, the others are what was sent: `sent` to the rollout or to what it
    is for."""
    context = {
        "here": "changes",
        "flag": flag,
        "sentence": _flag_sentence(flag) if flag.environment is None else f"In {flag.place}: {_flag_sentence(flag)}",
        "history": queries.history(flag),
        "panels": draw_panels(request, "flag", flag.product, flag) if flag.environment is None else [],
        "versions": versions(flag),
        **_met(flag),
        "days": DAYS,
        "snippet": python_snippet(flag, request.build_absolute_uri("/").rstrip("/")),
        "solutions": Solution.objects.filter(product=flag.product, closed_at=None),
        "hypotheses": _open_hypotheses(flag.product),
        "will_lock": will_lock(flag),
        "variants_text": variants_text or _variants_text(flag),
        "variants_sent": bool(variants_text),
        "error": error,
        "sent": sent or {},
        "arms": [(arm, sent.get(f"weight:{arm.name}", arm.weight) if sent else arm.weight) for arm in flag.arms],
        "may_write": may_write(request.actor, flag.product),
        "retirement": (retirement := retirement_of(flag)),
        "code_places": [(one, _why_url(flag.product, one)) for one in retirement.code.references[:PLACES]],
        "more_places": len(retirement.code.references) - PLACES,
    }
    return render(
        request,
        "flags/flag.html",
        context
        | rule_context(flag, rule_form)
        | place_context(flag.product, flag.environment)
        | flag_requests(request, flag)
        | _evaluation(flag, request),
        status=error.status if error else 200,
    )


def _why_url(product: Product, place: FlagReference) -> str:
    """Where the line says what it is for."""
    ref = f"{place.repository.name}:{place.path}:{place.line}"
    return f"{reverse('why', args=[product.slug])}?{urlencode({'q': ref})}"


def _flag_sentence(flag: Flag) -> str:
    arms = [arm for arm in flag.arms if arm.weight]
    if flag.archived_at is not None:
        return f"{flag.key} is archived: code that asks for it gets its own default."
    if not flag.is_on:
        return f"{flag.key} is off: everybody gets {flag.off_variant}."
    now = timezone.now()
    if flag.on_from is not None and now < flag.on_from:
        return (
            f"{flag.key} begins on {flag.on_from:%-d %b %Y, %H:%M} UTC: until then everybody gets {flag.off_variant}."
        )
    if flag.on_until is not None and flag.on_until <= now:
        return f"{flag.key} ended on {flag.on_until:%-d %b %Y, %H:%M} UTC: everybody gets {flag.off_variant}."
    if flag.coverage == 0 and not flag.has_more_rules:
        return f"{flag.key} is on, but at 0 %: everybody gets {flag.default_variant}."
    if flag.coverage == FULL_COVERAGE:
        return f"{flag.key} reaches everybody: {'all get ' + arms[0].name if len(arms) == 1 else queries.shares(flag.weights)}."
    if flag.has_more_rules and flag.coverage == 0:
        return f"{flag.key} is on for those it singles out; everybody else gets {flag.default_variant}."
    reach = f"{flag.key} reaches {percent(flag.coverage)} of the people"
    if len(arms) == 1:
        return f"{reach}: they get {arms[0].name}, the others {flag.default_variant}. Nothing is compared."
    return f"{reach}: {queries.shares(flag.weights)}; the others get {flag.default_variant}."


def _met(flag: Flag) -> dict[str, Any]:
    """Exposures, and who the last people were; what comes in from elsewhere than production is no exposure."""
    if flag.environment is not None:
        return {"exposures": None}
    try:
        return kept("met", [flag.pk, flag.weights], 0, partial(_met_by_variant, flag))
    except Unavailable:  # the rollout must stay within reach then
        return {"exposures": None}


def _met_by_variant(flag: Flag) -> dict[str, Any]:
    exposures = queries.exposure_table(flag, days=DAYS)
    if not exposures.days:
        return {"exposures": exposures}
    lately = queries.met_lately(flag, days=DAYS)
    by_variant = {name: [one for one in lately if one.variant == name] for name in exposures.variants}
    return {"exposures": exposures, "lately": {name: met for name, met in by_variant.items() if met}}


def _evaluation(flag: Flag, request: HttpRequest) -> dict[str, Any]:
    person = request.GET.get("person", "").strip()
    if "person" not in request.GET:
        return {"person": "", "answer": None, "steps": []}
    said = request.GET.get("context", "")
    try:
        found = queries.explain_for(flag, person, _attributes_of(said))
    except Invalid as error:
        return {"person": person, "said": said, "answer": None, "steps": [], "misread": error.message}
    return {"person": person, "said": said, "answer": found.answer, "steps": found.steps}


def _attributes_of(text: str) -> dict[str, Any]:
    """What is known of the person beside the id: lines of `name = value`, or an object in JSON."""
    if text.strip().startswith("{"):
        return dict(json_object(text, "What is known of the person"))
    found: dict[str, Any] = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        name, sign, value = (part.strip() for part in line.partition("="))
        if not (name and sign):
            raise Invalid(f"{line!r} is not name = value.")
        put_path(found, name, read_value(value))
    return found


@require_POST
@page(Role.MEMBER)
def change_rollout(request: PageRequest, product: Product, key: str) -> HttpResponse:
    """Coverage, weights and the switch; a button may carry `switch` alone."""
    form = request.POST
    here = find_environment(product, form.get("environment", ""))

    def change() -> Flag:
        if "switch" in form:
            turn = services.turn_on if form["switch"] == "on" else services.turn_off
            return turn(request.actor, product, key, environment=here)
        return services.set_rollout(
            request.actor,
            product,
            key,
            coverage=basis_points(
                number_of(form.get("coverage", ""), "Give the coverage as a number of percent, as in 25.")
            ),
            weights=_weights_of(form),
            is_on=form.get("is_on") == "on",
            environment=here,
        )

    try:
        found = services.changed_or_asked(request.actor, change, words=form.get("because", ""))
    except (Invalid, Conflict) as error:
        return flag_page(request, find_here(request, product, key), error, sent=form)
    where = f" in {here.key}" if here else ""
    return told(request, product, key, found, lambda flag: f"{flag.key} is {flag.state}{where}.")


def _weights_of(form: Mapping[str, Any]) -> dict[str, int] | None:
    """The fields `weight:<variant>`; whole numbers, so that 1 and 1 means half and half."""
    sent = {name.removeprefix("weight:"): str(form[name]) for name in form if name.startswith("weight:")}
    try:
        return {name: int(text.strip() or "0") for name, text in sent.items()} or None
    except ValueError as error:
        raise Invalid("Weights are whole numbers, as in 50 and 50.") from error


@require_POST
@page(Role.MEMBER)
def edit(request: PageRequest, product: Product, key: str) -> HttpResponse:
    """Name, solution and hypothesis."""
    form = request.POST
    try:
        services.edit_flag(
            request.actor,
            product,
            key,
            name=form.get("name", ""),
            solution=queries.find_solution(product, form.get("solution")),
            hypothesis=queries.find_hypothesis(product, form.get("hypothesis")),
        )
    except (Invalid, Conflict) as error:
        return flag_page(request, queries.find_flag(product, key), error, sent=form)
    messages.success(request, "Saved.")
    return redirect("flag", product.slug, key)


@require_POST
@page(Role.MEMBER)
def change_variants(request: PageRequest, product: Product, key: str) -> HttpResponse:
    """The variants' values, and which of them people get outside the rollout and while it is off."""
    form = request.POST

    def change() -> Flag:
        named: services.Edits = {
            "default_variant": form.get("default_variant", ""),
            "off_variant": form.get("off_variant", ""),
        }
        variants = _variants_of(form.get("variants", ""), queries.find_flag(product, key).kind)
        if variants is not None:
            named["variants"] = variants
        return services.edit_flag(request.actor, product, key, **named)

    try:
        found = services.changed_or_asked(request.actor, change, words=form.get("because", ""))
    except (Invalid, Conflict) as error:
        return flag_page(request, queries.find_flag(product, key), error, variants_text=form.get("variants", ""))
    return told(request, product, key, found, lambda flag: f"{flag.key} has {len(flag.variants)} variants.")


def _variants_text(flag: Flag) -> str:
    """As `_variants_of` reads them; empty where a text would not come back as it is."""
    is_text = flag.kind == Kind.STRING
    if is_text and any(value != value.strip() or "\n" in value or "\r" in value for value in flag.variants.values()):
        return ""
    return "\n".join(
        f"{name} = {value if is_text else json.dumps(value, ensure_ascii=False)}"
        for name, value in flag.variants.items()
    )


@require_POST
@page(Role.MEMBER)
def archive(request: PageRequest, product: Product, key: str) -> HttpResponse:
    services.archive_flag(request.actor, product, key)
    messages.success(request, f"{key} is archived.")
    return redirect("flags", product.slug)


@require_POST
@page(Role.MEMBER)
def restore(request: PageRequest, product: Product, key: str) -> HttpResponse:
    found = services.changed_or_asked(request.actor, lambda: services.restore_flag(request.actor, product, key))
    return told(request, product, key, found, lambda flag: f"{key} is back, off.")
