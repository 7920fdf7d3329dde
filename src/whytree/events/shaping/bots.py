"""Whether a User-Agent is a machine's: crawlers, monitors, headless browsers, libraries. Pure.

The list is `crawler-user-agents`, which is kept up with the month; beside it whoever calls itself a bot and is not in it.
"""

import re
from functools import lru_cache

from crawleruseragents import is_crawler

# A name that ends in bot, crawler or spider, as in "NewBot/1.0" or "(compatible; SomeSpider;": not the phone Cubot.
_SAYS_SO = re.compile(r"(?<!cu)(?:bot|crawler|spider|scraper)(?:[/;)+ ]|$)", re.IGNORECASE)


@lru_cache(maxsize=8_192)
def is_bot(agent: str) -> bool:
    """Remembered, since most events of a sender carry the same one."""
    return bool(agent) and (is_crawler(agent) or _SAYS_SO.search(agent) is not None)
