"""What speaks against deciding from a result as it stands. Nothing forbids it: whoever decides all the same says why, once."""

from __future__ import annotations

from collections.abc import Sequence

from whytree.errors import Invalid

from ..judgement.results import Check
from ..judgement.sentences import listed
from ..models import Decision, Experiment
from .reading import Reading, rails_in

#: Of the checks that ask for a look, those that leave a decision in doubt; the others are good to know.
WEIGHTY = frozenset({"sample ratio", "flag", "metrics", "stopped early"})
MOST_CHARACTERS = 1_000


def of_checks(checks: Sequence[Check]) -> list[str]:
    """A sentence each, as the check says it."""
    weighty = [one for one in checks if one.standing == "broken" or (one.standing == "look" and one.name in WEIGHTY)]
    return [f"{one.name[:1].upper()}{one.name[1:]}: {one.sentence}" for one in weighty]


def of_harm(names: Sequence[str]) -> list[str]:
    """Against keeping what harms."""
    return [f"{listed(list(names))} got worse by more than its margin."] if names else []


def doubts(reading: Reading, *, ships: bool) -> list[str]:
    """Against deciding an experiment now; `ships`: against giving it to everybody, too."""
    found = [*of_checks(reading.analysis.health), *_unfinished(reading)]
    return found + (of_harm(rails_in(reading.analysis, "harm")) if ships else [])


def _unfinished(reading: Reading) -> list[str]:
    """A day that was not reached: of what was to be read once, the check “stopped early” says so."""
    rest = "how the effect is on the days to come is not in it"
    if reading.state == "running":
        return [f"It is day {reading.day} of {reading.days}: its intervals bear being looked at, but {rest}."]
    said = any(one.name == "stopped early" for one in reading.analysis.health)
    if reading.state == "stopped" and reading.day < reading.days and not said:
        return [f"It was stopped on day {reading.day} of {reading.days}: {rest}."]
    return []


def checked_despite(against: Sequence[str], despite: str) -> str:
    """The reason, where something speaks against it; nothing where nothing does."""
    despite = despite.strip()
    if len(despite) > MOST_CHARACTERS or "\x00" in despite:
        raise Invalid(f"Why it is decided all the same fits into {MOST_CHARACTERS:,} characters of plain text.")
    if against and not despite:
        raise Invalid(
            f"{'This speaks' if len(against) == 1 else 'These speak'} against deciding from it: {' '.join(against)} "
            "You may decide all the same: say why (“despite”), and it stands beside the decision."
        )
    return despite if against else ""


def doubts_of(experiment: Experiment, reading: Reading | None) -> list[str]:
    """Of a decided one those that stood against its decision, else those that stand."""
    if reading is None or (experiment.is_decided and not experiment.despite):
        return []
    return doubts(reading, ships=experiment.decision in ("", Decision.SHIP))


def doubts_shown(experiment: Experiment, reading: Reading) -> dict[str, list[str]]:
    """For the form: against deciding at all, and against shipping it; and what stood against a decision that was taken."""
    at_all = doubts(reading, ships=False)
    decided = doubts_of(experiment, reading) if experiment.is_decided else []
    return {
        "doubts": at_all,
        "doubts_to_keep": doubts(reading, ships=True)[len(at_all) :],
        "doubts_decided": decided,
    }
