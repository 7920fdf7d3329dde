"""Reads back what there is to find, through the API: no figure here comes from the script."""

from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from whytree.workspace.terminal.client import Client

from . import story
from .story import Calendar

Sentences = list[str]


def found(client: Client, calendar: Calendar) -> Sentences:
    """What a visitor could find out in an hour, in a few sentences with their figures."""
    desk = _Reader(client, calendar)
    lines = [
        desk.size(),
        desk.outcome("activated_7d"),
        desk.drop(),
        *desk.reviews(),
        desk.asked_back(),
        desk.survey(),
        *desk.dropped(),
        *desk.challenges(),
        *desk.tickets(),
    ]
    return [line for line in lines if line]


class _Reader:
    def __init__(self, client: Client, calendar: Calendar) -> None:
        self._client = client
        self._calendar = calendar

    def _get(self, path: str, **parameters: Any) -> Any:
        return self._client.get(f"/products/{story.SLUG}/{path}", **parameters)

    @cached_property
    def _reviews(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._get("reviews")
        return found

    def _measure(self, metric: str, first_day: float, last_day: float) -> Any:
        start, end = self._calendar.at(first_day), self._calendar.at(last_day)
        return self._get(f"metrics/{metric}/measure", start=start.isoformat(), end=end.isoformat())

    def size(self) -> str:
        visitors = self._measure("visitors", 0, story.DAYS)["n"]
        repository = self._get("repositories")[0]
        return (
            f"{visitors:,} people used the app in the last {story.DAYS} days; "
            f"its repository has {repository['commits']} commits."
        )

    def outcome(self, metric: str) -> str:
        outcome = next(one for one in self._get("outcomes") if one["metric_key"] == metric)
        now = self._get(f"metrics/{metric}/measure")
        return (
            f"{outcome['ref']} {outcome['title']}: {now['value']:.1f} % ({_interval(now)}), "
            f"from {outcome['baseline']:.1f} %, target {outcome['target']:g} %."
        )

    def drop(self) -> str:
        """The time before the change, when everybody was asked."""
        given = self._measure("phone_given", 0, story.DEFER_OPENED)
        phone = next(one for one in self._get("opportunities") if "phone number" in one["title"])
        people = {link["person_key"] or link["source_id"] for link in self._get(f"nodes/{phone['ref']}/evidence")}
        return (
            f"{100 - given['value']:.1f} of 100 people left at the phone number (n = {given['n']:,}); "
            f"{len(people)} said so in their own words: {phone['ref']}."
        )

    def reviews(self) -> Sentences:
        return [f"{one['ref']} {self._standing(one)}" for one in self._reviews]

    def _standing(self, review: dict[str, Any]) -> str:
        if review["state"] == "decided":
            return f"was decided ({review['decision']}): {review['headline']}"
        if datetime.fromisoformat(review["due_at"]) > self._calendar.today + timedelta(days=1):
            return f"runs: {review['headline']} {review['summary']}".strip()
        return f"waits for your verdict: {review['headline']} {review['summary']}".strip()

    def asked_back(self) -> str:
        """Of those who asked for the change that is measured."""
        review = next(one for one in self._reviews if one["state"] == "measured")
        loop = self._get(f"solutions/{review['solution']}/loop")
        people = {one["step"]: one["people"] for one in loop["funnel"]}
        no = sum(one["solved"] is False for one in loop["askers"])
        return (
            f"Of {people['asked']} people known by name who asked for {loop['solution']}, {people['exposed']} got it, "
            f"{people['used']} used it, {people['solved']} say that it solved their problem, and {no} that it did not."
        )

    def survey(self) -> str:
        """Only who finished the sign-up was asked."""
        one = self._get("surveys")[0]
        ease = self._get(f"surveys/{one['ref']}/results", by="defer_phone")["questions"][0]
        arms = {arm["variant"]: arm for arm in ease["arms"]}
        easy = {name: 100 * arm["headline"]["value"] for name, arm in arms.items()}
        return (
            f"{one['ref']}: signing up was easy for {easy['off']:.0f} of 100 who were asked for a number and for "
            f"{easy['on']:.0f} of 100 who were not (n = {arms['off']['answered']} and {arms['on']['answered']}). "
            "Who left at it was never asked."
        )

    def dropped(self) -> Sentences:
        closed = [one for one in self._get("solutions", closed=True) if one["state"] == "dropped"]
        return [f"{one['ref']} {one['title']} was dropped before code: {one['close_reason']}" for one in closed]

    def challenges(self) -> Sentences:
        waiting = [note for note in self._get("notes/open") if note["kind"] == "challenge"]
        return [f"{note['author_name']} challenges {note['ref']}: “{note['text']}”" for note in waiting]

    def tickets(self) -> Sentences:
        """The ticket that the tour starts with."""
        rows = [one for one in self._get("tickets") if one["title"].startswith("Build sign-up form")]
        return [f"Ticket {one['key']} says “{one['title']}” Nobody has asked why." for one in rows]


def _interval(measure: dict[str, Any]) -> str:
    return f"95 %: {measure['low']:.1f} to {measure['high']:.1f}, n = {measure['n']:,}"
