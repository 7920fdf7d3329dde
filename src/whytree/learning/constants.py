"""Numbers that decide, with their reasons."""

from datetime import timedelta

#: How often due reviews are looked at by themselves.
LOOK_EVERY = timedelta(hours=1)

#: How often guards look: people whose time is over come in by the day.
GUARD_EVERY = timedelta(hours=6)

#: How long a page may show a computed result again.
FRESH_SECONDS = 30
