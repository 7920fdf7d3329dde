"""Which pages may send: origins, as browsers name them."""

from collections.abc import Iterable
from urllib.parse import urlsplit

from whytree.errors import Invalid

MOST_ORIGINS = 50


def checked_origins(said: Iterable[str]) -> list[str]:
    """Origins as a browser sends them: scheme, host, and the port where it is not the usual one."""
    found = []
    for one in said:
        text = str(one).strip().rstrip("/").lower()
        if not text:
            continue
        try:
            parts = urlsplit(text)
            port = parts.port
        except ValueError:
            parts, port = urlsplit(""), None
        if (
            parts.scheme not in ("http", "https")
            or not parts.hostname
            or text != f"{parts.scheme}://{parts.netloc}"
            or "@" in text
        ):
            raise Invalid(f"“{text[:60]}” is no origin. Write it as https://app.example.org, without a path.")
        usual = {"http": 80, "https": 443}[parts.scheme]
        found.append(f"{parts.scheme}://{parts.hostname}" if port in (None, usual) else text)
    if len(found) > MOST_ORIGINS:
        raise Invalid(f"That are {len(found)} origins; {MOST_ORIGINS} is the most.")
    return list(dict.fromkeys(found))
