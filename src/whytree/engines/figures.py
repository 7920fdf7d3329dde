"""Numbers as people read them, at every door. Pure, and quick to import."""


def number(value: float) -> str:
    """Two or three digits that matter, thousands set apart, a real minus."""
    size = abs(value)
    if size >= 100 or value == int(value):
        text = f"{value:,.0f}"
    elif size >= 1:
        text = f"{value:.1f}"
    else:
        text = f"{value:.2g}"
    return ("0" if text in ("-0", "-0.0") else text).replace("-", "−")


def percent(share: float) -> str:
    """A share in words: nothing is rounded to none or to all of it."""
    if 0 < share < 0.01:
        return "under 1 %"
    return "over 99 %" if 0.99 < share < 1 else f"{100 * share:.0f} %"
