"""Metrics that people name in prose. Only phrases that mean a measured thing wherever they stand: "retention" alone may
be about logs, "activation" about a function; "retention rate" and "activation rate" are neither.

    metrics_named("We want to raise the activation rate of new teams.")     # ["activation rate"]
"""

import re

_RATES = (
    "activation|adoption|bounce|churn|click[- ]through|completion|conversion|drop[- ]?off|open|opt[- ]?in|referral"
    "|renewal|retention|sign[- ]?up|unsubscribe|upgrade"
)
_PATTERN = re.compile(
    rf"\b(?:(?P<what>{_RATES})[- ]rates?|time[- ]to[- ](?:first[- ]value|value)|net promoter score"
    r"|(?:daily|weekly|monthly) active (?:users|people|customers|teams)|week[- ]?\d+ retention|day[- ]?\d+ retention"
    r"|(?P<open_rate>e-?mail open rate))\b",
    re.IGNORECASE,
)
# Rates that are also words of other trades: "open rate" of files, "completion rate" of a progress bar.
_AMBIGUOUS = frozenset({"open", "completion", "adoption", "upgrade"})


def metrics_named(text: str) -> list[str]:
    """The metrics a text names, in lower case, each once."""
    found: dict[str, None] = {}
    for match in _PATTERN.finditer(text[:50_000]):
        if (match["what"] or "").lower() not in _AMBIGUOUS:
            found[re.sub(r"[\s-]+", " ", match[0].lower()).replace("rates", "rate")] = None
    return list(found)
