"""A Slack export: a folder a channel, a file a day."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from pathlib import PurePosixPath
from typing import Any

from whytree.engines.tables import RowError, UnreadableTable

from .archives import Archive
from .records import Said, Speaker, text_of

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}\.json")
# Subtypes that still hold somebody's words; all others say that somebody joined, left, renamed ...
_SPOKEN = frozenset({"", "thread_broadcast", "file_share", "me_message", "bot_message", "file_comment"})
_MENTION = re.compile(r"<([@#!]?)([^>|]*)(?:\|([^>]*))?>")


def is_slack(names: list[str]) -> bool:
    tops = {str(PurePosixPath(name)) for name in names}
    return "users.json" in tops and ("channels.json" in tops or "groups.json" in tops or "dms.json" in tops)


class SlackExport:
    """`channels` counts the day files of each. Only those asked for are read: the others are not about the product."""

    def __init__(self, archive: Archive) -> None:
        self.archive = archive
        self.users = {text_of(user.get("id")): user for user in self._listed("users.json")}
        self.channel_ids = {text_of(one.get("name")): text_of(one.get("id")) for one in self._listed("channels.json")}
        self.days: dict[str, list[str]] = {}
        for name in sorted(archive.names):
            path = PurePosixPath(name)
            if len(path.parts) == 2 and _DAY.fullmatch(path.name):
                self.days.setdefault(path.parts[0], []).append(name)

    def _listed(self, name: str) -> list[dict[str, Any]]:
        if name not in self.archive.names:
            return []
        try:
            rows = self.archive.json(name)
        except ValueError as error:
            raise UnreadableTable(f"{name} in {self.archive.path.name} cannot be read: {error}.") from error
        return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []

    def chosen(self, channels: Collection[str]) -> list[str]:
        """The channels to read; says which there are when none was named and there is more than one."""
        wanted = [channel.lstrip("#") for channel in channels]
        unknown = [channel for channel in wanted if channel not in self.days]
        there = ", ".join(
            f"{name} ({len(days)} {'day' if len(days) == 1 else 'days'})" for name, days in self.days.items()
        )
        if not self.days:
            raise UnreadableTable(f"{self.archive.path.name} is a Slack export without any message.")
        if unknown:
            raise UnreadableTable(f"There is no channel “{unknown[0][:80]}” in this export. There are {there[:2000]}.")
        if not wanted and len(self.days) > 1:
            raise UnreadableTable(f"Which channels? Not all talk is feedback. There are {there[:2000]}.")
        return wanted or list(self.days)

    def read(self, channels: Collection[str]) -> Iterator[tuple[int, Said | RowError]]:
        row = 0
        for channel in self.chosen(channels):
            for name in self.days[channel]:
                row += 1
                try:
                    messages = self.archive.json(name)
                except ValueError as error:
                    yield row, RowError(row, f"{name}: {error}")
                    continue
                for message in messages if isinstance(messages, list) else []:
                    row += 1
                    said = self._said(channel, message) if isinstance(message, dict) else None
                    if said is not None:
                        yield row, said

    def _said(self, channel: str, message: dict[str, Any]) -> Said | None:
        """`ts` is the message's key: kept as text, for it has more digits than a float holds."""
        words, ts = self._words(text_of(message.get("text"))), text_of(message.get("ts"))
        if message.get("type") != "message" or text_of(message.get("subtype")) not in _SPOKEN or not words or not ts:
            return None
        number = text_of(message.get("user"))
        user = self.users.get(number, {})
        profile = user.get("profile") if isinstance(user.get("profile"), dict) else {}
        profile = profile or {}
        thread = text_of(message.get("thread_ts"))
        reactions = sum(
            int(one.get("count") or 0)
            for one in message.get("reactions") or ()
            if isinstance(one, dict) and isinstance(one.get("count"), int)
        )
        beside = {"channel": channel, "thread": thread if thread != ts else "", "reactions": reactions}
        email = text_of(profile.get("email"))
        return Said(
            submission_id=f"{self.channel_ids.get(channel) or channel} {ts}",
            text=words,
            said_at=float(ts) if re.fullmatch(r"\d{9,11}\.\d+", ts) else None,
            author_name=text_of(profile.get("real_name"))
            or text_of(user.get("real_name"))
            or text_of(user.get("name")),
            author_email=email,
            person=email or (f"slack:{number}" if number else ""),
            speaker=self._speaker(message, user),
            metadata={name: value for name, value in beside.items() if value},
        )

    @staticmethod
    def _speaker(message: dict[str, Any], user: dict[str, Any]) -> Speaker:
        """Who runs the workspace is of the team; of everybody else Slack does not say."""
        if message.get("bot_id") or message.get("subtype") == "bot_message" or user.get("is_bot"):
            return "machine"
        return "team" if user.get("is_owner") or user.get("is_admin") else "user"

    def _words(self, text: str) -> str:
        """`<@U1>` is a name, `<#C1|feedback>` a channel, `<https://a.b|here>` a link with its words."""

        def shown(found: re.Match[str]) -> str:
            kind, what, label = found[1], found[2], found[3]
            if kind == "@":
                user = self.users.get(what, {})
                return "@" + (label or text_of(user.get("real_name")) or text_of(user.get("name")) or what)
            if kind in ("#", "!"):
                return kind.replace("!", "@") + (label or what)
            return f"{label} ({what})" if label and label != what else what

        plain = _MENTION.sub(shown, text)
        return plain.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").strip()
