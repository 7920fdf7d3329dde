"""Filters every template has: numbers and times as people read them."""

import re
from datetime import datetime, timedelta
from typing import Any

from django import template
from django.template import Context
from django.templatetags.tz import do_timezone
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from whytree.workspace.models import Product

register = template.Library()


@register.filter
def ago(moment: datetime | None) -> str:
    """How long since, in one unit: 3 min, 5 h, 2 d; a date beyond three weeks."""
    if moment is None:
        return "never"
    passed = timezone.now() - moment
    if passed < timedelta(0):
        return until(moment)
    if passed < timedelta(minutes=1):
        return "just now"
    if passed < timedelta(hours=1):
        return f"{passed.seconds // 60} min ago"
    if passed < timedelta(days=1):
        return f"{passed.seconds // 3600} h ago"
    return f"{passed.days} d ago" if passed.days < 21 else day(moment)


@register.filter
def until(moment: datetime) -> str:
    """How long until, in one unit."""
    left = moment - timezone.now()
    if left < timedelta(hours=1):
        return "within the hour"
    if left < timedelta(days=1):
        return f"in {left.seconds // 3600} h"
    return f"in {left.days} d" if left.days < 21 else day(moment)


@register.filter
def day(moment: datetime | None) -> str:
    """2 Mar 2026"""
    return f"{moment.day} {moment:%b %Y}" if moment else ""


@register.filter
def there(moment: datetime | None, product: Product) -> Any:
    """By the product's clock: `review.due_at|there:product|day`. Without it a page tells UTC."""
    return do_timezone(moment, product.timezone)


@register.filter
def count(number: float | None) -> str:
    """12,940"""
    return "" if number is None else f"{number:,.0f}"


@register.filter
def breakable(path: str) -> SafeString:
    """app/signup/form.py:42, which goes on in the next line after a slash rather than amid a word."""
    return format_html_join(mark_safe("<wbr>"), "{}", ((part,) for part in re.split(r"(?<=/)|(?<=::)", path)))


@register.filter
def unbroken(sentence: str) -> SafeString:
    """No line ends between a number and its sign of percent, nor its unit of points, nor amid an id as OPP-2."""
    spaced = re.sub(r"(?<=\d) (?=%|pp\b)", "\N{NO-BREAK SPACE}", sentence)
    parts = enumerate(re.split(r"\b([A-Z]{2,5}-\d+)\b", spaced))
    return format_html_join("", "{}", ((_whole(part) if at % 2 else part,) for at, part in parts))


def _whole(word: str) -> SafeString:
    return format_html('<span class="whole">{}</span>', word)


@register.filter
def or_dash(value: Any) -> Any:
    """A dash for nothing; the list that a table becomes on a phone leaves it out."""
    return value or mark_safe('<span class="none">–</span>')


@register.filter
def stopped(sentence: str) -> str:
    """With its full stop, and never with two."""
    return sentence if re.search(r"[.?!…]”?$", sentence) else f"{sentence}."


@register.filter
def sentences(text: object) -> list[str]:
    """The first sentence, and all that follows it, if anything."""
    return re.split(r"(?<=[.!?]) (?=[A-Z])", str(text), maxsplit=1)


@register.filter
def words(verb: str) -> str:
    """create_key -> create key"""
    return str(verb).replace("_", " ")


# The past of verbs that do not follow the rule.
_PAST = {
    "begin": "began",
    "find": "found",
    "forget": "forgot",
    "keep": "kept",
    "put": "put",
    "read": "read",
    "see": "saw",
    "send": "sent",
    "set": "set",
    "split": "split",
    "tell": "told",
    "undo": "took back",
    "untag": "untagged",
    "withdraw": "withdrew",
    "write": "wrote",
}
# Verbs whose first word is none, and those that read better in other words before what they were done to.
_WHOLE = {
    "ask_for_themes": "asked for",
    "find_themes": "found",
    "guard_broke": "saw the gain go of",
    "new_feed_url": "made a new address for the feed of",
    "refused_edit": "was refused an edit of",
    "set_state": "moved",
}
# drop, log, plan, tag: one short syllable doubles its last letter
_SHORT = re.compile(r"[^aeiou]*[aeiou][^aeiouwxy]")


@register.filter
def did(verb: str) -> str:
    """create_key -> created key, as in "Alice created key"."""
    if verb in _WHOLE:
        return _WHOLE[verb]
    first, _, rest = str(verb).partition("_")
    return f"{_PAST.get(first) or _regular_past(first)} {rest.replace('_', ' ')}".strip()


def _regular_past(verb: str) -> str:
    if verb.endswith("ed"):
        return verb
    if verb.endswith("e"):
        return verb + "d"
    if _SHORT.fullmatch(verb):
        return verb + verb[-1] + "ed"
    if verb.endswith("y") and verb[-2:-1] not in set("aeiou"):
        return verb[:-1] + "ied"
    return verb + "ed"


@register.simple_tag(takes_context=True)
def query(context: Context, **changes: Any) -> str:
    """This address's query string with some parameters changed; None removes one."""
    params = context["request"].GET.copy()
    for name, value in changes.items():
        if value is None or value == "":
            params.pop(name, None)
        else:
            params[name] = value
    return "?" + params.urlencode() if params else "?"
