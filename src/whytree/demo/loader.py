"""Plays the story: everything in the order in which it happened, each act while the clock says that it is then.

Nothing is written past the services: accounts by the workspace's, all else through the REST API and Segment's
`/v1/batch`, in this process. Between two acts come the events and voices of the time between them, so that each is taken
in with the flags that were in force.
"""

import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from whytree import options
from whytree.workspace.background.collecting import without_collecting
from whytree.workspace.terminal.client import CommandError, connect, open_http

from . import asking, delivery, repository, returning, script, story, voices, watching, wire, world
from .clock import moved_to
from .stage import Act, Desk, Stage
from .story import Calendar
from .voices import Voice
from .world import World

if TYPE_CHECKING:
    import httpx

Progress = Callable[[str, int, int], None]
"""What is being done, how much of it is done, of how much."""

AFTER_MIDNIGHT = timedelta(minutes=70)  # by then a day counts as whole
EVERY_FEW_DAYS = 4

PREPARING, EVENTS, VOICES, ACTS = "The world", "Events", "Voices", "The team"


@dataclass(frozen=True)
class Loaded:
    """How much was brought in."""

    people: int
    events: int
    voices: int
    acts: int


def load(data: Path, calendar: Calendar, progress: Progress) -> Loaded:
    """Play the whole story into the empty data folder, which the settings of this process name already."""
    with _behind_a_proxy():
        return _load(data, calendar, progress)


@contextmanager
def _behind_a_proxy() -> Iterator[None]:
    """While the story is played this process is its own proxy: visitors come from addresses of their own, or the doors that
    anybody may use would take them all for one who knocks too often."""
    name = "WHYTREE_TRUSTED_PROXY"
    before = os.environ.get(name)
    os.environ[name] = "127.0.0.1"
    try:
        yield
    finally:
        os.environ.pop(name)
        if before is not None:
            os.environ[name] = before


def _load(data: Path, calendar: Calendar, progress: Progress) -> Loaded:
    progress(PREPARING, 0, 3)
    made, heard = _imagine(calendar)
    progress(PREPARING, 2, 3)
    with moved_to(calendar.at(story.INSTALLED, 9)):
        company = _found_the_company(data)
    progress(PREPARING, 3, 3)
    theatre = _Theatre(made, heard, company, progress)
    theatre.play()
    _read_repository(data, calendar, theatre.stage)
    _look_once(theatre.stage)
    return Loaded(len(made.people), len(made.events), _voices_told(), theatre.acts)


def _voices_told() -> int:
    """What was said in feedback, in answers to the survey, and in talks."""
    from whytree.voice.models import FeedbackItem, Interview

    return FeedbackItem.objects.count() + Interview.objects.count()


def _imagine(calendar: Calendar) -> tuple[World, list[Voice]]:
    with without_collecting():
        made = world.build(calendar)
        heard = voices.speak(made)
        return watching.watch_the_form(returning.come_back(made, heard)), heard


# --- accounts ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Company:
    """The secrets of the people and of the app: tokens by colleague, keys by kind."""

    tokens: Mapping[str, str]
    keys: Mapping[str, str]


def _found_the_company(data: Path) -> Company:
    """Ana sets Whytree up, invites her colleagues, and makes the keys."""
    open_http({}).close()  # brings Django up and both stores to today's schema
    from whytree.workspace import services
    from whytree.workspace.background import lifecycle
    from whytree.workspace.entry import keys

    lifecycle.run_start()  # profiles and catalogue follow the events in a thread, as in the server
    ana = services.create_first_owner(email=story.ANA.email, name=story.ANA.name)
    owner = keys.actor_of_user(ana)
    _, secret = keys.create_token(owner, name="command line", scopes=[])
    options.write_private(data / "owner.token", secret)
    product = services.create_product(owner, name=story.PRODUCT, slug=story.SLUG, vision=story.VISION)
    tokens = {story.ANA.key: secret}
    for colleague in story.TEAM[1:]:
        _, invitation = services.invite_member(owner, product, role=colleague.role, email=colleague.email)
        user = services.ensure_user(email=colleague.email, name=colleague.name)
        services.accept_invitation(invitation, user=user, discipline=colleague.discipline)
        _, tokens[colleague.key] = keys.create_token(keys.actor_of_user(user), name="laptop", scopes=[])
    made = {
        kind: keys.create_key(owner, product, kind=kind, name=name)[1]
        for kind, name in (("capture", "Sprout app"), ("server", "Sprout server"))
    }
    return Company(tokens, made)


# --- the play ----------------------------------------------------------------------------------------------------------


class _Theatre:
    """Goes through the days once: what people did, what they said, what the team did."""

    def __init__(self, made: World, heard: list[Voice], company: Company, progress: Progress) -> None:
        by_key = {voice.key: voice for voice in heard if voice.key}
        clients = {who: connect(token) for who, token in company.tokens.items()}
        self.stage = Stage(made.calendar, clients, by_key, self._bring_events, self._open_link)
        self.acts = 0
        self._world = made
        self._heard = heard
        self._progress = progress
        self._company = company
        self._visitor = open_http({})
        self._people = {person.id: person for person in made.people}
        self._capture: dict[str, httpx.Client] = {
            kind: open_http({"Authorization": f"Bearer {key}", "Content-Type": "application/json"})
            for kind, key in company.keys.items()
        }
        self._now = made.calendar.at(0)
        self._next_event = 0
        self._next_voice = 0
        self._waiting: list[Voice] = []
        self._unread: deque[tuple[datetime, str]] = deque()
        self._asking = deque(asking.moments(made))

    def play(self) -> None:
        acts = sorted(script.acts(self._world.calendar), key=lambda act: act.at)
        for at, act in _with_evenings(acts, self._world.calendar):
            self._ask(until=at)
            self._now = at
            with moved_to(at):
                self._hear()
                if act is None:
                    self._bring_voices()
                    self._read_up()
                    self._look_at_numbers()
                else:
                    act.play(self.stage.of(act.who))
                    self.acts += 1
            self._progress(ACTS, self.acts, len(acts))

    def _bring_events(self) -> None:
        """What people did until now."""
        events, first = self._world.events, self._next_event
        while self._next_event < len(events) and events[self._next_event].at < self._now:
            self._next_event += 1
        new = range(first, self._next_event)
        numbered = ((number, events[number], self._people[events[number].person]) for number in new)
        for kind, body in wire.batches(numbered, self._world.calendar):
            answer = self._capture[kind].post("/v1/batch", content=body)
            if answer.status_code != 200 or answer.json().get("rejected"):
                raise CommandError(f"The story's events were not taken: {answer.text[:300]}")
        self._progress(EVENTS, self._next_event, len(events))

    def _hear(self) -> None:
        """What was said until now: the voices that the story leans on come in at once, for their refs."""
        while self._next_voice < len(self._heard) and self._heard[self._next_voice].at < self._now:
            voice = self._heard[self._next_voice]
            self._next_voice += 1
            if voice.source == "interview":
                made = self._reader.post("interviews", **wire.interview(voice))
                self.stage.heard[voice.key] = made["interview"]["ref"]
            elif voice.source == "widget":
                said = {"id": voice.id, "text": voice.text, "kind": "question"}
                self._tell("feedback", voice.at, voice.person, said)
            elif voice.key:
                ref = self._reader.post("feedback", **wire.feedback(voice))["ref"]
                self.stage.heard[voice.key] = ref
                self._unread.append((self._now, ref))
            else:
                self._waiting.append(voice)

    def _ask(self, *, until: datetime) -> None:
        """The survey in the pages: who saw it, and what they answered."""
        while self._asking and self._asking[0].at < until:
            moment = self._asking.popleft()
            with moved_to(moment.at):
                verb, said = ("shown", {}) if moment.answers is None else ("answer", {"answers": moment.answers})
                self._tell(f"surveys/{self.stage.refs['how-easy']}/{verb}", moment.at, moment.person, said)

    def _tell(self, door: str, at: datetime, who: str, said: dict[str, Any]) -> None:
        """What whytree.js sends from somebody's page."""
        person = self._people[who]
        body = wire.in_page(person, at, self._world.calendar, key=self._company.keys["capture"], **said)
        headers = {"Origin": wire.PAGES, "X-Forwarded-For": wire.address(person)}
        answer = self._visitor.post(f"/v1/{door}", json=body, headers=headers)
        if answer.status_code != 200:
            raise CommandError(f"What a page told was not taken: {answer.text[:300]}")

    def _open_link(self, link: str, form: dict[str, str]) -> None:
        answer = self._visitor.post(urlsplit(link).path, data=form)
        if answer.status_code != 200:
            raise CommandError(f"A link of the story was not answered: {answer.text[:300]}")

    def _bring_voices(self) -> None:
        """The day's other voices, all together."""
        if self._waiting:
            answer = self._reader.post_list("feedback", [wire.feedback(voice) for voice in self._waiting])
            if answer["refused"]:
                raise CommandError(f"The story's voices were not taken: {answer['refused'][0]['reason']}")
            self._unread.extend((self._now, ref) for ref in answer["created"])
            self._waiting = []
        self._progress(VOICES, self._next_voice, len(self._heard))

    def _read_up(self) -> None:
        """Priya puts away what nobody linked within some days; the newest voices wait for the visitor."""
        read: list[str] = []
        while self._unread and self._now - self._unread[0][0] > story.READ_WITHIN:
            read.append(self._unread.popleft()[1])
        if read:
            self._reader.post("feedback-triage", act="put_away", refs=read)

    def _look_at_numbers(self) -> None:
        """What the server does by itself at night: alerts are looked at, and now and then cohorts are counted.

        Nobody else needs the day's events: whoever reads a number or moves a flag catches up first.
        """
        day = self._world.calendar.day_of(self._now)
        is_counted = day % EVERY_FEW_DAYS == 0
        if not is_counted and day < story.CRASHES_WATCHED:
            return
        self._bring_events()
        from whytree.analytics.alerts.queries import list_alerts
        from whytree.analytics.alerts.services import check_alert
        from whytree.analytics.cohorts.services import note_sizes
        from whytree.workspace.models import Product

        product = Product.objects.get(slug=story.SLUG)
        with moved_to(self._now + AFTER_MIDNIGHT):
            for alert in list_alerts(product):
                check_alert(alert)
            if is_counted:
                note_sizes(product)

    @property
    def _reader(self) -> Desk:
        return self.stage.of("priya")


def _with_evenings(acts: list[Act], calendar: Calendar) -> Iterator[tuple[datetime, Act | None]]:
    """The acts, and the end of every day, at which what happened that day has come in."""
    evenings = [calendar.at(day) for day in range(1, story.DAYS + 1)]
    moments = [(act.at, act) for act in acts] + [(evening, None) for evening in evenings]
    yield from sorted(moments, key=lambda moment: moment[0])


# --- at the end ----------------------------------------------------------------------------------------------------------


def _read_repository(data: Path, calendar: Calendar, stage: Stage) -> None:
    """Build the app's repository beside the data and read it in, as `whytree repository add` does."""
    from whytree.code.commands import add_repository

    path = repository.build(data / "sprout", calendar, stage.refs)
    with redirect_stdout(StringIO()):  # it tells on the terminal what the report will tell
        add_repository(path, name="sprout", with_code=True, no_lines=False, as_json=True)
    delivery.tell(path, stage)


def _look_once(stage: Stage) -> None:
    """Fill the review that is due once more, with all that is known now, as the hourly job will do from here on."""
    desk = stage.of(story.ANA.key)
    for review in desk.get("reviews", decided=False):
        if datetime.fromisoformat(review["due_at"]) <= stage.calendar.today + timedelta(days=1):
            desk.post(f"reviews/{review['ref']}/fill")
