"""Where the story is played: one REST client a colleague, and the ids that the tree gave to what they made."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from whytree.workspace.terminal.client import Client

from . import story
from .story import Calendar
from .voices import Voice


@dataclass
class Stage:
    """What an act can use. `refs` maps the script's own names to refs ("defer" to "SOL-2"), `heard` a voice's key to its
    ref ("phone-why" to "FB-31") and `voices` to the voice itself."""

    calendar: Calendar
    clients: Mapping[str, Client]
    voices: Mapping[str, Voice]
    catch_up: Callable[[], None]  # brings in what people did until now
    open_link: Callable[[str, dict[str, str]], None]  # somebody follows a link of ours, and sends its form
    refs: dict[str, str] = field(default_factory=dict)
    heard: dict[str, str] = field(default_factory=dict)

    def of(self, who: str) -> "Desk":
        return Desk(self, self.clients[who])


class Desk:
    """One colleague at work: each call is a call of the public API, made as that person."""

    def __init__(self, stage: Stage, client: Client) -> None:
        self._stage = stage
        self._client = client

    def colleague(self, who: str) -> "Desk":
        """Somebody else, who answers in the same minute."""
        return self._stage.of(who)

    @property
    def calendar(self) -> Calendar:
        return self._stage.calendar

    def catch_up(self) -> None:
        """Wait until everything that people did so far has come in: before a rollout changes or a number is read."""
        self._stage.catch_up()

    def get(self, path: str, /, **parameters: Any) -> Any:
        return self._client.get(f"/products/{story.SLUG}/{path}", **parameters)

    def post(self, path: str, /, **body: Any) -> Any:
        return self._client.post(f"/products/{story.SLUG}/{path}", body)

    def post_list(self, path: str, body: list[dict[str, Any]]) -> Any:
        return self._client.post(f"/products/{story.SLUG}/{path}", body)

    def patch(self, path: str, /, **body: Any) -> Any:
        return self._client.patch(f"/products/{story.SLUG}/{path}", body)

    def put(self, path: str, /, **body: Any) -> Any:
        return self._client.put(f"/products/{story.SLUG}/{path}", body)

    def person(self, key: str) -> str:
        """The id of whoever said this."""
        return self._stage.voices[key].person

    def heard(self, key: str) -> str:
        return self._stage.heard[key]

    def ref(self, name: str) -> str:
        return self._stage.refs[name]

    def make(self, table: str, name: str, /, **fields: Any) -> str:
        """A node of the tree; `under` names its parent."""
        under = fields.pop("under", None)
        if under is not None:
            fields["parent"] = self.ref(under)
        made = self.post(table, **fields)
        self._stage.refs[name] = made["ref"]
        return str(made["ref"])

    def note(self, on: str, kind: str, text: str, **fields: str) -> int:
        return int(self.post(f"nodes/{self.ref(on)}/notes", kind=kind, text=text, **fields)["id"])

    def answer(self, note: int, text: str) -> None:
        self.post(f"notes/{note}/answer", answer=text)

    def link(self, opportunity: str, key: str, *, quote: str, importance: int) -> None:
        """Hang somebody's words on a problem."""
        said, where = self._stage.heard[key], self.ref(opportunity)
        if self._stage.voices[key].source == "interview":
            self.mark(key, quote=quote, opportunity=where, importance=importance)
        else:
            self.post(f"feedback/{said}/links", opportunity=where, quote=quote, importance=importance)

    def hear_back(self, solution: str, key: str, *, solved: bool, words: str) -> None:
        """Somebody follows the link they were sent, and says whether the change solved it."""
        link = self.post(f"solutions/{self.ref(solution)}/loop/link", person=self.person(key))["link"]
        self._stage.open_link(link, {"solved": "yes" if solved else "no", "words": words})

    def mark(self, key: str, **fields: Any) -> None:
        """Mark words of a talk."""
        self.post(f"interviews/{self._stage.heard[key]}/highlights", **fields)


@dataclass(frozen=True)
class Act:
    """Something a colleague did at a moment of the story."""

    at: datetime
    who: str
    play: Callable[[Desk], None]
