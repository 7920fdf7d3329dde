"""How long things may be."""

TEXT_LENGTH = 100_000
"""Characters of one item: a long mail thread. A transcript is an interview, not an item."""

NAME_LENGTH = 200
