"""Numbers that decide, with their reasons."""

from datetime import timedelta

#: People in each arm whose window has closed, before a difference is shown. The interval is honest with fewer; people
#: reading a difference of 1 of 9 against 3 of 11 are not.
FEWEST_PEOPLE = 50

#: Sample ratio: below the first a result cannot be trusted, below the second one should look. Each review is tested
#: once, so one in a thousand sound ones is called broken. (Fabijan et al., KDD 2019, use 0.0005; many tools 0.01.)
RATIO_BROKEN = 0.001
RATIO_DOUBTFUL = 0.01

#: Share of people seen in both arms above which the draw itself is in doubt: leaving them out is no longer harmless.
MOST_IN_BOTH = 0.01

#: How often due reviews are looked at by themselves.
LOOK_EVERY = timedelta(hours=1)

#: How long a page may show a computed result again.
FRESH_SECONDS = 30

#: What of the voices since exposure a page shows.
VOICES_SHOWN = 6
