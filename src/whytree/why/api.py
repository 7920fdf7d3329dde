"""Ask why over REST. With a clone at hand the command line sends what it knows of the lines; without one, the last reading answers."""

from typing import Annotated

from ninja import Router, Schema, Status
from pydantic import AwareDatetime, Field

from whytree.code.queries import find_repository
from whytree.code.services import PushedCommit
from whytree.engines.blame import Span
from whytree.engines.gitlog import BODY_LIMIT, SUBJECT_LIMIT
from whytree.errors import Invalid
from whytree.tree.services import Proposed
from whytree.workspace.actors import Actor
from whytree.workspace.doors import ApiRequest, api_product
from whytree.workspace.roles import Role

from . import queries, services
from .ahead import improving
from .ahead.answer import Ahead
from .answer import Why
from .answering import reasons
from .answering.hops import url_of
from .coverage import answer as covered
from .coverage.answer import Coverage, Point
from .daily import answer as habit
from .daily import sending
from .daily.answer import Daily
from .daily.digest import Digest, digest_of
from .first import questions, shares
from .first.first_look import FirstLook, first_look
from .first.first_look import find_repository as repository_named
from .first.questions import Question
from .first.reverse_tree import propose
from .first.shares import Share
from .models import Reader
from .queries import Ask
from .refs import CommitRef, LineRef, NotAReference, Ref, parse_ref
from .starting.card import Card, card_of, find_subject

router = Router(tags=["Why"])

MOST_SPANS = 5000
MOST_COMMITS = 2000


class CommitWords(Schema):
    """A commit's own words, from the asker's clone; `merged_by` is a merge that is sent along."""

    sha: Annotated[str, Field(max_length=64)]
    authored_at: AwareDatetime
    subject: str = ""
    body: str = ""
    note: str = ""
    author_name: Annotated[str, Field(max_length=200)] = ""
    merged_by: Annotated[str, Field(max_length=64)] = ""
    unrelated: bool = False

    def as_pushed(self) -> PushedCommit:
        """As much of it as a reading would keep: the rules look through every character."""
        words = self.dict()
        cut = {"subject": words["subject"][:SUBJECT_LIMIT].strip()}
        cut |= {name: words[name][:BODY_LIMIT] for name in ("body", "note")}
        return PushedCommit(**words | cut)


class GoneIn(Schema):
    """The commit a file is gone since; it is among the `commits`. `moved_to`: where it lives on."""

    sha: str
    moved_to: str = ""


class PlaceIn(Schema):
    """Lines of a file in the asker's clone, whatever it is called; the whole file without `first` and `last`."""

    path: str
    first: int = 0
    last: int = 0
    symbol: str = ""


class WhyIn(Schema):
    """What is asked: `ref` as typed, or a `place` in a clone; `at` is the revision that was read at.

    `spans` are [first line, last line, commit]; `cut_off` are lines older than a shallow clone reaches; `tracker` says
    whose number "#12" is.
    """

    ref: str
    place: PlaceIn | None = None
    at: str = ""
    gone: GoneIn | None = None
    spans: Annotated[list[tuple[int, int, str]], Field(max_length=MOST_SPANS)] = []
    commits: Annotated[list[CommitWords], Field(max_length=MOST_COMMITS)] = []
    cut_off: Annotated[list[tuple[int, int]], Field(max_length=MOST_SPANS)] = []
    looked_through: list[str] = []
    tracker: str = ""


@router.get("/products/{product}/why", response=Why, operation_id="explain")
def explain(request: ApiRequest, product: str, ref: str) -> Why:
    """The five hops behind a line, commit, flag, ticket or id. Lines answer as of the last reading of their clone."""
    found = api_product(request, product, Role.VIEWER)
    return services.answer_why(request.actor, found, Ask(_ref(ref)))


@router.post("/products/{product}/why", response=Why, operation_id="explain_from_clone")
def explain_from_clone(request: ApiRequest, product: str, body: WhyIn) -> Why:
    """The same, where the asker's clone has said which commits the lines came with. Nothing of it is stored."""
    found = api_product(request, product, Role.VIEWER)
    return services.answer_why(request.actor, found, _asked(_ref_of(body), body))


@router.get("/products/{product}/improve", response=Ahead, operation_id="improve")
def improve(request: ApiRequest, product: str, ref: str) -> Ahead:
    """What could be better there: struggles, guards near their margin, open questions, untested assumptions, flags that could go.

    `ref`: a file, lines or a folder as last read, `flag:KEY`, a ticket, an id, or a page of the product (`/signup`).
    """
    return improving.improve(api_product(request, product, Role.VIEWER), None, _place(ref))


@router.post("/products/{product}/improve", response=Ahead, operation_id="improve_from_clone")
def improve_from_clone(request: ApiRequest, product: str, body: WhyIn) -> Ahead:
    """The same, where the asker's clone has said which commits the lines came with. Nothing is stored."""
    found = api_product(request, product, Role.VIEWER)
    place = _ref_of(body) if body.place else _place(body.ref)
    ask = None if isinstance(place, improving.PageRef) else _asked(place, body)
    return improving.improve(found, ask, place)


def _ref_of(body: WhyIn) -> Ref:
    """What is asked about; a file in a clone may be called anything."""
    return LineRef(**body.place.dict()) if body.place else _ref(body.ref)


def _asked(ref: Ref, body: WhyIn) -> Ask:
    return Ask(
        ref,
        at=body.at[:64],
        gone=(body.gone.sha, body.gone.moved_to[:1000]) if body.gone else None,
        spans=[Span(first, last, sha) for first, last, sha in body.spans],
        commits=[commit.as_pushed() for commit in body.commits],
        cut_off=[Span(first, last, "") for first, last in body.cut_off],
        looked_through=body.looked_through[:100],
        tracker=body.tracker,
    )


def _place(typed: str) -> "Ref | improving.PageRef":
    try:
        return improving.parse_place(typed)
    except NotAReference as error:
        raise Invalid(str(error)) from error


@router.get("/products/{product}/why/share", response=Share, operation_id="explained_share")
def explained_share(request: ApiRequest, product: str, repository: str) -> Share:
    """How many of a repository's lines lead to a node of the tree, by rule."""
    return shares.explained_share(api_product(request, product, Role.VIEWER), repository)


class TellIn(Schema):
    """`reason`: SOL-3 (or another id), a ticket, or a few words."""

    commit: str
    reason: str


@router.post("/products/{product}/why/tell", response=Why, operation_id="tell_why")
def tell_why(request: ApiRequest, product: str, body: TellIn) -> Why:
    """Say what a commit is for; gives its answer as it reads now. The next sync of a clone keeps it as a git note."""
    found = api_product(request, product, Role.MEMBER)
    told = reasons.tell_why(request.actor, found, body.commit, body.reason)
    return queries.explain(found, Ask(CommitRef(told.commit.sha)))


@router.delete("/products/{product}/why/told/{pk}", response={204: None}, operation_id="withdraw_why")
def withdraw_why(request: ApiRequest, product: str, pk: int) -> Status[None]:
    """Take back what was told: one's own word, or as a maintainer anybody's."""
    reasons.withdraw_why(request.actor, api_product(request, product, Role.MEMBER), pk)
    return Status(204, None)


@router.get("/products/{product}/first-look", response=FirstLook, operation_id="first_look")
def look(request: ApiRequest, product: str, repository: str = "") -> FirstLook:
    """How much of a repository can say whom it was for, how that is known, and a line whose answer is worth seeing."""
    found = api_product(request, product, Role.VIEWER)
    return first_look(repository_named(found, repository))


class LinkAnswerIn(Schema):
    """Yes or no to a link that a rule found: `kind` and `key` as the question gave them."""

    sha: Annotated[str, Field(max_length=64)]
    kind: Annotated[str, Field(max_length=10)]
    key: Annotated[str, Field(max_length=200)]
    tracker: Annotated[str, Field(max_length=300)] = ""
    right: bool


class LinkAnsweredOut(Schema):
    sha: str
    answers: list[dict[str, str | bool]]


@router.get("/products/{product}/links", response=list[Question], operation_id="links_to_confirm")
def links_to_confirm(request: ApiRequest, product: str, repository: str = "", limit: int = 10) -> list[Question]:
    """The inferred links worth asking a person about: those that explain many lines and are least sure."""
    found = api_product(request, product, Role.VIEWER)
    return questions.questions(repository_named(found, repository), limit=max(1, min(limit, 100)))


@router.post("/products/{product}/links/answer", response=LinkAnsweredOut, operation_id="answer_link")
def answer_link(request: ApiRequest, product: str, body: LinkAnswerIn) -> LinkAnsweredOut:
    """Say that a link is right: it is stated from now on. Or wrong: no rule tries it again."""
    found = api_product(request, product, Role.MEMBER)
    facts = body.dict()
    commit = questions.answer(request.actor, found, facts.pop("sha"), **facts)
    return LinkAnsweredOut(sha=commit.sha, answers=commit.answers)


class ProposedIn(Schema):
    repository: Annotated[str, Field(max_length=100)] = ""


class ProposedOut(Schema):
    """Drafts that are new, that were there, and that wait for a yes or no now."""

    new: int
    kept: int
    open: int


@router.post("/products/{product}/drafts/propose", response=ProposedOut, operation_id="propose_drafts")
def propose_drafts(request: ApiRequest, product: str, body: ProposedIn) -> Proposed:
    """Infer drafts of a tree from what was merged and asked for. What a person decided before stays as it is."""
    found = api_product(request, product, Role.MEMBER)
    return propose(request.actor, repository_named(found, body.repository))


@router.get("/products/{product}/coverage", response=Coverage, operation_id="coverage")
def coverage(request: ApiRequest, product: str, repository: str = "", within: str = "") -> Coverage:
    """For every line the best that stands behind it, of a folder, a file or a whole repository, as it was last read."""
    return covered.coverage(api_product(request, product, Role.VIEWER), repository, within)


@router.post("/products/{product}/repositories/{pk}/coverage", response=Point, operation_id="keep_coverage")
def keep_coverage(request: ApiRequest, product: str, pk: int) -> Point:
    """Write down how much is explained after a reading, so that it can be seen over time. Twice changes nothing."""
    repository = find_repository(api_product(request, product, Role.MEMBER), pk)
    return covered.keep_coverage(request.actor, repository)


def _ref(typed: str) -> Ref:
    try:
        return parse_ref(typed)
    except NotAReference as error:
        raise Invalid(str(error)) from error


class StartIn(Schema):
    """What work starts on: a ticket, OPP-2, SOL-3 or words. `answers`: problem, who, test; what is left out stays open."""

    subject: str
    title: str = ""
    tracker: str = ""
    answers: dict[str, str] = {}


class StartedOut(Schema):
    """The solution that commits of this work are for; `trailer` is the line their messages carry."""

    ref: str
    title: str
    url: str
    created: bool
    ticket: str
    trailer: str
    open_questions: list[str]


@router.get("/products/{product}/start", response=Card, operation_id="start_card")
def start_card(
    request: ApiRequest, product: str, subject: str, title: str = "", tracker: str = "", problem: str = ""
) -> Card:
    """What somebody should see before they start on a ticket, a node or words. Changes nothing."""
    found = api_product(request, product, Role.VIEWER)
    return card_of(found, find_subject(found, subject, title=title, tracker=tracker, problem=problem))


@router.post("/products/{product}/start", response=StartedOut, operation_id="start")
def start(request: ApiRequest, product: str, body: StartIn) -> StartedOut:
    """Start work: the ticket is seen, its solution is there, answers are kept, skipped questions stay open."""
    found = api_product(request, product, Role.MEMBER)
    begin = services.Start(body.subject, body.title, body.tracker, body.answers)
    done = services.start(request.actor, found, begin)
    return StartedOut(
        ref=done.solution.ref,
        title=done.solution.title,
        url=url_of(done.solution),
        created=done.created,
        ticket=done.ticket_key,
        trailer=f"Why: {done.solution.ref}",
        open_questions=list(done.open_questions),
    )


class DailyIn(Schema):
    """`emails` are those of the reader's own clone: their commits carry them."""

    emails: Annotated[list[str], Field(max_length=5)] = []


@router.post("/products/{product}/daily", response=Daily, operation_id="read_daily")
def read_daily(request: ApiRequest, product: str, body: DailyIn) -> Daily:
    """Three voices of people whom your code touched, and what waits for you. The same all day; none comes twice within a month."""
    return habit.read_daily(request.actor, api_product(request, product, Role.VIEWER), body.emails)


class LineOut(Schema):
    label: str
    text: str
    url: str


class DigestOut(Schema):
    """This week's five lines; without any, nothing is sent. `sent_to` says where they have just gone."""

    week: str
    subject: str
    lines: list[LineOut]
    sent_to: str = ""

    @staticmethod
    def of(digest: Digest, sent_to: str = "") -> "DigestOut":
        lines = [LineOut(label=line.label, text=line.text, url=line.url) for line in digest.lines]
        return DigestOut(week=digest.week, subject=digest.subject if lines else "", lines=lines, sent_to=sent_to)


class MailIn(Schema):
    on: bool


class MailOut(Schema):
    """One's own wishes for one product. The feed's address is a secret: whoever has it reads what you would."""

    mail: bool
    feed: str
    emails: list[str]


class SlackIn(Schema):
    url: str


class SlackOut(Schema):
    """The channel; its address is a secret and never shown again."""

    host: str


@router.get("/products/{product}/digest", response=DigestOut, operation_id="digest")
def digest(request: ApiRequest, product: str) -> DigestOut:
    """This week's five lines for you, as they are mailed on Monday. Sends nothing."""
    found = api_product(request, product, Role.VIEWER)
    return DigestOut.of(digest_of(found, habit.person_of(request.actor)))


@router.post("/products/{product}/digest/send", response=DigestOut, operation_id="send_digest")
def send_digest(request: ApiRequest, product: str) -> DigestOut:
    """Send them to your own address now; the Monday's mail comes all the same."""
    found = api_product(request, product, Role.VIEWER)
    sent_to = sending.send_mine(request.actor, found)
    return DigestOut.of(digest_of(found, habit.person_of(request.actor)), sent_to)


@router.get("/products/{product}/digest/mail", response=MailOut, operation_id="get_mail")
def get_mail(request: ApiRequest, product: str) -> MailOut:
    """Whether your mail comes, and the secret address of your Atom feed."""
    found = api_product(request, product, Role.VIEWER)
    return _mail_out(request.actor, habit.reader_of(habit.person_of(request.actor), found))


@router.put("/products/{product}/digest/mail", response=MailOut, operation_id="set_mail")
def set_mail(request: ApiRequest, product: str, body: MailIn) -> MailOut:
    """Turn your Monday mail on or off."""
    return _mail_out(
        request.actor, sending.set_mail(request.actor, api_product(request, product, Role.VIEWER), on=body.on)
    )


@router.post("/products/{product}/digest/feed", response=MailOut, operation_id="new_feed_url")
def new_feed_url(request: ApiRequest, product: str) -> MailOut:
    """Give your feed another secret address; the old one answers nobody."""
    return _mail_out(request.actor, sending.new_feed_url(request.actor, api_product(request, product, Role.VIEWER)))


def _mail_out(actor: Actor, reader: Reader) -> MailOut:
    """The feed's address is a secret that outlives a token, so one that may only read is not given it."""
    may_write = not actor.scopes or "write" in actor.scopes
    return MailOut(mail=reader.mail, feed=sending.feed_url(reader) if may_write else "", emails=reader.emails)


@router.put("/products/{product}/slack", response=SlackOut, operation_id="set_slack")
def set_slack(request: ApiRequest, product: str, body: SlackIn) -> SlackOut:
    """Post the product's five lines to this incoming webhook on Mondays."""
    hook = sending.set_slack(request.actor, api_product(request, product, Role.MAINTAINER), body.url)
    return SlackOut(host=sending.host_of(hook))


@router.delete("/products/{product}/slack", response={204: None}, operation_id="remove_slack")
def remove_slack(request: ApiRequest, product: str) -> Status[None]:
    """Post nothing any more."""
    sending.remove_slack(request.actor, api_product(request, product, Role.MAINTAINER))
    return Status(204, None)


@router.post("/products/{product}/slack/test", response=SlackOut, operation_id="test_slack")
def test_slack(request: ApiRequest, product: str) -> SlackOut:
    """Post this week's lines now."""
    found = api_product(request, product, Role.MAINTAINER)
    return SlackOut(host=sending.post_to_slack(request.actor, found))
