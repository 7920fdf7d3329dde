from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whytree.engines.confidence import LADDER, MOST, TYPES, YEAR, Evidence, Stance, confidence, label

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def said(kind: str, who: str, *, years_ago: float = 0.0, stance: Stance = "supports", importance: int = 1) -> Evidence:
    return Evidence(kind, stance, who, NOW - years_ago * YEAR, importance)


def test_without_evidence_there_is_none_and_the_best_next_step_is_live_data() -> None:
    result = confidence([], NOW)
    assert (result.value, result.label, result.breakdown) == (0.0, "none", ())
    assert result.raise_most is not None
    assert (result.raise_most.evidence_type, result.raise_most.gain) == ("launch_data", 5.0)


@pytest.mark.parametrize("kind", [rung.key for rung in LADDER])
def test_the_first_fresh_voice_brings_half_of_what_its_type_can_bring(kind: str) -> None:
    assert confidence([said(kind, "ana")], NOW).value == pytest.approx(TYPES[kind].weight / 2)


@pytest.mark.parametrize("kind", [rung.key for rung in LADDER])
def test_one_half_life_later_a_voice_counts_half_a_person(kind: str) -> None:
    rung = TYPES[kind]
    old = confidence([said(kind, "ana", years_ago=rung.half_life_years)], NOW)
    assert old.breakdown[0].k_eff == pytest.approx(0.5)
    assert old.value == pytest.approx(rung.weight * (1 - 2**-0.5))


def test_the_same_person_twice_counts_once_at_the_youngest() -> None:
    result = confidence([said("anecdotal", "ana", years_ago=2), said("anecdotal", "ana")], NOW)
    assert (result.breakdown[0].people, result.value) == (1, 0.5)


def test_nameless_pieces_cannot_be_told_apart_and_count_once() -> None:
    assert confidence([said("anecdotal", "")] * 9, NOW).value == 0.5


def test_contradiction_is_subtracted_and_never_goes_below_zero() -> None:
    voices = [said("user_evidence", "ana"), said("anecdotal", "ben", stance="contradicts")]
    result = confidence(voices, NOW)
    assert (result.support, result.contradiction, result.value) == (1.5, 0.5, 1.0)
    assert confidence(voices[1:], NOW).value == 0.0


def test_context_counts_for_nothing() -> None:
    assert confidence([said("launch_data", "exp", stance="context")], NOW).breakdown == ()


def test_importance_does_not_make_a_voice_more_independent() -> None:
    assert confidence([said("anecdotal", "ana", importance=3)], NOW).value == 0.5


def test_support_is_capped_and_then_nothing_is_proposed() -> None:
    everything = [said(rung.key, f"{rung.key}{i}") for rung in LADDER for i in range(12)]
    result = confidence(everything, NOW)
    assert (result.value, result.raise_most) == (MOST, None)


def test_a_date_in_the_future_counts_as_now() -> None:
    assert confidence([Evidence("anecdotal", "supports", "ana", NOW + timedelta(days=90))], NOW).value == 0.5


def test_what_would_raise_it_most_respects_what_can_be_reached() -> None:
    result = confidence(
        [said("test_results", "t1"), said("test_results", "t2")], NOW, reachable={"test_results", "user_evidence"}
    )
    assert result.raise_most is not None
    # a third test would add 5/8, a first interview 3/2
    assert (result.raise_most.evidence_type, result.raise_most.gain) == ("user_evidence", 1.5)
    assert str(result.raise_most) == "Interview or observe one more person (+1.5)"


def test_it_names_the_known_types_when_one_is_unknown() -> None:
    with pytest.raises(ValueError, match="Known: launch_data"):
        confidence([said("hearsay", "ana")], NOW)


@pytest.mark.parametrize(
    ("evidence", "word"),
    [
        ([("self_conviction", 1), ("pitch_deck", 1), ("thematic_support", 1), ("others_opinion", 1)], "none"),
        ([("anecdotal", 1)], "weak"),
        ([("anecdotal", 40)], "weak"),
        ([("user_evidence", 1)], "weak"),
        ([("user_evidence", 2)], "moderate"),
        ([("anecdotal", 14), ("user_evidence", 3)], "moderate"),
        ([("test_results", 1)], "moderate"),
        ([("launch_data", 1)], "strong"),
    ],
)
def test_the_words_follow_the_ladder(evidence: list[tuple[str, int]], word: str) -> None:
    voices = [said(kind, f"p{i}") for kind, people in evidence for i in range(people)]
    assert confidence(voices, NOW).label == word


@pytest.mark.parametrize(("value", "word"), [(5.0, "strong"), (4.99, "moderate"), (1.99, "weak"), (0.24, "none")])
def test_the_thresholds_belong_to_the_stronger_word(value: float, word: str) -> None:
    assert label(value) == word


pieces = st.builds(
    said,
    st.sampled_from(sorted(TYPES)),
    st.sampled_from(["ana", "ben", "cem", ""]),
    years_ago=st.floats(0, 20),
    stance=st.sampled_from(["supports", "contradicts", "context"]),
)


@given(st.lists(pieces, max_size=20))
def test_rows_add_up_and_value_stays_in_range(evidence: list[Evidence]) -> None:
    result = confidence(evidence, NOW)
    assert 0.0 <= result.value <= MOST
    supports = sum(row.contribution for row in result.breakdown if row.stance == "supports")
    assert result.support == pytest.approx(min(MOST, supports))
    assert result.value == max(0.0, result.support - result.contradiction)


@given(st.lists(pieces, max_size=20), st.sampled_from(sorted(TYPES)))
def test_one_more_supporting_voice_never_lowers_it(evidence: list[Evidence], kind: str) -> None:
    more = [*evidence, said(kind, "somebody new")]
    assert confidence(more, NOW).value >= confidence(evidence, NOW).value
