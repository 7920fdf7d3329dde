"""What a commit's first line says it brings."""

import pytest

from whytree.engines.texts.headlines import brings, headline, share_a_word


@pytest.mark.parametrize(
    ("subject", "kind", "words"),
    [
        ("feat(zsh): multi-line history (#12)", "feat", "zsh: multi-line history"),
        ("feat!: pause a check", "feat", "pause a check"),
        ("[feature] Pause a check", "feat", "Pause a check"),
        ("Added: pause a check", "feat", "pause a check"),
        ("Add --listen option, closes #306", "verb", "Add --listen option"),
        ("Allow pausing a check (ABC-12)", "verb", "Allow pausing a check"),
        ("shell: Add fish completion", "verb", "shell: Add fish completion"),
        ("Fix a crash on exit (#3) (#4)", "", "Fix a crash on exit"),
        ("fix: add a variable to the board", "", "fix: add a variable to the board"),
        ("Add a helper for dates", "", "Add a helper for dates"),
        ("Add Flip.reason field", "", "Add Flip.reason field"),
        ("Add more tests", "", "Add more tests"),
        ("Desktop: Resolves ##5389: Add note list plugins", "", "Desktop: Add note list plugins"),
        ("Fixes #5 - pin a note", "", "pin a note"),
        ("Address review", "", "Address review"),
        ("newsletter: a footer", "", "newsletter: a footer"),
        ("", "", ""),
    ],
)
def test_a_first_line_says_whether_something_is_new(subject: str, kind: str, words: str) -> None:
    assert (brings(subject), headline(subject)) == (kind, words)


def test_two_titles_speak_of_the_same_by_a_word_that_says_something() -> None:
    assert share_a_word("Pausing checks from the list", "feat: pause")
    assert not share_a_word("Add an option to use colours", "Add an option to use the mouse")
