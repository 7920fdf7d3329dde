"""Numbers that decide, with their reasons."""

from datetime import timedelta

#: How often due reviews are looked at by themselves.
LOOK_EVERY = timedelta(hours=1)

#: How long a page may show a computed result again.
FRESH_SECONDS = 30
