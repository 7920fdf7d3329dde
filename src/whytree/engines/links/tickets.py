"""Ticket keys in text people wrote: `#12`, `ABC-12`, `owner/repo#12`, URLs; and where they count.

A ticket that is merely mentioned ("unlike #12") explains nothing, so keys are read only where people put
the ticket they work on: at either end of a subject, after a closing keyword, in a trailer, in a branch.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Place = Literal["ticket key", "closing keyword", "ticket reference", "branch name"]

NODE_PREFIXES = frozenset({"OUT", "OPP", "SOL", "HYP", "ASM", "TST", "EXP", "REV", "LRN", "DEC"})
# Written like tracker keys, but never tickets.
_NOT_TRACKERS = """
    AES AMD API ASCII BASE BUG CP CSS CVE CWE DES EC ECMA EN ES FEATURE FIX GB GH GHSA GPL GPT HOTFIX HTML HTTP IEC
    IEEE IPV ISO ISSUE ISSUES JAVA JDK LATIN LTS MD MIT MP OAUTH PATCH PEP PGP PHP PKCS PY PYTHON RC RELEASE REVERT RFC RSA
    SHA SSE SSL TICKET TLS UCS UTC UTF UUID VERSION VT WCAG WIN WINDOWS
"""
_NOT_TICKETS = frozenset(_NOT_TRACKERS.split()) | NODE_PREFIXES | {"FB", "INT"}

# As long as a key and a tracker's name may be; what is longer is nobody's.
KEY_LIMIT = 60
TRACKER_LIMIT = 300

_KEY = r"[A-Z][A-Z0-9_]{1,9}-[1-9]\d{0,6}"
_NUMBER = r"#[1-9]\d{0,6}"
_ONE = rf"(?:https?://[^\s<>()\[\]\"']+|(?:[\w.-]{{1,100}}/[\w.-]{{1,100}})?{_NUMBER}|[Gg][Hh]-[1-9]\d{{0,6}}|{_KEY})(?![\w-])"
# Most messages have nothing of the kind, which is quickly seen.
_MAY_NAME_ONE = re.compile(r"[#-][1-9]|https?://")
_ANY = re.compile(rf"(?<![\w#/-]){_ONE}|(?<=\d/){_NUMBER}(?![\w-])")

_ISSUE_URL = re.compile(
    r"https?://(?P<host>[^/\s]+)/(?P<path>[\w.~-]+(?:/[\w.~-]+)+?)/(?:-/)?"
    r"(?P<kind>issues|work_items|pulls?|merge_requests)/(?P<number>\d{1,7})(?![\w-])"
)
_REQUEST_URL = re.compile(r"/(?:pulls?|merge_requests)/\d")
_LINEAR_URL = re.compile(r"https?://linear\.app/[^/\s]+/issue/(?P<key>[A-Za-z][A-Za-z0-9]*-\d+)")
_JIRA_URL = re.compile(r"https?://[^/\s]+/(?:\S*/)?browse/(?P<key>[A-Z][A-Z0-9_]*-\d+)")


@dataclass(frozen=True, slots=True)
class TicketRef:
    """A ticket as written. `tracker` says whose numbering it is ("github.com/acme/sprout"); "" is the one at hand."""

    key: str
    tracker: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class TicketMention:
    """A ticket and the place that makes it count. Where `title_words` are given, the ticket's title must agree."""

    ticket: TicketRef
    place: Place
    title_words: tuple[str, ...] = ()


def parse_ticket(written: str) -> TicketRef | None:
    """One ticket as typed at a prompt: `#12`, `12`, `ABC-12`, `acme/sprout#12`, `gh-12` or a URL; else None."""
    text = written.strip()
    if re.fullmatch(r"[1-9]\d{0,6}", text):
        return TicketRef(f"#{text}")
    for spelling in (text, text.upper()):
        if re.fullmatch(_ONE, spelling):
            return _ticket(spelling)
    return None


def spelled(key: str, tracker: str, at: str) -> str:
    """A ticket as one types it where bare numbers are those of `at`: `#12`, of another repository `acme/sprout#12`."""
    is_number = key[:1] in {"#", "!"}
    return f"{tracker.partition('/')[2]}{key}" if is_number and at and tracker not in {"", at} else key


def _ticket(text: str) -> TicketRef | None:
    if text.startswith("http"):
        return parse_ticket_url(text)
    if "#" in text:
        repository, number = text.split("#")
        return TicketRef(f"#{number}", f"github.com/{repository}".lower() if repository else "")
    prefix, number = text.split("-")
    if prefix.upper() == "GH":
        return TicketRef(f"#{number}")
    return None if prefix in _NOT_TICKETS else TicketRef(text)


def parse_ticket_url(url: str) -> TicketRef | None:
    """The ticket behind an address of GitHub, GitLab, Gitea, Linear or Jira; None for any other page."""
    url = url.rstrip(".,;:!?")
    if issue := _ISSUE_URL.match(url):
        sign = "!" if issue["kind"] == "merge_requests" else "#"
        tracker = f"{issue['host']}/{issue['path']}".lower()
        return TicketRef(sign + issue["number"], tracker, url) if len(tracker) <= TRACKER_LIMIT else None
    for pattern in (_LINEAR_URL, _JIRA_URL):
        if (issue := pattern.match(url)) and len(issue["key"]) <= KEY_LIMIT:
            return TicketRef(issue["key"].upper(), "", url)
    return None


def is_another_projects(tracker: str, ours: str) -> bool:
    """Whether a tracker has neither our owner nor our name: no sister repository, and no fork. Not while ours is unknown."""
    theirs, own = tracker.split("/"), ours.split("/")
    return len(theirs) > 2 and len(own) > 2 and theirs[1] != own[1] and theirs[-1] != own[-1]


def tracker_of_remote(remote: str) -> str:
    """`git@github.com:Acme/Sprout.git` or its https form as "github.com/acme/sprout"; "" for a path."""
    shape = r"(?:\w+://)?(?:[^@/\s]+@)?(?P<host>[\w-]+(?:\.[\w-]+)+)(?::\d+)?[:/](?P<path>\S+?)(?:\.git)?/?"
    found = re.fullmatch(shape, remote.strip())
    if not found:
        return ""
    host = found["host"].lower()
    return f"{_SSH_HOSTS.get(host, host)}/{found['path'].lstrip('/')}".lower()


# Where SSH's own port is closed, these answer for the same repositories.
_SSH_HOSTS = {"ssh.github.com": "github.com", "altssh.gitlab.com": "gitlab.com"}


# Where a key counts -----------------------------------------------------------------------------------

_TRAILERS = """
    ticket tickets issue issues jira linear story task bug ref refs references
    close closes fix fixes resolves implements part-of cc
"""
_TRAILER_KEYS = frozenset(_TRAILERS.split())
_TRAILER_PLACES: dict[str, Place] = {
    **dict.fromkeys(("close", "closes", "fix", "fixes", "resolves", "implements"), "closing keyword"),
    **dict.fromkeys(("ref", "refs", "reference", "references", "part-of", "cc"), "ticket reference"),
}
_CLOSES = r"close[sd]?|fix(?:e[sd])?|resolve[sd]?|implement(?:s|ed)?"
_REFERS = r"refs?|references?|part of|address(?:es|ed)?"
# "It was added as part of #12" says what happened then.
_KEYWORD = re.compile(
    r"(?P<denied>(?i:\b(?:not|never|without|instead of|than|unlike)|n't"
    r"|\b(?:was|were|been)\s+\w+\s+(?:\w+\s+)?as(?=\s+part of\b))\s+)?"
    rf"\b(?i:(?P<closes>{_CLOSES})|{_REFERS})\b:?\s+"
    rf"(?i:(?:issues?|tickets?|bug)\s+)?(?P<list>{_ONE}(?:(?:\s*,\s*(?:and\s+)?|\s+and\s+|\s*&\s*|[ \t]*/[ \t]*(?=#)|[ \t]+(?=#)){_ONE})*)"
)
# "Refs:", and below it one ticket a line.
_BELOW = re.compile(
    rf"\b(?i:(?P<closes>{_CLOSES})|{_REFERS}):[ \t]*\n(?P<list>(?:\s*[-*][ \t]+{_ONE}[ \t\r]*(?:\n|\Z))+)"
)
_PREFIX = r"^(?:[a-z]+(?:\([^)]*\))?!?:\s*)?"
_HEAD = re.compile(rf"{_PREFIX}(?i:(?:issue|ticket|bug)\s+)?[\[(]?(?P<ticket>{_ONE})(?:[\])]|:|\s|$)")
_SCOPE = re.compile(rf"^[a-z]+\((?P<ticket>{_KEY}|{_NUMBER})\)!?:")
_TAIL = re.compile(rf"[\[(](?P<ticket>{_KEY})[\])](?:\s{{0,9}}\([#!]\d{{1,7}}\))?\s{{0,9}}$")


def tickets_in_message(subject: str, body: str, trailers: tuple[tuple[str, str], ...]) -> Iterator[TicketMention]:
    """Tickets a commit message works on, in order of certainty: subject's ends, trailers, what it closes, refers to."""
    for pattern in (_SCOPE, _HEAD, _TAIL):
        if placed := pattern.search(subject):
            yield from _mentions(placed["ticket"], "ticket key")
    for key, value in trailers:
        if key.lower() in _TRAILER_KEYS:
            yield from _mentions(value, _TRAILER_PLACES.get(key.lower(), "ticket key"))
    texts = [text for text in (subject, body) if _MAY_NAME_ONE.search(text)]
    said = [found for text in texts for found in _KEYWORD.finditer(text) if not found["denied"]]
    said += _BELOW.finditer(body) if body in texts else ()
    for found in said:
        if found["closes"]:
            yield from _mentions(found["list"], "closing keyword")
    for found in said:
        if not found["closes"]:
            yield from _mentions(found["list"], "ticket reference")


def _mentions(text: str, place: Place) -> Iterator[TicketMention]:
    """A request's address is no ticket's: what it was for is what it closes, which its tracker knows."""
    for found in _ANY.finditer(text):
        if (ticket := _ticket(found[0])) and not _REQUEST_URL.search(ticket.url):
            yield TicketMention(ticket, place)


# Pull requests ----------------------------------------------------------------------------------------

# A template's hints, quoted mail and code are not what its author says.
_NOT_SAID = re.compile(r"<!--.*?(?:-->|\Z)|^(```|~~~).*?(?:^\1|\Z)|^[ \t]*>[^\n]*$", re.DOTALL | re.MULTILINE)
_CODE = re.compile(r"`[^`\n]*`")


def said_in_request(body: str) -> str:
    """What the author of a pull request wrote, without comments, quotations and code."""
    return _CODE.sub("", _NOT_SAID.sub("", body.replace("\r\n", "\n"))).strip()


def tickets_of_request(title: str, body: str, trailers: tuple[tuple[str, str], ...]) -> list[TicketRef]:
    """Tickets a pull request works on: at either end of its title, and those its words close. A reference is none."""
    mentions = tickets_in_message(title, said_in_request(body), trailers)
    return list(dict.fromkeys(found.ticket for found in mentions if found.place != "ticket reference"))


def is_of_request(subject: str, merge_body: str, title: str) -> bool:
    """Whether a commit that names a request's number is really that request: its words are the request's title.

    Numbers travel with cherry-picks between repositories; words say which one is meant.
    """
    said = (re.sub(r"\([#!]\d+\)$", "", subject.rstrip()).rstrip(), merge_body.strip().partition("\n")[0])
    return any(_same(words, title) for words in said if words)


def _same(words: str, title: str) -> bool:
    ours, theirs = re.findall(r"[^\W_]+", words.lower()), re.findall(r"[^\W_]+", title.lower())
    return ours == theirs or (titles_agree(tuple(ours), title) and titles_agree(tuple(theirs), words))


_BRANCH_KEY = re.compile(rf"(?:^|/)(?P<key>{_KEY})(?![A-Z0-9.])", re.IGNORECASE)
_BOTS_BRANCH = re.compile(r"(?:^|/)(?:dependabot|renovate|snyk|pyup)[-/]", re.IGNORECASE)
_BRANCH_ISSUE = re.compile(
    r"(?:^|/)(?:issues?|gh|ticket|bug)[-_/]?#?(?P<number>[1-9]\d{0,6})(?![\w.])(?!-(?:and-)?\d)", re.IGNORECASE
)
_BRANCH_SLUG = re.compile(r"(?:^|/)(?P<number>[1-9]\d{0,6})-(?P<slug>[a-z][\w-]+)$", re.IGNORECASE)


def tickets_in_branch(branch: str) -> Iterator[TicketMention]:
    """Tickets a branch is named after: `ABC-12-x`, `ana/abc-12`, `issue-12`, and GitHub's own `12-title-of-issue`.

    The last is only believed where its words are the ticket's title: `2-factor-auth` is nobody's ticket 2.
    """
    if _BOTS_BRANCH.search(branch):
        return
    if (named := _BRANCH_KEY.search(branch)) and (ticket := _ticket(named["key"].upper())):
        yield TicketMention(ticket, "branch name")
    elif named := _BRANCH_ISSUE.search(branch):
        yield TicketMention(TicketRef(f"#{named['number']}"), "branch name")
    elif named := _BRANCH_SLUG.search(branch):
        words = tuple(re.findall(r"[^\W_]+", named["slug"].lower()))
        yield TicketMention(TicketRef(f"#{named['number']}"), "branch name", words)


def titles_agree(words: tuple[str, ...], title: str) -> bool:
    """Whether a branch's words are those of a title: two or more in common, and two thirds of the branch's."""
    said = set(re.findall(r"[^\W_]+", title.lower()))
    common = sum(word in said for word in words)
    return common >= 2 and common * 3 >= len(words) * 2
