"""What `git log` says, read from bytes: commits, trailers, merges, reverts.

Pure: takes bytes or strings, gives frozen facts. Running git is `whytree.code.clone.git`'s business.
"""

import re
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
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
    """What a merge or squash message says about where its commits came from.

    `branch` is the topic that was merged, `into` the one it was merged into; a trunk is neither. `sums_up`: it brought
    a line that many work on (the trunk, a release), so its words are about no commit in particular.
    """

    pull_request: str = ""  # "#12"; "!12" where requests and issues are numbered apart
    branch: str = ""
    into: str = ""
    sums_up: bool = False


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
        subject=cut(subject, SUBJECT_LIMIT),
        body=cut(body.strip(), BODY_LIMIT),
        note=cut(note.strip(), BODY_LIMIT),
        paths=tuple(paths[:PATHS_LIMIT]),
    )


def cut(text: str, size: int) -> str:
    """Text of at most this size, cut between words: half of SOL-12 would be SOL-1."""
    if len(text) <= size or text[size].isspace():
        return text[:size]
    kept = text[:size]
    return kept[: max(kept.rfind(" "), kept.rfind("\n"), kept.rfind("\t")) + 1]


def _moment(written: str) -> datetime:
    """An author's date in UTC; git keeps absurd dates (year 0, offset +9959) that no calendar takes."""
    try:
        return datetime.fromisoformat(written).astimezone(UTC)
    except (ValueError, OverflowError):
        return datetime.fromtimestamp(0, UTC)


# Trailers ---------------------------------------------------------------------------------------------

_TRAILER = re.compile(r"(?P<key>[A-Za-z][A-Za-z0-9-]{1,40}):[ \t]+(?P<value>\S.*)")
_SQUASHED = re.compile(r"^commit [0-9a-f]{40,64}\nAuthor: ", re.MULTILINE)
_WHY = re.compile(r"Why(?:-(?:Solution|Opportunity|Hypothesis|Outcome|Flag))?:", re.IGNORECASE)


@lru_cache(maxsize=4096)
def parse_trailers(body: str) -> tuple[tuple[str, str], ...]:
    """The `Key: value` lines of a message's last paragraph, and every `Why:` line wherever it stands.

    A squash keeps the messages it squashed, one under the other, so that a trailer may end up in the
    middle; git itself would only read the last paragraph. What is indented is an example, but in what
    `git merge --squash` writes, where everything is.
    """
    body = _PICKED.sub("", body)
    if _SQUASHED.search(body):
        body = re.sub(r"^    ", "", body, flags=re.MULTILINE)
    paragraphs = re.split(r"\n[ \t]*\n", body.strip())
    found = []
    for number, paragraph in enumerate(paragraphs, start=1):
        for line in paragraph.splitlines():
            trailer = _TRAILER.fullmatch(line.rstrip())
            if trailer and (number == len(paragraphs) or _WHY.match(line)):
                found.append((trailer["key"], trailer["value"].strip()))
    return tuple(found)


# Merges, squashes, reverts ----------------------------------------------------------------------------

_GITHUB = re.compile(r"Merge pull request #(?P<pr>\d+) from (?:[^/\s]+/)?(?P<branch>\S+)")
_GITEA = re.compile(r"Merge pull request '.*' \(#(?P<pr>\d+)\) from (?:[^/\s]+/)?(?P<branch>\S+) into (?P<into>\S+)$")
_BITBUCKET = re.compile(r"Merged in (?P<branch>\S+) \(pull request #(?P<pr>\d+)\)")
_BITBUCKET_SERVER = re.compile(
    r"(?:Merge p|P)ull request #(?P<pr>\d+)(?:: .*)? ?(?:in \S+ )?from (?:\S+:)?(?P<branch>\S+) to (?P<into>\S+)$"
)
_AZURE = re.compile(r"Merged PR (?P<pr>\d+):")
_AZURE_BRANCH = re.compile(r"Merge pull request (?P<pr>\d+) from (?P<branch>\S+) into (?P<into>\S+)$")
# Of several branches ("Merge branches 'a' and 'b'", "Merge branch 'a', tag 'b'") nobody can say which brought what.
_PLAIN = re.compile(
    r"Merge (?:remote-tracking )?branch '(?P<branch>[^']+)'(?: of \S+)?(?: (?:in)?to '?(?P<into>[^\s']+)'?)?\s*(?:\(.*\))?$"
)
_SEVERAL = re.compile(r"Merge (?:remote-tracking )?branch(?:es)? '[^']+'(?:[,;]| and )")
_GITLAB = re.compile(r"^See merge request \S*?!(?P<pr>\d+)", re.MULTILINE)
_SQUASH = re.compile(r"\((?P<pr>[#!]\d+)\)\s*$")
_REVERT = re.compile(r"This reverts (?:commit|merge request|pull request) (?P<sha>[0-9a-f]{7,64})\b")
# In a squash, a step below other steps: what it took back was the squash's own.
_STEP = re.compile(r"^\* ", re.MULTILINE)
_QUOTED = re.compile(r"^(?:Revert|Reapply)\s+\"(?P<what>.*)\"(?P<rest>[^\"]*)$")
_AUTOSQUASH = re.compile(r"^(?:(?:fixup|squash|amend)! )+")
_TRUNKS = frozenset({"main", "master", "trunk", "HEAD"})
_GATHERING = re.compile(
    r"(?:develop|development|dev|next|staging|stable|production|integration)|(?:release|releases|stable)[-/_].*|v?\d+(?:\.(?:\d+|x))+(?:[-_.]\w+)*"
)
# Each numbers its pull requests apart from its issues, so that request 12 is not issue 12.
_APART = (_BITBUCKET, _BITBUCKET_SERVER, _AZURE, _AZURE_BRANCH)


@lru_cache(maxsize=4096)  # a merge's words are asked for with every commit it brought
def parse_merge(subject: str, body: str) -> Merge:
    """The pull request and the branches that a merge or squash message names; empty where it names none."""
    for pattern in (_GITHUB, _GITEA, *_APART):
        if named := pattern.match(subject):
            said = named.groupdict()
            source = _short(said.get("branch", ""))
            sign = "!" if pattern in _APART else "#"
            # A fork's own trunk is a topic like any other: the request says whose.
            return Merge(sign + said["pr"], _topic(source), _topic(said.get("into", "")), is_gathering(source))
    if named := _PLAIN.match(subject):
        gitlab = _GITLAB.search(body)
        source = _short(named["branch"])
        request = f"!{gitlab['pr']}" if gitlab else ""
        return Merge(request, _topic(source), _topic(named["into"] or ""), is_trunk(source))
    if named := _SQUASH.search(subject):
        return Merge(named["pr"])
    return Merge(sums_up=_SEVERAL.match(subject) is not None)


def _short(branch: str) -> str:
    return branch.removeprefix("refs/heads/").removeprefix("origin/")


def is_trunk(branch: str) -> bool:
    """Whether a branch is a line of work of its own right, not made for one change."""
    return branch in _TRUNKS or is_gathering(branch)


def _topic(branch: str) -> str:
    name = _short(branch)
    return "" if is_trunk(name) else name[:200]


def is_gathering(branch: str) -> bool:
    """Whether a branch by its name gathers the work of many: `develop`, `release/1.2`, `1.2.x`."""
    return _GATHERING.fullmatch(branch) is not None


def reverted(body: str) -> str:
    """The commit id that a revert names, or ""; a squash that took back one of its own steps is none."""
    found = _REVERT.search(body)
    return found["sha"] if found and not _STEP.search(body, 0, found.start()) else ""


def is_revert(subject: str, body: str) -> bool:
    """Whether a commit takes another one back, or brings back what was taken back."""
    return bool(_QUOTED.match(_AUTOSQUASH.sub("", subject)) or reverted(body))


def own_subject(subject: str) -> str:
    """A subject without the quotation of a revert: what it quotes speaks for another commit."""
    subject = _AUTOSQUASH.sub("", subject)
    quoted = _QUOTED.match(subject)
    return quoted["rest"].strip() if quoted else subject


_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_PICKED = re.compile(r"^\(cherry picked from commit [0-9a-f]{7,64}\)$", re.MULTILINE)
# What `git subtree --squash` and people who update a dependency paste: the other project's log or release notes.
_FOREIGN_SUBJECT = re.compile(
    r"Squashed '.*' (?:changes|content) from |(?:[a-z]+(?:\([^)]*\))?!?: )?(?:bump|update|upgrade) \S+ (?:.* )?from v?\d\S* to v?\d",
    re.IGNORECASE,
)
# "Release 1.2", "v1.2.3", "chore(release): 1.2": it sums up the work of others.
_TO = r"(?: (?:for|the|a|new|next|version|release|number|to|tag)\b)*"
_RELEASE = re.compile(
    rf"(?:chore\(release\)|(?:(?:chore|build|docs): )?(?:release|version|changelog|(?:bump|prepare|tag|cut){_TO}))?\W*"
    r"(?:for |to )?\W?v?\d+(?:\.\d+)+",
    re.IGNORECASE,
)


def own_words(subject: str, body: str, author: str = "") -> str:
    """Of a message's body, what its author says of this commit: nothing that is quoted, pasted or summed up."""
    if is_bot(author) or _FOREIGN_SUBJECT.match(subject) or _RELEASE.match(subject):
        return ""
    lines = _COMMENT.sub("", body).splitlines()
    return "\n".join(own_subject(line) for line in lines if not line.startswith(">"))


def is_bot(author: str) -> bool:
    """A bot copies other people's release notes into its messages."""
    return re.search(r"(?:\[bot\]|[\s_-]bot)$", author, re.IGNORECASE) is not None


def is_release(subject: str) -> bool:
    return _RELEASE.match(subject) is not None


def is_one_piece(subject: str, body: str, tracker: str = "") -> bool:
    """Whether all that a merge brought is what its message says, merges within included: a pull request, or something
    fetched from elsewhere. Merges within a fork have the fork's own numbers. `tracker`: "github.com/acme/sprout"."""
    merge = parse_merge(subject, body)
    if fetched := re.search(r"' of (?P<url>\S+)", subject):
        return bool(tracker) and not _same_place(fetched["url"], tracker)
    return bool(merge.pull_request) and not merge.sums_up


def _same_place(url: str, tracker: str) -> bool:
    """git shortens the address in its message: "github.com:acme/sprout", "https://github.com/acme/sprout"."""
    plain = re.sub(r"^(?:\w+://)?(?:[^@/\s]+@)?|(?:\.git)?/?$", "", url).replace(":", "/").lower()
    return plain == tracker


def merged_through(
    parents: Mapping[str, Sequence[str]], head: str, whole: Container[str] = frozenset()
) -> dict[str, str]:
    """For each commit that came to the first-parent line of `head` through merges, the innermost of them: the one
    that ended the branch it was made on. Of merges that are `whole` (`is_one_piece`) nothing within is looked at.

    `parents` maps commit to parents and may end anywhere (a shallow or partial history). Linear in commits, but for
    branches within branches: once more a level.
    """
    found: dict[str, str] = {}
    lines = [(head, "", set(parents))]
    while lines:
        tip, merge, within = lines.pop()
        line = []
        commit = tip
        while commit in within:
            line.append(commit)
            within.discard(commit)
            commit = next(iter(parents[commit]), "")
        if merge in whole:
            found |= dict.fromkeys([*line, *within], merge)
            continue
        if merge:
            found |= dict.fromkeys(line, merge)
        for one in reversed(line):
            for other in parents[one][1:]:
                brought = _reached(parents, other, within)
                within -= brought
                if brought:
                    lines.append((other, one, brought))
    return found


def _reached(parents: Mapping[str, Sequence[str]], tip: str, within: set[str]) -> set[str]:
    """Commits of `within` that `tip` leads to."""
    reached: set[str] = set()
    waiting = [tip]
    while waiting:
        commit = waiting.pop()
        if commit in within and commit not in reached:
            reached.add(commit)
            waiting.extend(parents[commit])
    return reached


def unrelated(parents: Mapping[str, Sequence[str]], head: str) -> frozenset[str]:
    """Commits with a first commit of their own, merged in from another repository: their numbers mean other tickets."""
    line = []
    commit = head
    while commit in parents:
        line.append(commit)
        commit = next(iter(parents[commit]), "")
    if commit:
        return frozenset()  # cut off before its first commit: nobody can tell
    children: dict[str, list[str]] = {}
    for child, above in parents.items():
        for one in above:
            children.setdefault(one, []).append(child)
    ours: set[str] = set()
    waiting = line[-1:]
    while waiting:
        commit = waiting.pop()
        if commit not in ours:
            ours.add(commit)
            waiting.extend(children.get(commit, ()))
    return frozenset(parents.keys() - ours)


def stands_on(parents: Mapping[str, Sequence[str]], head: str, sha: str) -> tuple[str, ...] | None:
    """Of a history that may be known in part: the commits outside of it that one of it goes on from; None where it goes
    on from the main line. It is `unrelated` when all of them are, and so where there are none.
    """
    main = [head]
    while main[-1] in parents:
        main.append(next(iter(parents[main[-1]]), ""))
    reached: set[str] = set()
    waiting = [sha]
    while waiting:
        commit = waiting.pop()
        if commit not in reached:
            reached.add(commit)
            waiting.extend(parents.get(commit, ()))
    return None if reached.intersection(main) else tuple(sorted(reached - parents.keys()))
