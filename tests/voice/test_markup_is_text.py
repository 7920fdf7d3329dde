"""Whatever somebody writes, in whatever field it stands: on every page of the voices it is text, and in every feed."""

from typing import Any

import pytest
from django.test import Client

from whytree.tree.services import create_opportunity
from whytree.voice.board.services import Run, publish, run_board
from whytree.voice.board.visits import HandedIn, hand_in_comment, hand_in_post
from whytree.voice.contacts import log_contact, set_contact_settings
from whytree.voice.interviews.services import (
    Span,
    highlight_talk,
    import_interview,
    link_highlight,
    set_interview,
    write_guide,
    write_snapshot,
)
from whytree.voice.replies.services import set_ways
from whytree.voice.replies.telling import tell_waiting
from whytree.voice.rounds import services as rounds
from whytree.voice.services import Act, add_note, add_status, answer_voice, link_excerpt, save_view, triage
from whytree.voice.surveys.answering import Answerer, answer
from whytree.voice.surveys.models import Via
from whytree.voice.surveys.services import create_survey, start_survey

MARK = "<img src=x onerror=alert(1)>\"'"


@pytest.fixture
def marked(actor: Any, product: Any, store: Any, say: Any) -> list[str]:
    """Markup in every text field there is; the addresses of the pages that show them, and of the feeds."""
    opportunity = create_opportunity(actor, product, title=MARK)
    named = {"author_name": MARK, "author_email": "m@example.org", "app_version": MARK, "metadata": {MARK: MARK}}
    item = say(f"{MARK} it failed", source=MARK, person=MARK, title=MARK, **named)
    say(f"{MARK} it failed again")
    link_excerpt(actor, item, opportunity)
    add_note(actor, item, MARK)
    answer_voice(actor, item, MARK)
    add_status(actor, product, name=MARK, tells=True)
    triage(actor, product, [item], Act("set_status", MARK))
    triage(actor, product, [item], Act("tag", MARK))
    save_view(actor, product, name=MARK, query="q=failed", shared=True)
    ways, _ = set_ways(actor, product, feed=True)

    talk = f"Ana: what {MARK}?\n{MARK}: my {MARK} is gone"
    about = {"person": MARK, "participant": MARK, "interviewers": ["Ana"], "segment": MARK}
    interview = import_interview(actor, product, f"WEBVTT\n\n00:01.000 --> 00:02.000\n{talk}", file_name=MARK).interview
    guide = write_guide(actor, product, MARK, f"Would you use {MARK}?")
    set_interview(actor, interview, notes=MARK, guide=guide.name, **about)
    link_highlight(actor, highlight_talk(actor, interview, Span(first=1, last=1), tags=[MARK]), opportunity)
    steps = [{"step": MARK}]
    write_snapshot(
        actor, interview, name=MARK, quick_facts=MARK, insights=MARK, experience_map=steps, opportunities=MARK
    )
    set_contact_settings(actor, product, invitation=MARK)
    log_contact(actor, product, MARK, kind="interview", subject=MARK)

    questions: list[dict[str, Any]] = [
        {"kind": "open", "text": MARK},
        {"kind": "single", "text": MARK, "options": [MARK, "b"]},
    ]
    survey = create_survey(actor, product, title=MARK, intro=MARK, questions=questions, hidden=["plan"])
    start_survey(actor, survey)
    answer(survey, {"q1": MARK, "q2": MARK}, Answerer(MARK, Via.API, MARK, {"plan": MARK}, url="https://x.org/"))

    found = rounds.plan_round(actor, product, title=MARK, tasks=[MARK], script=MARK)
    session = rounds.add_session(actor, found)
    rounds.fix_problem(actor, rounds.see_problem(actor, session, title=MARK, severity=4, note=MARK), MARK)

    board, _ = run_board(actor, product, Run(is_open=True, intro=MARK))
    post = publish(actor, hand_in_post(board, HandedIn("a", MARK, MARK, MARK)))
    publish(actor, hand_in_comment(board, post, HandedIn("b", MARK, "", MARK)))
    hand_in_post(board, HandedIn("c", MARK, MARK, MARK))
    answer_voice(actor, post.item, MARK)
    tell_waiting(product)

    within = (
        *("voices", "voices?state=all&q=failed", "voices?state=all&q=img", "voices/new", "voices/imports"),
        *("voices/statuses", "voices/board", "weighed", "interviews", "interviews/map", "interviews/guides"),
        *(f"interviews/guides/{guide.pk}", "interviews/recruit", "interviews/new", "surveys", "usability"),
        *(
            item.ref,
            post.item.ref,
            opportunity.ref,
            interview.ref,
            f"{interview.ref}/about",
            f"{interview.ref}/transcript",
        ),
        *(f"{interview.ref}/snapshot", f"{interview.ref}/snapshot/edit", survey.ref, f"{survey.ref}/edit"),
        *(
            found.ref,
            f"{found.ref}/edit",
            f"{found.ref}/watch/1",
            "today",
            "tree",
            "people",
            "why?q=failed",
            "activity",
        ),
    )
    outside = ("/ideas/sprout", f"/ideas/sprout/{post.number}", "/ideas/sprout/feed.atom", f"/replies/{ways.feed}.atom")
    return [*(f"/p/sprout/{path}" for path in within), *outside, "/ideas/sprout/similar?title=onerror"]


def test_markup_is_shown_as_it_was_written_on_every_page(as_alice: Client, marked: list[str]) -> None:
    showing = 0
    for path in marked:
        answer = as_alice.get(path)
        assert answer.status_code == 200, path
        content = answer.content.decode()
        assert "<img src=x" not in content, path
        showing += "&lt;img src=x" in content
    assert showing > len(marked) * 0.7  # it is there to be seen
