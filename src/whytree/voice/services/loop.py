"""The way back to those who asked: tell them it is there, ask once whether it helped, and take their answer as evidence."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from time import monotonic

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from whytree.errors import Conflict, Invalid, NotFound, Unavailable
from whytree.flags.queries import flags_of
from whytree.people.models import Person
from whytree.people.queries import canonical_key, people_by_key
from whytree.tree.models import EvidenceType, Importance, Solution, SourceKind
from whytree.tree.services import link_evidence, reopen_node
from whytree.voice.arriving.drafts import Source, draft
from whytree.voice.contacts import refuse_unproved
from whytree.voice.models import FeedbackItem, Loop, Requester, VoiceSettings
from whytree.voice.models.loop import MESSAGE_LENGTH
from whytree.voice.queries.loop import Asker, find_requester, loop_of
from whytree.voice.replies.telling import rather_not, stop_url
from whytree.workspace.background.jobs import stopping
from whytree.workspace.entry.signed import SignedLink
from whytree.workspace.models import Product
from whytree.workspace.outside.mail import Mail, MailRefused, MailServerDown, is_set, send
from whytree.workspace.records.activity import record, snapshot
from whytree.workspace.rights.access import require
from whytree.workspace.rights.actors import Actor
from whytree.workspace.rights.roles import Role

from .linking import Span, link_excerpt, unlink
from .storing import store_drafts

ANSWER_LENGTH = 4_000
AGAIN = timedelta(days=7)
"""How long an address that was refused is left before mail goes there by itself again: it may have been put right."""
_WITHIN = 600.0
"""Seconds that one run tells: then whatever else takes long has its turn, and the next hour goes on."""
# Their own words stay here: whoever holds a public key can say that somebody's address is theirs.
_ASKED = "You told us about this."
_LINK = SignedLink("voice.loop")


def set_loop(
    actor: Actor,
    solution: Solution,
    *,
    used_event: str | None = None,
    message: str | None = None,
    tells: bool | None = None,
) -> Loop:
    """Which event says that somebody used the change, what those who asked are told, and whether by itself (`tell_reached`)."""
    require(actor, solution.product, Role.MEMBER)
    if message is not None and len(message) > MESSAGE_LENGTH:
        raise Invalid(f"The message has {len(message):,} characters; {MESSAGE_LENGTH:,} is the most.")
    with transaction.atomic():
        loop = Loop.objects.filter(solution=solution).first()
        before = snapshot(loop) if loop else None
        loop = loop or Loop(solution=solution)
        if used_event is not None:
            loop.used_event = " ".join(used_event.replace("\0", "").split())[:500]
        if message is not None:
            loop.message = message.replace("\0", "").strip()
        if tells is not None:
            loop.tells = tells
        if loop.tells and not loop.message:
            raise Invalid(
                "Write first what they are told: nobody is told by itself without the entry of your changelog."
            )
        loop.save()
        record(actor, solution.product, "set_loop", loop, before=before, after=snapshot(loop), undoable=False)
    return loop


def tell(actor: Actor, solution: Solution, keys: Sequence[str], *, by_mail: bool, unproved: bool = False) -> int:
    """Tell those whom the change has reached that it is there; how many. Without mail: that a person did so by hand.

    `unproved`: also at addresses that only a page or a mail said.
    """
    askers = _chosen(
        actor,
        solution,
        keys,
        "the change has not reached them yet, or they want to be left alone",
        lambda one: one.is_to_tell,
    )
    message = loop_of(solution).message
    if by_mail and not message:
        raise Invalid("Write first what they are told: the entry of your changelog.")
    if by_mail:
        _refuse_unmailable(askers, unproved)
    for asker in askers:
        requester = _requester(solution, asker)
        if by_mail:
            _mail(solution.product, asker, _is_there(solution), f"{message}\n\n{_ASKED}")
        _note(actor, requester, "tell", told_at=timezone.now(), told_by_id=actor.user_id)
    return len(askers)


def tell_reached(solution: Solution) -> int:
    """Tell by mail those whom the change has reached meanwhile, where its switch is on; how many mails went.

    Only at addresses that are proved theirs, one mail an address. While no flag of it is on the change is not there, and
    nobody is told. Raises `MailServerDown`: another attempt goes on where this one stopped.
    """
    flags = flags_of(solution)
    if not is_set() or _switched_on(solution) is None or not any(flag.is_on for flag in flags):
        return 0
    way, until, sent = loop_of(solution), monotonic() + _WITHIN, 0
    people = people_by_key(solution.product, [one.key for one in way.to_mail])
    heard = {one.email.lower() for one in way.askers if one.told_at}
    alone = {one.email.lower() for one in way.askers if one.left_alone}
    waits = timezone.now() - AGAIN
    for asker in way.to_mail:
        address = asker.email.lower()
        if address in alone or (asker.refused_at is not None and asker.refused_at > waits):
            continue
        loop = _switched_on(solution)
        if loop is None or stopping() or monotonic() > until:
            break
        requester = _requester(solution, asker)
        if requester.told_at is not None:
            continue  # by hand, meanwhile
        if address not in heard:
            if not _goes_out(solution, loop, requester, people[asker.key]):
                continue
            heard.add(address)
            sent += 1
        _note(Actor.system(f"The switch of {solution.ref}"), requester, "tell", told_at=timezone.now())
    return sent


def _switched_on(solution: Solution) -> Loop | None:
    return Loop.objects.filter(solution=solution, tells=True).exclude(message="").first()


def _goes_out(solution: Solution, loop: Loop, requester: Requester, person: Person) -> bool:
    """One mail that nobody pressed for. What is refused here keeps nobody else waiting."""
    stop = stop_url(person)
    words = f"{loop.message}\n\n{_ASKED}\n\n{rather_not(stop)}"
    try:
        send(Mail(person.email, _is_there(solution), words, stop_url=stop))
    except MailRefused:
        requester.refused_at = timezone.now()
        requester.save(update_fields=["refused_at"])
        return False
    except MailServerDown:
        raise
    except Unavailable:  # this address later; the next run asks again
        return False
    return True


def _is_there(solution: Solution) -> str:
    return f"{solution.product.name}: what you asked for is there"


def ask(actor: Actor, solution: Solution, keys: Sequence[str], *, by_mail: bool, unproved: bool = False) -> int:
    """Ask those who used it whether it solved their problem, once each; how many."""
    askers = _chosen(
        actor,
        solution,
        keys,
        "they have not used it yet, were asked already, or want to be left alone",
        lambda one: one.is_to_ask,
    )
    if by_mail and not settings.WHYTREE.public_url:
        raise Conflict("A mail needs this server's address: set WHYTREE_PUBLIC_URL, or send each their link by hand.")
    if by_mail:
        _refuse_unmailable(askers, unproved)
    for asker in askers:
        requester = _requester(solution, asker)
        if by_mail:
            words = f"{_ASKED}\n\nDid “{solution.title}” solve it? One click: {link_of(requester)}"
            _mail(solution.product, asker, f"{solution.product.name}: did this solve it?", words)
        _note(actor, requester, "ask", asked_at=timezone.now())
    return len(askers)


def _chosen(
    actor: Actor, solution: Solution, keys: Sequence[str], why_not: str, fits: Callable[[Asker], bool]
) -> list[Asker]:
    require(actor, solution.product, Role.MEMBER)
    by_key = {one.key: one for one in loop_of(solution).askers}
    keys = [key if key in by_key else canonical_key(solution.product, key) for key in keys]
    unknown = next((key for key in keys if key not in by_key), None)
    if unknown is not None:
        raise NotFound(f"{unknown[:60]} did not ask for this.")
    chosen = [by_key[key] for key in dict.fromkeys(keys)]
    wrong = next((one for one in chosen if not fits(one)), None)
    if wrong is not None:
        raise Conflict(f"{wrong.name}: {why_not}.")
    if not chosen:
        raise Invalid("Choose at least one person.")
    return chosen


def _refuse_unmailable(askers: Sequence[Asker], unproved: bool) -> None:
    """All are looked at before the first mail goes."""
    if not is_set():
        raise Conflict("No mail server is set. Copy the message, send it yourself, and note it as told.")
    for asker in askers:
        if not asker.email:
            raise Conflict(f"Nobody knows {asker.name}'s e-mail address. Tell them yourself, and note it as told.")
        refuse_unproved(asker.name, proved=asker.email_proved, allowed=unproved)


def _mail(product: Product, asker: Asker, subject: str, text: str) -> None:
    """Mail leaves the house before it is noted: told twice is better than never."""
    stop = stop_url(people_by_key(product, [asker.key])[asker.key])
    try:
        send(Mail(asker.email, subject, f"{text}\n\n{rather_not(stop)}", stop_url=stop))
    except (MailRefused, Unavailable) as error:
        raise Conflict(f"The mail to {asker.name} was not taken: {error.message}") from error


def _requester(solution: Solution, asker: Asker) -> Requester:
    if asker.requester is not None:
        return Requester.objects.select_related("product").get(pk=asker.requester)
    made, _ = Requester.objects.get_or_create(product=solution.product, solution=solution, person_key=asker.key)
    return made


def _note(actor: Actor, requester: Requester, verb: str, **values: object) -> None:
    with transaction.atomic():
        before = snapshot(requester)
        for name, value in values.items():
            setattr(requester, name, value)
        requester.save(update_fields=list(values))
        record(actor, requester.product, verb, requester, before=before, after=snapshot(requester), undoable=False)


def link_for(actor: Actor, solution: Solution, key: str) -> str:
    """The one question's address for this person, to send by hand."""
    (asker,) = _chosen(actor, solution, [key], "", lambda one: True)
    return link_of(_requester(solution, asker))


def link_of(requester: Requester) -> str:
    """Anybody who has the address may answer, once; it names nobody."""
    return f"{settings.WHYTREE.public_url}{reverse('did_it_solve', args=[_LINK.token(requester.pk)])}"


def requester_of(token: str) -> Requester:
    """Whose link this is."""
    return find_requester(int(_LINK.said(token)))


@transaction.atomic
def answer(token: str, *, solved: bool, words: str) -> Requester:
    """What somebody says of the change they asked for, in place of what they answered before.

    A no is a voice for the opportunity again, opens it where it was closed, and speaks against the solution; a yes speaks
    for the solution.
    """
    requester = (
        Requester.objects.select_for_update().select_related("solution", "product").get(pk=requester_of(token).pk)
    )
    if len(words) > ANSWER_LENGTH:
        raise Invalid(f"That are {len(words):,} characters; {ANSWER_LENGTH:,} is the most.")
    actor = Actor.system("those who asked")
    solution = requester.solution
    item = _as_voice(requester, solved, words)
    if not solved and solution.opportunity is not None:
        if solution.opportunity.is_closed:
            reopen_node(actor, solution.opportunity)
        link_excerpt(actor, item, solution.opportunity, span=Span.of(item), importance=Importance.IMPORTANT)
    if solved and requester.solved is False and solution.opportunity is not None:
        unlink(actor, item, solution.opportunity)
    _speaks(actor, item, solution, "supports" if solved else "contradicts")
    before = snapshot(requester)
    requester.answered_at, requester.solved, requester.item = timezone.now(), solved, item
    requester.save(update_fields=["answered_at", "solved", "item"])
    record(actor, requester.product, "answer", requester, before=before, after=snapshot(requester), undoable=False)
    return requester


def _as_voice(requester: Requester, solved: bool, words: str) -> FeedbackItem:
    """Their words, or what pressing the button says."""
    profile = people_by_key(requester.product, [requester.person_key]).get(requester.person_key)
    said = words.strip() or ("Yes, this solved it." if solved else "No, this did not solve it.")
    checked = draft(
        {
            "text": said,
            "person": requester.person_key,
            "author_name": profile.name if profile else "",
            "submission_id": f"requester {requester.pk}",
            "metadata": {
                "question": f"Did “{requester.solution.title}” solve it?",
                "answer": "yes" if solved else "no",
            },
        },
        now=timezone.now(),
    ).without_personal(VoiceSettings.of(requester.product).redact)
    source = Source("loop", requester.solution.ref, f"asked back about {requester.solution.ref}")
    stored = store_drafts(requester.product, source, [checked])
    changed = [*stored.created, *stored.updated]
    return changed[0] if changed else FeedbackItem.objects.select_related("product").get(pk=stored.unchanged[0])


def _speaks(actor: Actor, item: FeedbackItem, solution: Solution, stance: str) -> None:
    link_evidence(
        actor,
        item.product,
        solution,
        stance=stance,
        evidence_type=EvidenceType.USER_EVIDENCE,
        source_kind=SourceKind.FEEDBACK,
        source_id=item.ref,
        person_key=item.person_key,
        quote=item.text[:MESSAGE_LENGTH],
        said_at=item.said_at,
        importance=Importance.IMPORTANT,
    )
