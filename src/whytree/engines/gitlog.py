"""What `git log` says, read from bytes: commits, trailers, merges, reverts.

Pure: takes bytes or strings, gives frozen facts. Running git is `whytree.code.git`'s business.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

NOTES_REF = "refs/notes/whytree"

# Fields are NUL-separated and so are the paths after them; a status ("M", "A") or a commit id starts
# what follows, and neither can be mistaken for the other.
LOG_FORMAT = "%H%x00%P%x00%aN%x00%aE%x00%aI%x00%s%x00%b%x00%N%x00"
LOG_ARGUMENTS = ("-z", f"--format={LOG_FORMAT}", f"--notes={NOTES_REF}", "--encoding=UTF-8")
PATHS_TOO = ("--name-status", "--no-renames")
_FIELDS = 8

# A subject of a megabyte is somebody's accident or somebody's joke; a page shows neither in full.
SUBJECT_LIMIT = 500
BODY_LIMIT = 20_000
PATHS_LIMIT = 200

_COMMIT_ID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_STATUS = re.compile(r"[ACDMRTUXB]\d*")


@dataclass(frozen=True, slots=True)
class LogCommit:
    """One commit as `git log` tells it; `paths` with PATHS_TOO, and never for merges (git shows none)."""

    sha: str
    parents: tuple[str, ...]
    author_name: str
    author_email: str
    authored_at: datetime
    subject: str
    body: str
    note: str
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Merge:
    """What a merge or squash message says about where its commits came from."""

    pull_request: str = ""  # "#12", or "!12" in GitLab's writing
    branch: str = ""


def parse_log(chunks: Iterable[bytes]) -> Iterator[LogCommit]:
    """Commits from the output of `git log` with LOG_ARGUMENTS, in its order, as they arrive."""
    tokens = _tokens(chunks)
    fields: list[str] = []
    paths: list[str] = []
    for token in tokens:
        if len(fields) < _FIELDS:
            if fields or _COMMIT_ID.fullmatch(token.strip()):
                fields.append(token)
            continue
        word = token.lstrip("\n")
        if _COMMIT_ID.fullmatch(word):
            yield _commit(fields, paths)
            fields, paths = [word], []
        elif _STATUS.fullmatch(word):
            paths.append(next(tokens, ""))
    if len(fields) == _FIELDS:
        yield _commit(fields, paths)


def _tokens(chunks: Iterable[bytes]) -> Iterator[str]:
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\0")
        yield from (decode(token) for token in whole)
    if rest:
        yield decode(rest)


def decode(raw: bytes) -> str:
    """Bytes of a repository as text: UTF-8, else the bytes spelled out, so that nothing is lost or refused."""
    return raw.decode("utf-8", "backslashreplace")


def _commit(fields: Sequence[str], paths: Sequence[str]) -> LogCommit:
    sha, parents, name, email, authored_at, subject, body, note = fields
    return LogCommit(
        sha=sha.strip(),
        parents=tuple(parents.split()),
        author_name=name[:200],
        author_email=email[:200],
        authored_at=_moment(authored_at),
        subject=subject[:SUBJECT_LIMIT],
        body=body.strip()[:BODY_LIMIT],
        note=note.strip()[:BODY_LIMIT],
        paths=tuple(paths[:PATHS_LIMIT]),
    )


def _moment(written: str) -> datetime:
    """An author's date in UTC; git keeps absurd dates (year 0, offset +9959) that no calendar takes."""
    try:
        return datetime.fromisoformat(written).astimezone(UTC)
    except (ValueError, OverflowError):
        return datetime.fromtimestamp(0, UTC)


# Trailers ---------------------------------------------------------------------------------------------

_TRAILER = re.compile(r"(?P<key>[A-Za-z][A-Za-z0-9-]{1,40}):[ \t]+(?P<value>\S.*)")
_WHY = re.compile(r"[ \t]*Why(?:-(?:Solution|Opportunity|Hypothesis|Outcome|Flag))?:", re.IGNORECASE)


@lru_cache(maxsize=4096)
def parse_trailers(body: str) -> tuple[tuple[str, str], ...]:
    """The `Key: value` lines of a message's last paragraph, and every `Why:` line wherever it stands.

    A squash keeps the messages it squashed, one under the other, so that a trailer may end up in the
    middle; git itself would only read the last paragraph.
    """
    paragraphs = re.split(r"\n[ \t]*\n", body.strip())
    found = []
    for number, paragraph in enumerate(paragraphs, start=1):
        for line in paragraph.splitlines():
            trailer = _TRAILER.fullmatch(line.strip())
            if trailer and (number == len(paragraphs) or _WHY.match(line)):
                found.append((trailer["key"], trailer["value"].strip()))
    return tuple(found)


# Merges, squashes, reverts ----------------------------------------------------------------------------

_GITHUB = re.compile(r"Merge pull request #(?P<pr>\d+) from (?:[^/\s]+/)?(?P<branch>\S+)")
_BITBUCKET = re.compile(r"Merged in (?P<branch>\S+) \(pull request #(?P<pr>\d+)\)")
_AZURE = re.compile(r"Merged PR (?P<pr>\d+):")
_PLAIN = re.compile(r"Merge (?:remote-tracking )?branch '(?P<branch>[^']+)'(?: of \S+)?(?: into (?P<into>\S+))?")
_GITLAB = re.compile(r"^See merge request \S*?!(?P<pr>\d+)", re.MULTILINE)
_SQUASH = re.compile(r"\((?P<pr>[#!]\d+)\)\s*$")
_REVERT = re.compile(r"This reverts (?:commit|merge request|pull request) (?P<sha>[0-9a-f]{7,64})\b")
_QUOTED = re.compile(r"^(?:Revert|Reapply)\s+\"(?P<what>.*)\"(?P<rest>[^\"]*)$")
_TRUNKS = frozenset({"main", "master", "trunk", "develop", "development", "dev", "next", "HEAD"})


@lru_cache(maxsize=4096)  # a merge's words are asked for with every commit it brought
def parse_merge(subject: str, body: str) -> Merge:
    """The pull request and the topic branch that a merge or squash message names; empty where it names none.

    The branch of a merge of the trunk *into* a topic ("Merge branch 'main' into sol-3-x") is the topic.
    """
    for pattern in (_GITHUB, _BITBUCKET):
        if named := pattern.match(subject):
            return Merge(f"#{named['pr']}", _topic(named["branch"]))
    if named := _AZURE.match(subject):
        return Merge(f"#{named['pr']}")
    if named := _PLAIN.match(subject):
        gitlab = _GITLAB.search(body)
        branch = _topic(named["branch"]) or _topic(named["into"] or "")
        return Merge(f"!{gitlab['pr']}" if gitlab else "", branch)
    if named := _SQUASH.search(subject):
        return Merge(named["pr"])
    return Merge()


def is_trunk(branch: str) -> bool:
    """Whether a branch is a line of work of its own right, not made for one change."""
    return branch in _TRUNKS


def _topic(branch: str) -> str:
    name = branch.removeprefix("refs/heads/").removeprefix("origin/")
    return "" if is_trunk(name) else name[:200]


def reverted(body: str) -> str:
    """The commit id that a revert names, or ""."""
    found = _REVERT.search(body)
    return found["sha"] if found else ""


def own_subject(subject: str) -> str:
    """A subject without the quotation of a revert: what it quotes speaks for another commit."""
    quoted = _QUOTED.match(subject)
    return quoted["rest"].strip() if quoted else subject


def merged_through(parents: Mapping[str, Sequence[str]], head: str) -> dict[str, str]:
    """For each commit that reached the first-parent line of `head` through a merge, that merge.

    `parents` maps commit to parents and may end anywhere (a shallow or partial history). Linear in commits.
    """
    trunk = []
    commit = head
    while commit in parents:
        trunk.append(commit)
        commit = next(iter(parents[commit]), "")
    taken: dict[str, str] = dict.fromkeys(trunk, "")
    for merge in reversed(trunk):
        waiting = list(parents[merge][1:])
        while waiting:
            commit = waiting.pop()
            if commit in parents and commit not in taken:
                taken[commit] = merge
                waiting.extend(parents[commit])
    return {commit: merge for commit, merge in taken.items() if merge}
