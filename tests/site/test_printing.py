"""What people write is shown on a terminal, never obeyed by it."""

import json
from typing import Any

import pytest

from tests.events.conftest import Sender, _threads_end, track
from tests.terminal import Terminal
from whytree.workspace.terminal import printing

__all__ = ["_threads_end"]

BAD = "\x1b[2J\x1b]0;owned\x07\x9b1m\u202egnp"
OBEYED = "\x1b\x07\x9b\u202e"


def test_a_line_shows_control_characters_and_keeps_its_breaks(capsys: pytest.CaptureFixture[str]) -> None:
    printing.say(f"one{BAD}\n\ttwo")
    assert capsys.readouterr().out == "one␛[2J␛]0;owned␇�1m�gnp\n\ttwo\n"


def test_a_sentence_is_broken_between_words_where_somebody_reads_it(
    monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setenv("COLUMNS", "24")
    printing.tell("Read its clone in: whytree repository sync", err=True)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    printing.tell("Read its clone in: whytree repository sync", indent="  ", err=True)
    said = "Read its clone in: whytree repository sync\nRead its clone in:\n  whytree repository\n  sync\n"
    assert capsys.readouterr().err == said


def test_json_escapes_what_a_terminal_obeys_and_means_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    printing.print_json({BAD: ["žluťoučký", BAD]})
    written = capsys.readouterr().out
    assert not set(written) & set(OBEYED)
    assert "žluťoučký" in written
    assert json.loads(written) == {BAD: ["žluťoučký", BAD]}


def test_a_drawing_shows_them_too_and_keeps_its_own_colours(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    from rich.panel import Panel
    from rich.text import Text

    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    printing.console().print(Panel(Text(f"a {BAD}", style="bold red"), title=f"b {BAD}"))
    printing.console().print(f"c {BAD}")
    written = capsys.readouterr().out
    assert "␛[2J␛]0;owned" in written
    assert "\x1b[1;31m" in written
    assert not set(written) & (set(OBEYED) - {"\x1b"})
    assert not [part for part in written.split("\x1b")[1:] if part.startswith(("[2J", "]0"))]


def test_a_bar_shows_them_too(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    from rich.progress import TextColumn

    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    with printing.bars(TextColumn("{task.description}"), transient=False) as bar:
        bar.add_task(f"a {BAD}", total=1)
    written = capsys.readouterr().err
    assert "␛[2J" in written
    assert "\x1b[2J" not in written


# Every command that lists or shows something somebody wrote.
COMMANDS = (
    "activity",
    "event list",
    "event put-aside",
    "event imports",
    "feedback search",
    "feedback show FB-1",
    "feedback imports",
    "flag list",
    "flag show ask_later",
    "flag evaluate ask_later ann",
    "key list",
    "member list",
    "member invitations",
    "metric list",
    "metric show planted",
    "note list",
    "person list",
    "person show ann",
    "product list",
    "repository list",
    "review list",
    "review show REV-1",
    "token list",
    "tree --advice",
    "export tree",
    "why SOL-1",
    "start SOL-1 --no-branch --yes",
)
# Nothing free is in these, or only in their JSON.
SILENT = {"event put-aside", "event imports", "feedback imports", "member invitations", "flag evaluate ask_later ann"}
ONLY_JSON = {"flag list", "flag show ask_later", "member list"}


@pytest.mark.django_db
def test_no_command_obeys_what_somebody_wrote(
    hostile: None, monkeypatch: pytest.MonkeyPatch, terminal: Terminal
) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    problems = []
    for words in COMMANDS:
        for more in ([], ["--json"]):
            done = terminal.run(*words.split(), *more, color=True)
            assert done.exit_code == 0, (words, done.exception)
            if set(done.output) & set(OBEYED):
                problems.append(f"{words} {more}: {done.output!r}")
            sign = "\\u001b" if more or words == "export tree" else "␛"
            if words not in SILENT and (more or words not in ONLY_JSON) and sign not in done.output:
                problems.append(f"{words} {more} shows nothing of it, so this proves nothing: {done.output!r}")
    assert not problems, "\n".join(problems)


@pytest.fixture
def hostile(store: Any, actor: Any, alice: Any, product: Any, api: Any, server_key: str) -> None:
    """Escape sequences wherever somebody may write."""
    from whytree.code.models import Repository
    from whytree.flags.services import create_flag
    from whytree.learning.services import lock_prediction
    from whytree.tree import services as tree
    from whytree.workspace.entry import keys
    from whytree.workspace.models import Product, User

    User.objects.filter(pk=alice.pk).update(name=f"Alice {BAD}", email="alice@example.org")
    Product.objects.filter(pk=product.pk).update(name=f"Sprout {BAD}", vision=f"It grows {BAD}")
    planted = {"version": 1, "kind": "unique", "event": "planted"}
    assert api.post("/products/sprout/metrics", {"key": "planted", "name": f"Planted {BAD}", "definition": planted}).ok
    outcome = tree.create_outcome(actor, product, title=f"More {BAD}", metric_key="planted")
    problem = tree.create_opportunity(actor, product, title=f"I wait {BAD}", outcome=outcome)
    solution = tree.create_solution(actor, product, opportunity=problem, title=f"Ask later {BAD}")
    belief = tree.create_hypothesis(
        actor,
        solution,
        change=f"Asked later {BAD}",
        metric_key="planted",
        forecast_low=1.0,
        forecast_likely=2.0,
        forecast_high=3.0,
    )
    assert api.post("/products/sprout/nodes/SOL-1/notes", {"kind": "question", "text": f"Why {BAD}?"}).ok
    create_flag(actor, product, key="ask_later", name=f"Later {BAD}", hypothesis=belief)
    lock_prediction(actor, belief)
    keys.create_key(actor, product, kind="server", name=f"backend {BAD}")
    keys.create_token(actor, name=f"laptop {BAD}", scopes=[])
    Repository.objects.create(product=product, name=f"sprout {BAD}", root_sha="a" * 40)
    assert api.post("/products/sprout/feedback", {"text": f"Too slow {BAD}", "author_name": f"Ann {BAD}"}).ok
    Sender(server_key).batch(
        track(f"planted {BAD}", user="ann"),
        {"type": "identify", "userId": "ann", "traits": {"name": f"Ann {BAD}"}, "messageId": "m"},
    )
