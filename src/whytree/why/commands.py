"""`whytree why`, `improve`, `search`, `start` and `daily`. Git runs here, where the clone is."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from whytree.workspace.terminal.client import CommandError, connect
from whytree.workspace.terminal.printing import plain, print_json, show

from .delivery.commands import list_deployments

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def register(root: typer.Typer, group: Callable[[str], typer.Typer]) -> None:
    root.command("init")(init)
    root.command("why")(why)
    root.command("improve")(improve)
    root.command("search")(search)
    root.command("start")(start)
    root.command("coverage")(coverage)
    root.command("daily")(daily)
    root.command("digest")(digest)
    group("deployment").command("list")(list_deployments)
    group("slack").command("set")(set_slack)
    group("slack").command("remove")(remove_slack)
    group("slack").command("test")(try_slack)


def init(
    path: Annotated[Path, typer.Argument(help="Your clone; the folder you are in when left out.")] = Path(),
    tickets: Annotated[
        list[Path] | None,
        typer.Option(help="An export of your tracker (GitHub, GitLab, Jira, Linear); may be given more than once."),
    ] = None,
    sync: Annotated[
        bool,
        typer.Option(
            "--sync",
            help="Also ask GitHub or GitLab for issues and merged requests; needs GITHUB_TOKEN or GITLAB_TOKEN.",
        ),
    ] = False,
    name: Annotated[str, typer.Option(help="What to call the repository; the folder's name otherwise.")] = "",
    confirm: Annotated[bool, typer.Option("--confirm", help="Read nothing; only go on with the ten links.")] = False,
    no_questions: Annotated[bool, typer.Option("--no-questions", help="Ask nothing at the end.")] = False,
    as_json: AsJson = False,
) -> None:
    """Begin in a clone: whom was this code for? Reads the history; sends nothing anywhere but to your own Whytree."""
    from .first.initial import begin, go_on

    if confirm:
        go_on(path, as_json=as_json)
        return
    begin(path, tickets=tickets or [], sync=sync, name=name, questions=not no_questions, as_json=as_json)


def why(
    ref: Annotated[
        str,
        typer.Argument(
            help="A line (app/form.py:42 or :40-48), a function (app/form.py::SignUp.clean), a file, a folder, a commit, "
            "flag:KEY, SOL-3, #412 or a ticket's address."
        ),
    ],
    at: Annotated[str, typer.Option(help="As it stood at this commit, tag or branch: for lines that are gone.")] = "",
    tell: Annotated[
        str, typer.Option(help="Say what its commit is for: SOL-3, #412 or a few words; kept as a git note.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Why is this here? From the line to the people who asked and to what it did, on one screen."""
    from .asking.clone import ask, read_question

    client = connect()
    # git is at work already (`site/start.py`): what is needed after it costs nothing now
    _ = client.product
    if not as_json:
        from .asking.screen import print_answer
    question = read_question(ref, Path.cwd(), at)
    if tell:
        from .asking.telling import tell_why

        question = tell_why(client, question, tell, lambda: read_question(ref, Path.cwd(), at))
    answer = ask(client, question)
    if as_json:
        print_json(answer)
        return
    print_answer(answer)
    if at_a_terminal():
        from .asking.telling import offer, tell_why

        if reason := offer(question, answer):
            print_answer(ask(client, tell_why(client, question, reason, lambda: read_question(ref, Path.cwd(), at))))


def at_a_terminal() -> bool:
    """Whether somebody sits there to be asked."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def improve(
    place: Annotated[
        str,
        typer.Argument(
            help="Lines (app/form.py:40-48), a file, a folder, flag:KEY, SOL-3, #412, a page of your product (/signup), or what "
            "you have changed: diff, diff:main."
        ),
    ],
    as_json: AsJson = False,
) -> None:
    """How could this be better? Who struggles here, what is near its margin, untested or never measured, and the cheapest next test."""
    from .ahead.placing import look_ahead

    answer = look_ahead(connect(), place, Path.cwd())
    if as_json:
        print_json(answer)
        return
    from .ahead.screen import print_ahead

    print_ahead(answer)


def search(
    words: Annotated[list[str], typer.Argument(help="What it is called, or says.")],
    as_json: AsJson = False,
) -> None:
    """Find by words, as the box on every page does: nodes, voices, flags, questions, commits, people."""
    client = connect()
    hits = client.get(f"/products/{client.product}/search", q=" ".join(words))
    show(hits, as_json, *([hit_line(hit) for hit in hits] or ["Nothing is found by these words. Try fewer."]))


def hit_line(hit: dict[str, Any]) -> str:
    return f"{plain(hit['label']):12} {hit['kind']:12} {plain(hit['title'])}"


def start(
    subject: Annotated[
        list[str] | None,
        typer.Argument(help='What you start on: a ticket ("#412", ABC-12, its address), OPP-2, SOL-3 or words.'),
    ] = None,
    problem: Annotated[
        str, typer.Option(help="Which problem are we solving? OPP-2, or in the words of those who have it.")
    ] = "",
    who: Annotated[str, typer.Option(help="Whose life gets better, and how?")] = "",
    test: Annotated[str, typer.Option(help="What could show cheaply that it is not the right thing?")] = "",
    no_branch: Annotated[bool, typer.Option("--no-branch", help="Make no branch and set no trailer.")] = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="Ask nothing: open questions stay open, the hook is put there.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Begin work with its why: one screen, three questions (each may stay open), a branch whose commits say what they are for."""
    from .starting.terminal import begin, on_nothing

    answers = {"problem": problem, "who": who, "test": test}
    client = connect()
    if not subject:
        raise on_nothing(client)
    begin(client, subject, answers, with_branch=not no_branch, yes=yes, as_json=as_json)


def coverage(
    path: Annotated[str, typer.Argument(help="Your clone, or a folder or file in it.")] = ".",
    repository: Annotated[
        str, typer.Option(help="Ask about a repository that was read in, by its name; PATH is then a path in it.")
    ] = "",
    no_sync: Annotated[
        bool, typer.Option("--no-sync", help="As it was read last, without reading what is new.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """What does the code rest on? For every line the best behind it, from a measured outcome down to nothing."""
    from .coverage.terminal import cover, print_coverage

    answer = cover(connect(), path, repository=repository, sync=not no_sync, as_json=as_json)
    if as_json:
        print_json(answer)
    else:
        print_coverage(answer)


def daily(as_json: AsJson = False) -> None:
    """Three voices of people whom your code touched, and what waits for you. Two minutes; none comes twice."""
    from .daily.own import own_emails

    client = connect()
    answer = client.post(f"/products/{client.product}/daily", {"emails": own_emails(Path.cwd())})
    if as_json:
        print_json(answer)
        return
    from .daily.screen import print_daily

    print_daily(answer)


def digest(
    send: Annotated[bool, typer.Option("--send", help="Send it to your own address, now.")] = False,
    mail: Annotated[str, typer.Option(help="on or off: whether it comes by mail on Mondays.")] = "",
    alarms: Annotated[
        str, typer.Option(help="on or off: whether a mail comes at once when a change of yours does harm.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """The Monday mail: five lines on whom your code touched and what waits. Prints this week's."""
    from .daily.screen import digest_lines

    client = connect()
    path = f"/products/{client.product}/digest"
    if mail not in {"", "on", "off"}:
        raise CommandError(f"Mail on Mondays is on or off, not {mail[:40]!r}: whytree digest --mail off")
    if alarms not in {"", "on", "off"}:
        raise CommandError(f"Mail about harm is on or off, not {alarms[:40]!r}: whytree digest --alarms off")
    if mail or alarms:
        wishes = client.put(f"{path}/mail", {"on": mail or None, "alarms": alarms or None})
        said = {flag: "on" if wishes[flag] else "off" for flag in ("mail", "alarms")}
        lines = [f"Mail on Mondays: {said['mail']}."] if mail else []
        lines += [f"Mail at once about harm: {said['alarms']}."] if alarms else []
        show(wishes, as_json, *lines)
        return
    answer = client.post(f"{path}/send") if send else client.get(path)
    show(answer, as_json, *digest_lines(answer))


def set_slack(
    url: Annotated[str, typer.Argument(help="Its incoming webhook, as https://hooks.slack.com/services/…")],
    as_json: AsJson = False,
) -> None:
    """Post five lines to a channel on Mondays: Slack, or any webhook that takes the same JSON."""
    client = connect()
    hook = client.put(f"/products/{client.product}/slack", {"url": url})
    show(hook, as_json, f"{hook['host']} gets five lines on Mondays. Try it: whytree slack test")


def remove_slack(as_json: AsJson = False) -> None:
    """Post nothing any more."""
    client = connect()
    client.delete(f"/products/{client.product}/slack")
    show({"host": ""}, as_json, "The channel gets nothing any more.")


def try_slack(as_json: AsJson = False) -> None:
    """Post this week's lines now."""
    client = connect()
    hook = client.post(f"/products/{client.product}/slack/test")
    show(hook, as_json, f"{hook['host']} took it.")
