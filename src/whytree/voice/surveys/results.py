"""What a survey's answers come to: for each question how many, shares and scores with intervals, for all and for each arm of a flag.

Everything is counted over people who answered. How many were asked and did not is said beside it, in words, with how far their
silence could move the figure.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q

from whytree.engines.figures import number, percent
from whytree.engines.stats import Estimate, NoAnswer, proportion
from whytree.engines.stats.scores import difference, mean_score, net_promoter
from whytree.voice.models import FeedbackItem

from .models import Survey
from .queries import Counted, counted
from .questions import Question, Scale

ENOUGH = 0.8
"""From this share of those asked on, silence is not worth a warning."""
FEW = 30
WORDS_SHOWN = 5


@dataclass(frozen=True)
class Headline:
    """The one figure of a question: `value` and its interval times 100 for shares and net promoters, points for means."""

    name: str
    estimate: Estimate | NoAnswer
    unit: str = "%"

    @property
    def text(self) -> str:
        if isinstance(self.estimate, NoAnswer):
            return self.estimate.reason
        return _amount(100 * self.estimate.value, self.unit)

    @property
    def interval(self) -> str:
        if isinstance(self.estimate, NoAnswer):
            return ""
        return f"{number(100 * self.estimate.low)} to {_amount(100 * self.estimate.high, self.unit)}"


@dataclass(frozen=True)
class Row:
    """One answer of several, and who gave it; of what was put in order, who put it first, and its mean `place`.

    Of a line of a matrix: who agreed, its mean, and how many of its `n` people gave each of the `points`.
    """

    name: str
    people: int
    share: Estimate | NoAnswer
    place: Estimate | NoAnswer | None = None
    n: int | None = None
    points: dict[int, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Figures:
    """One question's answers of some people. `mean` only for scales."""

    n: int
    headline: Headline | None
    rows: list[Row]
    mean: Estimate | NoAnswer | None = None


@dataclass(frozen=True)
class Arm:
    """Those in whose answers one variant was in force."""

    name: str
    asked: int
    answered: int
    figures: Figures


@dataclass(frozen=True)
class Result:
    """One question: for all, its newest words, and by arm. `differs` is between exactly two arms."""

    question: Question
    all: Figures
    words: list[FeedbackItem] = field(default_factory=list)
    arms: list[Arm] = field(default_factory=list)
    differs: Estimate | None = None


@dataclass(frozen=True)
class Results:
    """A survey's answers. `by` is the flag that they are parted by, `flags` those they could be."""

    survey: Survey
    counted: Counted
    questions: list[Result]
    warnings: list[str]
    flags: list[str]
    by: str = ""


@dataclass(frozen=True)
class _Said:
    """What is counted of one response: of many thousands, so no more than that is read."""

    answers: dict[str, Any]
    flags: dict[str, str]
    was_asked: bool
    has_answered: bool


def results_of(survey: Survey, by: str = "") -> Results:
    """`by` is a flag's key: its variants are shown side by side."""
    rows = survey.responses.annotate(
        was_asked=Q(asked_at__isnull=False), has_answered=Q(answered_at__isnull=False)
    ).values_list("answers", "flags", "was_asked", "has_answered")
    responses = [_Said(*row) for row in rows.order_by("pk")]
    answered = [one for one in responses if one.has_answered]
    flags = sorted({key for one in answered for key in one.flags})
    by = by if by in flags else ""
    arms = _arms(responses, by) if by else {}
    questions = [_result(survey, one, answered, arms) for one in survey.asked]
    found = counted(survey)
    return Results(survey, found, questions, warnings(found, questions, by), flags, by)


def _arms(responses: Iterable[_Said], by: str) -> dict[str, tuple[int, list[_Said]]]:
    """Variant -> how many of those were asked, and those who answered; only variants in which somebody answered."""
    arms: dict[str, list[_Said]] = defaultdict(list)
    for one in responses:
        if by in one.flags:
            arms[one.flags[by]].append(one)
    found = {
        name: (sum(one.was_asked for one in some), [one for one in some if one.has_answered])
        for name, some in sorted(arms.items())
    }
    return {name: (asked, answered) for name, (asked, answered) in found.items() if answered}


def _result(
    survey: Survey, question: Question, answered: Sequence[_Said], arms: dict[str, tuple[int, list[_Said]]]
) -> Result:
    figures = figures_of(question, (one.answers for one in answered))
    if question.kind == "open":
        return Result(question, figures, list(_words_of(survey, question)))
    side_by_side = [
        Arm(name, asked, len(some), figures_of(question, (one.answers for one in some)))
        for name, (asked, some) in arms.items()
    ]
    return Result(question, figures, [], side_by_side, _difference(side_by_side))


def _difference(arms: Sequence[Arm]) -> Estimate | None:
    """Between exactly two that both have a figure."""
    heads = [arm.figures.headline.estimate for arm in arms if arm.figures.headline is not None]
    if len(heads) != 2 or not isinstance(heads[0], Estimate) or not isinstance(heads[1], Estimate):
        return None
    return difference(heads[0], heads[1])


def _words_of(survey: Survey, question: Question) -> Iterable[FeedbackItem]:
    items = FeedbackItem.objects.filter(
        product_id=survey.product_id, source_type="survey", source_id=survey.ref, field_id=question.id
    )
    return items.order_by("-said_at", "-pk")[:WORDS_SHOWN]


def figures_of(question: Question, answers: Iterable[Mapping[str, Any]]) -> Figures:
    """What these people said to this question. Only those count who answered it."""
    values = [one[question.id] for one in answers if question.id in one]
    n = len(values)
    if question.kind == "open":
        return Figures(n, None, [])
    if question.kind == "ranking":
        return Figures(n, None, [_in_order(option, values) for option in question.options])
    if question.grid is not None:
        return Figures(n, None, [_of_line(line, question.grid, values) for line in question.options])
    given = Counter(each for value in values for each in (value if isinstance(value, list) else [value]))
    scale = question.scale
    if scale is None:
        rows = [Row(option, given[option], proportion(given[option], n)) for option in question.options]
        return Figures(n, None, rows)
    rows = [Row(str(point), given[point], proportion(given[point], n)) for point in scale.points]
    good = sum(given[point] for point in scale.points if point >= scale.good)
    if question.kind == "nps":
        poor = sum(given[point] for point in range(7))
        headline = Headline("NPS", net_promoter(good, n - good - poor, poor), "")
    else:
        headline = Headline(f"{scale.good} or more", proportion(good, n))
    return Figures(
        n, headline, rows, mean_score({point: given[point] for point in scale.points}, scale.low, scale.high)
    )


def _in_order(option: str, values: Sequence[list[str]]) -> Row:
    """Who put it first, and the mean of its places, 1 the first."""
    places = Counter(value.index(option) + 1 for value in values)
    first = places[1]
    return Row(option, first, proportion(first, len(values)), mean_score(places, 1, len(values[0]) if values else 1))


def _of_line(line: str, scale: Scale, values: Sequence[dict[str, int]]) -> Row:
    """Counted over those who rated this line: where no answer is needed, some leave one out."""
    given = Counter(value[line] for value in values if line in value)
    n = given.total()
    good = sum(given[point] for point in scale.points if point >= scale.good)
    mean = mean_score(given, scale.low, scale.high)
    return Row(line, good, proportion(good, n), mean, n, {point: given[point] for point in scale.points})


def warnings(found: Counted, questions: Sequence[Result], by: str) -> list[str]:
    """What these figures do not say, in words."""
    said = []
    if found.answered and found.answered < FEW:
        said.append(
            f"{found.answered} {'person has' if found.answered == 1 else 'people have'} answered: read their words rather than the figures."
        )
    if found.asked:
        silent = found.asked - found.answered_when_asked
        rate = found.answered_when_asked / found.asked
        if rate < ENOUGH and found.answered:
            said.append(
                f"{found.answered_when_asked:,} of the {found.asked:,} who were asked answered ({percent(rate)}). "
                f"{_if_silent(silent, questions)}"
            )
    if found.came:
        who = "Nobody knows" if not found.asked else f"{found.came:,} came by the open link: nobody knows"
        said.append(
            f"{who} how many saw the link and did not answer, so these are the views of those who wanted to be heard."
        )
    if by:
        said.append(
            "Those who answer choose to. Arms compare only if as large a share of each answered; see it beside each."
        )
    return said


def _if_silent(silent: int, questions: Sequence[Result]) -> str:
    """How far those who said nothing could move the first share: as if all of them were for it, or none.

    Manski, "Anatomy of the Selection Problem", Journal of Human Resources 24(3), 1989: without an assumption nothing more is known.
    """
    others = "the other one thinks" if silent == 1 else f"the other {silent:,} think"
    for one in questions:
        head = one.all.headline
        if head is None or isinstance(head.estimate, NoAnswer):
            continue
        n, value = one.all.n, head.estimate.value
        worst = -1.0 if one.question.kind == "nps" else 0.0
        low, high = (value * n + worst * silent) / (n + silent), (value * n + silent) / (n + silent)
        return (
            f"Whatever {others}, {head.name} of all of them lies between {number(100 * low)} and "
            f"{_amount(100 * high, head.unit)}; the interval below only speaks of people like those who answered."
        )
    return f"What {others} is not known."


def _amount(value: float, unit: str) -> str:
    return f"{number(value)} {unit}".strip()


# ---- as data -------------------------------------------------------------------------------------------------------


def as_json(found: Results) -> dict[str, Any]:
    """Shares are shares, NPS is -1 to 1, means are points; an interval that there is none of is null, with the reason."""
    return {
        "survey": found.survey.ref,
        "asked": found.counted.asked,
        "answered": found.counted.answered,
        "came_by_open_link": found.counted.came,
        "dismissed": found.counted.dismissed,
        "warnings": found.warnings,
        "flags": found.flags,
        "by": found.by,
        "questions": [
            {
                "id": one.question.id,
                "kind": one.question.kind,
                "text": one.question.text,
                **_figures(one.all),
                "arms": [
                    {"variant": arm.name, "asked": arm.asked, "answered": arm.answered, **_figures(arm.figures)}
                    for arm in one.arms
                ],
                "difference": _estimate(one.differs),
            }
            for one in found.questions
        ],
    }


def _figures(found: Figures) -> dict[str, Any]:
    return {
        "n": found.n,
        "headline": {"name": found.headline.name, **_estimate(found.headline.estimate)} if found.headline else None,
        "mean": _estimate(found.mean),
        "answers": [
            {"answer": row.name, "people": row.people, **_estimate(row.share), **_placed(row)} for row in found.rows
        ],
    }


def _placed(row: Row) -> dict[str, Any]:
    """The mean of a line's points, or of what was put in order its mean place."""
    if row.n is None:
        return {"place": _estimate(row.place)}
    return {
        "place": None,
        "n": row.n,
        "mean": _estimate(row.place),
        "points": {str(k): v for k, v in row.points.items()},
    }


def _estimate(found: Estimate | NoAnswer | None) -> Any:
    if found is None:
        return None
    if isinstance(found, NoAnswer):
        return {"value": None, "low": None, "high": None, "method": "", "reason": found.reason}
    return {"value": found.value, "low": found.low, "high": found.high, "method": found.method, "reason": ""}
