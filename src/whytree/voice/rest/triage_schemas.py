"""What goes in and out at the REST doors of sorting."""

from typing import Literal

from ninja import Schema

from whytree.voice.finding.alike import Similar
from whytree.voice.models import SavedView
from whytree.workspace.rest import Body

from .schemas import Importance


class TriageIn(Body):
    """One thing to do to these items: see `act`'s values in the guide on voices."""

    refs: list[str]
    act: Literal["put_away", "bring_back", "tag", "untag", "assign", "snooze", "set_status", "link", "merge", "part"]
    value: str = ""
    importance: Importance = 1


class TriageOut(Schema):
    """`changed`: how many were not so already. `activities` are what `undo_triage` takes back."""

    changed: int
    said: str
    activities: list[int]


class UndoTriageIn(Body):
    activities: list[int]


class SimilarIn(Body):
    text: str


class SimilarOut(Schema):
    """A voice that may say the same, as a machine reckons: `score` from 0 to 1, and why."""

    ref: str
    text: str
    score: float
    reason: str
    shared: list[str]

    @staticmethod
    def of(found: Similar) -> "SimilarOut":
        return SimilarOut(
            ref=found.item.ref,
            text=found.item.text,
            score=round(found.likeness.score, 2),
            reason=found.likeness.reason,
            shared=list(found.likeness.shared),
        )


class StatusIn(Body):
    name: str
    waits: bool = True
    tells: bool = False


class StatusOut(Schema):
    """`waits`: a voice that stands so still waits for a reader. `tells`: those who said it hear of it."""

    name: str
    waits: bool
    tells: bool


class ViewIn(Body):
    """`query` is that of the inbox's address, as `state=all&tag=signup`."""

    name: str
    query: str
    shared: bool = False


class ViewOut(Schema):
    id: int
    name: str
    query: str
    shared: bool

    @staticmethod
    def of(view: SavedView) -> "ViewOut":
        return ViewOut(id=view.pk, name=view.name, query=view.query, shared=view.owner_id is None)
