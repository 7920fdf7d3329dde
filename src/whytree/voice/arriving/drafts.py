"""What somebody sends as feedback, checked and brought into one shape before anything is stored.

    draft({"text": "It asked for my number", "said_at": "2026-03-02 09:14", "rating": "2"})

raises `Invalid` with a sentence when it cannot be taken: a wrong time or rating is worse than none.
"""

import hashlib
import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypedDict

import msgspec

from whytree.engines.tables import parse_time
from whytree.engines.texts.personal import Redacted, redact
from whytree.errors import Invalid
from whytree.voice.models import NAME_LENGTH, TEXT_LENGTH, Consent

MAX_METADATA = 20_000
"""Bytes of JSON in the columns that have no field of their own."""

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_RATING = re.compile(r"^(-?\d+(?:[.,]\d+)?)\s*(?:/\s*\d+|stars?|★+)?$", re.IGNORECASE)
_STARS = re.compile("^([★⭐]{1,5})☆*$")
_NOBODY = frozenset({"anonymous", "anonym", "a google user", "unknown", "n/a", "none", "null", "-"})
_CONSENTS: frozenset[Any] = frozenset(Consent.values)
_CLOCKS_DIFFER = timedelta(days=1)


class FeedbackFields(TypedDict, total=False):
    """What a feedback item may say; only `text` has to be there."""

    text: str
    title: str | None
    said_at: Any
    author_name: str | None
    author_email: str | None
    person: str | None
    rating: Any
    language: str | None
    app_version: str | None
    flags: dict[str, str] | None
    url: str | None
    consent: str | None
    metadata: dict[str, Any] | None
    submission_id: str | None
    field_id: str | None
    company: str | None
    plan: str | None
    from_team: bool | None


@dataclass(frozen=True, slots=True)
class Source:
    """Where feedback came in. Together with a draft's `submission_id` it says which thing was said."""

    type: str
    id: str = ""
    name: str = ""
    field_id: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """One checked item, not yet stored. `person` is the id under which their events come in.

    `field_id` tells several things of one `submission_id` apart. `taken` is the personal data that was taken out, with
    the column it stood in; `sent_hash` then is the hash of what came in.
    """

    text: str
    said_at: datetime | None = None
    author_name: str = ""
    author_email: str = ""
    person: str = ""
    rating: float | None = None
    language: str = ""
    app_version: str = ""
    url: str = ""
    consent: str = Consent.INTERNAL
    submission_id: str = ""
    flags: dict[str, str] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    field_id: str = ""
    company: str = ""
    plan: str = ""
    from_team: bool = False
    sent_hash: str = ""
    taken: tuple[tuple[str, Redacted], ...] = ()

    @property
    def content_hash(self) -> str:
        """Changes when anything that was sent changes; what was taken out of it at the door makes no difference."""
        if self.sent_hash:
            return self.sent_hash
        said_since = [self.company, self.plan, self.from_team] if self.company or self.plan or self.from_team else []
        return _digest(
            [
                self.text,
                self.said_at.isoformat() if self.said_at else None,
                self.author_name,
                self.author_email,
                self.person,
                self.rating,
                self.language,
                self.app_version,
                self.url,
                self.consent,
                self.flags,
                self.metadata,
                *said_since,
            ]
        )

    def without_personal(self, kinds: Collection[str]) -> "Draft":
        """The same, with personal data of these kinds taken out of the text and of what is kept beside."""
        text, taken = redact(self.text, kinds)
        found = [("", one) for one in taken]
        metadata = dict(self.metadata)
        for name, value in self.metadata.items():
            if isinstance(value, str):
                metadata[name], parts = redact(value, kinds)
                found += [(name, one) for one in parts]
        if not found:
            return self
        return replace(
            self,
            text=text,
            metadata=metadata,
            submission_id=self.own_id,
            sent_hash=self.content_hash,
            taken=tuple(found),
        )

    @property
    def own_id(self) -> str:
        """Its id where it came from; where nothing gave it one, what was said, when and by whom is the id."""
        if self.submission_id:
            return self.submission_id
        said_at = self.said_at.isoformat() if self.said_at else None
        return "said:" + _digest([self.text, said_at, self.author_name, self.person, self.rating])[:40]


def _digest(content: list[Any]) -> str:
    return hashlib.sha256(msgspec.json.encode(content, order="deterministic")).hexdigest()


def draft(values: Mapping[str, Any], *, now: datetime, day_first: bool | None = None) -> Draft:
    """The checked item. Unknown fields are refused, so that a slip of the pen loses nothing in silence."""
    unknown = set(values) - set(FeedbackFields.__annotations__)
    if unknown:
        raise Invalid(f"Feedback has no field “{min(unknown)}”. Put what has no field of its own under metadata.")
    email = _line(values, "author_email").lower()
    return Draft(
        text=_text(values),
        said_at=_said_at(values.get("said_at"), now, day_first),
        author_name=_author_name(values),
        author_email=email,
        person=_line(values, "person") or email,
        rating=_rating(values.get("rating")),
        language=_line(values, "language", 35),
        app_version=_line(values, "app_version", 80),
        url=_url(values),
        consent=_consent(values.get("consent")),
        submission_id=_submission_id(values),
        flags=_flags(values.get("flags")),
        metadata=_metadata(values.get("metadata")),
        field_id=_line(values, "field_id"),
        company=_line(values, "company"),
        plan=_line(values, "plan", 100),
        from_team=values.get("from_team") is True,
    )


def is_empty(values: Mapping[str, Any]) -> bool:
    """Whether there is not a word in it, as in ratings by stars only."""
    return not any(str(values.get(name) or "").strip() for name in ("text", "title"))


def _text(values: Mapping[str, Any]) -> str:
    """Title and text, verbatim but for line ends: browsers count them as one character each, and so do we."""
    parts = [str(values.get(name) or "").strip() for name in ("title", "text")]
    text = "\n\n".join(part for part in parts if part).replace("\r\n", "\n").replace("\r", "\n")
    if not text:
        raise Invalid("There is no text. Say what the person said, in their own words.")
    if len(text) > TEXT_LENGTH:
        raise Invalid(f"The text has {len(text):,} characters; the limit is {TEXT_LENGTH:,}. Cut it into parts.")
    return _storable(text, "text")


def _storable(text: str, name: str) -> str:
    if _UNSTORABLE.search(text):
        raise Invalid(f"The field “{name}” holds characters that cannot be stored. Copy it again as plain text.")
    return text


def _line(values: Mapping[str, Any], name: str, length: int = NAME_LENGTH) -> str:
    """A short field on one line; numbers are taken as they are written."""
    value = values.get(name)
    if value is None or isinstance(value, bool):
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # spreadsheets keep ids as floats
    line = " ".join(_storable(str(value), name).split())
    if len(line) > length:
        raise Invalid(f"The field “{name}” has {len(line):,} characters; the limit is {length}.")
    return line


def _author_name(values: Mapping[str, Any]) -> str:
    name = _line(values, "author_name")
    return "" if name.lower() in _NOBODY else name


def _submission_id(values: Mapping[str, Any]) -> str:
    """Ids may be long links; a longer one than we keep is kept as its hash."""
    line = _line(values, "submission_id", 4000)
    return line if len(line) <= NAME_LENGTH else "sha256:" + hashlib.sha256(line.encode()).hexdigest()


def _url(values: Mapping[str, Any]) -> str:
    """Only web addresses become links; anything else a browser could run."""
    url = _line(values, "url", 2000)
    if url and not url.lower().startswith(("https://", "http://")):
        raise Invalid("A link begins with https:// or http://.")
    return url


def _said_at(value: Any, now: datetime, day_first: bool | None) -> datetime | None:
    if value in (None, ""):
        return None
    moment = parse_time(value, day_first=day_first)
    if moment is None:
        raise Invalid(f"“{str(value)[:40]}” is no time that can be read with certainty. Write it as 2026-03-02 09:14.")
    if moment > now + _CLOCKS_DIFFER:
        raise Invalid(f"It cannot have been said on {moment:%Y-%m-%d}: that day has yet to come.")
    return moment


def _rating(value: Any) -> float | None:
    if value in (None, "") or isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        rating = float(value)
    elif (stars := _STARS.match(str(value).strip())) is not None:
        return float(len(stars[1]))
    elif (written := _RATING.match(str(value).strip())) is not None:
        rating = float(written[1].replace(",", "."))
    else:
        raise Invalid(f"“{str(value)[:40]}” is no rating. Give a number.")
    if not math.isfinite(rating) or abs(rating) > 1000:
        raise Invalid("A rating is a number of at most 1000.")
    return rating


def _consent(value: Any) -> str:
    if not value:
        return Consent.INTERNAL.value
    if value not in _CONSENTS:
        raise Invalid(f"Consent is one of {', '.join(Consent.values)}.")
    return str(value)


def _flags(value: Any) -> dict[str, str]:
    if not value:
        return {}
    if not isinstance(value, dict) or not all(isinstance(variant, str) for variant in value.values()):
        raise Invalid("Flags are an object of flag key to variant, both text.")
    return {_storable(str(key), "flags"): _storable(variant, "flags") for key, variant in value.items()}


def _metadata(value: Any) -> dict[str, Any]:
    """Columns without a field of their own, as JSON that any database keeps."""
    if not value:
        return {}
    if not isinstance(value, dict):
        raise Invalid("Metadata is an object of name to value.")
    kept: dict[str, Any] = {str(name): _plain(cell) for name, cell in value.items() if cell not in (None, "")}
    try:
        written = msgspec.json.encode(kept)
    except (UnicodeEncodeError, RecursionError, msgspec.MsgspecError) as error:
        raise Invalid("The other columns hold something that cannot be stored. Leave it out.") from error
    if len(written) > MAX_METADATA:
        raise Invalid(f"The other columns have {len(written):,} bytes; the limit is {MAX_METADATA:,}.")
    if b"\\u0000" in written:
        raise Invalid("The other columns hold a NUL character, which cannot be stored. Leave it out.")
    return kept


def _plain(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, str | int | float | bool) or value is None:
        return value
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat() if value.tzinfo else value.isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, dict):
        return {str(name): _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return str(value)
