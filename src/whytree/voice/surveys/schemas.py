"""What goes in and out of surveys at the REST door."""

from dataclasses import asdict
from datetime import datetime
from typing import Any, cast

from ninja import Schema

from whytree.workspace.rest import Body

from .models import Survey
from .queries import Counted
from .services import Settings

_OWN = (
    *("title", "intro", "thanks", "hidden", "state", "in_page", "after_event", "flag", "variant", "cohort", "share"),
    *(
        "cooldown_days",
        "stop_at",
        "opens_at",
        "closes_at",
        "origins",
        "created_at",
        "started_at",
        "stopped_at",
        "stopped_why",
    ),
)


class SettingsIn(Body):
    """What is left out stays as it is."""

    intro: str = ""
    thanks: str = ""
    hidden: list[str] = []
    in_page: bool = False
    after_event: str = ""
    flag: str = ""
    variant: str = ""
    cohort: str = ""
    share: int = 100
    cooldown_days: int = 30
    stop_at: int | None = None
    opens_at: datetime | None = None
    closes_at: datetime | None = None
    origins: list[str] = []

    def settings(self) -> Settings:
        return cast(Settings, self.model_dump(exclude_unset=True, exclude={"title", "questions"}))


class SurveyIn(SettingsIn):
    """`questions` as `[{"kind": "nps", "text": "..."}, {"kind": "open", "text": "Why?"}]`."""

    title: str
    questions: list[dict[str, Any]]


class SurveyChangeIn(SettingsIn):
    title: str | None = None
    questions: list[dict[str, Any]] | None = None


class SurveyOut(Schema):
    """`asked` were shown or sent it; `came` are those who answered by the open link."""

    ref: str
    title: str
    intro: str
    thanks: str
    questions: list[dict[str, Any]]
    hidden: list[str]
    state: str
    in_page: bool
    after_event: str
    flag: str
    variant: str
    cohort: str
    share: int
    cooldown_days: int
    stop_at: int | None
    opens_at: datetime | None
    closes_at: datetime | None
    origins: list[str]
    created_at: datetime
    started_at: datetime | None
    stopped_at: datetime | None
    stopped_why: str
    asked: int
    answered: int
    answered_when_asked: int
    came: int
    dismissed: int
    link: str

    @staticmethod
    def of(survey: Survey, counted: Counted, link: str) -> "SurveyOut":
        own = {name: getattr(survey, name) for name in _OWN}
        questions = [one.as_json() for one in survey.asked]
        counts: dict[str, Any] = asdict(counted)
        return SurveyOut(ref=survey.ref, questions=questions, link=link, **own, **counts)


class PersonIn(Body):
    """The id under which this person's events come in."""

    person: str


class InvitationOut(Schema):
    link: str


class MetricOut(Schema):
    key: str
    name: str


class AnswersIn(Body):
    """What somebody said elsewhere, by question: `{"person": "mira", "answers": {"q1": 9}}`."""

    person: str
    answers: dict[str, Any]
    hidden: dict[str, str] = {}
    app_version: str = ""
    url: str = ""


class ResponseOut(Schema):
    response: int
    answered_at: datetime


class ResponsesOut(Schema):
    """`rows` have the names of `columns`, in their order."""

    columns: list[str]
    rows: list[dict[str, Any]]
