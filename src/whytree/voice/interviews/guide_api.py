"""What to ask, and what is wrong with how it is asked, over REST."""

from datetime import datetime

from ninja import Router, Schema, Status

from whytree.engines.voices.questions import Finding, lint_guide
from whytree.errors import Invalid
from whytree.voice.models import Guide
from whytree.workspace.entry.doors import ApiRequest, api_product
from whytree.workspace.rest import Body
from whytree.workspace.rights.roles import Role

from . import queries, services
from .services.guides import GUIDE_LENGTH

router = Router(tags=["Voices"])


class QuestionsIn(Body):
    questions: str


class GuideIn(QuestionsIn):
    name: str


class FindingOut(Schema):
    """`line` counts from 1; 0 speaks of the whole guide. `words` gave the question away."""

    line: int
    rule: str
    words: str
    why: str
    instead: str

    @staticmethod
    def of(found: Finding) -> "FindingOut":
        names = ("line", "rule", "words", "why", "instead")
        return FindingOut(**{name: getattr(found, name) for name in names})


class GuideOut(Schema):
    name: str
    questions: str
    changed_at: datetime
    findings: list[FindingOut]

    @staticmethod
    def of(guide: Guide) -> "GuideOut":
        return GuideOut(
            name=guide.name,
            questions=guide.questions,
            changed_at=guide.changed_at,
            findings=[FindingOut.of(found) for found in lint_guide(guide.questions)],
        )


@router.get("/products/{product}/interview-guides", response=list[GuideOut], operation_id="list_guides")
def list_guides(request: ApiRequest, product: str) -> list[GuideOut]:
    """The guides, each with what the lint says of its questions."""
    found = Guide.objects.filter(product=api_product(request, product, Role.VIEWER))
    return [GuideOut.of(guide) for guide in found]


@router.post("/products/{product}/interview-guides/lint", response=list[FindingOut], operation_id="lint_guide")
def lint(request: ApiRequest, product: str, said: QuestionsIn) -> list[FindingOut]:
    """What is wrong with questions, one a line. Stores nothing."""
    api_product(request, product, Role.VIEWER)
    if len(said.questions) > GUIDE_LENGTH:
        raise Invalid(f"That are {len(said.questions):,} characters; {GUIDE_LENGTH:,} is the most.")
    return [FindingOut.of(found) for found in lint_guide(said.questions)]


@router.put("/products/{product}/interview-guides", response=GuideOut, operation_id="write_guide")
def write_guide(request: ApiRequest, product: str, said: GuideIn) -> GuideOut:
    """Keep a guide under this name."""
    found = api_product(request, product, Role.MEMBER)
    return GuideOut.of(services.write_guide(request.actor, found, said.name, said.questions))


@router.delete("/products/{product}/interview-guides", response={204: None}, operation_id="remove_guide")
def remove_guide(request: ApiRequest, product: str, name: str) -> Status[None]:
    """Take a guide out; talks that followed it stay."""
    services.remove_guide(request.actor, queries.find_guide(api_product(request, product, Role.MEMBER), name))
    return Status(204, None)
