"""Every shape of history we know, each in a clone of its own: which line must be explained, and which must not.

A shape gives "path: words" of a line -> the solution behind it, or None where nobody has said why. Tickets #412, ABC-12
and !9 are tied to SOL-1, #77 to SOL-2, #500 to both, #9 to none; the flag `defer_phone` belongs to SOL-1.
"""

from collections.abc import Callable
from pathlib import Path

from tests.code.repositories import FORM, Clone

Lines = dict[str, str | None]
Shape = Callable[[Clone], Lines]
SHAPES: dict[str, Shape] = {}

PHONE = "    phone = forms.CharField(required=False, help_text='Only to confirm a booking')\n"
DEFERRED = FORM.replace("    phone = forms.CharField()\n", PHONE)


def shape(make: Shape) -> Shape:
    SHAPES[make.__name__.removeprefix("_")] = make
    return make


def _add(clone: Clone, name: str, message: str, *, author: str = "") -> str:
    """A file of its own with one line; "b.py: b" finds it."""
    return clone.commit(message, author=author, **{f"{name}.py": f"{name} = 'what {name} is for'\n"})


def _topic(clone: Clone, branch: str, name: str, message: str) -> None:
    clone.git("switch", "--quiet", "--create", branch)
    _add(clone, name, message)
    clone.git("switch", "--quiet", "main")


def _merge(clone: Clone, branch: str, *messages: str) -> None:
    words = [word for message in messages for word in ("--message", message)]
    clone.git("merge", "--quiet", "--no-ff", *words, branch)


# Squashes ---------------------------------------------------------------------------------------------


@shape
def _squash_of_a_pull_request(clone: Clone) -> Lines:
    _add(clone, "a", "Start")
    _add(clone, "b", "Defer phone (#9)\n\n* first\n\nWhy: SOL-1\n\n* second\n\nCo-authored-by: Bob <bob@example.org>")
    _add(clone, "c", "Explain (#77)")
    return {"a.py: a": None, "b.py: b": "SOL-1", "c.py: c": "SOL-2"}


@shape
def _squash_by_git_itself(clone: Clone) -> Lines:
    _add(clone, "a", "Start")
    clone.git("switch", "--quiet", "--create", "topic")
    _add(clone, "b", "Defer\n\nWhy: SOL-1")
    _add(clone, "c", "More")
    clone.git("switch", "--quiet", "main")
    clone.git("merge", "--quiet", "--squash", "topic")
    clone.git("commit", "--quiet", "--no-edit")
    clone.commit("Say how\n\nWrite a line\n\n    Why: SOL-1\n\ninto the message.", **{"how.py": "how = 1\n"})
    return {"a.py: a": None, "b.py: b": "SOL-1", "how.py: how": None}


@shape
def _fixup_and_squash_commits_left_in(clone: Clone) -> Lines:
    _add(clone, "a", "fixup! ABC-12 Build the form")
    _add(clone, "b", 'fixup! Revert "Build the form, fixes #412"')
    _add(clone, "c", "squash! Explain (#77)")
    return {"a.py: a": "SOL-1", "b.py: b": None, "c.py: c": "SOL-2"}


# Branches ---------------------------------------------------------------------------------------------


@shape
def _rebased_branch(clone: Clone) -> Lines:
    """Neither branch nor request is left of it: only what the messages say."""
    _add(clone, "a", "Start")
    _topic(clone, "sol-1-defer", "b", "Defer phone")
    _add(clone, "c", "Meanwhile")
    clone.git("switch", "--quiet", "sol-1-defer")
    _add(clone, "d", "Defer more\n\nWhy: SOL-1")
    clone.git("rebase", "--quiet", "main")
    clone.git("switch", "--quiet", "main")
    clone.git("merge", "--quiet", "--ff-only", "sol-1-defer")
    return {"b.py: b": None, "c.py: c": None, "d.py: d": "SOL-1"}


@shape
def _topic_wound_forward_after_it_took_the_trunk_in(clone: Clone) -> Lines:
    """The trunk's own commits then hang on a merge that is named after the topic; they are not the topic's."""
    _add(clone, "a", "Start")
    _topic(clone, "sol-1-defer", "b", "Defer phone")
    _add(clone, "c", "Meanwhile, on the trunk")
    _topic(clone, "sol-2-explain", "d", "Explain")
    _merge(clone, "sol-2-explain", "Merge branch 'sol-2-explain'")
    clone.git("switch", "--quiet", "sol-1-defer")
    _merge(clone, "main", "Merge branch 'main' into sol-1-defer")
    clone.git("switch", "--quiet", "main")
    clone.git("merge", "--quiet", "--ff-only", "sol-1-defer")
    return {"a.py: a": None, "b.py: b": None, "c.py: c": None, "d.py: d": "SOL-2"}


@shape
def _trunk_merged_into_a_topic(clone: Clone) -> Lines:
    _add(clone, "a", "Start")
    _topic(clone, "sol-1-defer", "b", "Defer phone")
    _add(clone, "c", "Meanwhile")
    clone.git("switch", "--quiet", "sol-1-defer")
    _merge(clone, "main", "Merge branch 'main' into sol-1-defer")
    _add(clone, "d", "Defer more")
    clone.git("switch", "--quiet", "main")
    _merge(clone, "sol-1-defer", "Merge branch 'sol-1-defer'")
    _add(clone, "e", "After")
    return {"b.py: b": "SOL-1", "c.py: c": None, "d.py: d": "SOL-1", "e.py: e": None}


@shape
def _branch_within_a_branch(clone: Clone) -> Lines:
    _add(clone, "a", "Start")
    _topic(clone, "sol-1-defer", "b", "Defer phone")
    clone.git("switch", "--quiet", "--create", "sol-2-explain", "sol-1-defer")
    _add(clone, "c", "Explain")
    clone.git("switch", "--quiet", "sol-1-defer")
    _merge(clone, "sol-2-explain", "Merge branch 'sol-2-explain' into sol-1-defer")
    clone.git("switch", "--quiet", "main")
    _merge(clone, "sol-1-defer", "Merge branch 'sol-1-defer'")
    return {"a.py: a": None, "b.py: b": "SOL-1", "c.py: c": "SOL-2"}


@shape
def _request_from_a_fork_with_requests_of_its_own(clone: Clone) -> Lines:
    """The fork's request 77 is not ours; ours is 412 for all that came with it."""
    clone.git("remote", "add", "origin", "git@github.com:acme/sprout.git")
    _add(clone, "a", "Start")
    clone.git("switch", "--quiet", "--create", "theirs")
    clone.git("switch", "--quiet", "--create", "patch")
    _add(clone, "b", "Patch")
    clone.git("switch", "--quiet", "theirs")
    _merge(clone, "patch", "Merge pull request #77 from zoe/patch")
    clone.git("switch", "--quiet", "main")
    _merge(clone, "theirs", "Merge pull request #412 from zoe/main")
    clone.git("switch", "--quiet", "--create", "fetched")
    clone.git("switch", "--quiet", "--create", "other")
    _add(clone, "c", "Other")
    clone.git("switch", "--quiet", "fetched")
    _merge(clone, "other", "Merge pull request #77 from yan/other")
    clone.git("switch", "--quiet", "main")
    _merge(clone, "fetched", "Merge branch 'main' of github.com:yan/sprout")
    return {"a.py: a": None, "b.py: b": "SOL-1", "c.py: c": None}


@shape
def _own_requests_fetched_by_a_pull(clone: Clone) -> Lines:
    """Somebody's `git pull` makes a merge of the trunk around requests that are our own."""
    clone.git("remote", "add", "origin", "git@github.com:acme/sprout.git")
    _add(clone, "a", "Start")
    clone.git("switch", "--quiet", "--create", "upstream")
    clone.git("switch", "--quiet", "--create", "topic")
    _add(clone, "b", "Explain")
    clone.git("switch", "--quiet", "upstream")
    _merge(clone, "topic", "Merge pull request #77 from zoe/topic")
    _add(clone, "c", "On the trunk")
    clone.git("switch", "--quiet", "main")
    _add(clone, "d", "Here")
    _merge(clone, "upstream", "Merge branch 'main' of github.com:acme/sprout")
    return {"a.py: a": None, "b.py: b": "SOL-2", "c.py: c": None, "d.py: d": None}


@shape
def _octopus(clone: Clone) -> Lines:
    _add(clone, "a", "Start")
    _topic(clone, "sol-1-defer", "b", "Defer phone")
    _topic(clone, "sol-2-explain", "c", "Explain\n\nWhy: SOL-2")
    clone.git("merge", "--quiet", "--no-ff", "sol-1-defer", "sol-2-explain")
    return {"a.py: a": None, "b.py: b": None, "c.py: c": "SOL-2"}


@shape
def _development_line_merged_as_a_release(clone: Clone) -> Lines:
    _add(clone, "a", "Start")
    clone.git("switch", "--quiet", "--create", "develop")
    clone.git("switch", "--quiet", "--create", "sol-2-explain")
    _add(clone, "b", "Explain")
    clone.git("switch", "--quiet", "develop")
    _merge(clone, "sol-2-explain", "Merge pull request #8 from ana/sol-2-explain")
    _add(clone, "c", "Directly on develop")
    clone.git("switch", "--quiet", "main")
    _merge(clone, "develop", "Merge pull request #77 from acme/develop", "Release\n\nCloses #412")
    return {"a.py: a": None, "b.py: b": "SOL-2", "c.py: c": None}


@shape
def _ticket_in_the_branch_only(clone: Clone) -> Lines:
    for number, (branch, name) in enumerate(
        [("ana/abc-12-form", "a"), ("issue-412", "b"), ("2-factor-auth", "c"), ("abc-12.5", "d"), ("abc-123", "e")]
    ):
        _add(clone, f"start{number}", "Start")
        _topic(clone, branch, name, "Work")
        _merge(clone, branch, f"Merge branch '{branch}'")
    return {"a.py: a": "SOL-1", "b.py: b": "SOL-1", "c.py: c": None, "d.py: d": None, "e.py: e": None}


def _forge(clone: Clone, linked: tuple[str, ...], plain: tuple[str, ...]) -> Lines:
    """A topic merged with each of two messages."""
    _add(clone, "start", "Start")
    _topic(clone, "topic-a", "a", "Work")
    _merge(clone, "topic-a", *linked)
    _topic(clone, "topic-b", "b", "Other work")
    _merge(clone, "topic-b", *plain)
    return {"a.py: a": None, "b.py: b": None}


@shape
def _github_merges(clone: Clone) -> Lines:
    lines = _forge(
        clone,
        ("Merge pull request #77 from ana/topic-a", "Explain"),
        ("Merge pull request #78 from ana/topic-b", 'Revert "Build the form, fixes #412"'),
    )
    return {**lines, "a.py: a": "SOL-2"}


@shape
def _gitlab_merges(clone: Clone) -> Lines:
    lines = _forge(
        clone,
        ("Merge branch 'topic-a' into 'main'", "Defer\n\nSee merge request acme/sprout!9"),
        ("Merge branch 'topic-b' into 'main'", "Other\n\nSee merge request acme/sprout!412"),
    )
    return {**lines, "a.py: a": "SOL-1"}


@shape
def _bitbucket_merges(clone: Clone) -> Lines:
    """Its requests are numbered apart: request 412 is not issue 412."""
    lines = _forge(
        clone,
        ("Merged in abc-12-form (pull request #3)", "Form"),
        ("Merged in topic-b (pull request #412)", "Other"),
    )
    return {**lines, "a.py: a": "SOL-1"}


@shape
def _azure_merges(clone: Clone) -> Lines:
    lines = _forge(
        clone,
        ("Merge pull request 3 from users/ana/sol-1-defer into main",),
        ("Merged PR 412: Other work",),
    )
    return {**lines, "a.py: a": "SOL-1"}


@shape
def _backport_to_a_release_branch(clone: Clone) -> Lines:
    _add(clone, "a", "Start")
    clone.git("branch", "release/1.2")
    fix = _add(clone, "b", "Defer phone\n\nWhy: SOL-1")
    plain = _add(clone, "c", "Explain (#77)")
    other = _add(clone, "d", "Something else")
    clone.git("switch", "--quiet", "release/1.2")
    clone.git("cherry-pick", "-x", fix, plain, other)
    _add(clone, "e", "Release 1.2.1\n\nCloses #412")
    return {"a.py: a": None, "b.py: b": "SOL-1", "c.py: c": "SOL-2", "d.py: d": None, "e.py: e": None}


# Reverts and picks ------------------------------------------------------------------------------------


@shape
def _revert(clone: Clone) -> Lines:
    """Made on the very branch it takes work back from: what it restores is older than the branch."""
    clone.commit("Start", **{"f.py": FORM})
    clone.git("switch", "--quiet", "--create", "sol-1-defer")
    clone.commit("Defer", **{"f.py": DEFERRED})
    clone.git("revert", "--no-edit", "HEAD")
    _add(clone, "b", "Defer otherwise")
    clone.git("switch", "--quiet", "main")
    _merge(clone, "sol-1-defer", "Merge branch 'sol-1-defer'")
    return {"f.py: phone": None, "f.py: email": None, "b.py: b": "SOL-1"}


@shape
def _revert_of_a_revert(clone: Clone) -> Lines:
    clone.commit("Start", **{"f.py": FORM})
    clone.commit("Defer phone, fixes #412", **{"f.py": DEFERRED})
    clone.git("revert", "--no-edit", "HEAD")
    clone.git("revert", "--no-edit", "HEAD")
    _add(clone, "b", 'Reapply "Explain" (#77)')
    return {"f.py: phone": None, "f.py: email": None, "b.py: b": "SOL-2"}


@shape
def _cherry_pick(clone: Clone) -> Lines:
    _add(clone, "a", "Start")
    clone.git("switch", "--quiet", "--create", "elsewhere")
    linked = _add(clone, "b", "Defer\n\nTicket: ABC-12")
    plain = _add(clone, "c", "Else")
    clone.git("notes", "--ref=whytree", "add", "-m", "SOL-2", plain)
    clone.git("switch", "--quiet", "main")
    clone.git("cherry-pick", "-x", linked, plain)
    return {"a.py: a": None, "b.py: b": "SOL-1", "c.py: c": None}


# Files ------------------------------------------------------------------------------------------------


@shape
def _rename(clone: Clone) -> Lines:
    clone.commit("Start", **{"app/f.py": FORM})
    clone.commit("Defer\n\nWhy: SOL-1", **{"app/f.py": DEFERRED})
    clone.git("mv", "app/f.py", "app/sign_up.py")
    clone.commit("Rename (#77)")
    return {"app/sign_up.py: phone": "SOL-1", "app/sign_up.py: email": None}


@shape
def _move_between_files_and_folders(clone: Clone) -> Lines:
    clone.commit("Start", **{"app/f.py": FORM})
    clone.commit("Defer\n\nWhy: SOL-1", **{"app/f.py": DEFERRED})
    moved = "class Phone(forms.Form):\n" + PHONE
    clone.commit("Split", **{"app/f.py": DEFERRED.replace(PHONE, ""), "web/phone.py": moved})
    return {"web/phone.py: phone": "SOL-1", "web/phone.py: Phone": None, "app/f.py: email": None}


@shape
def _reformatting(clone: Clone) -> Lines:
    clone.commit("Start", **{"f.py": FORM})
    clone.commit("Defer\n\nWhy: SOL-1", **{"f.py": DEFERRED})
    broken = PHONE.replace("(", "(\n        ").replace(", h", ",\n        h").replace(")\n", "\n    )\n")
    clone.commit("Wrap (#77)", **{"f.py": DEFERRED.replace(PHONE, broken)})
    quotes = DEFERRED.replace(PHONE, broken.replace("'", '"') + "    fax = forms.CharField()\n")
    clone.commit("Double quotes\n\nWhy: none", **{"f.py": quotes})
    return {"f.py: phone": "SOL-1", "f.py: help_text": "SOL-1", "f.py: fax": None, "f.py: email": None}


@shape
def _vendor_drop(clone: Clone) -> Lines:
    """Another project's files, and with them another project's history: its #412 is not ours."""
    _add(clone, "a", "Start")
    theirs = Clone(clone.path.parent / "theirs")
    theirs.commit("Fixes #412\n\nABC-12", **{"lib.py": "lib = 'what lib is for'\n"})
    theirs.git("switch", "--quiet", "--create", "sol-1-x")
    theirs.commit("More", **{"more.py": "more = 'what more is for'\n"})
    theirs.git("switch", "--quiet", "main")
    _merge(theirs, "sol-1-x", "Merge pull request #77 from other/sol-1-x")
    clone.git("fetch", "--quiet", str(theirs.path), "main")
    clone.git("merge", "--quiet", "--allow-unrelated-histories", "--message", "Take their library in", "FETCH_HEAD")
    clone.commit("Squashed 'b/' changes from 1a2b3c4..5d6e7f8\n\n5d6e7f8 Fix, fixes #412", **{"b.py": "b = 1\n"})
    clone.commit("Bump c from 1.0 to 1.1\n\n- Fixes #412", **{"c.py": "c = 1\n"})
    clone.commit("Vendor d for the form\n\nWhy: SOL-1", **{"d.py": "d = 1\n"})
    return {"lib.py: lib": None, "more.py: more": None, "b.py: b": None, "c.py: c": None, "d.py: d": "SOL-1"}


@shape
def _monorepo(clone: Clone) -> Lines:
    clone.commit("Start", **{"one/form.py": "one = 1\n", "two/form.py": "two = 2\n", "form.py": "top = 3\n"})
    clone.commit("Defer\n\nWhy: SOL-1", **{"one/form.py": "one = 1\nphone = 'later'\n"})
    clone.commit("Explain (#77)", **{"two/form.py": "two = 2\nphone = 'because we call you'\n"})
    return {
        "one/form.py: phone": "SOL-1",
        "two/form.py: phone": "SOL-2",
        "one/form.py: one": None,
        "form.py: top": None,
    }


@shape
def _mailmap(clone: Clone) -> Lines:
    clone.commit("Start", **{".mailmap": "Ana Kovač <ana@example.org> A. K. <ana@example.org>\n"})
    _add(clone, "a", "Defer\n\nWhy: SOL-1", author="A. K.")
    _add(clone, "b", "Other", author="A. K.")
    return {"a.py: a": "SOL-1", "b.py: b": None}


# Messages ---------------------------------------------------------------------------------------------


@shape
def _amended_after_the_note(clone: Clone) -> Lines:
    """The note stays with the commit that is gone, and says nothing of the new one."""
    _add(clone, "a", "Start")
    clone.git("notes", "--ref=whytree", "add", "-m", "SOL-2")
    _add(clone, "b", "Defer")
    clone.git("notes", "--ref=whytree", "add", "-m", "SOL-1")
    clone.git("commit", "--quiet", "--amend", "--message", "Defer it")
    return {"a.py: a": "SOL-2", "b.py: b": None}


@shape
def _bots(clone: Clone) -> Lines:
    _add(clone, "a", "Update x\n\n- Fixes #412", author="renovate[bot]")
    _add(clone, "b", "build(deps): bump x from 1.0 to 1.1 (#6)\n\nRelease notes: closes #412", author="Ana")
    _add(clone, "c", "Update the form\n\nWhy: SOL-1", author="sprout-bot")
    return {"a.py: a": None, "b.py: b": None, "c.py: c": "SOL-1"}


@shape
def _release_commits(clone: Clone) -> Lines:
    _add(clone, "a", "Release 1.0\n\nRefs #1, #3, #412, #8")
    _add(clone, "b", "chore(release): 1.1.0\n\nCloses #412")
    clone.commit("Version 1.2", **{"CHANGELOG.md": "- New flag defer_phone\n", "c.py": "c = '1.2'\n"})
    _add(clone, "d", "Release the lock when the form closes\n\nFixes #412")
    return {"a.py: a": None, "b.py: b": None, "c.py: c": None, "d.py: d": "SOL-1"}


@shape
def _two_tickets_in_one_commit(clone: Clone) -> Lines:
    _add(clone, "a", "Fixes #412, fixes #77")
    _add(clone, "b", "Fixes #412 and #9")
    _add(clone, "c", "Fixes #500")
    _add(clone, "d", "ABC-12 Form\n\nFixes #412")
    _add(clone, "e", "Unlike #412, as ABC-12 says")
    return {"a.py: a": None, "b.py: b": None, "c.py: c": None, "d.py: d": "SOL-1", "e.py: e": None}


@shape
def _flag_in_code_and_in_prose(clone: Clone) -> Lines:
    clone.commit("Try", **{"a.py": "if on('defer_phone'):\n    pass\n"})
    clone.commit("Note", **{"docs/a.md": "defer_phone is new\n", "b.py": "b = 1\n"})
    return {"a.py: defer_phone": "SOL-1", "docs/a.md: defer_phone": None, "b.py: b": None}


def shallow(clone: Clone, folder: Path) -> Clone:
    """The newest two commits only: the older of them seems to have written everything that was there before."""
    clone.commit("Start", **{"a.py": "a = 'older than the clone reaches'\n"})
    clone.commit("Defer\n\nWhy: SOL-1", **{"b.py": "b = 1\n"})
    clone.commit("More\n\nWhy: SOL-2", **{"c.py": "c = 1\n"})
    clone.git("clone", "--quiet", "--depth=2", f"file://{clone.path}", str(folder))
    return Clone(folder)
