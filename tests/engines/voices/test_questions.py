"""Which questions bring opinions in place of stories; and which are left in peace."""

import pytest

from whytree.engines.voices.questions import RULES, lint_guide, lint_lines, lint_question

BAD = {
    "speculative": [
        "Would you use a calendar view?",
        "If we built a calendar, what would change for you?",
        "How likely are you to recommend us?",
        "Imagine you had a calendar. What changes?",
        "Do you think you'd come back?",
        "What would you have done if the field had not been there?",
        "Would it help to see prices first?",
        "Could you live without it?",
    ],
    "price": ["How much would you pay for this?", "What would you be willing to pay?"],
    "leading": [
        "Don't you find the form too long?",
        "The form is too long, isn't it?",
        "How easy was the sign-up?",
        "How much do you love the new map?",
        "What did you like about it?",
        "You closed it because of the phone field, right?",
        "How frustrating was that?",
    ],
    "opinion": ["What do you think of our new form?", "What features are missing?", "Do you want a calendar?"],
    "general": ["How often do you book a class?", "What do you usually do on Saturdays?"],
    "yes or no": ["Did you finish the sign-up?", "Is there anything else?", "Have you booked since?"],
    "two at once": ["What happened then, and how did you solve it?", "Where were you? And who was with you?"],
}

GOOD = [
    "Tell me about the last time you booked a class.",
    "What happened then?",
    "Walk me through it.",
    "Could you show me where that was?",
    "Would you please tell me what came first?",
    "Would you mind reading that aloud?",
    "What went through your head?",
    "And what did you do?",
    "Why did you close it?",
    "Who else was there?",
    "What made it hard to go on?",
    "What else should I have asked?",
    "Remember: would they use it, and how likely is that",  # a note for oneself asks nobody
]


@pytest.mark.parametrize(("rule", "question"), [(rule, one) for rule, many in BAD.items() for one in many])
def test_it_says_what_is_wrong_and_what_to_ask_instead(rule: str, question: str) -> None:
    found = lint_question(question)
    assert rule in [finding.rule for finding in found], found
    first = next(finding for finding in found if finding.rule == rule)
    assert first.words.lower() in question.lower()
    assert first.why
    assert first.instead


@pytest.mark.parametrize("question", GOOD)
def test_it_leaves_good_questions_in_peace(question: str) -> None:
    assert lint_question(question) == ()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_what_is_proposed_is_itself_a_good_question(rule: object) -> None:
    instead = rule.instead  # type: ignore[attr-defined]
    assert [one for one in lint_lines([(1, instead)]) if one.rule != "two at once"] == []


@pytest.mark.parametrize(
    ("question", "instead"),
    [
        ("Would you book a class at night?", "Tell me about the last time you wanted to book a class at night."),
        ("How often do you book a class?", "Tell me about the last time you wanted to book a class."),
        ("Would you use a calendar view?", "Tell me about the last time this came up. What did you do?"),
        ("What do you usually do on Saturdays?", "Tell me about the last time. When was that, and what came first?"),
    ],
)
def test_where_the_question_names_the_act_the_proposal_does_too(question: str, instead: str) -> None:
    assert lint_question(question)[0].instead == instead


def test_a_guide_is_read_line_by_line() -> None:
    guide = "# Warm up\n\n1. Tell me about the last time you booked a class.\n- Would you use a calendar?\n* How easy was it?\n"
    assert [(finding.line, finding.rule) for finding in lint_guide(guide)] == [(4, "speculative"), (5, "leading")]


def test_a_guide_without_a_story_is_told_so() -> None:
    assert lint_guide("Who are you?")[0].rule == "no story"
    assert lint_guide("Who are you?\nWalk me through your last booking.") == ()
    assert lint_guide("") == lint_guide("# Only a heading\n\n") == ()


def test_one_question_gets_one_finding_unless_it_is_two() -> None:
    assert [one.rule for one in lint_question("Do you usually book at night?")] == ["general"]
    assert [one.rule for one in lint_question("Would you use it, and how often do you book?")] == [
        "speculative",
        "two at once",
    ]


def test_nothing_hostile_takes_long() -> None:
    for text in ("would you " * 5_000 + "?", "do you think " * 3_000 + "?", "and how " * 5_000 + "?", "?a" * 5_000):
        lint_question(text)
