"""Numbers that decide, and why."""

LEAST_LIKE = 0.6
"""Cosine from which on a voice is shown. On banking77 a third of those just above it have the very same topic of 77, of those
above .8 two thirds; most others have a neighbouring one."""

MOST_HELD = 8
"""Products held in one process, the latest asked ones: 20 MB for 200,000 voices each."""

MOST_PASSAGES = 200
"""Of all talks, so many passages are looked at for the nearest ones: one long talk may hold many of them."""
