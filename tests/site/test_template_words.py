"""Numbers, times and verbs as templates show them."""

from datetime import timedelta

import pytest
from django.utils import timezone

from whytree.analytics.templatetags.figures import number, places
from whytree.site.templatetags.whytree import ago, breakable, count, did, or_dash, sentences, stopped, unbroken, until


@pytest.mark.parametrize(
    ("verb", "said"),
    [
        ("create_key", "created key"),
        ("edit_product", "edited product"),
        ("remove_member", "removed member"),
        ("carry", "carried"),
        ("set_member", "set member"),
        ("undo", "took back"),
        ("begin_event_import", "began event import"),
        ("refused_edit", "was refused an edit of"),
        ("find_themes", "found"),
        ("keep_question", "kept question"),
        ("log_contact", "logged contact"),
        ("pin_evidence", "pinned evidence"),
        ("open_flag", "opened flag"),
        ("fill_review", "filled review"),
        ("show", "showed"),
        ("guard_broke", "saw the gain go of"),
    ],
)
def test_a_verb_is_told_in_the_past(verb: str, said: str) -> None:
    assert did(verb) == said


@pytest.mark.parametrize(
    ("passed", "said"),
    [
        (timedelta(seconds=20), "just now"),
        (timedelta(minutes=3, seconds=5), "3 min ago"),
        (timedelta(hours=5, minutes=59), "5 h ago"),
        (timedelta(days=20, hours=23), "20 d ago"),
        (timedelta(days=-3, hours=-1), "in 3 d"),
    ],
)
def test_a_moment_is_told_in_one_unit(passed: timedelta, said: str) -> None:
    assert ago(timezone.now() - passed) == said


def test_long_ago_is_a_date_and_never_is_never() -> None:
    assert ago(timezone.now().replace(year=2020, month=3, day=2)) == "2 Mar 2020"
    assert ago(None) == "never"


def test_what_is_due_at_once_is_within_the_hour() -> None:
    assert until(timezone.now() + timedelta(minutes=20)) == "within the hour"


def test_large_numbers_have_their_thousands_apart() -> None:
    assert (count(12940), count(None)) == ("12,940", "")


def test_a_column_has_the_digits_that_its_largest_number_needs() -> None:
    rows = [{"share": {"value": 7.0}}, {"share": {"value": 0.43}}, {"share": None}, {}]
    digits = places(rows, "share.value")
    assert [number(value, digits) for value in (7.0, 0.43)] == ["7.00", "0.43"]
    assert places(rows[2:], "share.value") == 0


def test_a_path_goes_on_in_the_next_line_after_a_slash() -> None:
    assert breakable("app/a<b.py::F.x:42") == "app/<wbr>a&lt;b.py::<wbr>F.x:42"
    assert breakable("") == ""


def test_what_an_error_says_first_is_apart_from_what_to_do() -> None:
    assert sentences("Version 2. of it is gone. Ask for 3.") == ["Version 2. of it is gone.", "Ask for 3."]
    assert sentences("Nothing") == ["Nothing"]


def test_a_number_and_its_unit_and_an_id_stay_in_one_line() -> None:
    assert unbroken("Take <OPP-2> for PROJ-12, not OPP-2x.") == (
        'Take &lt;<span class="whole">OPP-2</span>&gt; for <span class="whole">PROJ-12</span>, not OPP-2x.'
    )
    assert unbroken("Of 40 people 5 % more, +1.4 pp: 50 % pay.") == "Of 40 people 5\xa0% more, +1.4\xa0pp: 50\xa0% pay."


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("No voices yet", "No voices yet."),
        ("Who?", "Who?"),
        ("“Why?”", "“Why?”"),
        ("FB-1 says “no”", "FB-1 says “no”."),
    ],
)
def test_a_sentence_has_one_full_stop(said: str, shown: str) -> None:
    assert stopped(said) == shown


def test_nothing_is_a_dash_that_a_phone_leaves_out() -> None:
    assert (or_dash("31 %"), or_dash("")) == ("31 %", '<span class="none">–</span>')
