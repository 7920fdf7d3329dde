"""Numbers that decide, with their reasons."""

#: An experiment has at most so many arms; a column with more values is something else.
MOST_ARMS = 10

#: Characters in an arm's name; what is longer is no name.
LONGEST_ARM = 100

#: People in each arm whose window has closed, before a difference is shown. The interval is honest with fewer; people
#: reading a difference of 1 of 9 against 3 of 11 are not.
FEWEST_PEOPLE = 50

#: The same where companies were drawn. (`engines.stats.ratios.FEWEST_CLUSTERS` counts them by their size too.)
FEWEST_COMPANIES = 15

#: Sample ratio: below the first a result cannot be trusted, below the second one should look. Each experiment is read
#: once, so one in a thousand sound ones is called broken. (Fabijan et al., KDD 2019, use 0.0005; many tools 0.01.)
RATIO_BROKEN = 0.001
RATIO_DOUBTFUL = 0.01

#: Share of units seen in two arms, or repeated with different values, above which setting them aside is not harmless.
MOST_SET_ASIDE = 0.01

#: The same for cells of a metric that hold no number.
MOST_WITHOUT_NUMBER = 0.01

#: p below which the arms differ in how often the metric is missing, or in a covariate from before the exposure.
MISSING_DIFFERS = 0.01
COVARIATE_DIFFERS = 0.001

#: Values of a segment column whose sample ratio is tested; the rest are pooled.
MOST_SEGMENTS = 50

#: Words for a control, where nobody named one.
CONTROL_NAMES = ("control", "baseline", "off", "a", "0", "false", "default", "original")

#: Units or rows that a sentence names; all are counted.
NAMED = 3

#: Planned looks in one experiment; who looks more often wants `--sequential`.
MOST_LOOKS = 20

#: What of the voices since exposure a page shows.
VOICES_SHOWN = 6

#: Parts of the units that are told apart; the others are counted as left out.
MOST_PARTS = 12
