"""Ticket keys and addresses as people write them."""

import pytest

from whytree.engines.links.tickets import (
    TicketRef,
    parse_ticket,
    tickets_in_branch,
    tickets_in_message,
    titles_agree,
    tracker_of_remote,
)


@pytest.mark.parametrize(
    ("written", "ticket"),
    [
        ("#12", TicketRef("#12")),
        ("12", TicketRef("#12")),
        ("gh-12", TicketRef("#12")),
        ("abc-12", TicketRef("ABC-12")),
        ("Acme/Sprout#12", TicketRef("#12", "github.com/acme/sprout")),
        (
            "https://github.com/acme/sprout/issues/12",
            TicketRef("#12", "github.com/acme/sprout", "https://github.com/acme/sprout/issues/12"),
        ),
        (
            "https://github.com/acme/sprout/issues/12#issuecomment-5",
            TicketRef("#12", "github.com/acme/sprout", "https://github.com/acme/sprout/issues/12#issuecomment-5"),
        ),
        (
            "https://gitlab.com/a/b/c/-/merge_requests/12",
            TicketRef("!12", "gitlab.com/a/b/c", "https://gitlab.com/a/b/c/-/merge_requests/12"),
        ),
        (
            "https://linear.app/acme/issue/ABC-12/title-words",
            TicketRef("ABC-12", "", "https://linear.app/acme/issue/ABC-12/title-words"),
        ),
        (
            "https://acme.atlassian.net/browse/ABC-12",
            TicketRef("ABC-12", "", "https://acme.atlassian.net/browse/ABC-12"),
        ),
        ("SOL-3", None),
        ("UTF-8", None),
        ("#0", None),
        ("defer the phone", None),
        ("https://example.org/", None),
        ("", None),
    ],
)
def test_a_ticket_is_read_as_typed(written: str, ticket: TicketRef | None) -> None:
    assert parse_ticket(written) == ticket


@pytest.mark.parametrize(
    ("remote", "tracker"),
    [
        ("git@github.com:Acme/Sprout.git", "github.com/acme/sprout"),
        ("https://user:secret@github.com/acme/sprout.git", "github.com/acme/sprout"),
        ("ssh://git@git.example.org:2222/acme/sprout", "git.example.org/acme/sprout"),
        ("/srv/git/sprout.git", ""),
        ("../sprout", ""),
        ("", ""),
    ],
)
def test_a_remote_names_its_tracker_and_never_a_secret(remote: str, tracker: str) -> None:
    assert tracker_of_remote(remote) == tracker


def test_a_branch_of_numbers_is_believed_only_with_the_words_of_the_title() -> None:
    (mention,) = tickets_in_branch("ana/412-build-sign-up-form")
    assert titles_agree(mention.title_words, "Build sign-up form, collect user info.")
    assert not titles_agree(mention.title_words, "Drop the fax number")
    assert not titles_agree(("factor", "auth"), "")


@pytest.mark.parametrize("branch", ["issue/7-157", "ana/issue-7-and-157", "issue-7.1"])
def test_a_branch_of_two_tickets_is_for_neither(branch: str) -> None:
    assert not list(tickets_in_branch(branch))


@pytest.mark.parametrize(
    "subject", ["(AB-1)" + " " * 60_000 + "x", "(AB-1)" * 10_000, "." * 60_000, "a/" * 30_000, "was made " * 6_000]
)
def test_no_subject_keeps_the_rules_busy(subject: str) -> None:
    """What grows with the square of a text would take minutes here, and hold every thread."""
    assert len(list(tickets_in_message(subject, f"Refs: {subject}", ()))) <= 2
    assert len(list(tickets_in_message("", "", (("Refs", subject),)))) <= 10_000


def test_a_requests_address_is_no_tickets() -> None:
    text = "Refs https://github.com/acme/sprout/pull/12#issuecomment-1, https://github.com/acme/sprout/issues/13"
    assert [one.ticket.key for one in tickets_in_message("", text, ())] in ([], ["#13"])
