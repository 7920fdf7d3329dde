"""Those who asked for a change, and whom they stand for, over REST."""

from datetime import datetime

from ninja import Field, Router, Schema

from whytree.voice.queries.loop import Way, find_solution, loop_of
from whytree.voice.queries.representation import representation_of
from whytree.voice.services import find_opportunity, loop
from whytree.workspace.entry.doors import ApiRequest, api_product
from whytree.workspace.outside.mail import is_set
from whytree.workspace.rest import Body
from whytree.workspace.rights.roles import Role

router = Router(tags=["Voices"])


class AskerOut(Schema):
    """`step` is the last of asked, exposed, used, solved that they came to."""

    key: str
    name: str
    step: str
    quote: str
    exposed_at: datetime | None
    variant: str
    used_at: datetime | None
    told_at: datetime | None
    asked_at: datetime | None
    solved: bool | None
    email_proved: bool
    left_alone: bool
    refused_at: datetime | None = Field(description="When their mail server last refused what went by itself.")


class StepOut(Schema):
    step: str
    people: int


class LoopOut(Schema):
    """`unknown` spoke without an id and cannot be followed. `events_answer` false: nobody knows now who got it."""

    solution: str
    funnel: list[StepOut]
    askers: list[AskerOut]
    to_tell: list[str]
    to_ask: list[str]
    unknown: int
    flags: list[str]
    used_event: str
    message: str
    tells: bool = Field(description="Whether each of them is told by mail, by itself, when it reaches them.")
    mail_is_set: bool = Field(description="Whether there is a mail server; without one nobody is told by itself.")
    events_answer: bool

    @staticmethod
    def of(way: Way) -> "LoopOut":
        own = list(AskerOut.model_fields)
        return LoopOut(
            solution=way.solution.ref,
            funnel=[StepOut(step=step, people=people) for step, people in way.funnel],
            askers=[AskerOut(**{name: getattr(one, name) for name in own}) for one in way.askers],
            to_tell=[one.key for one in way.to_tell],
            to_ask=[one.key for one in way.to_ask],
            unknown=way.unknown,
            flags=way.flags,
            used_event=way.used_event,
            message=way.message,
            tells=way.tells,
            mail_is_set=is_set(),
            events_answer=way.store_answers,
        )


class LoopIn(Body):
    """What is left out stays as it is."""

    used_event: str | None = None
    message: str | None = None
    tells: bool | None = Field(
        None,
        description="Tell each of them by mail, by itself, when it reaches them, where the address is proved theirs.",
    )


class ToldIn(Body):
    """`by_mail` false: a person has told or asked them, and this notes it.

    `unproved`: also at addresses that only a page or a mail said.
    """

    people: list[str]
    by_mail: bool = False
    unproved: bool = False


class PersonIn(Body):
    person: str


class LinkOut(Schema):
    link: str


@router.get("/products/{product}/solutions/{ref}/loop", response=LoopOut, operation_id="get_loop")
def get_loop(request: ApiRequest, product: str, ref: str) -> LoopOut:
    """Asked, exposed, used, says solved: how far the change has come to those who asked for it."""
    return LoopOut.of(loop_of(find_solution(api_product(request, product, Role.VIEWER), ref)))


@router.put("/products/{product}/solutions/{ref}/loop", response=LoopOut, operation_id="set_loop")
def set_loop(request: ApiRequest, product: str, ref: str, said: LoopIn) -> LoopOut:
    """Which event says that somebody used it, what they are told, and whether by itself."""
    solution = find_solution(api_product(request, product, Role.MEMBER), ref)
    loop.set_loop(request.actor, solution, used_event=said.used_event, message=said.message, tells=said.tells)
    return LoopOut.of(loop_of(solution))


@router.post("/products/{product}/solutions/{ref}/loop/tell", response=LoopOut, operation_id="tell_requesters")
def tell_requesters(request: ApiRequest, product: str, ref: str, said: ToldIn) -> LoopOut:
    """Tell those who have it; or note that somebody did."""
    solution = find_solution(api_product(request, product, Role.MEMBER), ref)
    loop.tell(request.actor, solution, said.people, by_mail=said.by_mail, unproved=said.unproved)
    return LoopOut.of(loop_of(solution))


@router.post("/products/{product}/solutions/{ref}/loop/ask", response=LoopOut, operation_id="ask_requesters")
def ask_requesters(request: ApiRequest, product: str, ref: str, said: ToldIn) -> LoopOut:
    """Ask those who used it whether it solved their problem; or note that somebody did."""
    solution = find_solution(api_product(request, product, Role.MEMBER), ref)
    loop.ask(request.actor, solution, said.people, by_mail=said.by_mail, unproved=said.unproved)
    return LoopOut.of(loop_of(solution))


@router.post("/products/{product}/solutions/{ref}/loop/link", response=LinkOut, operation_id="link_for_requester")
def link_for_requester(request: ApiRequest, product: str, ref: str, said: PersonIn) -> LinkOut:
    """The one question's address for this person; it needs no sign-in."""
    solution = find_solution(api_product(request, product, Role.MEMBER), ref)
    return LinkOut(link=request.build_absolute_uri(loop.link_for(request.actor, solution, said.person)))


class ShareOut(Schema):
    """A group's part of the voices with an interval of 95 %, and its part of the users. `told`: worth a warning."""

    name: str
    voices: int
    of_voices: float
    low: float
    high: float
    of_users: float
    told: bool


class KindOut(Schema):
    kind: str
    voices: int
    users: int
    shares: list[ShareOut]


class RepresentationOut(Schema):
    """`warnings` in words; `kinds` only where at least eight voices are known."""

    opportunity: str
    people: int
    known: int
    warnings: list[str]
    kinds: list[KindOut]


@router.get(
    "/products/{product}/opportunities/{ref}/representation",
    response=RepresentationOut,
    operation_id="get_representation",
)
def get_representation(request: ApiRequest, product: str, ref: str) -> RepresentationOut:
    """Who speaks for an opportunity, against who uses the product: by plan, tenure, platform, country, locale and activity."""
    found = api_product(request, product, Role.VIEWER)
    opportunity = find_opportunity(found, ref)
    told = representation_of(opportunity)
    names = ["name", "voices", "of_voices", "low", "high", "of_users"]
    return RepresentationOut(
        opportunity=opportunity.ref,
        people=told.people,
        known=told.known,
        warnings=told.warnings,
        kinds=[
            KindOut(
                kind=kind.word,
                voices=kind.compared.voices,
                users=kind.compared.users,
                shares=[
                    ShareOut(**{name: getattr(share, name) for name in names}, told=share.is_told)
                    for share in kind.compared.shares
                ],
            )
            for kind in told.kinds
        ],
    )
