"""What people say: enough of it, by different people, in different words, and never before there was a reason to."""

from collections import Counter

import pytest

from whytree.demo import asking, story, voices, words
from whytree.demo.voices import Voice
from whytree.demo.world import World
from whytree.engines import stats

pytestmark = pytest.mark.slow  # the whole story: left out of `make quick`


def test_some_four_hundred_voices_come_from_five_kinds_of_source_and_five_talks(heard: list[Voice]) -> None:
    assert 380 <= len(heard) <= 420
    sources = Counter(voice.source for voice in heard)
    assert set(sources) == {*words.SOURCES, "interview", "widget"}
    assert sources["interview"] == 5


def test_nobody_repeats_a_text(heard: list[Voice]) -> None:
    assert len({voice.text for voice in heard}) == len(heard)
    assert len(words.texts()) >= 250, "hand-written texts"
    assert not any("{" in voice.text and "}" in voice.text for voice in heard), "an unfilled slot"


def test_nobody_speaks_twice(heard: list[Voice]) -> None:
    speakers = [voice.person for voice in heard if voice.person]
    assert len(set(speakers)) == len(speakers)
    assert len({voice.id for voice in heard}) == len(heard)


def test_nobody_speaks_before_there_was_a_reason_to(whole: World, heard: list[Voice]) -> None:
    known = {person.id: person for person in whole.people}
    of = voices.moments(whole)
    who = {text.theme: text.who for text in words.texts()}
    for voice in heard:
        assert voice.at < whole.calendar.today
        if voice.person and voice.theme in who:
            moment = of[who[voice.theme]](known[voice.person])
            assert moment is not None
            assert moment < voice.at


def test_who_complains_about_the_phone_field_was_asked_for_a_number(whole: World, heard: list[Voice]) -> None:
    known = {person.id: person for person in whole.people}
    complaining = [voice for voice in heard if voice.theme == "phone" and voice.person]
    assert complaining
    assert not any(known[voice.person].deferred for voice in complaining)


def test_stores_and_surveys_do_not_name_a_person(heard: list[Voice]) -> None:
    assert not any(voice.person for voice in heard if voice.source in {"play", "survey", "github"})


def test_what_the_team_marks_stands_in_the_text() -> None:
    for name, key in words.keys().items():
        assert key.marked in key.text, name
    assert len(words.interviews()) == 5


def test_fourteen_people_speak_about_the_phone_number() -> None:
    written = [name for name in words.keys() if name.startswith("phone-")]  # noqa: SIM118 - a function, not a dict
    spoken = [talk for talk in words.interviews() if any(quote.startswith("phone-") for quote in talk.quotes)]
    assert len(written) + len(spoken) == 14


def test_interviewed_people_live_in_the_world(whole: World, heard: list[Voice]) -> None:
    talks = {voice.author: voice for voice in heard if voice.source == "interview"}
    assert set(talks) == {talk.name for talk in words.interviews()}
    for name, voice in talks.items():
        person = whole.person(voice.person)
        assert person.name == name
        assert person.opened_at < voice.at


def test_old_voices_are_older_than_the_data(heard: list[Voice], whole: World) -> None:
    code = [voice for voice in heard if voice.key.startswith("code-")]
    assert len(code) == 3
    assert all((whole.calendar.today - voice.at).days > 500 for voice in code)
    assert story.DAYS < 500


def test_who_comes_back_had_left_at_the_number_and_is_not_asked_for_it_again(
    returned: World, heard: list[Voice]
) -> None:
    by_key = {voice.key: voice for voice in heard if voice.key}
    back = {key: said for key, said in words.speakers().items() if said.back}
    assert len(back) == 6
    for key, said in back.items():
        person = returned.person(by_key[key].person)
        own = [event for event in returned.events if event.person == person.id]
        again = next(at for at, event in enumerate(own) if event.at >= returned.calendar.at(said.back))
        assert by_key[key].at < own[again].at, "they spoke first"
        assert "sign_up_confirmed" not in [event.name for event in own[:again]]
        confirmed = [event.name for event in own].index("sign_up_confirmed")
        assert "phone_entered" not in [event.name for event in own[again:confirmed]]
        assert ("first_booking" in [event.name for event in own]) is said.books


def test_the_survey_asks_only_whom_it_can_and_its_answers_cover_what_is_true(returned: World) -> None:
    moments = asking.moments(returned)
    answers = [moment for moment in moments if moment.answers]
    assert len(answers) == story.SURVEY_ANSWERS
    asked: set[str] = set()
    for moment in moments:
        person = returned.person(moment.person)
        assert person.platform == "web"
        assert person.confirmed_at
        assert person.confirmed_at < moment.at
        assert moment.answers is None or moment.person in asked, "nobody answers what they were not asked"
        asked.add(moment.person)
    for arm, weights in story.EASE.items():
        given = [one.answers for one in answers if returned.person(one.person).arms["defer_phone"] == arm]
        easy = sum(int(one["q1"]) > asking.HARD for one in given if one)
        share = stats.proportion(easy, len(given))
        assert isinstance(share, stats.Estimate)
        assert share.low < sum(weights[asking.HARD :]) / sum(weights) < share.high


def test_the_release_crashes_for_two_days_as_no_other_day_does(whole: World) -> None:
    days = Counter(whole.calendar.day_of(event.at) for event in whole.events if event.name == "app_crashed")
    broken = range(story.RELEASE_CRASHED, story.RELEASE_MENDED)
    assert all(days[day] > story.MOST_CRASHES for day in broken)
    assert max(days[day] for day in range(story.DAYS) if day not in broken) < story.MOST_CRASHES
