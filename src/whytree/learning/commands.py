"""Predictions and reviews from the command line."""

from collections.abc import Callable
from typing import Annotated, Any

import typer

from whytree.workspace.commands import AsJson, show
from whytree.workspace.terminal.client import Client, connect
from whytree.workspace.terminal.printing import plain

from .calibration.commands import register as register_calibration
from .debts.commands import register as register_debts
from .guards.commands import register as register_guards
from .predictions.commands import register as register_predictions
from .priors.commands import register as register_priors
from .programme.commands import register as register_programme

Ref = Annotated[str, typer.Argument(help="A review's id, as REV-4.")]


def register(root: typer.Typer, group: Callable[[str], typer.Typer]) -> None:
    group("hypothesis").command("lock")(lock_prediction)
    register_predictions(group)
    register_calibration(root)
    register_priors(group)
    register_debts(group)
    register_guards(group)
    register_programme(root)
    group("review").command("list")(list_reviews)
    group("review").command("show")(show_review)
    group("review").command("decide")(decide_review)


def lock_prediction(
    ref: Annotated[str, typer.Argument(help="A hypothesis, as HYP-2.")],
    as_json: AsJson = False,
) -> None:
    """Fix a prediction for good, now. For changes that ship without a flag: a flag that opens does it by itself."""
    client = connect()
    review = client.post(f"/products/{client.product}/hypotheses/{ref}/lock")
    show(
        review,
        as_json,
        f"{review['hypothesis']} is locked: {review['predicted']} on {review['metric_key']}.",
        _due(review),
    )


def list_reviews(as_json: AsJson = False) -> None:
    """Open reviews by their day, then decided ones."""
    client = connect()
    reviews = client.get(f"/products/{client.product}/reviews")
    lines = [f"{review['ref']:8} {_standing(review):22} {review['headline']}" for review in reviews]
    show(reviews, as_json, *(lines or ["No review yet. A prediction gets one when its flag opens."]))


def show_review(ref: Ref, as_json: AsJson = False) -> None:
    """What was predicted, what was measured, and whether to trust it."""
    client = connect()
    review = client.get(_path(client, ref))
    show(review, as_json, *_lines(review))


def decide_review(
    ref: Ref,
    verdict: Annotated[str, typer.Option(help="achieved, partly, not_achieved, inconclusive or harm")],
    decision: Annotated[str, typer.Option(help="keep, iterate, roll_back or remove")],
    learning: Annotated[str, typer.Option(help="What was learned, in a line or three.")],
    loved: Annotated[str, typer.Option(help="Did people love it?")] = "",
    corner: Annotated[list[str] | None, typer.Option(help="A corner that was cut; becomes a debt. Repeat it.")] = None,
    arm: Annotated[str, typer.Option(help="The arm that is kept, of several.")] = "",
    leave_flag: Annotated[bool, typer.Option("--leave-flag", help="Leave its flag as it is.")] = False,
    despite: Annotated[str, typer.Option(help="Why, where checks speak against deciding from it.")] = "",
    as_json: AsJson = False,
) -> None:
    """A person's verdict, what becomes of the solution, and what was learned. Once."""
    client = connect()
    body: dict[str, Any] = {"verdict": verdict, "decision": decision, "learning": learning, "loved": loved}
    body["corners"] = "\n".join(corner or ())
    body |= {"arm": arm, "move_flag": not leave_flag, "despite": despite}
    review = client.post(f"{_path(client, ref)}/decide", body)
    flag = review["result"]["flag_key"]
    stands = f" {flag} is {client.get(f'/products/{client.product}/flags/{flag}')['state']}." if flag else ""
    show(review, as_json, f"{review['ref']}: {verdict}, {decision}. {review['solution']} moves on.{stands}")


def _path(client: Client, ref: str) -> str:
    return f"/products/{client.product}/reviews/{ref}"


def _standing(review: dict[str, Any]) -> str:
    if review["state"] == "decided":
        return f"{review['verdict']}, {review['decision']}"
    return f"due {review['due_at'][:10]}"


def _due(review: dict[str, Any]) -> str:
    return f"{review['ref']} is due on {review['due_at'][:10]}."


def _lines(review: dict[str, Any]) -> list[str]:
    result = review["result"]
    lines = [review["headline"], f"  {review['summary']}", f"  predicted  {review['predicted']}"]
    if review["measured"]:
        lines.append(f"  measured   {review['measured']}   {review['held'] or 'not judged'}")
    if result["trust"]:
        lines += _trust_lines(result["trust"])
    for rail in result["guardrails"]:
        lines.append(f"  guardrail  {rail['contrast']['metric_name']}: {rail['verdict']}")
    lines += [f"  meanwhile  {text}" for text in review["shipped"]]
    lines += [f"  cost       {_with_source(cost)}" for cost in review["cost"]]
    if tagged := review["tagged"]:
        lines.append(f"  said       {tagged['sentence']}")
        lines += [f"             “{plain(quote['text'])}” {quote['ref']}" for quote in tagged["quotes"]]
    if review["state"] == "decided":
        lines.append(f"  {review['verdict']}, {review['decision']} by {review['decided_by']}: {review['learning']}")
        lines += [f"  although   {doubt}" for doubt in review["doubts"]]
        lines += [f"  because    {review['despite']}"] if review["despite"] else []
    else:
        lines += [f"  against    {doubt}" for doubt in review["doubts"]]
        lines.append(f"  {_due(review)}")
    return lines


def _with_source(cost: dict[str, Any]) -> str:
    return plain(f"{cost['text']} ({cost['source']})" if cost["source"] else cost["text"])


def _trust_lines(trust: dict[str, Any]) -> list[str]:
    people = " : ".join(f"{count:,} {arm}" for arm, count in trust["seen"].items())
    p = "" if trust["ratio_p"] is None else f", p {trust['ratio_p']:.2g}"
    lines = [f"  draw       {trust['ratio']}{p}   {people}"]
    if trust["quarantined"]:
        lines.append(f"  in both    {trust['quarantined']:,} left out")
    if trust["waiting"]:
        lines.append(f"  waiting    {trust['waiting']:,} are still within their time")
    return lines
