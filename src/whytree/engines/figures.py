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
