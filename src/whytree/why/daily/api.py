"""Daily voices and the Monday lines over REST."""

from typing import Annotated

from ninja import Router, Schema, Status
from pydantic import Field

from whytree.errors import Invalid
from whytree.workspace.entry.doors import ApiRequest, api_product
from whytree.workspace.rest import Body
from whytree.workspace.rights.actors import Actor
from whytree.workspace.rights.roles import Role

from ..models import Reader
from . import alarms, sending
from . import answer as habit
from .answer import Daily
from .digest import Digest, digest_of

router = Router(tags=["Why"])


class DailyIn(Body):
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


class MailIn(Body):
    """`on` is Monday's mail, `alarms` those at once about harm to your changes; what is left out stays."""

    on: bool | None = None
    alarms: bool | None = None


class MailOut(Schema):
    """One's own wishes for one product. The feed's address is a secret: whoever has it reads what you would."""

    mail: bool
    alarms: bool
    feed: str
    emails: list[str]


class SlackIn(Body):
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
    """Turn your Monday mail on or off, and the mails at once about harm."""
    found, actor = api_product(request, product, Role.VIEWER), request.actor
    if body.on is None and body.alarms is None:
        raise Invalid('Say what: {"on": false} is about Monday, {"alarms": false} about harm.')
    if body.on is not None:
        sending.set_mail(actor, found, on=body.on)
    if body.alarms is not None:
        alarms.set_alarms(actor, found, on=body.alarms)
    return _mail_out(actor, habit.reader_of(habit.person_of(actor), found))


@router.post("/products/{product}/digest/feed", response=MailOut, operation_id="new_feed_url")
def new_feed_url(request: ApiRequest, product: str) -> MailOut:
    """Give your feed another secret address; the old one answers nobody."""
    return _mail_out(request.actor, sending.new_feed_url(request.actor, api_product(request, product, Role.VIEWER)))


def _mail_out(actor: Actor, reader: Reader) -> MailOut:
    """The feed's address is a secret that outlives a token, so one that may only read is not given it."""
    may_write = not actor.scopes or "write" in actor.scopes
    feed = sending.feed_url(reader) if may_write else ""
    return MailOut(mail=reader.mail, alarms=reader.alarms, feed=feed, emails=reader.emails)


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
