"""What the columns of a stranger's events are called. No Django here: the command line reads files without it."""

from whytree.engines.tables import Wanted

WANTED = {
    "person": Wanted(
        [
            *("user_id", "userId", "distinct_id", "person_id", "person", "customer_id", "client_id", "visitor_id"),
            *("anonymous_id", "anonymousId", "device_id", "user", "customer", "visitor", "uid", "account_id"),
        ],
        "id",
        by_content=False,
    ),
    "event": Wanted(
        ["event", "event_name", "event_type", "action", "activity", "name", "type"], "text", by_content=False
    ),
    "time": Wanted(
        [
            *("timestamp", "time", "event_time", "event_timestamp", "occurred_at", "created_at", "sent_at", "ts"),
            *("received_at", "datetime", "date"),
        ],
        "time",
    ),
}
"""The three that every event needs."""

MESSAGE_ID = Wanted(["message_id", "messageId", "insert_id", "uuid"], "id", by_content=False)
"""Only names that mean an id of its own everywhere: `id` may count from 1 in every file."""

COLUMNS = {
    "platform": ("platform",),
    "os": ("os", "os_name", "operating_system"),
    "browser": ("browser",),
    "app": ("app", "app_name"),
    "version": ("version", "app_version"),
    "locale": ("locale", "language"),
    "country": ("country", "country_code"),
    "path": ("path", "page_path"),
}
"""Columns that also fill ours, by exact name; they stay properties too."""
