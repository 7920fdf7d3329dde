"""Cohorts over REST."""

from datetime import date, datetime
from typing import Annotated, Any

from ninja import Router, Schema, Status
from pydantic import Field

from whytree.workspace.entry.doors import ApiRequest, api_product
from whytree.workspace.models import Product
from whytree.workspace.rest import Body
from whytree.workspace.rights.roles import Role

from ..models import Cohort
from . import queries, services

router = Router(tags=["Cohorts"])
MOST_IDS = 100_000


class CohortOut(Schema):
    """`people` is how many there were when it was last counted; `sentence` says who."""

    key: str
    name: str
    definition: dict[str, Any]
    sentence: str
    is_list: bool
    people: int | None
    created_at: datetime
    updated_at: datetime

    @staticmethod
    def of(cohort: Cohort) -> dict[str, Any]:
        last = cohort.sizes.order_by("-day").first()
        names = ("key", "name", "definition", "is_list", "created_at", "updated_at")
        own = {name: getattr(cohort, name) for name in names}
        return own | {"sentence": queries.sentence_of(cohort), "people": last.people if last else None}


class SizeOut(Schema):
    day: date
    people: int


class CohortLooked(CohortOut):
    """Counted now, with its history and one id of each of its first two hundred people."""

    history: list[SizeOut]
    ids: list[str]


class CohortIn(Body):
    """By a rule (`definition`), or a list of people's ids."""

    key: str
    name: str = ""
    definition: dict[str, Any] | None = None
    ids: Annotated[list[str], Field(max_length=MOST_IDS)] | None = None


class CohortEdits(Body):
    """What is left out stays. `ids` replace those of a list."""

    name: str | None = None
    definition: dict[str, Any] | None = None
    ids: Annotated[list[str], Field(max_length=MOST_IDS)] | None = None


class MemberOut(Schema):
    """Whether the person behind any of their ids belongs now."""

    key: str
    id: str
    inside: bool


@router.get("/products/{product}/cohorts", response=list[CohortOut], operation_id="list_cohorts")
def list_cohorts(request: ApiRequest, product: str) -> list[dict[str, Any]]:
    """Every cohort, with the size it had when it was last counted."""
    found = api_product(request, product, Role.VIEWER)
    return [CohortOut.of(cohort) for cohort in queries.list_cohorts(found)]


@router.post("/products/{product}/cohorts", response=CohortOut, operation_id="create_cohort")
def create_cohort(request: ApiRequest, product: str, said: CohortIn) -> dict[str, Any]:
    """A group of people told by a rule, or by a list of ids."""
    found = api_product(request, product, Role.MEMBER)
    if said.ids is not None:
        made = services.create_cohort_list(request.actor, found, key=said.key, name=said.name, ids=said.ids)
    else:
        made = services.create_cohort(request.actor, found, key=said.key, name=said.name, definition=said.definition)
    return CohortOut.of(made)


@router.get("/products/{product}/cohorts/{key}", response=CohortLooked, operation_id="get_cohort")
def get_cohort(request: ApiRequest, product: str, key: str) -> dict[str, Any]:
    """One cohort, counted now, with its history."""
    return _looked(api_product(request, product, Role.VIEWER), key)


@router.patch("/products/{product}/cohorts/{key}", response=CohortOut, operation_id="edit_cohort")
def edit_cohort(request: ApiRequest, product: str, key: str, said: CohortEdits) -> dict[str, Any]:
    """Change its name or rule, or put other people on a list."""
    found = api_product(request, product, Role.MEMBER)
    edits: services.CohortEdits = {}
    if said.name is not None:
        edits["name"] = said.name
    if said.definition is not None:
        edits["definition"] = said.definition
    cohort = services.edit_cohort(request.actor, found, key, **edits)
    if said.ids is not None:
        cohort = services.replace_cohort_list(request.actor, found, key, said.ids)
    return CohortOut.of(cohort)


@router.delete("/products/{product}/cohorts/{key}", response={204: None}, operation_id="delete_cohort")
def delete_cohort(request: ApiRequest, product: str, key: str) -> Status[None]:
    """Remove a cohort that no other one names."""
    services.delete_cohort(request.actor, api_product(request, product, Role.MEMBER), key)
    return Status(204, None)


@router.get("/products/{product}/cohorts/{key}/members/{path:person}", response=MemberOut, operation_id="is_in_cohort")
def is_in_cohort(request: ApiRequest, product: str, key: str, person: str) -> dict[str, Any]:
    """Whether one person belongs now, by any of their ids."""
    found = api_product(request, product, Role.VIEWER)
    return {"key": key, "id": person, "inside": queries.is_in_cohort(found, key, person)}


def _looked(product: Product, key: str) -> dict[str, Any]:
    looked = queries.look_at(queries.find_cohort(product, key))
    people = queries.people_of(looked.cohort)
    history = [{"day": day, "people": size} for day, size in looked.history]
    return CohortOut.of(looked.cohort) | {"people": looked.people, "history": history, "ids": list(people.ids)}
