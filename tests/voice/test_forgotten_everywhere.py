"""Nothing of a person stays in any table after they had themselves forgotten, whichever way it came in."""

import json
from typing import Any

from django.apps import apps
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection

from whytree.people.services.forgetting import erase
from whytree.tree.services import create_opportunity
from whytree.voice.contacts import log_contact, set_wish
from whytree.voice.importing import uploads
from whytree.voice.interviews.services import (
    Span,
    highlight_talk,
    import_interview,
    link_highlight,
    set_interview,
    write_snapshot,
)
from whytree.voice.services import add_note, answer_voice, link_excerpt, merge, part
from whytree.voice.surveys.answering import Answerer, answer
from whytree.voice.surveys.models import Via
from whytree.voice.surveys.services import create_survey, start_survey
from whytree.workspace.outside import uploaded

KEY, NAME, WORD = "mira-17", "Mirabella", "zebrawort"


def tables_with_traces() -> set[str]:
    """Every table of whatever app that holds the person's id, name, address or words."""
    found = set()
    for model in apps.get_models():
        for row in model._default_manager.all():
            values = {field.attname: getattr(row, field.attname) for field in model._meta.concrete_fields}
            text = json.dumps(values, default=str).lower()
            if any(trace.lower() in text for trace in (KEY, NAME, WORD)):
                found.add(model._meta.label)
    return found


def test_nothing_of_a_person_stays_in_any_table(actor: Any, product: Any, store: Any, say: Any, as_alice: Any) -> None:
    opportunity = create_opportunity(actor, product, title="People give up")
    said = say(f"the {WORD} one", person=KEY, author_name=NAME, author_email=f"{NAME}@example.org")
    other = say("somebody else says so too", person="jo")
    link_excerpt(actor, other, opportunity)
    merge(actor, said, other)
    part(actor, said)
    merge(actor, said, other)
    add_note(actor, said, f"{NAME} called about the {WORD}")
    answer_voice(actor, said, f"{NAME}, we fixed the {WORD}")

    transcript = f"Ana: what about {WORD}?\n{NAME}: my {WORD} is gone\nAna: since when?\n{NAME}: yesterday"
    talk = import_interview(actor, product, transcript, person=KEY, participant=NAME, interviewers=["Ana"]).interview
    set_interview(actor, talk, notes=f"{WORD} again", segment=WORD)
    link_highlight(actor, highlight_talk(actor, talk, Span(first=2, last=2)), opportunity)
    write_snapshot(actor, talk, name=NAME, quick_facts=f"has a {WORD}", memorable_quote=f"my {WORD} is gone")

    set_wish(actor, product, KEY, True)
    log_contact(actor, product, KEY, kind="interview", subject="OPP-1")
    questions = [{"id": "why", "kind": "open", "text": "Why?"}]
    survey = create_survey(actor, product, title="Why", questions=questions, hidden=["plan"])
    start_survey(actor, survey)
    answer(survey, {"why": f"no {WORD}"}, Answerer(KEY, Via.API, KEY, {"plan": WORD}, url=f"https://x.org/{WORD}"))

    upload = SimpleUploadedFile("a.csv", f"id,text,person\n1,my {WORD} again,{KEY}\n".encode())
    looked_at = uploaded.folder() / uploads.look_at(actor, product, upload, uploads.Asked()).upload
    wrong = SimpleUploadedFile("b.csv", f"id,text,person,date\n2,too late,{KEY},{WORD}\n3,again,jo,\n".encode())
    run = uploads.begin(actor, product, uploads.look_at(actor, product, wrong, uploads.Asked()))
    uploads.go_on(actor, run)  # why a row was left out quotes its cell

    assert len(tables_with_traces()) > 8
    assert looked_at.exists()
    assert WORD[3:] in kept_by_the_search()
    erase(actor, product, KEY)
    assert tables_with_traces() == set()
    assert not looked_at.exists()
    page = as_alice.get(f"/p/sprout/{talk.ref}").content.decode()
    assert "These words are gone" in page
    assert "Mark what matters" not in page
    assert WORD[3:] not in kept_by_the_search()


def kept_by_the_search() -> str:
    """What its own tables hold; on PostgreSQL, its own columns."""
    blocks = "SELECT block FROM voice_search_data UNION ALL SELECT block FROM voice_talk_search_data"
    columns = "SELECT voice_search::text FROM voice_feedbackitem UNION ALL SELECT voice_talk_search::text FROM voice_transcript"
    with connection.cursor() as cursor:
        cursor.execute(blocks if connection.vendor == "sqlite" else columns)
        found = [held for (held,) in cursor.fetchall()]
    return " ".join(held.decode("utf-8", "replace") if isinstance(held, bytes) else held for held in found)
