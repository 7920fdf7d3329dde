"""Where events are sent from: calls in Python are resolved, calls elsewhere recognised, other places only named."""

from collections.abc import Collection, Iterable

import pytest

from whytree.engines.code.event_calls import event_pattern, find_event_calls
from whytree.engines.code.python.names import Project, word


def find(files: dict[str, str], *names: str) -> list[tuple[str, int, str, str]]:
    texts = {path: text.encode() for path, text in files.items()}

    def speaking_of(wanted: Collection[str]) -> Iterable[str]:
        return [path for path, text in texts.items() if path.endswith(".py") and word(wanted).search(text)]

    holding = {path: text for path, text in texts.items() if event_pattern(names).search(text)}
    found = find_event_calls(names, holding, Project(texts, texts.get), speaking_of)
    return [(one.path, one.line, one.how, one.says) for one in found]


@pytest.mark.parametrize(
    ("path", "code", "says"),
    [
        ("a.py", 'analytics.track(user.id, "signed up")', "handed to track()"),
        ("a.py", 'analytics.track(user_id=user.id, event="signed up")', "handed to track()"),
        ("a.py", 'posthog.capture("signed up", distinct_id=user.id)', "handed to capture()"),
        ("a.py", 'mp.track(user.id, "signed up", {"plan": plan})', "handed to track()"),
        ("a.js", "analytics.track('signed up', { plan })", "handed to track()"),
        ("a.js", "analytics.track({ userId: user.id, event: 'signed up' })", "handed to track()"),
        ("a.ts", "posthog?.capture(`signed up`)", "handed to capture()"),
        ("a.ts", 'client.track(\n  user.id,\n  "signed up",\n)', "handed to track()"),
        ("a.js", "amplitude.logEvent('signed up')", "handed to logEvent()"),
        ("a.rb", "Analytics.track(user_id: user.id, event: 'signed up')", ""),
        ("a.go", 'client.Enqueue(analytics.Track{Event: "signed up"})', ""),
    ],
)
def test_a_call_that_sends_it(path: str, code: str, says: str) -> None:
    ((found_path, _, how, found_says),) = find({path: code + "\n"}, "signed up")
    assert found_path == path
    if says:
        assert (how, found_says) == ("resolved", says)


def test_the_constant_that_a_call_names_and_the_call_itself() -> None:
    files = {
        "app/events.py": 'SIGNED_UP = "signed up"\nUNUSED = "opened"\n',
        "app/views.py": "from app.events import SIGNED_UP\n\ndef up(me):\n    track(me.id, SIGNED_UP)\n",
    }
    assert find(files, "signed up", "opened") == [
        ("app/events.py", 2, "text", "defines UNUSED"),
        ("app/events.py", 1, "resolved", "defines SIGNED_UP"),
        ("app/views.py", 4, "resolved", "handed to track(), as SIGNED_UP"),
    ]


def test_a_function_of_ones_own_that_hands_the_name_on() -> None:
    files = {
        "app/analytics.py": "def note(person, event):\n    if person.opted_out:\n        return\n    client.track(person.id, event)\n",
        "app/views.py": 'from app.analytics import note\nnote(me, "signed up")\n',
    }
    assert find(files, "signed up") == [("app/views.py", 2, "resolved", "handed to note()")]


def test_words_that_merely_hold_the_name_are_none() -> None:
    assert find({"a.py": 'title = "signed up late"\n# signed up\nsigned_up = 1\n'}, "signed up") == []


def test_what_is_only_named_says_so() -> None:
    found = find({"a.py": 'GOALS = ["signed up"]\n', "b.sql": "WHERE event = 'signed up'\n"}, "signed up")
    assert [(path, how) for path, _, how, _ in found] == [("a.py", "text"), ("b.sql", "text")]


def test_a_name_of_signs_is_taken_literally() -> None:
    names = ("a.b+c", "(", "$pageview", "ünïcode 🌱")
    files = {"a.js": "track('a.b+c')\ntrack('aXbbc')\ntrack('(')\ntrack('$pageview')\ntrack('ünïcode 🌱')\n"}
    assert [line for _, line, how, _ in find(files, *names) if how == "resolved"] == [3, 4, 1, 5] or sorted(
        line for _, line, how, _ in find(files, *names) if how == "resolved"
    ) == [1, 3, 4, 5]


def test_a_minified_megabyte_takes_no_longer_than_a_second() -> None:
    import time

    code = "x(" * 200_000 + "track(a,b,{" * 20_000 + "'signed up'"
    began = time.process_time()
    find({"bundle.js": code}, "signed up")
    assert time.process_time() - began < 1
