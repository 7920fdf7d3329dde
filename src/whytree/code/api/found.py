"""What a scan of a clone found, over REST: where flags stand in its code, and who reads its form fields."""

from datetime import datetime
from typing import Annotated

from ninja import Router, Schema, Status
from pydantic import AwareDatetime, Field

from whytree.workspace.entry.doors import ApiRequest, api_product
from whytree.workspace.rights.roles import Role

from .. import queries
from ..references import flag_references, form_fields
from ..references.flag_references import FlagReading, PushedExtinction, PushedReference
from ..references.form_fields import PushedField

router = Router(tags=["Code"])

# More than any clone sends at once; what it has beyond comes in the next request.
MAX_FLAGS = 5000
MAX_REFERENCES = 2000
MAX_FIELDS = 200
MAX_PLACES = 200


# Flags in code ----------------------------------------------------------------------------------------


class FlagReferenceIn(Schema):
    """A line that speaks of a flag; `how` is resolved or text."""

    key: str
    path: str
    line: int
    how: str
    says: str = ""
    alias: str = ""
    hunk: str | None = None


class FlagExtinctionIn(Schema):
    """The commit that took a flag's last reference away."""

    key: str
    sha: str
    at: AwareDatetime
    subject: str = ""


class FlagReadingIn(Schema):
    """Part of what one scan found; the first part replaces what was told of these keys before."""

    root_sha: str
    rev: str
    keys: Annotated[list[str], Field(max_length=MAX_FLAGS)]
    references: Annotated[list[FlagReferenceIn], Field(max_length=MAX_REFERENCES)] = []
    extinctions: Annotated[list[FlagExtinctionIn], Field(max_length=MAX_FLAGS)] = []
    left_out: list[str] = []
    is_first: bool = True


@router.post(
    "/products/{product}/repositories/{pk}/flag-references",
    response={204: None},
    operation_id="push_flag_references",
)
def push_flag_references(request: ApiRequest, product: str, pk: int, body: FlagReadingIn) -> Status[None]:
    """Store where flags stand in a repository's code, and when the last reference of others went."""
    repository = queries.find_repository(api_product(request, product, Role.MEMBER), pk)
    reading = FlagReading(
        rev=body.rev,
        keys=body.keys,
        references=[PushedReference(**one.dict()) for one in body.references],
        extinctions=[PushedExtinction(**one.dict()) for one in body.extinctions],
        left_out=body.left_out,
        is_first=body.is_first,
    )
    flag_references.push_flag_references(request.actor, repository, body.root_sha, reading)
    return Status(204, None)


# Form fields ------------------------------------------------------------------------------------------


class SpotModel(Schema):
    """A line of code and what it does with the field."""

    path: str
    line: int
    says: str = ""


class FormFieldIn(Schema):
    """What a clone's code does with a field; the verdict is read, nobody or unsure."""

    field: str
    verdict: str
    says: str = ""
    reads: Annotated[list[SpotModel], Field(max_length=MAX_PLACES)] = []
    hides: Annotated[list[SpotModel], Field(max_length=MAX_PLACES)] = []
    defined: Annotated[list[SpotModel], Field(max_length=MAX_PLACES)] = []
    tests: Annotated[list[SpotModel], Field(max_length=MAX_PLACES)] = []


class FormFieldsIn(Schema):
    root_sha: str
    rev: str
    fields: Annotated[list[FormFieldIn], Field(max_length=MAX_FIELDS)]


class ReadingOut(Schema):
    """What one repository's code does with the field, as of a commit."""

    repository: str
    rev: str
    at: datetime
    verdict: str
    says: str
    reads: list[SpotModel]
    hides: list[SpotModel]
    defined: list[SpotModel]
    tests: list[SpotModel]


class FormFieldOut(Schema):
    """A form field: who fills it in, how long it keeps them (median seconds), and whether code reads it."""

    field: str
    forms: list[str]
    events: list[str]
    people: int
    seconds: float | None
    timed: int
    verdict: str
    says: str
    readings: list[ReadingOut]

    @staticmethod
    def of(found: form_fields.FormField) -> "FormFieldOut":
        return FormFieldOut(
            field=found.name,
            forms=found.forms,
            events=sorted({event for seen in found.seen for event in seen.events}),
            people=found.people,
            seconds=found.seconds,
            timed=found.timed,
            verdict=found.verdict,
            says=found.says,
            readings=[
                ReadingOut(
                    repository=one.repository.name,
                    rev=one.rev,
                    at=one.at,
                    verdict=one.verdict,
                    says=one.says,
                    reads=one.reads,
                    hides=one.hides,
                    defined=one.defined,
                    tests=one.tests,
                )
                for one in found.readings
            ],
        )


@router.get("/products/{product}/form-fields", response=list[FormFieldOut], operation_id="list_form_fields")
def list_form_fields(request: ApiRequest, product: str, days: int = form_fields.USUAL_DAYS) -> list[FormFieldOut]:
    """Form fields that events speak of: how long people take, and whether code reads what they type."""
    found = api_product(request, product, Role.VIEWER)
    return [FormFieldOut.of(one) for one in form_fields.form_fields(found, days=days)]


@router.post("/products/{product}/repositories/{pk}/form-fields", response={204: None}, operation_id="push_form_fields")
def push_form_fields(request: ApiRequest, product: str, pk: int, body: FormFieldsIn) -> Status[None]:
    """Store what a repository's code does with form fields."""
    repository = queries.find_repository(api_product(request, product, Role.MEMBER), pk)
    fields = [PushedField(**one.dict()) for one in body.fields]
    form_fields.push_form_fields(request.actor, repository, body.root_sha, body.rev, fields)
    return Status(204, None)
