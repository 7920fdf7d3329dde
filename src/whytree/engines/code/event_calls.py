"""Where code sends events: calls that are handed an event's name, resolved in Python, recognised by their shape elsewhere.

    found = find_event_calls(names, files, project, search)   # Reference("signed_up", "app/views.py", 14, "resolved", ...)

A name counts where it stands as a whole text of its own ("signed_up", not signed_up_late): names of events are common
words. `resolved` is a call that sends it, or the constant that such a call names; `text` is any other place.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from .flag_references import MOST_MODULES, Reference, references_found
from .python.flags import Calls, Evaluator, FlagFinder
from .python.names import Project

__all__ = ["MOST_MODULES", "event_pattern", "event_pcre", "find_event_calls"]

# By the function's own name: Segment, RudderStack, PostHog, Mixpanel, Amplitude, Snowplow, Statsig, Firebase, and what
# people call their own.
SENDERS = (
    *("track", "capture", "page", "screen", "log_event", "logEvent", "send_event", "sendEvent"),
    *("track_event", "trackEvent", "capture_event", "captureEvent", "record_event", "recordEvent", "record", "emit"),
    *("emit_event", "emitEvent", "track_struct_event", "trackStructEvent", "event", "register_event", "tell"),
)
CALLS = Calls(
    dict.fromkeys(SENDERS, Evaluator("any")),
    frozenset({"event", "event_name", "name", "eventName", "event_type"}),
    handing_on=True,
)
_QUOTES = rb"[\"'`]"
# what may stand between the bracket and the name: who it is about, or the key of an object's field
_BEFORE = (
    rb"\s*\(\s*(?:(?:[\w$.\[\]?!]+(?:\(\))?|\"[^\"\n]{0,80}\"|'[^'\n]{0,80}')\s*,\s*){0,2}"
    rb"(?:\{[^{}()]{0,300}?\b(?:event|name|eventName|event_type)\s*:\s*|(?:event|name|event_name)\s*[:=]\s*)?"
)


def event_pattern(names: Iterable[str]) -> re.Pattern[bytes]:
    """Finds any name that is a whole text: "opened", not "opened twice"."""
    alternatives = b"|".join(re.escape(name.encode()) for name in sorted(set(names), key=len, reverse=True))
    return re.compile(rb"(?<=[\"'`])(?:" + alternatives + rb")(?=[\"'`])")


def event_pcre(names: Iterable[str]) -> str:
    """The same for `git grep -P`."""
    escaped = "|".join(re.escape(name) for name in sorted(set(names), key=len, reverse=True))
    return rf"(?<=[\"'`])(?:{escaped})(?=[\"'`])"


def find_event_calls(
    names: Collection[str],
    files: Mapping[str, bytes],
    project: Project,
    search: Callable[[Collection[str]], Iterable[str]],
) -> list[Reference]:
    """Every place in `files` (those that hold a name) and in Python modules that go by its constants, calls first."""
    if not names:
        return []
    finder = FlagFinder(project, names, calls=CALLS)
    found = references_found(finder, event_pattern(names), files, project, search)
    calls = _calls(names)
    sent = {
        path: set(_sent(calls, text)) for path, text in files.items() if not path.endswith((".py", ".pyi")) and text
    }
    told = [_as_call(one, sent.get(one.path, set())) for one in found]
    return sorted(told, key=lambda one: one.rank)


def _as_call(one: Reference, sent: Collection[tuple[str, int, str]]) -> Reference:
    function = next((name for key, line, name in sent if (key, line) == (one.key, one.line)), "")
    return replace(one, how="resolved", says=f"handed to {function}()") if function else one


def _calls(names: Collection[str]) -> re.Pattern[bytes]:
    senders = "|".join(sorted({re.escape(name) for name in SENDERS}, key=len, reverse=True)).encode()
    alternatives = b"|".join(re.escape(name.encode()) for name in sorted(set(names), key=len, reverse=True))
    return re.compile(
        rb"\b(?P<function>" + senders + rb")" + _BEFORE + _QUOTES + rb"(?P<key>" + alternatives + rb")" + _QUOTES
    )


def _sent(calls: re.Pattern[bytes], text: bytes) -> Sequence[tuple[str, int, str]]:
    """(name, line, function) of each call that sends an event."""
    return [
        (match["key"].decode(), text.count(b"\n", 0, match.start("key")) + 1, match["function"].decode())
        for match in calls.finditer(text)
    ]
