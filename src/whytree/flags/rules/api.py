"""A flag's rules, its earlier states, and what a product's flags share, over REST."""

from datetime import datetime
from typing import Any

from ninja import Router, Schema, Status
from pydantic import Field

from whytree.engines.flags.rules.cohorts import split
from whytree.engines.flags.rules.describing import in_words
from whytree.workspace.entry.doors import ApiRequest, api_product
from whytree.workspace.entry.environments import find_environment
from whytree.workspace.rest import Body
from whytree.workspace.rights.roles import Role

from .. import queries, services
from ..environments.api import DifferenceOut, RequestOut
from ..evaluation import live
from ..models import ChangeRequest, Flag, FlagCondition
from ..protocols.flagd import flagd_file
from .definition import basis_points
from .versions import Version, versions

router = Router(tags=["Flags"])


class Needed(Body):
    """Another flag that must give one of these variants."""

    flag: str
    variants: list[str]


class RulesOut(Schema):
    """Who is singled out, and how people are hashed."""

    key: str
    targeting: dict[str, Any] | None = Field(description="JsonLogic in flagd's format.")
    says: str = Field(description="The rule in words; empty for none.")
    cohorts: dict[str, str] = Field(description="Cohorts that the rule gives a variant before anything else.")
    overrides: dict[str, str]
    prerequisites: list[Needed]
    on_from: datetime | None
    on_until: datetime | None
    unit: str
    is_sticky: bool
    group: str
    group_start: int
    group_end: int
    heeds_holdout: bool
    bucketing: str
    arm_order: list[str]
    metadata: dict[str, Any]

    @staticmethod
    def of(flag: Flag) -> "RulesOut":
        return RulesOut(
            key=flag.key,
            targeting=flag.targeting,
            says="" if flag.targeting is None else in_words(flag.targeting),
            cohorts=split(flag.targeting)[0],
            overrides=flag.overrides,
            prerequisites=[Needed(flag=one["flag"], variants=one["variants"]) for one in flag.prerequisites],
            on_from=flag.on_from,
            on_until=flag.on_until,
            unit=flag.unit,
            is_sticky=flag.is_sticky,
            group=flag.group.key if flag.group else "",
            group_start=flag.group_start,
            group_end=flag.group_end,
            heeds_holdout=flag.heeds_holdout,
            bucketing=flag.bucketing,
            arm_order=flag.arm_order,
            metadata=flag.metadata,
        )


class RulesIn(Body):
    """What is left out stays."""

    targeting: dict[str, Any] | None = None
    cohorts: dict[str, str] | None = Field(
        None,
        description="A cohort's key to the variant of its people; put in front of the rule in place of those that were there.",
    )
    overrides: dict[str, str] | None = None
    prerequisites: list[Needed] | None = None
    on_from: datetime | None = None
    on_until: datetime | None = None
    unit: str | None = Field(None, description="person or company")
    is_sticky: bool | None = None
    group: str | None = Field(None, description="An exclusion group, made when it is new; empty for none.")
    group_start: int | None = None
    group_end: int | None = None
    heeds_holdout: bool | None = None
    bucketing: str | None = None
    arm_order: list[str] | None = None
    metadata: dict[str, Any] | None = None


CHANGED = {200: RulesOut, 202: RequestOut}
CLEARED_BY_NULL = ("targeting", "on_from", "on_until")


class VersionOut(Schema):
    """A state the flag was in; `id` is what `go_back` takes."""

    id: int
    at: datetime
    by: str
    verb: str
    differences: list[DifferenceOut]
    is_now: bool

    @staticmethod
    def of(version: Version) -> "VersionOut":
        return VersionOut(
            id=version.id,
            at=version.at,
            by=version.by,
            verb=version.verb,
            differences=[DifferenceOut(**vars(one)) for one in version.differences],
            is_now=version.is_now,
        )


class ConditionIn(Body):
    logic: dict[str, Any]
    name: str = ""


class ConditionOut(Schema):
    """A condition that rules refer to by `{"$ref": key}`."""

    key: str
    name: str
    logic: dict[str, Any]
    says: str
    used_by: list[str]

    @staticmethod
    def of(condition: FlagCondition) -> "ConditionOut":
        return ConditionOut(
            key=condition.key,
            name=condition.name,
            logic=condition.logic,
            says=in_words(condition.logic),
            used_by=[flag.key for flag in queries.referring(condition.product, condition.key)],
        )


class HoldoutOut(Body):
    percent: float


@router.get("/products/{product}/flags/{key}/rules", response=RulesOut, operation_id="find_rules")
def find_rules(request: ApiRequest, product: str, key: str, environment: str = "") -> RulesOut:
    """Who is singled out."""
    found = api_product(request, product, Role.VIEWER)
    return RulesOut.of(queries.find_flag(found, key, environment=find_environment(found, environment)))


def _answer(found: Flag | ChangeRequest) -> RulesOut | Status[RequestOut]:
    return RulesOut.of(found) if isinstance(found, Flag) else Status(202, RequestOut.of(found))


@router.patch("/products/{product}/flags/{key}/rules", response=CHANGED, operation_id="set_rules")
def set_rules(
    request: ApiRequest, product: str, key: str, body: RulesIn, environment: str = "", because: str = ""
) -> RulesOut | Status[RequestOut]:
    """Change targeting, overrides, needed flags, schedule, unit, stickiness, group or hashing."""
    found = api_product(request, product, Role.MEMBER)
    edits = body.dict(exclude_unset=True)
    edits = {name: value for name, value in edits.items() if value is not None or name in CLEARED_BY_NULL}
    there = find_environment(found, environment)

    def change() -> Flag:
        return services.set_rules(request.actor, found, key, environment=there, **edits)

    return _answer(services.changed_or_asked(request.actor, change, words=because))


@router.get("/products/{product}/flags/{key}/history", response=list[VersionOut], operation_id="list_flag_versions")
def list_flag_versions(request: ApiRequest, product: str, key: str, environment: str = "") -> list[VersionOut]:
    """Every state the flag was in, newest first, with what differed."""
    found = api_product(request, product, Role.VIEWER)
    flag = queries.find_flag(found, key, environment=find_environment(found, environment))
    return [VersionOut.of(version) for version in versions(flag)]


@router.post("/products/{product}/flags/{key}/history/{version}/restore", response=CHANGED, operation_id="go_back")
def go_back(
    request: ApiRequest, product: str, key: str, version: int, environment: str = "", because: str = ""
) -> RulesOut | Status[RequestOut]:
    """Make it answer again as it did after that change."""
    found = api_product(request, product, Role.MEMBER)
    there = find_environment(found, environment)

    def change() -> Flag:
        return services.go_back(request.actor, found, key, version, environment=there)

    return _answer(services.changed_or_asked(request.actor, change, words=because))


@router.get("/products/{product}/flag-conditions", response=list[ConditionOut], operation_id="list_conditions")
def list_conditions(request: ApiRequest, product: str) -> list[ConditionOut]:
    """Conditions with a name, and the flags that refer to them."""
    found = api_product(request, product, Role.VIEWER)
    return [ConditionOut.of(one) for one in queries.list_conditions(found).select_related("product")]


@router.put("/products/{product}/flag-conditions/{key}", response=ConditionOut, operation_id="set_condition")
def set_condition(request: ApiRequest, product: str, key: str, body: ConditionIn) -> ConditionOut:
    """Make or change one; flags that refer to it answer by the new one at once."""
    found = api_product(request, product, Role.MEMBER)
    return ConditionOut.of(services.set_condition(request.actor, found, key, body.logic, name=body.name))


@router.delete("/products/{product}/flag-conditions/{key}", response={204: None}, operation_id="remove_condition")
def remove_condition(request: ApiRequest, product: str, key: str) -> Status[None]:
    """Take one away that no flag refers to."""
    services.remove_condition(request.actor, api_product(request, product, Role.MEMBER), key)
    return Status(204, None)


@router.get("/products/{product}/flag-holdout", response=HoldoutOut, operation_id="find_holdout")
def find_holdout(request: ApiRequest, product: str) -> HoldoutOut:
    """The share of the people who meet no change."""
    return HoldoutOut(percent=queries.holdout_share(api_product(request, product, Role.VIEWER)) / 100)


@router.put("/products/{product}/flag-holdout", response=HoldoutOut, operation_id="set_holdout")
def set_holdout(request: ApiRequest, product: str, body: HoldoutOut) -> HoldoutOut:
    """Keep a share of the people out of every change; flags that are open already keep theirs."""
    found = api_product(request, product, Role.MAINTAINER)
    return HoldoutOut(
        percent=services.set_holdout(request.actor, found, basis_points(body.percent, of="A holdout")).share / 100
    )


@router.get("/products/{product}/flagd-file", response=dict[str, Any], operation_id="export_flagd")
def export_flagd(request: ApiRequest, product: str, environment: str = "") -> dict[str, Any]:
    """All flags as a flagd file; what it cannot carry is DISABLED and marked `serverOnly` with the reason."""
    found = api_product(request, product, Role.VIEWER)
    there = find_environment(found, environment)
    return flagd_file(live.flag_set(found.pk, there.pk if there else None))


class MovingIn(Body):
    """Another tool's file: flagd's, PostHog's (local evaluation, or the list of flags) or GrowthBook's features."""

    document: Any
    dry_run: bool = False
    bucketing: str = Field("", description="2 for a flagd file whose flagd hashes plain texts.")


class MovedOut(Schema):
    key: str
    became: str = Field(description="made, there already, or left out")
    state: str
    moves_nobody: bool = Field(description="Everybody keeps the variant that the tool gave them.")
    notes: list[str]


class MovingOut(Schema):
    tool: str
    flags: list[MovedOut]


@router.post("/products/{product}/flag-imports", response=MovingOut, operation_id="import_flags")
def import_flags(request: ApiRequest, product: str, body: MovingIn) -> MovingOut:
    """Bring flags in from another tool; what is here already stays as it is."""
    found = api_product(request, product, Role.MEMBER)
    moving = services.import_flags(request.actor, found, body.document, dry_run=body.dry_run, bucketing=body.bucketing)
    return MovingOut(tool=moving.tool, flags=[MovedOut(**vars(one)) for one in moving.flags])
