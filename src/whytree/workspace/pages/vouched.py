"""Pictures on pages: the one place that vouches for them."""

from django.utils.safestring import SafeString, mark_safe


def vouched(svg: str) -> SafeString:
    """What our own code drew: numbers, and words that were escaped where they were drawn. Never what somebody sent."""
    return mark_safe(svg)  # noqa: S308 - see above
