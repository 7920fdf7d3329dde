"""A person's words go, their count stays, and no import brings them back."""

import json
from typing import Any

from whytree.voice.models import FeedbackItem, Highlight
from whytree.voice.plugs import export_person
from whytree.voice.services import link_excerpt
from whytree.voice.services.erasing import erase_feedback
from whytree.workspace.models import Activity


def test_the_words_go_everywhere_and_the_count_stays(
    actor: Any, product: Any, say: Any, find: Any, opportunity: Any
) -> None:
    item = say("my secret words", person="mira", author_name="Mira", metadata={"a": "secret"})
    say("mine stay", person="jo")
    link_excerpt(actor, item, opportunity)
    assert erase_feedback(product, "mira") == 1
    item.refresh_from_db()
    assert (item.text, item.author_name, item.person_key, item.metadata) == ("(erased)", "", "", {})
    assert find("secret") == []
    assert FeedbackItem.objects.count() == 2
    assert not Highlight.objects.exists()
    acts = Activity.objects.filter(subject_type__in=["voice.FeedbackItem", "voice.Highlight"], subject_label=item.ref)
    assert "secret" not in json.dumps(list(acts.values("before", "after")))


def test_what_was_erased_is_not_imported_again(product: Any, say: Any) -> None:
    say("my secret words", person="mira", submission_id="r1")
    erase_feedback(product, "mira")
    say("my secret words", person="mira", submission_id="r1")
    assert [(item.text, item.is_waiting) for item in FeedbackItem.objects.all()] == [("(erased)", False)]


def test_nobody_is_nobody(product: Any, say: Any) -> None:
    say("anonymous words")
    assert erase_feedback(product, "") == 0


def test_a_person_gets_what_they_said(product: Any, say: Any) -> None:
    say("my words", person="mira", rating=2)
    say("not mine", person="jo")
    assert [said["text"] for said in export_person(product, "mira")["feedback"]] == ["my words"]
