"""What a shallow clone can still tell: its history is cut off, so no line of it is traced and nothing is stored."""

from whytree.code.clone.git import Clone
from whytree.code.scanning.surveying import survey
from whytree.engines.git.log import LOG_ARGUMENTS, parse_log
from whytree.engines.links.rules import CommitFacts, is_stated, tickets_named
from whytree.workspace.terminal.printing import print_json, say

ADVICE = "Fetch the rest, then begin: git fetch --unshallow && whytree init"


def tell_what_is_here(clone: Clone, *, as_json: bool) -> None:
    """Print what the commits and files at hand say."""
    commits = list(parse_log(clone.stream("log", *LOG_ARGUMENTS, "HEAD")))
    facts = [CommitFacts(commit.subject, commit.body, commit.note, commit.author_name) for commit in commits]
    named = sum(bool(tickets_named(one)) for one in facts)
    stated = sum(is_stated(one) for one in facts)
    found = survey(clone)
    told = {
        "shallow": True,
        "commits": len(commits),
        "naming_a_ticket": named,
        "stating_a_reason": stated,
        "flags": len(found.body["flags"]),
        "decisions": len(found.body["decisions"]),
        "left_out": found.left_out,
        "next": ADVICE,
    }
    if as_json:
        print_json(told)
        return
    say(f"{clone.root.name} is a shallow clone: its history is cut off, so no line can be traced to its reason.")
    commits_here = "The one commit" if len(commits) == 1 else f"Of the {len(commits):,} commits"
    say(
        f"What can be told: {commits_here} that {'is' if len(commits) == 1 else 'are'} here, {named:,} name a ticket and "
        f"{stated:,} state a reason; {told['flags']:,} flags are asked for in code, {told['decisions']:,} decision records are kept."
    )
    say(f"Nothing was stored. {ADVICE}")
