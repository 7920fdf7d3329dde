"""Before an experiment: choose a flag, see what it could show, plan it."""

from typing import Any

import msgspec
from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from whytree.analytics.models import Metric
from whytree.engines.flags.switching import DAY, HOUR, Switching, length_text
from whytree.engines.typed import whole_of
from whytree.errors import Conflict, Invalid, NotFound, WhytreeError
from whytree.flags.models import Flag
from whytree.flags.pages import flag_page
from whytree.flags.queries import find_flag, list_flags
from whytree.workspace.entry.doors import PageRequest, page
from whytree.workspace.models import Product
from whytree.workspace.rights.access import may_write
from whytree.workspace.rights.roles import Role

from .. import queries, services
from ..judgement.design import LOOKS, RULES
from ..models import Rollout
from ..rollouts import services as rollouts
from ..rollouts.deciding import decide_rollout
from ..rollouts.words import guardrail_of, step_of
from ..switchbacks.planning import foreseen
from ..verdict.pictures import drawn_prospect
from .planning import Words, prospect, question_of

#: Lengths of a switchback's periods to choose from.
PERIODS = (HOUR, 2 * HOUR, 3 * HOUR, 4 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY)


@page()
def new(request: PageRequest, product: Product) -> HttpResponseBase:
    """GET shows what it could show; POST plans it."""
    if "csrfmiddlewaretoken" in request.GET:  # one form asks and plans: its token has no business in an address
        said = request.GET.copy()
        del said["csrfmiddlewaretoken"]
        return redirect(f"{request.path}?{said.urlencode()}")
    if request.method != "POST":
        return _show(request, product, request.GET)
    try:
        made = _create(request, product, request.POST)
    except WhytreeError as error:
        return _show(request, product, request.POST, error)
    messages.success(request, f"{made.ref} is planned. Its start fixes the plan.")
    return redirect(made.url)


def _create(request: PageRequest, product: Product, sent: QueryDict) -> Any:
    flag = find_flag(product, sent.get("flag", ""))
    plan: dict[str, Any] = {"looks": sent.get("looks") or "once", "rule": sent.get("rule") or "better"}
    if sent.get("days"):
        plan["days"] = _whole(sent.get("days", ""))
    if sent.get("every"):
        plan["switchback"] = msgspec.to_builtins(_switchback(sent))
    if flag.hypothesis is None:
        plan["metrics"] = [{"key": sent.get("metric", ""), "role": "primary"}]
    elif sent.getlist("also"):
        known = [{"key": flag.hypothesis.metric_key, "role": "primary"}]
        rails = [
            {"key": rail["metric_key"], "role": "guardrail", "harms": rail["direction"], "margin": rail["margin"]}
            for rail in flag.hypothesis.guardrails
        ]
        guarded = {rail["key"] for rail in (*known, *rails)}
        plan["metrics"] = [*known, *({"key": key} for key in sent.getlist("also") if key not in guarded), *rails]
    return services.create_experiment(request.actor, product, flag=flag, plan=plan, title=sent.get("title", ""))


def _switchback(sent: QueryDict) -> Switching:
    washout = sent.get("washout", "").strip()
    return Switching(
        minutes=_whole(sent.get("every", ""), "minutes"),
        washout=_whole(washout, "minutes") if washout else 0,
        by=sent.get("by", "").strip(),
    )


@require_POST
@page(Role.MEMBER)
def start_rollout(request: PageRequest, product: Product, key: str) -> HttpResponseBase:
    """From the flag's page: steps and guardrails one a line."""
    sent, flag = request.POST, find_flag(product, key)
    try:
        rollouts.start_rollout(
            request.actor,
            product,
            flag=flag,
            steps=[step_of(line) for line in _lines(sent.get("steps", ""))],
            guardrails=[guardrail_of(line) for line in _lines(sent.get("guardrails", ""))],
            roll_back=sent.get("roll_back") == "on",
            variant=sent.get("variant", ""),
        )
    except (Invalid, Conflict, NotFound) as error:
        return flag_page(request, flag, error)  # its form shows what was sent
    messages.success(request, f"{key} goes to people step by step now, while its guardrails are watched.")
    return redirect(reverse("flag", args=[product.slug, key]) + "#step-by-step")


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


@require_POST
@page(Role.MEMBER)
def change_rollout(request: PageRequest, product: Product, key: str, verb: str) -> HttpResponseBase:
    """A person's override of a guarded rollout."""
    found = queries.find_rollout(product, key)
    if verb == "go-on":
        rollouts.go_on(request.actor, found)
    elif verb == "halt":
        rollouts.halt(request.actor, found, reason="")
    elif verb == "resume":
        rollouts.resume(request.actor, found)
    elif verb == "roll-back":
        rollouts.take_back(request.actor, found, reason="")
    elif verb == "decide":
        error = _decide_rollout(request, found)
        if error is not None:
            return flag_page(request, found.flag, error)
    else:
        raise NotFound("A rollout goes on, is halted, resumed, decided or rolled back.")
    solution = found.flag.solution
    return redirect("node", product.slug, solution.ref) if solution is not None else redirect("flag", product.slug, key)


def _decide_rollout(request: PageRequest, rollout: Rollout) -> WhytreeError | None:
    """What is wrong with what was sent, where something is."""
    sent = request.POST
    try:
        decide_rollout(request.actor, rollout, decision=sent.get("decision", ""), text=sent.get("text", ""))
    except (Invalid, Conflict) as error:
        return error
    messages.success(request, f"Decided: what becomes of {rollout.flag.key} is written down.")
    return None


def _whole(text: str, of: str = "days") -> int:
    return whole_of(text, f"“{text[:20]}” is no number of {of}. Write 21, say.")


def _show(request: PageRequest, product: Product, said: QueryDict, error: WhytreeError | None = None) -> HttpResponse:
    flags = list(list_flags(product))
    chosen = next((flag for flag in flags if flag.key == said.get("flag")), None)
    context: dict[str, Any] = {
        "here": "changes",
        "flags": flags,
        "chosen": chosen,
        "metrics": list(Metric.objects.filter(product=product)),
        "said": said,
        "also": said.getlist("also"),
        "days": said.get("days", ""),
        "looks": LOOKS,
        "rules": RULES,
        "lengths": {minutes: length_text(minutes) for minutes in PERIODS},
        "may_write": may_write(request.actor, product),
        "error": error,
    }
    if chosen is not None and error is None:
        context |= _outlook(product, chosen, said)
    refused = context["error"]
    return render(request, "experiments/new.html", context, status=refused.status if refused is not None else 200)


def _outlook(product: Product, flag: Flag, said: QueryDict) -> dict[str, Any]:
    metric = said.get("metric", "") if flag.hypothesis is None else ""
    if flag.hypothesis is None and not metric:
        return {}
    try:
        days = _whole(said.get("days", "")) if said.get("days") else None
        switchback = _switchback(said) if said.get("every") else None
        words = Words(metric, flag.key, days, looks=said.get("looks") or "once", switchback=switchback)
        question = question_of(product, words, timezone.now())
    except WhytreeError as error:
        return {"error": error}
    blocks = {"foreseen": foreseen(switchback, flag.weights, question.days)} if switchback is not None else {}
    told = prospect(question, hypothesis=flag.hypothesis, with_lots="lots" in said)
    return {"prospect": told, "days": question.days, **blocks, **drawn_prospect(told)}
