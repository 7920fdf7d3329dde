"""The link rules by table: what a commit says, what is known, and the link or the silence that follows."""

from dataclasses import replace

import pytest

from whytree.engines.links.rules import (
    SCORES,
    STATED_RULES,
    Candidate,
    CommitFacts,
    LinkAnswer,
    candidates,
    find_link,
    score,
    states_maintenance,
    ticket_candidates,
    tickets_named,
)
from whytree.engines.links.tickets import TicketRef, titles_agree

NODES = {"SOL-1", "SOL-2", "SOL-3", "OPP-7", "HYP-4"}
TICKETS = {
    "#412": (("SOL-1",), "Build sign-up form"),
    "#415": (("SOL-2",), ""),
    "#77": (("SOL-3",), ""),
    "!9": (("SOL-3",), ""),
    "ABC-12": (("SOL-2",), ""),
    "!77": (("SOL-3",), ""),
    "#500": (("SOL-1", "SOL-2"), ""),
    "#501": (("SOL-1", "OPP-7"), ""),
    "#2": (("SOL-3",), "Drop the fax number"),
}
FLAGS = {"defer_phone": ("SOL-3",)}


def resolve(candidate: Candidate) -> tuple[str, ...]:
    if candidate.kind == "node":
        return (candidate.key,) if candidate.key in NODES else ()
    if candidate.kind == "flag":
        return FLAGS.get(candidate.key, ())
    refs, title = TICKETS.get(candidate.key, ((), ""))
    if candidate.title_words and not titles_agree(candidate.title_words, title):
        return ()
    assert candidate.ticket
    return () if candidate.ticket.tracker not in {"", "github.com/acme/sprout"} else refs


LINKED = [
    ("Add form", "Why: SOL-1", "SOL-1", "trailer"),
    ("Add form", "why: sol-1", "SOL-1", "trailer"),
    ("Add form", "Text.\n\nWhy: SOL-1, OPP-7\nSigned-off-by: Ana <a@b.c>", "SOL-1 OPP-7", "trailer"),
    ("Add form", "Why: SOL-1\nWhy: OPP-7", "SOL-1 OPP-7", "trailer"),
    ("Add form", "Why-Solution: SOL-1 (defer phone)", "SOL-1", "trailer"),
    ("Add form", "Why-Flag: defer_phone", "SOL-3", "trailer"),
    ("Add form", "Why: #412", "SOL-1", "trailer"),
    ("Add form (#9)", "* first\n\nWhy: SOL-1\n\n* second\n\nmore text", "SOL-1", "trailer"),
    ("Add form", "Why: SOL-999\n\nFixes #412", "SOL-1", "closing keyword"),
    ("Add form", "Fixes #412", "SOL-1", "closing keyword"),
    ("Add form", "This closes: #412.", "SOL-1", "closing keyword"),
    ("Add form", "resolves acme/sprout#412", "SOL-1", "closing keyword"),
    ("Add form", "Fixes https://github.com/acme/sprout/issues/412", "SOL-1", "closing keyword"),
    ("Fixed #412 -- Added the form", "", "SOL-1", "closing keyword"),
    ("ABC-12 Add form", "", "SOL-2", "ticket key"),
    ("[ABC-12] Add form", "", "SOL-2", "ticket key"),
    ("feat(ABC-12): add form", "", "SOL-2", "ticket key"),
    ("Add form (ABC-12)", "", "SOL-2", "ticket key"),
    ("Add form (ABC-12) (#3)", "", "SOL-2", "ticket key"),
    ("gh-412: Add form", "", "SOL-1", "ticket key"),
    ("Add form", "Ticket: ABC-12", "SOL-2", "ticket key"),
    ("Add form", "Fixes: #412", "SOL-1", "closing keyword"),
    ("Add form (#77)", "", "SOL-3", "pull request"),
    ("Merge pull request #77 from ana/x", "", "SOL-3", "pull request"),
    ("Merge branch 'x' into 'main'", "See merge request acme/sprout!9", "SOL-3", "pull request"),
    ("Merged in x (pull request #77)", "", "SOL-3", "pull request"),
    ("Merged PR 77: Add form", "", "SOL-3", "pull request"),
    ("Merge branch 'sol-3-defer-phone'", "", "SOL-3", "branch name"),
    ("Bump x from 1.0 to 1.1 (#77)", "- Fixes #412", "SOL-3", "pull request"),
    ("Merge pull request #77 in ACME/sprout from x to main", "", "SOL-3", "pull request"),
    ("fixup! ABC-12 Add form", "", "SOL-2", "ticket key"),
    ("Add form", "Fixes #412\n\n(cherry picked from commit 1234567)", "SOL-1", "closing keyword"),
    ("ABC-12 Add form", "Fixes #9", "SOL-2", "ticket key"),  # two trackers, one piece of work
    ("Merge branch 'ana/SOL-3'", "", "SOL-3", "branch name"),
    ("Merge branch 'main' into sol-3-defer", "", "SOL-3", "branch name"),
    ("Merge pull request #8 from ana/abc-12-form", "", "SOL-2", "branch name"),
    ("Merge branch 'issue-412'", "", "SOL-1", "branch name"),
    ("Merge branch '412-build-sign-up-form'", "", "SOL-1", "branch name"),
    ("Add form, refs #412", "", "SOL-1", "ticket reference"),
    ("Add form, refs #77, closes #412", "", "SOL-1", "closing keyword"),
    ("Add form", "Refs: #412", "SOL-1", "ticket reference"),
    ("Add form", "cc: #412", "SOL-1", "ticket reference"),
    ("Add form", "Fixes #501", "SOL-1 OPP-7", "closing keyword"),
]


@pytest.mark.parametrize(("subject", "body", "refs", "rule"), LINKED)
def test_the_first_rule_that_yields_wins_and_is_named(subject: str, body: str, refs: str, rule: str) -> None:
    link = find_link(CommitFacts(subject, body), resolve).link
    assert link is not None
    assert (" ".join(link.refs), link.rule) == (refs, rule)
    assert link.provenance == ("stated" if rule == "trailer" else f"inferred: {rule}")


UNEXPLAINED = [
    ("Add form", ""),
    ("Add form, unlike #412", ""),
    ("Add form", "It does not fix #412"),
    ("Add form", "We don't close #412 with this"),
    ("Add form", "See #412 and ABC-12 for background"),
    ("Add form", "Why: because the form was slow"),
    ("Add form", "Why: SOL-999"),
    ("Add form", "Fixes other/project#412"),
    ("Add form", "Fixes #500"),  # linked to two solutions: a guess would be wrong half of the time
    ('Revert "Add form (#77)"', "This reverts commit 1234567."),
    ('Revert "ABC-12 Add form"', ""),
    ('Revert "Fixes #412"', ""),
    ("Use UTF-8 and SHA-256", ""),
    ("Merge branch '2-factor-auth'", ""),
    ("Merge branch 'release/2-0'", ""),
    ("Merge branch 'revert-77-sol-3-defer'", ""),
    ("Merge branch 'main' into topic", ""),
    ("Add SOL-3 to the tree", ""),
    ("ABC-123 Add form", ""),
    ("Bump x from 1 to 2 (#6)", ""),
    ("Merge pull request #6 from acme/dependabot/pip/abc-12.1", ""),
    ("Merge branch 'abc-12.5'", ""),
    ("Release 1.0", "Refs #1, #3, #412, #8"),  # one of four is linked: the release is not for it
    ("Release 1.0", "Refs #1, #3, #412, #8\n\nCloses #9"),
    ("Release 1.0", "Closes #412"),
    ("v1.0.1", "Closes #412"),
    ("Bump version to 1.0.1", "Closes #412"),
    ("chore: bump the version number to v1.0.1 (#77)", ""),
    ("Release 1.0 (#77)", ""),
    ("Add form", "Fixes #412, fixes #9"),  # which half of the commit is this line?
    ("ABC-12 ABC-13 Add form", "Fixes ABC-14 and ABC-12"),
    ("Add form", "> Fixes #412"),
    ("Add form", "<!-- Fixes #412 -->"),
    ("Add form", "Write a line\n\n    Why: SOL-1\n\ninto the message."),
    ("Squashed 'vendor/x/' changes from 1234567..89abcde", "89abcde Form, fixes #412"),
    ("Bump x from 1.0 to 1.1", "- Fixes #412"),
    ('fixup! Revert "Fixes #412"', ""),
    ("Merge branches 'sol-3-defer' and 'other'", "Closes #412"),
    ("Merge branch 'sol-3-defer', tag 'v2'", ""),
    ("Merge branch 'sol-3-defer' into sol-1-form", ""),
    ("Take it all back", 'Revert "Form, fixes #412"\n\nThis reverts commit 1234567.'),
]


@pytest.mark.parametrize(("subject", "body"), UNEXPLAINED)
def test_it_says_unexplained_rather_than_something_wrong(subject: str, body: str) -> None:
    assert find_link(CommitFacts(subject, body), resolve).link is None


def test_the_rules_are_tried_in_order() -> None:
    everything = CommitFacts(
        "Add form (#77)",
        "Fixes #415\n\nWhy: SOL-1",
        note="Why: SOL-2",
        flags_added=("defer_phone",),
        merge_subject="Merge branch 'sol-3-x'",
    )
    weaker = [
        everything,
        everything := replace(everything, body="Fixes #415"),
        everything := replace(everything, note=""),
        everything := replace(everything, body=""),
        everything := replace(everything, subject="Add form"),
        replace(everything, flags_added=()),
    ]
    rules = [link.rule for facts in weaker if (link := find_link(facts, resolve).link)]
    assert rules == ["trailer", "git note", "closing keyword", "pull request", "flag in diff", "branch name"]


def test_a_commit_inherits_the_pull_request_and_the_branch_of_the_merge_that_brought_it() -> None:
    through_pull_request = CommitFacts("Add form", merge_subject="Merge pull request #77 from ana/form")
    through_branch = CommitFacts("Add form", merge_subject="Merge branch 'sol-3-form'")
    through_words = CommitFacts("Add form", merge_subject="Merge branch 'form'", merge_body="Closes #412")
    found = [find_link(facts, resolve).link for facts in (through_pull_request, through_branch, through_words)]
    assert [link.rule for link in found if link] == ["pull request", "branch name", "pull request"]


INHERITED_BY_NOBODY = [
    ("Merge branch 'main' into sol-3-defer", ""),
    ("Merge branch 'main' of github.com:acme/sprout", "Closes #412"),
    ("Merge branch 'develop'", "Closes #412"),
    ("Merge pull request #77 from acme/develop", "Closes #412"),
    ("Merge pull request #77 from acme/release/1.2", ""),
    ("Merge branches 'sol-3-defer' and 'sol-1-form'", "Closes #412"),
    ("Release 1.2", "Closes #412"),
    ("Merge pull request #5 from ana/x", 'Revert "Form, fixes #412"'),
]


@pytest.mark.parametrize(("subject", "body"), INHERITED_BY_NOBODY)
def test_a_merge_that_brought_the_work_of_many_speaks_for_none_of_it(subject: str, body: str) -> None:
    assert find_link(CommitFacts("Add form", merge_subject=subject, merge_body=body), resolve).link is None


def test_a_revert_is_not_what_the_branch_it_was_made_on_is_for() -> None:
    facts = CommitFacts('Revert "Add form"', "This reverts commit 1234567.", merge_subject="Merge branch 'sol-3-form'")
    assert find_link(facts, resolve).link is None
    assert find_link(replace(facts, body="", flags_added=("defer_phone",)), resolve).link is None
    stated = find_link(replace(facts, body=facts.body + "\n\nWhy: SOL-1"), resolve).link
    assert stated
    assert stated.refs == ("SOL-1",)


def test_another_repositorys_history_is_only_believed_where_it_states_a_reason() -> None:
    facts = CommitFacts(
        "ABC-12 Add form (#77)", "Fixes #412", merge_subject="Merge pull request #77 from a/sol-3-x", unrelated=True
    )
    assert find_link(facts, resolve).link is None
    assert tickets_named(facts) == []
    stated = find_link(replace(facts, note="SOL-1"), resolve).link
    assert stated
    assert stated.rule == "git note"


def test_an_unknown_stated_id_and_an_ambiguous_ticket_are_reported() -> None:
    finding = find_link(CommitFacts("Add form", "Fixes #500\n\nWhy: SOL-999"), resolve)
    assert finding.unknown == ("SOL-999",)
    assert finding.ambiguous == ("closing keyword: SOL-1, SOL-2",)


def test_a_later_rule_may_decide_where_an_earlier_one_was_ambiguous() -> None:
    link = find_link(CommitFacts("Add form", "Fixes #500", flags_added=("defer_phone",)), resolve).link
    assert link is not None
    assert (link.refs, link.rule) == (("SOL-3",), "flag in diff")


def test_maintenance_stops_the_inferring_rules_but_not_a_statement() -> None:
    plain = find_link(CommitFacts("Reformat (#77)", "Why: none"), resolve)
    corrected = find_link(CommitFacts("Reformat", "Why: none", note="SOL-2"), resolve)
    squashed = find_link(CommitFacts("All", "Why: none\n\nWhy: SOL-1"), resolve)
    assert plain.maintenance
    assert plain.link is None
    assert corrected.link
    assert corrected.link.rule == "git note"
    assert squashed.link
    assert squashed.link.refs == ("SOL-1",)
    assert not states_maintenance(CommitFacts("x", "Why: nonesuch"))


def test_a_bot_quoting_release_notes_names_no_ticket_of_ours() -> None:
    facts = CommitFacts("Bump x from 1 to 2", "- Fixes #412", author_name="dependabot[bot]")
    assert find_link(facts, resolve).link is None
    assert tickets_named(facts) == []


def test_tickets_worth_a_row_are_those_somebody_works_on() -> None:
    facts = CommitFacts("Add form (#77)", "Fixes #5, #6 and acme/other#7. Unlike #8; uses UTF-8.")
    assert tickets_named(facts) == [TicketRef("#5"), TicketRef("#6"), TicketRef("#7", "github.com/acme/other")]
    assert tickets_named(CommitFacts("Release 2", "Fixes #1, #2, #3 and #4.")) == [], "it only sums them up"


@pytest.mark.parametrize(
    "text", ["\x1b[31m", "#" * 500, "fixes " * 5000, "Why:" * 5000, "(" * 5000, "https://" + "a/" * 9000]
)
def test_hostile_text_costs_no_time_and_yields_no_link(text: str) -> None:
    assert find_link(CommitFacts(text[:500], text, merge_subject=text[:500], merge_body=text), resolve).link is None


# What people said of links ----------------------------------------------------------------------------


def test_a_confirmed_link_is_stated_from_then_on() -> None:
    facts = CommitFacts("Add form, refs #412", answers=(LinkAnswer("ticket", "#412", right=True),))
    link = find_link(facts, resolve).link
    assert link
    assert (link.refs, link.provenance, link.rule) == (("SOL-1",), "stated", "confirmed")


def test_a_link_called_wrong_is_not_tried_again_and_the_next_rule_is() -> None:
    wrong = LinkAnswer("ticket", "#412", right=False)
    facts = CommitFacts("Add form (#77)", "Fixes #412", answers=(wrong,))
    link = find_link(facts, resolve).link
    assert link
    assert (link.refs, link.rule) == (("SOL-3",), "pull request")
    assert find_link(CommitFacts("Add form", "Fixes #412", answers=(wrong,)), resolve).link is None
    assert "#412" not in {found.key for found in candidates(CommitFacts("Add", "Fixes #412", answers=(wrong,)))}


def test_a_trailer_weighs_more_than_what_was_confirmed() -> None:
    facts = CommitFacts("Add form", "Fixes #77\n\nWhy: SOL-1", answers=(LinkAnswer("ticket", "#77", right=True),))
    link = find_link(facts, resolve).link
    assert link
    assert (link.refs, link.rule) == (("SOL-1",), "trailer")


def test_a_confirmed_ticket_that_leads_nowhere_yet_is_no_unknown_id() -> None:
    facts = CommitFacts("Add form, refs #999", answers=(LinkAnswer("ticket", "#999", right=True),))
    assert find_link(facts, resolve).unknown == ()


def test_every_inferred_rule_has_a_score_and_no_stated_one_has() -> None:
    assert {rule for _, _, _, rule in LINKED} - STATED_RULES <= SCORES.keys()
    assert all(0 < SCORES[rule] < 1 for rule in SCORES)
    assert not any(score(rule) for rule in STATED_RULES)


# What the tracker knows of a request, beside what its history says ------------------------------------

CLOSES = {"pull_number": "#77", "pull_closes": (TicketRef("#412", "github.com/acme/sprout"),)}


def test_what_the_tracker_says_a_request_closes_links_its_commits() -> None:
    told = CommitFacts("Add form", pull_closes=CLOSES["pull_closes"], pull_number="#78")
    link = find_link(told, resolve).link
    assert link is not None
    assert (link.refs, link.rule) == (("SOL-1",), "pull request")


@pytest.mark.parametrize(
    "facts",
    [
        CommitFacts("Release 1.2", **CLOSES),
        CommitFacts("chore(release): 1.2.0", **CLOSES),
        CommitFacts('Revert "Add form"', "This reverts commit 1234567.", **CLOSES),
        CommitFacts("Add form", unrelated=True, pull_branch="sol-3-form", **CLOSES),
        CommitFacts("Add form", merge_subject="Merge branch 'develop'", pull_branch="sol-3-form", **CLOSES),
        CommitFacts("Add form", merge_subject="Merge pull request #77 from acme/release/1.2", **CLOSES),
    ],
    ids=["release", "conventional release", "revert", "another history", "trunk", "release branch"],
)
def test_a_request_known_from_the_tracker_speaks_for_no_commit_its_merge_does_not_speak_for(facts: CommitFacts) -> None:
    assert find_link(facts, resolve).link is None
    assert "#412" not in [ticket.key for ticket in tickets_named(facts)]


def test_of_two_tickets_a_request_closes_one_that_leads_nowhere_leaves_it_unexplained() -> None:
    facts = CommitFacts("Add form", pull_number="#9", pull_closes=(TicketRef("#412"), TicketRef("#9999")))
    finding = find_link(facts, resolve)
    assert finding.link is None
    assert finding.ambiguous == ("pull request: SOL-1, #9999 which leads nowhere",)


def test_the_requests_own_number_is_no_ticket_that_leads_nowhere() -> None:
    facts = CommitFacts("Add form (#9)", pull_number="#9", pull_closes=(TicketRef("#412"),))
    link = find_link(facts, resolve).link
    assert link is not None
    assert link.refs == ("SOL-1",)


def test_what_was_told_here_weighs_more_than_what_was_confirmed() -> None:
    facts = CommitFacts("Add form", "Fixes #412", told=("SOL-2",), answers=(LinkAnswer("ticket", "#412", True),))
    link = find_link(facts, resolve).link
    assert link is not None
    assert (link.refs, link.rule) == (("SOL-2",), "told")


@pytest.mark.parametrize(
    ("body", "keys"), [("Refs #2788", ["#2788"]), ("Refs #2787, #2788", []), ("Two\n\nRefs #1\n\nrefs #2", [])]
)
def test_a_merge_that_names_several_tickets_gives_its_commits_none(body: str, keys: list[str]) -> None:
    facts = CommitFacts("Add a dialog", merge_subject="Merge pull request #9 from acme/create-table", merge_body=body)
    assert [one.key for one in ticket_candidates(facts)] == keys


OURS = "github.com/acme/sprout"


def keys_of(facts: CommitFacts) -> list[str]:
    return [one.key for one in ticket_candidates(facts)]


@pytest.mark.parametrize(
    ("body", "keys"),
    [
        ("ref: https://github.com/press/paper/issues/3921", []),  # the bug behind a workaround
        ("Refs: press/paper#3921", []),
        ("cc: press/paper#3921", []),
        ("Refs https://github.com/acme/site/issues/5", ["#5"]),  # a sister repository
        ("Refs https://gitlab.com/Acme/group/design/-/issues/5", ["#5"]),
        ("Refs https://github.com/ana/sprout/issues/5", ["#5"]),  # a fork, or what it was forked from
        ("Fixes press/paper#3921", ["#3921"]),  # the author says that it ends it
        ("Refs #5", ["#5"]),
        ("Refs https://acme.atlassian.net/browse/ABC-12", ["ABC-12"]),
    ],
)
def test_a_reference_to_another_project_is_background(body: str, keys: list[str]) -> None:
    assert keys_of(CommitFacts("Add form", body, tracker=OURS)) == keys
    assert keys_of(CommitFacts("Add form", merge_subject="Merge branch 'x'", merge_body=body, tracker=OURS)) == keys


def test_whose_tickets_another_projects_are_is_not_known_without_a_tracker_of_our_own() -> None:
    assert keys_of(CommitFacts("Add form", "Refs https://github.com/acme/sprout/issues/5")) == ["#5"]


@pytest.mark.parametrize("body", ["Fixes #7 #157", "Fixes #7 / #157", "Fixes #7/#157", "Fixes #7, #157"])
def test_a_list_of_tickets_is_read_to_its_end(body: str) -> None:
    assert keys_of(CommitFacts("Clear the paths", body)) == ["#7", "#157"]
    assert keys_of(CommitFacts("Add test", merge_subject="Merge pull request #9 from ana/x", merge_body=body)) == []


@pytest.mark.parametrize(
    "words", ["was added as part of", "had been added in as part of", "which were made as part of"]
)
def test_the_ticket_that_something_once_came_with_is_background(words: str) -> None:
    assert keys_of(CommitFacts("Remove initial class", f"It is not used and {words} #412")) == []
    assert keys_of(CommitFacts("Remove initial class, as part of #412")) == ["#412"]


@pytest.mark.parametrize("rest", [" (#77)", " #77", " (!77)"])
def test_what_follows_a_reverts_quotation_is_its_request(rest: str) -> None:
    assert keys_of(CommitFacts(f'Revert "Add form"{rest}')) == []


def test_what_a_revert_says_of_itself_counts() -> None:
    assert keys_of(CommitFacts('Revert "Add form", fixes #412 (#77)')) == ["#412"]


@pytest.mark.parametrize(
    ("body", "keys"),
    [
        ("Refs:\n- https://github.com/acme/sprout/pull/8\n- https://github.com/acme/sprout/issues/5", ["#5"]),
        ("Fixes:\n\n* #5\n* #6\n\n* #7 stays open", ["#5", "#6"]),
        ("Fixes\n- #5 is not touched", []),
        ("Fixes #5\n- #6 stays open", ["#5"]),
    ],
)
def test_a_list_below_a_keyword_is_read(body: str, keys: list[str]) -> None:
    assert keys_of(CommitFacts("Move metadata", body)) == keys
