"""What every page is held to, beside what it says: axe finds nothing wrong, and nothing is wider than the window."""

from typing import Any

from axe_playwright_python.sync_playwright import Axe

RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "rules": {"heading-order": {"enabled": False}},  # a card's small heading is an h3 wherever the card stands
    "resultTypes": ["violations"],
}
CONTRAST = {"runOnly": {"type": "rule", "values": ["color-contrast"]}, "resultTypes": ["violations"]}
_RUN = "([within, options]) => axe.run(within || document, options).then(found => found.violations)"


def problems(page: Any, options: dict[str, Any] = RULES, *, within: str = "") -> list[str]:
    """What axe finds against WCAG 2.2 AA and good practice, one line each; in the whole page, or `within` a selector."""
    if not page.evaluate("'axe' in window"):  # half a megabyte, read once a page
        page.evaluate(Axe().axe_script)
    found = page.evaluate(_RUN, [within, options])
    return [f"{rule['id']}: {rule['help']}: {rule['nodes'][0]['html'][:160]}" for rule in found]


def sideways(page: Any) -> int:
    """By how many pixels the page is wider than the window."""
    width: int = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return width
