"""Flags over REST. Coverage travels in percent, as people say it."""

from datetime import datetime
from typing import Any

from ninja import Router, Schema, Status
from pydantic import Field

from whytree.errors import Invalid
from whytree.workspace.entry.doors import ApiRequest, api_product
from whytree.workspace.entry.environments import find_environment
from whytree.workspace.models import Product
from whytree.workspace.rest import Body
from whytree.workspace.rights.roles import Role

from . import queries, services
from .environments import api as environments
from .environments.api import Copying, RequestOut
from .environments.placing import all_placed
from .in_code.retiring import Retirement, in_state, retirement_of
from .models import ChangeRequest, Flag, FlagChange
from .rules import api as rules
from .rules.definition import basis_points

router = Router(tags=["Flags"])
router.add_router("", rules.router)
router.add_router("", environments.router)


class FlagOut(Schema):
    """A flag as it stands in production, or in the environment that was asked for."""

    key: str
    environment: str
    follows_production: bool = Field(description="Nobody changed it in this environment.")
    name: str
    kind: str
    variants: dict[str, Any]
    default_variant: str
    off_variant: str
    weights: dict[str, int]
    coverage_percent: float
    is_on: bool
    state: str
    salt: str
    bucketing: str
    solution: str | None
    hypothesis: str | None
    justified: bool
    created_at: datetime
    updated_at: datetime
    archived_at: datetime | None

    @staticmethod
    def of(flag: Flag) -> "FlagOut":
        return FlagOut(
            key=flag.key,
            environment=flag.place,
            follows_production=flag.follows_production,
            name=flag.name,
            kind=flag.kind,
            variants=flag.variants,
            default_variant=flag.default_variant,
            off_variant=flag.off_variant,
            weights=flag.weights,
            coverage_percent=flag.coverage / 100,
            is_on=flag.is_on,
            state=flag.state,
            salt=flag.salt,
            bucketing=flag.bucketing,
            solution=flag.solution.ref if flag.solution else None,
            hypothesis=flag.hypothesis.ref if flag.hypothesis else None,
            justified=flag.is_justified,
            created_at=flag.created_at,
            updated_at=flag.updated_at,
            archived_at=flag.archived_at,
        )


#: 202: another maintainer has to approve it first.
CHANGED = {200: FlagOut, 202: RequestOut}


class FlagIn(Body):
    """A new flag. Left out: kind boolean, variants on and off, weights as `create_flag` says."""

    key: str
    name: str = ""
    kind: str = "boolean"
    variants: dict[str, Any] | None = None
    default_variant: str = ""
    off_variant: str = ""
    weights: dict[str, int] | None = None
    salt: str = ""
    solution: str | None = Field(None, description="Reference of the solution it brings, as SOL-3.")
    hypothesis: str | None = Field(None, description="Reference of the hypothesis it tests, as HYP-4.")


class FlagEdit(Body):
    """What is left out stays; a null solution or hypothesis unlinks it."""

    name: str | None = None
    variants: dict[str, Any] | None = None
    default_variant: str | None = None
    off_variant: str | None = None
    salt: str | None = None
    solution: str | None = None
    hypothesis: str | None = None


class Opening(Body):
    coverage_percent: float = 100.0
    weights: dict[str, int] | None = None


class Rollout(Body):
    """What is left out stays."""

    coverage_percent: float | None = None
    weights: dict[str, int] | None = None
    is_on: bool | None = None


class ChangeOut(Schema):
    at: datetime
    coverage_percent: float
    weights: dict[str, int]
    is_on: bool
    by: str

    @staticmethod
    def of(change: FlagChange) -> "ChangeOut":
        return ChangeOut(
            at=change.at,
            coverage_percent=change.coverage / 100,
            weights=change.weights,
            is_on=change.is_on,
            by=change.by,
        )


class ExposureOut(Schema):
    """How many different people met a variant on a day (UTC)."""

    day: str
    variant: str
    people: int


class MetOut(Schema):
    """Somebody who met a variant, and when last."""

    variant: str
    id: str
    name: str
    at: datetime


class ReferenceOut(Schema):
    """A line that speaks of the flag; `how` is resolved or text."""

    repository: str
    path: str
    line: int
    how: str
    says: str
    alias: str
    hunk: str | None


class ExtinctionOut(Schema):
    """The commit that took the last reference out of a repository."""

    repository: str
    sha: str
    subject: str
    at: datetime


class RetirementOut(Schema):
    """How far a flag is on its way out: unjustified, running, decided, ready_to_remove or removed; and where it stands in code."""

    key: str
    standing: str
    says: str
    keep: str = Field(description="The variant whose branch stays; empty while nothing is decided.")
    command: str
    looked_in: list[str] = Field(description="Repositories in which somebody looked for it.")
    references: list[ReferenceOut]
    extinctions: list[ExtinctionOut]

    @staticmethod
    def of(found: Retirement) -> "RetirementOut":
        return RetirementOut(
            key=found.flag.key,
            standing=found.standing.value,
            says=found.says,
            keep=found.keep,
            command=found.command,
            looked_in=[repository.name for repository in found.code.looked_in],
            references=[
                ReferenceOut(
                    repository=one.repository.name,
                    path=one.path,
                    line=one.line,
                    how=one.how,
                    says=one.says,
                    alias=one.alias,
                    hunk=one.hunk,
                )
                for one in found.code.references
            ],
            extinctions=[
                ExtinctionOut(repository=one.repository.name, sha=one.sha, subject=one.subject, at=one.at)
                for one in found.code.extinctions
            ],
        )


class Person(Body):
    targeting_key: str = Field("", description="The person's id, as SDKs send it.")
    context: dict[str, Any] = Field({}, description="Attributes that rules read, as plan or company.")


class EvaluationOut(Schema):
    key: str
    variant: str
    value: Any
    reason: str
    in_rollout: bool
    coverage_bucket: int | None
    variant_bucket: int | None
    error: str | None
    by: str = Field(description="The step that decided, as switch, override, targeting or rollout.")
    explanation: list[str]


@router.get("/products/{product}/flags", response=list[FlagOut], operation_id="list_flags")
def list_flags(request: ApiRequest, product: str, archived: bool = False, environment: str = "") -> list[FlagOut]:
    """All flags, or all archived ones, in production or another environment."""
    found = api_product(request, product, Role.VIEWER)
    flags = all_placed(queries.list_flags(found, archived=archived), find_environment(found, environment))
    return [FlagOut.of(flag) for flag in flags]


@router.post("/products/{product}/flags", response={201: FlagOut}, operation_id="create_flag")
def create_flag(request: ApiRequest, product: str, body: FlagIn) -> Status[FlagOut]:
    """A new flag, off and at 0 %. Where changes need approval one that is not boolean waits for it in the archive."""
    found = api_product(request, product, Role.MEMBER)
    words = body.dict(exclude={"solution", "hypothesis"})
    flag = services.create_flag(
        request.actor,
        found,
        **words,
        solution=queries.find_solution(found, body.solution),
        hypothesis=queries.find_hypothesis(found, body.hypothesis),
    )
    return Status(201, FlagOut.of(flag))


@router.get("/products/{product}/flags/{key}", response=FlagOut, operation_id="find_flag")
def find_flag(request: ApiRequest, product: str, key: str, environment: str = "") -> FlagOut:
    """One flag."""
    return FlagOut.of(_found(api_product(request, product, Role.VIEWER), key, environment))


def _found(product: Product, key: str, environment: str) -> Flag:
    return queries.find_flag(product, key, environment=find_environment(product, environment))


def _answer(found: Flag | ChangeRequest) -> FlagOut | Status[RequestOut]:
    """The flag, or 202 and the request that waits for another maintainer."""
    return FlagOut.of(found) if isinstance(found, Flag) else Status(202, RequestOut.of(found))


@router.patch("/products/{product}/flags/{key}", response=CHANGED, operation_id="edit_flag")
def edit_flag(
    request: ApiRequest, product: str, key: str, body: FlagEdit, because: str = ""
) -> FlagOut | Status[RequestOut]:
    """Change what a flag is."""
    found = api_product(request, product, Role.MEMBER)
    edits = body.dict(exclude_unset=True)
    if "solution" in edits:
        edits["solution"] = queries.find_solution(found, edits["solution"])
    if "hypothesis" in edits:
        edits["hypothesis"] = queries.find_hypothesis(found, edits["hypothesis"])
    for name in ("name", "variants", "salt"):
        if name in edits and edits[name] is None:
            del edits[name]
    return _answer(
        services.changed_or_asked(
            request.actor, lambda: services.edit_flag(request.actor, found, key, **edits), words=because
        )
    )


@router.post("/products/{product}/flags/{key}/open", response=CHANGED, operation_id="open_flag")
def open_flag(
    request: ApiRequest, product: str, key: str, body: Opening, environment: str = "", because: str = ""
) -> FlagOut | Status[RequestOut]:
    """Turn it on for a share of the people; a prediction tied to it locks now."""
    found = api_product(request, product, Role.MEMBER)
    coverage, there = basis_points(body.coverage_percent), find_environment(found, environment)

    def change() -> Flag:
        return services.open_flag(request.actor, found, key, coverage=coverage, weights=body.weights, environment=there)

    return _answer(services.changed_or_asked(request.actor, change, words=because))


@router.post("/products/{product}/flags/{key}/rollout", response=CHANGED, operation_id="set_rollout")
def set_rollout(
    request: ApiRequest, product: str, key: str, body: Rollout, environment: str = "", because: str = ""
) -> FlagOut | Status[RequestOut]:
    """Change coverage, weights or the switch. 202 where another maintainer has to approve it, with your reason `because`."""
    found = api_product(request, product, Role.MEMBER)
    coverage = None if body.coverage_percent is None else basis_points(body.coverage_percent)
    there = find_environment(found, environment)

    def change() -> Flag:
        return services.set_rollout(
            request.actor, found, key, coverage=coverage, weights=body.weights, is_on=body.is_on, environment=there
        )

    return _answer(services.changed_or_asked(request.actor, change, words=because))


@router.post("/products/{product}/flags/{key}/on", response=CHANGED, operation_id="turn_on")
def turn_on(
    request: ApiRequest, product: str, key: str, environment: str = "", because: str = ""
) -> FlagOut | Status[RequestOut]:
    """Switch on at the coverage it has."""
    found = api_product(request, product, Role.MEMBER)
    there = find_environment(found, environment)

    def change() -> Flag:
        return services.turn_on(request.actor, found, key, environment=there)

    return _answer(services.changed_or_asked(request.actor, change, words=because))


@router.post("/products/{product}/flags/{key}/off", response=FlagOut, operation_id="turn_off")
def turn_off(request: ApiRequest, product: str, key: str, environment: str = "") -> FlagOut:
    """Everybody gets the off variant. Waits for nobody."""
    found = api_product(request, product, Role.MEMBER)
    there = find_environment(found, environment)
    return FlagOut.of(services.turn_off(request.actor, found, key, environment=there))


@router.post("/products/{product}/flags/{key}/copy", response=CHANGED, operation_id="copy_flag")
def copy_flag(
    request: ApiRequest, product: str, key: str, body: Copying, because: str = ""
) -> FlagOut | Status[RequestOut]:
    """Make it answer in one environment as it does in another; `compare_environments` shows first what differs."""
    found = api_product(request, product, Role.MEMBER)
    source, target = (find_environment(found, name) for name in (body.source, body.target))

    def change() -> Flag:
        return services.copy_flag(request.actor, found, key, source=source, target=target)

    return _answer(services.changed_or_asked(request.actor, change, words=because))


@router.post("/products/{product}/flags/{key}/follow", response=FlagOut, operation_id="follow_production")
def follow_production(request: ApiRequest, product: str, key: str, environment: str) -> FlagOut:
    """Forget what was said for this environment: it answers as in production again."""
    found = api_product(request, product, Role.MEMBER)
    there = find_environment(found, environment)
    return FlagOut.of(services.follow_production(request.actor, found, key, there))


@router.delete("/products/{product}/flags/{key}", response=FlagOut, operation_id="archive_flag")
def archive_flag(request: ApiRequest, product: str, key: str) -> FlagOut:
    """Off and out of the SDKs' sight; the history stays."""
    return FlagOut.of(services.archive_flag(request.actor, api_product(request, product, Role.MEMBER), key))


@router.post("/products/{product}/flags/{key}/restore", response=CHANGED, operation_id="restore_flag")
def restore_flag(request: ApiRequest, product: str, key: str, because: str = "") -> FlagOut | Status[RequestOut]:
    """Back from the archive, off."""
    found = api_product(request, product, Role.MEMBER)
    return _answer(
        services.changed_or_asked(
            request.actor, lambda: services.restore_flag(request.actor, found, key), words=because
        )
    )


@router.post("/products/{product}/flags/{key}/evaluate", response=EvaluationOut, operation_id="evaluate_flag")
def evaluate_flag(request: ApiRequest, product: str, key: str, body: Person, environment: str = "") -> EvaluationOut:
    """What one person gets, step by step. Only looks: this is no exposure."""
    flag = _found(api_product(request, product, Role.VIEWER), key, environment)
    found = queries.explain_for(flag, body.targeting_key, body.context)
    answer = found.answer
    return EvaluationOut(
        key=answer.key,
        variant=answer.variant,
        value=answer.value,
        reason=answer.reason,
        in_rollout=answer.in_rollout,
        coverage_bucket=answer.coverage_bucket,
        variant_bucket=answer.variant_bucket,
        error=answer.error,
        by=answer.by,
        explanation=found.steps,
    )


@router.get("/products/{product}/flags/{key}/changes", response=list[ChangeOut], operation_id="list_flag_changes")
def list_flag_changes(request: ApiRequest, product: str, key: str) -> list[ChangeOut]:
    """Every state of the rollout, newest first."""
    flag = queries.find_flag(api_product(request, product, Role.VIEWER), key)
    return [ChangeOut.of(change) for change in queries.changes_of(flag)]


@router.get("/products/{product}/flags/{key}/exposures", response=list[ExposureOut], operation_id="list_exposures")
def list_exposures(request: ApiRequest, product: str, key: str, days: int = 30) -> list[ExposureOut]:
    """People per variant and day."""
    if not 1 <= days <= 365:
        raise Invalid("Ask for 1 to 365 days.")
    flag = queries.find_flag(api_product(request, product, Role.VIEWER), key)
    rows = queries.exposures_by_day(flag, days=days)
    return [ExposureOut(day=row.day.isoformat(), variant=row.variant, people=row.people) for row in rows]


@router.get("/products/{product}/flags/{key}/people", response=list[MetOut], operation_id="list_people_of_flag")
def list_people_of_flag(request: ApiRequest, product: str, key: str, days: int = 30, limit: int = 5) -> list[MetOut]:
    """Who is in which variant: the last people of each."""
    if not (1 <= days <= 365 and 1 <= limit <= 1_000):
        raise Invalid("Ask for 1 to 365 days and 1 to 1,000 people of each variant.")
    flag = queries.find_flag(api_product(request, product, Role.VIEWER), key)
    return [MetOut(**vars(one)) for one in queries.met_lately(flag, days=days, limit=limit)]


@router.get("/products/{product}/flags/{key}/references", response=RetirementOut, operation_id="list_flag_references")
def list_flag_references(request: ApiRequest, product: str, key: str) -> RetirementOut:
    """Where the flag stands in code, as far as repositories were read, and whether it can go."""
    return RetirementOut.of(retirement_of(queries.find_flag(api_product(request, product, Role.VIEWER), key)))


@router.get("/products/{product}/flag-retirements", response=list[RetirementOut], operation_id="list_flag_retirements")
def list_flag_retirements(request: ApiRequest, product: str, state: str = "") -> list[RetirementOut]:
    """How far every flag is on its way out; with `ready` only those that can go now, and where."""
    found = api_product(request, product, Role.VIEWER)
    return [RetirementOut.of(one) for one in in_state(found, state)]
