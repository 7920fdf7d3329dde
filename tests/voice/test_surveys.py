"""A survey from draft to answer: what it may ask, who may answer, and what becomes of an answer."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils import timezone

from whytree.errors import Conflict, Forbidden, Invalid, NotFound
from whytree.voice.arriving.origins import checked_origins
from whytree.voice.models import FeedbackItem, SurveyResponse, SurveyState
from whytree.voice.surveys import answering, services
from whytree.voice.surveys.answering import Answerer, answer
from whytree.voice.surveys.models import Via
from whytree.voice.surveys.questions import TEMPLATES, checked_answers, checked_questions, way

NPS = {"kind": "nps", "text": "Would you recommend us?"}
WHY = {"kind": "open", "text": "Why?"}
USES = {"kind": "multi", "text": "What for?", "options": ["Herbs", "Roses", "Lawn"]}
SINGLE = {"kind": "single", "text": "How often?", "options": ["Daily", "Rarely"]}


@pytest.fixture
def survey(actor: Any, product: Any, store: Any) -> Any:
    """Running: NPS, why, and what for."""
    made = services.create_survey(
        actor, product, title="Spring", questions=[NPS, WHY, {**USES, "required": False}], hidden=["plan"]
    )
    return services.start_survey(actor, made)


def by(person: str, **more: Any) -> Answerer:
    return Answerer(person, Via.API, person, **more)


# What may be asked


@pytest.mark.parametrize(
    ("questions", "said"),
    [
        ([], "at least one question"),
        ("q", "at least one question"),
        ([WHY] * 21, "20 is the most"),
        ([7], "is no object"),
        ([{"kind": "mood", "text": "x"}], "there is no kind 'mood'"),
        ([{"kind": ["open"], "text": "x"}], "there is no kind"),
        ([{"kind": "open", "text": " \n "}], "asks nothing"),
        ([{"kind": "open", "text": "x" * 401}], "400 is the most"),
        ([{"kind": "open", "text": "a\x00b"}], "plain text"),
        ([{"kind": "open", "text": "x", "colour": "red"}], "no field “colour”"),
        ([{"kind": "open", "text": "x", "options": ["a", "b"]}], "only single, multi, ranking, matrix have options"),
        ([{"kind": "single", "text": "x"}], "needs options"),
        ([{"kind": "single", "text": "x", "options": ["a"]}], "two options at least"),
        ([{"kind": "single", "text": "x", "options": ["a", "a "]}], "there twice"),
        ([{"kind": "open", "text": "x", "required": "yes"}], "true or false"),
        ([{**WHY, "id": "end"}], "an id is a short word"),
        ([{**WHY, "id": "Q 1"}], "an id is a short word"),
        ([{**WHY, "id": "a"}, {**NPS, "id": "a"}], "Two questions have the id a"),
        ([{**NPS, "skip": [{"when": [11], "to": "end"}]}], "nobody can answer"),
        ([{**NPS, "skip": [{"when": [True], "to": "end"}]}], "a skip is"),
        ([{**NPS, "skip": [{"when": [9], "to": "q1"}]}], "forward only"),
        ([{**WHY, "skip": [{"when": ["x"], "to": "end"}]}], "only a choice or a scale"),
        ([{**NPS, "skip": "q2"}], "a skip is"),
        ([{"kind": "ranking", "text": "x", "options": ["1", "2"]}], "Numbers alone"),
        ([{"kind": "matrix", "text": "x", "options": ["a"]}], "two options at least"),
        (
            [{"kind": "matrix", "text": "x", "options": ["a", "b"], "skip": [{"when": [1], "to": "end"}]}],
            "only a choice",
        ),
        (
            [{"kind": "ranking", "text": "x", "options": ["a", "b"], "skip": [{"when": ["a"], "to": "end"}]}],
            "only a choice",
        ),
    ],
)
def test_what_cannot_be_asked_is_refused_with_what_to_write(questions: Any, said: str) -> None:
    with pytest.raises(Invalid, match=said):
        checked_questions(questions)


def test_all_templates_can_be_asked() -> None:
    for _, questions in TEMPLATES.values():
        assert checked_questions(questions)


def test_answers_lead_to_different_questions() -> None:
    asked = checked_questions(
        [
            {**NPS, "skip": [{"when": [9, 10], "to": "q3"}, {"when": [0], "to": "end"}]},
            WHY,
            {**USES, "skip": [{"when": ["Roses"], "to": "end"}]},
            SINGLE,
        ]
    )
    assert [one.id for one in way(asked, {})] == ["q1", "q2", "q3", "q4"]
    assert [one.id for one in way(asked, {"q1": 9})] == ["q1", "q3", "q4"]
    assert [one.id for one in way(asked, {"q1": 0})] == ["q1"]
    assert [one.id for one in way(asked, {"q1": 5, "q3": ["Herbs", "Roses"]})] == ["q1", "q2", "q3"]
    # what lies off the way is no answer, whatever a form carries
    assert checked_answers(asked, {"q1": "0", "q2": "left over", "q4": "Daily"}) == {"q1": 0}


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({}, "no answer yet"),
        ({"q2": "only words"}, "no answer yet"),
        ({"q1": 11}, "none of the answers"),
        ({"q1": -1}, "none of the answers"),
        ({"q1": 7.5}, "none of the answers"),
        ({"q1": True}, "none of the answers"),
        ({"q1": "7a"}, "none of the answers"),
        ({"q1": [7]}, "none of the answers"),
        ({"q1": 7, "q3": ["Moss"]}, "none of the answers"),
        ({"q1": 7, "q2": "x" * 4001}, "4,000 is the most"),
        ({"q1": 7, "q2": "a\ud800"}, "plain text"),
        ({"q1": 7, "q9": 1}, "no question “q9”"),
        ([1], "an object"),
    ],
)
def test_no_answer_is_taken_that_there_is_not(answers: Any, said: str) -> None:
    with pytest.raises(Invalid, match=said):
        checked_answers(checked_questions([NPS, WHY, {**USES, "required": False}]), answers)


RANKING = {"kind": "ranking", "text": "What matters most?", "options": ["Price", "Speed", "Looks"]}


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (["Looks", "Price", "Speed"], ["Looks", "Price", "Speed"]),
        (["2", "3", "1"], ["Looks", "Price", "Speed"]),  # the places, in the options' own order
        (["", "", ""], None),
    ],
)
def test_an_order_is_given_by_names_or_by_places(given: Any, kept: Any) -> None:
    asked = checked_questions([{**RANKING, "required": False}, NPS])
    assert checked_answers(asked, {"q1": given, "q2": 7}).get("q1") == kept


@pytest.mark.parametrize(
    "given", [["1", "1", "2"], ["1", "2"], ["1", "2", ""], ["0", "1", "2"], ["Price"], "Price", [1, 2, 3]]
)
def test_an_order_has_each_once(given: Any) -> None:
    with pytest.raises(Invalid, match=r"a place of its own|none of the answers"):
        checked_answers(checked_questions([RANKING]), {"q1": given})


MATRIX = {"kind": "matrix", "text": "How is it?", "options": ["Fast", "<b>Pretty</b>"]}


@pytest.mark.parametrize(
    ("given", "required", "kept"),
    [
        ({"<b>Pretty</b>": 2, "Fast": "5"}, True, {"Fast": 5, "<b>Pretty</b>": 2}),
        ({"Fast": 5, "<b>Pretty</b>": ""}, False, {"Fast": 5}),
        ({"Fast": ""}, False, None),
        ({}, False, None),
    ],
)
def test_each_line_of_a_matrix_has_a_point(given: Any, required: bool, kept: Any) -> None:
    asked = checked_questions([{**MATRIX, "required": required}, NPS])
    assert checked_answers(asked, {"q1": given, "q2": 7}).get("q1") == kept


@pytest.mark.parametrize(
    "given",
    [{"Fast": 4}, {"Fast": 6, "<b>Pretty</b>": 1}, {"Fast": True, "<b>Pretty</b>": 1}, {"Slow": 1}, ["Fast"], 4],
)
def test_a_line_that_is_none_or_lacks_its_point_is_refused(given: Any) -> None:
    with pytest.raises(Invalid, match=r"give each line an answer|none of the answers"):
        checked_answers(checked_questions([MATRIX]), {"q1": given})


# From draft to stop


def test_a_draft_asks_nobody_and_a_run_keeps_its_questions(actor: Any, product: Any, store: Any) -> None:
    draft = services.create_survey(actor, product, title="A", questions=[NPS])
    assert (draft.ref, draft.state) == ("SUR-1", "draft")
    with pytest.raises(Conflict, match="not begun"):
        answer(draft, {"q1": 7}, by("mira"))
    services.change_survey(actor, draft, questions=[WHY], title="B")
    services.start_survey(actor, draft)
    with pytest.raises(Conflict, match="Copy it"):
        services.change_survey(actor, draft, questions=[NPS])
    services.change_survey(actor, draft, share=50)
    copied = services.copy_survey(actor, draft)
    assert (copied.ref, copied.title, copied.share, copied.is_draft) == ("SUR-2", "B (copy)", 50, True)
    services.change_survey(actor, copied, questions=[NPS])


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"share": 0}, "1 to 100"),
        ({"share": True}, "1 to 100"),
        ({"cooldown_days": 366}, "0 to 365"),
        ({"stop_at": 0}, "1 to 100,000"),
        ({"variant": "on"}, "belongs to a flag"),
        ({"hidden": ["a b"]}, "letters, digits"),
        ({"origins": ["https://a.example/path"]}, "no origin"),
        ({"origins": ["javascript:alert(1)"]}, "no origin"),
        ({"origins": ["https://a:b@example.org"]}, "no origin"),
        ({"origins": ["https://[::1"]}, "no origin"),
        ({"opens_at": timezone.now(), "closes_at": timezone.now() - timedelta(1)}, "before it begins"),
        ({"title": " "}, "Give it a title"),
    ],
)
def test_whom_it_is_put_to_is_checked(actor: Any, product: Any, said: Any, words: str) -> None:
    with pytest.raises(Invalid, match=words):
        services.create_survey(actor, product, **{"title": "A", "questions": [NPS], **said})


def test_an_unknown_cohort_is_refused(actor: Any, product: Any) -> None:
    with pytest.raises(NotFound, match="no cohort"):
        services.create_survey(actor, product, title="A", questions=[NPS], cohort="nobody")


def test_a_cohort_that_a_running_survey_asks_cannot_be_removed(actor: Any, product: Any, store: Any) -> None:
    from whytree.analytics.cohorts.services import create_cohort_list, delete_cohort

    create_cohort_list(actor, product, key="early_birds", ids=["maria"])
    survey = services.create_survey(actor, product, title="A", questions=[NPS], cohort="early_birds")
    services.start_survey(actor, survey)
    with pytest.raises(Conflict, match="The survey “A” asks people of early_birds"):
        delete_cohort(actor, product, "early_birds")


def test_origins_are_as_browsers_send_them() -> None:
    said = ["HTTPS://App.Example.org/", "https://app.example.org:443", "http://localhost:8000", ""]
    assert checked_origins(said) == ["https://app.example.org", "http://localhost:8000"]


def test_who_may(actor: Any, product: Any, survey: Any, viewer: Any, charlie: Any) -> None:
    from whytree.workspace.entry.keys import actor_of_user

    for verb in (services.stop_survey, services.copy_survey):
        with pytest.raises(Forbidden):
            verb(actor_of_user(viewer), survey)
    with pytest.raises(NotFound):
        services.start_survey(actor_of_user(charlie), survey)


def test_it_opens_and_closes_by_its_window(actor: Any, product: Any, survey: Any) -> None:
    now = timezone.now()
    services.change_survey(actor, survey, opens_at=now + timedelta(hours=1))
    with pytest.raises(Conflict, match="begins on"):
        answer(survey, {"q1": 7}, by("mira"))
    services.change_survey(actor, survey, opens_at=None, closes_at=now - timedelta(minutes=1))
    with pytest.raises(Conflict, match="has ended"):
        answer(survey, {"q1": 7}, by("mira"))


def test_it_stops_by_itself_with_its_last_answer(actor: Any, survey: Any) -> None:
    services.change_survey(actor, survey, stop_at=2)
    answer(survey, {"q1": 7}, by("mira"))
    answer(survey, {"q1": 7}, by("jo"))
    with pytest.raises(Conflict, match="has ended"):
        answer(survey, {"q1": 7}, by("tom"))
    survey.refresh_from_db()
    assert (survey.state, survey.stopped_why) == (SurveyState.STOPPED, "It has its 2 answers.")
    with pytest.raises(Conflict, match="has its 2 answers"):
        services.start_survey(actor, survey)
    services.change_survey(actor, survey, stop_at=3)
    services.start_survey(actor, survey)
    answer(survey, {"q1": 7}, by("tom"))


# What becomes of an answer


def test_an_answer_is_an_event_and_its_words_are_a_voice(survey: Any, product: Any, store: Any) -> None:
    said = {"q1": 9, "q2": "Reminders saved my basil", "q3": ["Lawn", "Herbs"]}
    made = answer(survey, said, by("mira", hidden={"plan": "pro", "spy": "x"}, url="https://app.example.org/beds"))
    assert made.answers == {"q1": 9, "q2": "Reminders saved my basil", "q3": ["Herbs", "Lawn"]}
    item = FeedbackItem.objects.get(source_type="survey")
    assert (item.text, item.person_key, item.source_id, item.field_id) == (
        "Reminders saved my basil",
        "mira",
        "SUR-1",
        "q2",
    )
    assert item.metadata == {
        "question": "Why?",
        "survey": "SUR-1",
        "Would you recommend us?": "9",
        "What for?": "Herbs, Lawn",
        "plan": "pro",
    }
    assert item.url == "https://app.example.org/beds"
    rows = store.query(
        "SELECT event, distinct_id, properties, source FROM events WHERE product = 1 OR 1 ORDER BY event", {}
    )
    assert [(row["event"], row["distinct_id"]) for row in rows] == [
        ("SUR-1 answered", "mira"),
        ("SUR-1 favourable", "mira"),
    ]
    properties = dict(rows[0]["properties"])
    assert properties["$survey_response_q1"] == "9"
    assert properties["plan"] == "pro"
    assert "basil" not in str(rows), "words stand in one place"


def test_the_longest_answers_fit(actor: Any, product: Any, store: Any) -> None:
    many = [
        {"kind": "multi", "text": f"{at}?", "options": [f"{at} {'x' * 110}" for at in range(20)]} for at in range(19)
    ]
    made = services.start_survey(
        actor, services.create_survey(actor, product, title="Long", questions=[*many, WHY], hidden=["survey"])
    )
    everything = {f"q{at + 1}": one["options"] for at, one in enumerate(many)}
    answer(made, {**everything, "q20": "€" * 4_000}, by("mira", hidden={"survey": "theirs"}, flags={}))
    item = FeedbackItem.objects.get(source_type="survey")
    assert (len(item.text), item.metadata["survey"]) == (4_000, "SUR-1")


@pytest.mark.parametrize("url", ["javascript:alert(1)", "https://x.example/" + "a" * 2_000])
def test_no_link_is_kept_that_leads_astray(survey: Any, url: str) -> None:
    with pytest.raises(Invalid):
        answer(survey, {"q1": 9}, by("mira", url=url))


def test_flags_in_force_are_kept_with_it(survey: Any, actor: Any, product: Any, store: Any) -> None:
    answer(survey, {"q1": 2, "q2": "slow"}, by("mira", flags={"signup": "short"}))
    assert SurveyResponse.objects.get().flags == {"signup": "short"}
    assert FeedbackItem.objects.get(source_type="survey").flags == {"signup": "short"}
    rows = store.query("SELECT event, flags FROM events", {})
    assert [(row["event"], dict(row["flags"])) for row in rows] == [("SUR-1 answered", {"signup": "short"})]


def test_answered_twice_counts_once_and_is_said(survey: Any, store: Any) -> None:
    answer(survey, {"q1": 9, "q2": "first"}, by("mira"))
    with pytest.raises(Conflict, match="Your first answer counts"):
        answer(survey, {"q1": 0, "q2": "second"}, by("mira"))
    assert SurveyResponse.objects.get().answers["q1"] == 9
    assert [item.text for item in FeedbackItem.objects.filter(source_type="survey")] == ["first"]
    assert store.value("SELECT count() FROM events") == 2


def test_personal_data_is_taken_out_of_words_at_the_door(survey: Any) -> None:
    answer(survey, {"q1": 3, "q2": "write to mira@example.org"}, by("mira"))
    assert "mira@example.org" not in FeedbackItem.objects.get(source_type="survey").text
    assert "mira@example.org" not in str(SurveyResponse.objects.get().answers)


def test_nothing_is_kept_when_the_event_cannot_be(survey: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from whytree.errors import Unavailable

    def away(*_: Any, **__: Any) -> None:
        raise Unavailable("The disk is full.", retry_after=1)

    monkeypatch.setattr("whytree.voice.surveys.answering.track_all", away)
    with pytest.raises(Unavailable):
        answer(survey, {"q1": 9, "q2": "half"}, by("mira"))
    assert not SurveyResponse.objects.exists()
    assert not FeedbackItem.objects.filter(source_type="survey").exists()


def test_a_favourable_share_is_a_metric_like_any_other(
    survey: Any, actor: Any, product: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from whytree.analytics.queries import measure

    monkeypatch.setattr(answering, "timezone", SimpleNamespace(now=lambda: timezone.now() - timedelta(days=3)))
    for person, points in (("a", 9), ("b", 10), ("c", 3), ("d", 8)):
        answer(survey, {"q1": points}, by(person))
    metric = services.make_metric(actor, survey)
    assert (metric.key, metric.name) == ("sur_1_favourable", "Promoters, SUR-1: Spring")
    found = measure(metric, days=28)
    assert (found.n, round(found.value or 0)) == (4, 50)
    words_only = services.create_survey(actor, product, title="Words", questions=[WHY])
    with pytest.raises(Invalid, match="has no scale"):
        services.make_metric(actor, words_only)


# Links


def test_an_invitation_is_one_persons_and_leaves_others_in_peace(survey: Any, actor: Any, product: Any) -> None:
    link = services.invite(actor, survey, "mira")
    assert services.invite(actor, survey, "mira") == link, "asked twice is asked once"
    assert "mira" not in link
    found, response = services.of_token(link.rsplit("/", 1)[1])
    assert (found, response.person_key if response else "") == (survey, "mira")
    other = services.create_survey(actor, product, title="Another", questions=[WHY])
    services.start_survey(actor, other)
    with pytest.raises(Conflict, match="mira was asked today, and SUR-2 leaves 30 days"):
        services.invite(actor, other, "mira")
    services.change_survey(actor, other, cooldown_days=0)
    services.invite(actor, other, "mira")
    with pytest.raises(Invalid, match="Say whom"):
        services.invite(actor, survey, "undefined")
