"""Personal data is taken out at every door, and comes back only while its import is open."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from whytree.voice.models import FeedbackItem, ImportRun, Redaction
from whytree.workspace.models import Activity

from .conftest import Done

WORDS = "Call me at +49 151 23456789 or ann@example.org"
CLEAN = "Call me at [phone number] or [e-mail address]"


@pytest.fixture
def imported(cli: Callable[..., Done], tmp_path: Path) -> Callable[..., Any]:
    def run(words: str = WORDS, note: str = "from 203.0.113.77") -> Any:
        (tmp_path / "a.csv").write_text(f"id,text,note\n1,{words},{note}\n2,nothing in here,x\n")
        return cli("import", "feedback", str(tmp_path / "a.csv"), "--source", "s", "--json").json

    return run


def test_it_is_taken_out_of_text_and_columns_and_said(imported: Any, cli: Callable[..., Done]) -> None:
    run = imported()
    assert (run["redacted"], run["open"]) == (3, True)
    item = FeedbackItem.objects.get(submission_id="1")
    assert (item.text, item.metadata["note"], item.redacted) == (CLEAN, "from [IP address]", True)
    assert "+49" not in json.dumps(list(Activity.objects.values("before", "after")))
    assert not FeedbackItem.objects.get(submission_id="2").redacted


def test_the_same_file_again_finds_nothing_new(imported: Any) -> None:
    imported()
    again = imported()
    assert (again["created"], again["updated"], again["skipped"]) == (0, 0, 2)


def test_it_comes_back_while_the_import_is_open(imported: Any, cli: Callable[..., Done]) -> None:
    run = imported()
    assert "1 pieces are back" in cli("feedback", "put-back", str(run["id"]), "--kind", "phone").out
    item = FeedbackItem.objects.get(submission_id="1")
    assert (item.text, item.redacted) == ("Call me at +49 151 23456789 or [e-mail address]", True)
    assert cli("feedback", "put-back", str(run["id"]), "--json").json == {"pieces": 2}
    item.refresh_from_db()
    assert (item.text, item.metadata["note"], item.redacted) == (WORDS, "from 203.0.113.77", False)


def test_closed_is_closed(imported: Any, cli: Callable[..., Done]) -> None:
    run = imported()
    cli("feedback", "close-import", str(run["id"]))
    assert not Redaction.objects.exists()
    refused = cli("feedback", "put-back", str(run["id"]))
    assert (refused.code, "gone for good" in refused.error) == (1, True)
    assert FeedbackItem.objects.get(submission_id="1").text == CLEAN


def test_an_import_closes_by_itself_after_a_week(imported: Any) -> None:
    from whytree.voice.jobs import OPEN_FOR, close_imports

    run = ImportRun.objects.get(pk=imported()["id"])
    close_imports({})
    assert Redaction.objects.count() == 3
    run.finished_at -= OPEN_FOR + timedelta(hours=1)
    run.save()
    close_imports({})
    assert not Redaction.objects.exists()


def test_a_single_voice_is_cleaned_for_good(say: Any, api: Any) -> None:
    assert say(WORDS).text == CLEAN
    sent = api.post("/products/sprout/feedback", {"text": WORDS}).ok
    assert (sent["text"], sent["redacted"]) == (CLEAN, True)
    api.post("/products/sprout/feedback", [{"text": WORDS, "submission_id": "x"}]).must_succeed()
    assert FeedbackItem.objects.get(submission_id="x").text == CLEAN
    assert not Redaction.objects.exists()


def test_a_product_says_what_is_taken_out(say: Any, cli: Callable[..., Done], api_bob: Any, api_charlie: Any) -> None:
    assert "Taken out: phone." in cli("feedback", "settings", "--redact", "phone").out
    assert say(WORDS).text == "Call me at [phone number] or ann@example.org"
    assert cli("feedback", "settings", "--redact", "none", "--json").json["redact"] == []
    assert say(WORDS).text == WORDS
    assert "no kind of personal data" in cli("feedback", "settings", "--redact", "names").error
    assert api_bob.put("/products/sprout/feedback-settings", {"redact": []}).status == 403
    assert api_charlie.get("/products/sprout/feedback-settings").status == 404


def test_erasing_a_person_takes_what_was_put_aside_too(imported: Any, product: Any) -> None:
    from whytree.voice.services.erasing import erase_feedback

    imported()
    FeedbackItem.objects.filter(submission_id="1").update(person_key="ann")
    erase_feedback(product, "ann")
    assert not Redaction.objects.exists()
    assert not FeedbackItem.objects.get(text="(erased)").redacted
