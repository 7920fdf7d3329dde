"""Groups of alike texts."""

import random

from whytree.engines.texts.topics import Text, topics

PAUSE = [
    Text("1", "Add a pause button to the checks list", "Pausing hosts is tedious."),
    Text("2", "Pause checks via the API", "We cannot pause a check over the API."),
    Text("3", "Pausing a check forgets its schedule", "When I pause a check its schedule is gone."),
]
BADGE = [
    Text("4", "Badge per check", "I want a badge of one check."),
    Text("5", "Get project badges", "A list of the badges of a project."),
    Text("6", "Badge colours", "The badge is hard to read in dark pages."),
]
ALONE = [Text("7", "Ukrainian translation", "Слава"), Text("8", "", "")]


def grouped(texts: list[Text]) -> list[set[str]]:
    return [set(topic.keys) for topic in topics(texts)]


def test_alike_texts_come_together_and_strangers_stay_alone() -> None:
    assert sorted(map(sorted, grouped([*PAUSE, *BADGE, *ALONE]))) == [["1", "2", "3"], ["4", "5", "6"]]


def test_the_order_of_texts_changes_nothing() -> None:
    texts = [*PAUSE, *BADGE, *ALONE]
    first = topics(texts)
    for seed in range(5):
        random.Random(seed).shuffle(texts)
        assert topics(texts) == first


def test_nothing_and_one_text_make_no_group() -> None:
    assert topics([]) == []
    assert topics(PAUSE[:1]) == []
    assert topics([Text("1", "", ""), Text("2", "", "")]) == []


def test_a_group_is_named_by_its_most_typical_text_and_says_how_alike_it_is() -> None:
    topic = next(one for one in topics([*PAUSE, *BADGE]) if "1" in one.keys)
    assert topic.keys[0] in {"1", "2", "3"}
    assert 0 < topic.alike < 1
