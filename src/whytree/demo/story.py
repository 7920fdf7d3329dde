"""The story's constants: when things happened, what is true, and who is who.

Days are counted from the first day of the data (day 0) to today (day 60), which has only begun: the review that waits
for its verdict fell due this very day. Everything else in this package takes its dates, rates and names from here.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

SEED = 37
PEOPLE = 20_000
DAYS = 60
PRODUCT = "Sprout app"
SLUG = "sprout"
VISION = "Everybody with a windowsill can grow something, and somebody nearby shows them how."


@dataclass(frozen=True)
class Calendar:
    """Turns the story's days into moments. `today` is midnight UTC of the current day."""

    today: datetime

    @classmethod
    def of(cls, now: datetime) -> "Calendar":
        return cls(now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0))

    def at(self, day: float, hour: float = 0, minute: float = 0) -> datetime:
        """A moment of day `day`; negative days lie before the data begin."""
        return self.today + timedelta(days=day - DAYS, hours=hour, minutes=minute)

    def day_of(self, moment: datetime) -> int:
        return (moment - self.today).days + DAYS


# --- when ------------------------------------------------------------------------------------------------------------

INSTALLED = -1  # Whytree is set up; the old feedback is imported
REMINDER_OPENED = 3
REMINDER_HORIZON = 21
REMINDER_DECIDED = 25
PHONE_FOUND = 5  # the opportunity about the phone number is written down
USABILITY_DAY = 12
FAKE_DOOR_DAY = 13
SOCIAL_DROPPED = 14
DEFER_OPENED = 17
DEFER_HORIZON = 42  # so that the review falls due early today
EXPLAIN_OPENED = 52
EXPLAIN_HORIZON = 21  # today is day 9 of 21, once it is as late as the hour at which it was opened
OPENED_AT_HOUR = 9
CRASHES_WATCHED = 35
RELEASE_CRASHED = 36  # release 4.2 crashes on the map; 4.2.1 takes it back two days later
RELEASE_MENDED = 38
PAGES_WATCHED = 22  # whytree.js is in the web pages: it tells of the form, and asks
SURVEY_STARTED = 24
LOOP_ASKED = 41  # who asked for the change and has used it is asked whether it helped
READ_WITHIN = timedelta(days=4)  # support reads every voice; what is newer waits for the visitor


@dataclass(frozen=True)
class Step:
    """From this day on, this share of people is in the rollout, split by these weights."""

    day: int
    coverage: int  # basis points, as flags count it
    weights: dict[str, int]


HALVES = {"on": 1, "off": 1}
# A test needs as many people without the change as with it, so covering 10 % of people turns it on for 5 %.
ROLLOUTS: dict[str, tuple[Step, ...]] = {
    "evening_reminder": (
        Step(REMINDER_OPENED, 10_000, HALVES),
        Step(REMINDER_DECIDED, 10_000, {"on": 1, "off": 0}),
    ),
    "defer_phone": (
        Step(DEFER_OPENED, 1_000, HALVES),
        Step(DEFER_OPENED + 2, 5_000, HALVES),
        Step(DEFER_OPENED + 6, 10_000, HALVES),
    ),
    "explain_phone": (Step(EXPLAIN_OPENED, 5_000, HALVES), Step(EXPLAIN_OPENED + 3, 10_000, HALVES)),
}

# --- what is true ----------------------------------------------------------------------------------------------------

# Differences in the share of people, by the metric of each hypothesis. The world is built so that these hold, and a
# test asks whether the review's interval covers them.
TRUE_EFFECTS = {"defer_phone": 0.026, "explain_phone": 0.002, "evening_reminder": 0.06}
ACTIVATED = 0.312  # of those who open the sign-up, in the control arm
STRUGGLED = 0.068  # of new people, where the phone number is asked at sign-up
STRUGGLED_DEFERRED = 0.011  # and where it is asked at the first booking
ATTENDED = 0.66  # of first bookings, the class is visited within 7 days, without the reminder

# The sign-up form, step by step, for those who see every step.
GIVES_EMAIL = 0.88
REFUSES_PHONE = {"ios": 0.215, "android": 0.275, "web": 0.263}  # 24.8 % over all platforms: one in four
CHOOSES_COMPANY_SIZE = 0.955
CONFIRMS = 0.95
SPAM, SPAM_DEFERRED = 0.008, 0.009  # of those who open the sign-up; the guardrail allows half a point
WRITES_TO_SUPPORT = 0.021

CRASHES, CRASHES_OF_RELEASE = 0.006, 0.07  # of later visits
MOST_CRASHES = 8  # a day; more are told of

# How easy the sign-up was, from 1 to 7, of those who finished it, by what they met: so many of 100 gave each answer. Who left at
# the phone number was never asked: that is what the survey cannot say.
EASE = {"on": (1, 2, 4, 7, 20, 36, 30), "off": (5, 9, 14, 17, 24, 20, 11)}
SURVEY_ANSWERS = 60  # it stops with them
SURVEY_SHARE = 45  # of 100 people on the web who may be asked
ANSWERS_SURVEY = 0.62  # of those who are asked

PLATFORMS = {"ios": 0.42, "android": 0.43, "web": 0.15}
COUNTRIES = {  # code: share, locale
    "DE": (0.34, "de-DE"),
    "GB": (0.22, "en-GB"),
    "PL": (0.14, "pl-PL"),
    "NL": (0.12, "nl-NL"),
    "FR": (0.11, "fr-FR"),
    "US": (0.07, "en-US"),
}

FORM, FORM_IN_APP, FORM_OF_BOOKING = "sign-up", "Sign-up in the app", "First booking in the app"

# Median seconds on a field, and how far they spread (the sigma of a log-normal).
FIELD_SECONDS = {"email": (5.1, 0.45), "phone": (9.4, 0.6), "company_size": (7.2, 0.5)}
PHONE_CORRECTED = 0.38  # typed and deleted at least once

FAKE_DOOR_SEEN = 400
FAKE_DOOR_PRESSED = 9
FAKE_DOOR_NEEDED = 40

# What each hypothesis predicted, in points: once in ten below, most likely, once in ten above.
FORECASTS = {"defer_phone": (1.0, 4.0, 7.0), "explain_phone": (1.0, 2.0, 3.0), "evening_reminder": (2.0, 5.0, 8.0)}

# What colleagues expected of each, blind, before anybody saw the change.
EXPECTED = {
    "evening_reminder": {"jonas": (3.0, 6.0, 10.0), "mei": (1.0, 3.0, 6.0), "priya": (4.0, 8.0, 14.0)},
    "defer_phone": {
        "luis": (0.5, 2.0, 5.0),
        "mei": (3.0, 6.0, 9.0),
        "jonas": (2.0, 5.0, 9.0),
        "tom": (-2.0, 0.0, 2.0),
        "priya": (1.0, 3.0, 6.0),
    },
    "explain_phone": {"ana": (-1.0, 0.5, 2.0), "tom": (-1.0, 0.0, 1.0), "priya": (0.5, 1.5, 4.0)},
}

# --- who is who ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Colleague:
    key: str
    name: str
    email: str
    role: str
    discipline: str


ANA = Colleague("ana", "Ana Kovač", "ana@sprout.example", "owner", "engineering")
TEAM = (
    ANA,  # the visitor signs in as her
    Colleague("luis", "Luis Prado", "luis@sprout.example", "member", "engineering"),
    Colleague("mei", "Mei Tanaka", "mei@sprout.example", "maintainer", "design"),
    Colleague("jonas", "Jonas Weber", "jonas@sprout.example", "maintainer", "product"),
    Colleague("tom", "Tom Hale", "tom@sprout.example", "member", "sales"),
    Colleague("priya", "Priya Nair", "priya@sprout.example", "member", "support"),
)

CLASSES = (
    "Balcony tomatoes",
    "Herbs on a windowsill",
    "Compost without the smell",
    "Pruning roses",
    "Sourdough and garden herbs",
    "Raised beds from pallets",
    "Seeds to seedlings",
    "Mushrooms on coffee grounds",
    "Wild flowers for bees",
    "Bonsai for beginners",
    "Potatoes in a sack",
    "Children plant pumpkins",
)
CITIES = {
    "DE": ("Berlin", "Leipzig", "Hamburg", "Köln"),
    "GB": ("Leeds", "Bristol", "London"),
    "PL": ("Kraków", "Gdańsk", "Wrocław"),
    "NL": ("Utrecht", "Rotterdam"),
    "FR": ("Lyon", "Nantes"),
    "US": ("Portland", "Chicago"),
}
COMPANIES = ("Acme GmbH", "Northwind Ltd", "Brightside Care", "Ogrody Miejskie", "Casa Verde", "Stadtwerke Nord")
