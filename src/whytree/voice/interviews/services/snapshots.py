"""Write down on one page what a talk taught."""

import base64
import binascii
from collections.abc import Sequence
from typing import Any, NotRequired, TypedDict, Unpack

from django.db import transaction

from whytree.engines.photos import NoPhoto, plain_photo
from whytree.engines.texts.personal import redact
from whytree.errors import Conflict, Invalid
from whytree.voice.models import NAME_LENGTH, Interview, InterviewSnapshot, VoiceSettings
from whytree.voice.services.linking import place_of
from whytree.workspace.records.activity import record
from whytree.workspace.rights.access import require
from whytree.workspace.rights.actors import Actor
from whytree.workspace.rights.roles import Role

from ..queries import snapshot_of, text_of

PART_LENGTH = 2_000
"""Characters of one part: more does not fit on the page."""
MOST_STEPS = 20
STEP_LENGTH = 300
QUOTE_LENGTH = 500


FEELINGS = ("low", "high")


class Step(TypedDict):
    """A step of the story: what happened, the highlight in which it is told, and how they felt, where that was plain."""

    step: str
    highlight: int | None
    feeling: NotRequired[str]


class SnapshotFields(TypedDict, total=False):
    """The seven parts; what is left out stays as it is. `photo`: bytes, a data URL, or empty to take it off."""

    name: str
    photo: bytes | str
    quick_facts: str
    memorable_quote: str
    experience_map: Sequence[Step]
    opportunities: str
    insights: str


def write_snapshot(actor: Actor, interview: Interview, **fields: Unpack[SnapshotFields]) -> InterviewSnapshot:
    """Keep these parts. A quote has to stand in the transcript: nobody's words are made up."""
    require(actor, interview.product, Role.MEMBER)
    with transaction.atomic():
        interview = Interview.objects.select_for_update().select_related("product").get(pk=interview.pk)
        if interview.erased_at is not None:
            raise Conflict(
                f"{interview.ref} was with somebody who had themselves forgotten. Nothing is written of them."
            )
        found = snapshot_of(interview) or InterviewSnapshot(interview=interview)
        before = _parts(found)
        for name, value in fields.items():
            setattr(found, name, _READ[name](interview, value))
        changed = [name for name, value in _parts(found).items() if value != before[name]]
        if found._state.adding or changed:
            found.save()
            after = {"parts": changed}  # the activity list need not hold the words once more
            record(actor, interview.product, "write_snapshot", interview, before={}, after=after, undoable=False)
    return found


def _parts(snapshot: InterviewSnapshot) -> dict[str, Any]:
    return {name: getattr(snapshot, name) for name in _READ}


def _name(interview: Interview, value: str) -> str:
    return " ".join(value.replace("\0", "").split())[:NAME_LENGTH]


def _lines(interview: Interview, value: str) -> str:
    lines = [" ".join(line.split()) for line in value.replace("\0", "").splitlines()]
    text = redact("\n".join(line for line in lines if line), VoiceSettings.of(interview.product).redact)[0]
    if len(text) > PART_LENGTH:
        raise Invalid(f"That part has {len(text):,} characters; {PART_LENGTH:,} is the most that fits on the page.")
    return text


def _quote(interview: Interview, value: str) -> str:
    words = value.replace("\0", "").strip().strip('“”"')
    if len(words) > QUOTE_LENGTH:
        raise Invalid(f"A memorable quote is short: {QUOTE_LENGTH} characters at most.")
    text = text_of(interview)
    if not words or not text:
        return redact(words, VoiceSettings.of(interview.product).redact)[0]
    place = place_of(text, words)
    return " ".join(text[place.start : place.end].split())


def _map(interview: Interview, value: Sequence[Step]) -> list[Step]:
    known = set(interview.highlights.values_list("pk", flat=True))
    kinds = VoiceSettings.of(interview.product).redact
    steps: list[Step] = []
    for one in value:
        words = " ".join(one["step"].replace("\0", "").split())
        if not words:
            continue
        if len(words) > STEP_LENGTH:
            raise Invalid(f"A step has {len(words)} characters; {STEP_LENGTH} is the most. Cut it in two.")
        mark = one.get("highlight")
        if mark is not None and mark not in known:
            raise Invalid(f"There is no highlight {mark} in {interview.ref}.")
        feeling = one.get("feeling", "")
        if feeling and feeling not in FEELINGS:
            raise Invalid(f"How they felt is {' or '.join(FEELINGS)}, or nothing.")
        kept: Step = {"step": redact(words, kinds)[0], "highlight": mark}
        steps.append({**kept, "feeling": feeling} if feeling else kept)
    if len(steps) > MOST_STEPS:
        raise Invalid(f"That are {len(steps)} steps; {MOST_STEPS} is the most. Tell the story, not every click.")
    return steps


def _photo(interview: Interview, value: bytes | str) -> str:
    if not value:
        return ""
    raw = value if isinstance(value, bytes) else _decoded(value)
    try:
        return plain_photo(raw)
    except NoPhoto as error:
        raise Invalid(str(error)) from error


def _decoded(url: str) -> bytes:
    head, _, data = url.partition(",")
    if not head.startswith("data:image/") or not head.endswith(";base64"):
        raise Invalid("A photo is sent as a data URL: data:image/jpeg;base64,...")
    try:
        return base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Invalid("The photo's base64 cannot be read. Send it again.") from error


_READ: dict[str, Any] = {
    "name": _name,
    "photo": _photo,
    "quick_facts": _lines,
    "memorable_quote": _quote,
    "experience_map": _map,
    "opportunities": _lines,
    "insights": _lines,
}
