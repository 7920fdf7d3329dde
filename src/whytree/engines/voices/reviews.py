"""Store reviews: App Store Connect, the App Store's public feed, Google Play's CSV and API."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

from .records import Cells, Format, Said, Unread, marks, reading, text_of


def _app_store_connect(cells: Cells) -> Iterable[Said]:
    """JSON:API; rows are the entries of `data`."""
    if cells.text("type") != "customerReviews":
        return
    cells.skip("links.self", "relationships.response.links.self", "relationships.response.links.related")
    yield Said(
        submission_id=cells.text("id"),
        title=cells.text("attributes.title"),
        text=cells.text("attributes.body"),
        said_at=cells.get("attributes.createdDate"),
        author_name=cells.text("attributes.reviewerNickname"),
        rating=cells.get("attributes.rating"),
        metadata=cells.beside(territory=cells.text("attributes.territory")),
    )


def _app_store_feed(cells: Cells) -> Iterable[Said]:
    """The public feed: the first entry may be the app itself, which has no rating."""
    if "im:rating.label" not in cells:
        return
    cells.skip(
        "author.uri.label", "author.label", "link.attributes.rel", "link.attributes.href", "content.attributes.type"
    )
    cells.skip("im:contentType.attributes.term", "im:contentType.attributes.label")
    yield Said(
        submission_id=cells.text("id.label"),
        title=cells.text("title.label"),
        text=cells.text("content.label"),
        said_at=cells.get("updated.label"),
        author_name=cells.text("author.name.label"),
        rating=cells.get("im:rating.label"),
        app_version=cells.text("im:version.label"),
        metadata=cells.beside(),
    )


_REVIEW_ID = re.compile(r"[?&]reviewId=([^&#]+)")


def _play(cells: Cells) -> Iterable[Said]:
    """Most rows are stars only and have no link, and so no id: what Google tells of them makes one that stays the same."""
    link = cells.text("Review Link")
    told = _REVIEW_ID.search(link)
    stars = cells.text("Star Rating")
    # title and text may both be there; milliseconds are exact where the written time has no zone
    yield Said(
        submission_id=told[1] if told else _synthetic(cells),
        title=cells.text("Review Title"),
        text=cells.text("Review Text"),
        said_at=cells.get("Review Submit Millis Since Epoch") or cells.get("Review Submit Date and Time"),
        rating=stars or None,
        language=cells.text("Reviewer Language"),
        app_version=cells.text("App Version Name", "App Version Code"),
        url=link,
        metadata=cells.beside(),
    )


def _synthetic(cells: Cells) -> str:
    names = ("Package Name", "Review Submit Millis Since Epoch", "Device", "Star Rating", "Reviewer Language")
    facts = [text_of(cells.get(name)) for name in names]
    if not facts[1]:
        raise Unread("it has neither a Review Link nor Review Submit Millis Since Epoch to know it by")
    return "stars:" + hashlib.sha256("\n".join(facts).encode()).hexdigest()[:40]


def _play_api(cells: Cells) -> Iterable[Said]:
    """Title and body come in one text, with a tab between."""
    said = [one["userComment"] for one in cells.listed("comments") if isinstance(one.get("userComment"), dict)]
    replies = [
        one["developerComment"] for one in cells.listed("comments") if isinstance(one.get("developerComment"), dict)
    ]
    if not said:
        return
    comment = said[-1]
    title, tab, body = text_of(comment.get("text")).partition("\t")
    at = comment.get("lastModified") if isinstance(comment.get("lastModified"), dict) else {}
    yield Said(
        submission_id=cells.text("reviewId"),
        title=title.strip() if tab else "",
        text=body.strip() if tab else title,
        said_at=(at or {}).get("seconds"),
        author_name=cells.text("authorName"),
        rating=comment.get("starRating"),
        language=text_of(comment.get("reviewerLanguage")),
        app_version=text_of(comment.get("appVersionName")),
        metadata=cells.beside(
            device=text_of(comment.get("device")),
            thumbs_up=comment.get("thumbsUpCount"),
            original=text_of(comment.get("originalText")),
            developer_reply=text_of(replies[-1].get("text")) if replies else "",
        ),
    )


FORMATS = (
    Format(
        "app-store",
        "App Store Connect reviews (JSON)",
        "review",
        marks("id, attributes.rating, attributes.body", "id, attributes.rating, attributes.reviewerNickname"),
        reading(_app_store_connect),
        "App Store",
    ),
    Format(
        "app-store",
        "App Store reviews (public feed)",
        "review",
        marks("id.label, im:rating.label", "id.label, im:name.label"),
        reading(_app_store_feed),
        "App Store",
    ),
    Format(
        "google-play",
        "Google Play reviews (CSV)",
        "review",
        marks("Package Name, Star Rating, Review Text", "Package Name, Star Rating, Review Submit Millis Since Epoch"),
        reading(_play),
        "Google Play",
    ),
    Format(
        "google-play",
        "Google Play reviews (API)",
        "review",
        marks("reviewId, comments"),
        reading(_play_api),
        "Google Play",
    ),
)
