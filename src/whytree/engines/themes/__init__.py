"""What many texts are about: themes that nobody has named or counted before.

    found = find_themes(["I never got the code", "the code did not come", ...])
    found.themes[0].label        # "code · never got"
    found.of_text[17]            # the id of text 17's theme, or None

The number of themes is never given. By default nothing is known but the texts themselves: no model, no word list of a
language but one for labels. With `vectors=` the meaning comes from elsewhere (`engines.themes.sentences`). Pure, and the same
texts give the same themes. Heavy libraries are loaded when the first theme is looked for.
"""

from whytree.engines.themes.finding import LEAST_TEXTS, Found, Theme, TooAlike, TooFew, find_themes, find_with
from whytree.engines.themes.texts import Distinct, distinct

__all__ = ["LEAST_TEXTS", "Distinct", "Found", "Theme", "TooAlike", "TooFew", "distinct", "find_themes", "find_with"]
