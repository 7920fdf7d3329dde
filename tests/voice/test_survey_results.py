"""What answers come to, what they do not say, and how they part by a flag's variants."""

from typing import Any

import pytest
from django.utils import timezone

from whytree.engines.stats import Estimate
from whytree.voice.models import Survey, SurveyResponse
from whytree.voice.surveys import services
from whytree.voice.surveys.results import Results, as_json, results_of

NPS = {"kind": "nps", "text": "Would you recommend us?"}
SEQ = {"kind": "seq", "text": "How easy was it?", "required": False}
USES = {"kind": "multi", "text": "What for?", "options": ["Herbs", "Roses"], "required": False}


@pytest.fixture
def survey(actor: Any, product: Any) -> Survey:
    return services.start_survey(actor, services.create_survey(actor, product, title="A", questions=[NPS, SEQ, USES]))


@pytest.fixture
def answered(survey: Survey) -> Any:
    """`answered(7, 3, arm="short")`: three who were asked and gave 7; None: asked, and said nothing."""

    def store(points: int | None, times: int = 1, *, arm: str = "", asked: bool = True, **more: Any) -> None:
        now = timezone.now()
        start = SurveyResponse.objects.count()
        SurveyResponse.objects.bulk_create(
            SurveyResponse(
                survey=survey,
                respondent=f"p{start + at}",
                via="page" if asked else "link",
                asked_at=now if asked else None,
                answered_at=None if points is None else now,
                answers={} if points is None else {"q1": points, **more},
                flags={"signup": arm} if arm else {},
            )
            for at in range(times)
        )

    return store


def _estimate(found: Results, at: int = 0) -> Estimate:
    headline = found.questions[at].all.headline
    assert headline is not None
    assert isinstance(headline.estimate, Estimate)
    return headline.estimate


def test_nobody_is_no_answer(survey: Survey) -> None:
    found = results_of(survey)
    assert found.questions[0].all.headline is not None
    assert found.questions[0].all.headline.text == "Nobody has answered yet."
    assert found.warnings == []


def test_each_question_counts_those_who_answered_it(survey: Survey, answered: Any) -> None:
    answered(10, 50, q2=7, q3=["Herbs", "Roses"])
    answered(8, 20, q3=["Roses"])
    answered(0, 30)
    found = results_of(survey)
    assert [one.all.n for one in found.questions] == [100, 50, 70]
    assert _estimate(found).value == pytest.approx(0.2)
    ease = found.questions[1].all
    assert _estimate(found, 1).value == 1.0
    assert ease.mean is not None
    assert not isinstance(ease.mean, Estimate), "all gave 7: there is no interval of zero width"
    assert [(row.name, row.people) for row in found.questions[2].all.rows] == [("Herbs", 50), ("Roses", 70)]
    assert found.warnings == []


def test_an_order_counts_who_is_first_and_where_each_stands(actor: Any, product: Any) -> None:
    order = {"kind": "ranking", "text": "What matters?", "options": ["Price", "Speed"]}
    survey = services.start_survey(actor, services.create_survey(actor, product, title="B", questions=[order]))
    for at in range(4):
        given = ["Price", "Speed"] if at else ["Speed", "Price"]
        SurveyResponse.objects.create(
            survey=survey, respondent=str(at), via="api", answered_at=timezone.now(), answers={"q1": given}
        )
    price, speed = results_of(survey).questions[0].all.rows
    assert isinstance(price.place, Estimate)
    assert isinstance(speed.place, Estimate)
    assert (price.people, price.place.value, speed.people, speed.place.value) == (3, 1.25, 1, 1.75)


def test_each_line_of_a_matrix_counts_those_who_rated_it(actor: Any, product: Any) -> None:
    matrix = {"kind": "matrix", "text": "How is it?", "options": ["Fast", "Pretty"], "required": False}
    survey = services.start_survey(actor, services.create_survey(actor, product, title="B", questions=[matrix]))
    for at, given in enumerate([{"Fast": 5, "Pretty": 1}, {"Fast": 4}, {"Fast": 2}, {}]):
        answers = {"q1": given} if given else {}
        SurveyResponse.objects.create(
            survey=survey, respondent=str(at), via="api", answered_at=timezone.now(), answers=answers
        )
    found = results_of(survey)
    fast, pretty = found.questions[0].all.rows
    assert (fast.people, fast.n, fast.points) == (2, 3, {1: 0, 2: 1, 3: 0, 4: 1, 5: 1})
    assert isinstance(fast.place, Estimate)
    assert isinstance(fast.share, Estimate)
    assert (round(fast.place.value, 2), round(fast.share.value, 2)) == (3.67, 0.67)
    assert fast.share.low < 0.67 < fast.share.high
    assert (pretty.people, pretty.n) == (0, 1)
    line = as_json(found)["questions"][0]["answers"][0]
    assert (line["answer"], line["n"], line["points"]["5"]) == ("Fast", 3, 1)


def test_silence_is_said_with_how_far_it_could_move_the_figure(survey: Survey, answered: Any) -> None:
    answered(10, 40)
    answered(None, 160)
    (warning,) = results_of(survey).warnings
    assert "40 of the 200 who were asked answered (20 %)" in warning
    # all silent are detractors: (40 - 160) / 200; all promoters: 1
    assert "NPS of all of them lies between −60 and 100" in warning


def test_few_answers_and_an_open_link_are_said(survey: Survey, answered: Any) -> None:
    answered(9, 3, asked=False)
    few, link = results_of(survey).warnings
    assert "3 people have answered: read their words" in few
    assert "Nobody knows how many saw the link" in link


def test_variants_stand_side_by_side_with_their_own_response_rates(survey: Survey, answered: Any) -> None:
    answered(10, 60, arm="short")
    answered(3, 20, arm="short")
    answered(None, 20, arm="short")
    answered(10, 30, arm="long")
    answered(3, 50, arm="long")
    answered(9, 5)
    found = results_of(survey, by="signup")
    arms = found.questions[0].arms
    assert [(arm.name, arm.asked, arm.answered, arm.figures.n) for arm in arms] == [
        ("long", 80, 80, 80),
        ("short", 100, 80, 80),
    ]
    differs = found.questions[0].differs
    assert differs is not None
    assert differs.value == pytest.approx(0.5 - -0.25)
    assert differs.low > 0, "a difference this large is no chance"
    assert "Arms compare only if" in found.warnings[-1]
    assert results_of(survey, by="no such flag").by == ""


def test_the_page_shows_the_same(survey: Survey, answered: Any, as_bob: Any) -> None:
    answered(10, 40, arm="short", q3=["Herbs"])
    answered(0, 40, arm="long")
    page = as_bob.get("/p/sprout/SUR-1?by=signup").content.decode()
    assert "NPS is 0 (" in page
    assert "from 80 answers" in page
    assert "NPS: 0" in page
    assert "By variant of" in page
    assert "short less long: 200 (" in page
    told = as_bob.get("/p/sprout/SUR-1/results.json?by=signup").json()
    assert told["questions"][0]["difference"]["value"] == 2.0
