"""Which column of somebody's export holds what: the names others give to our fields. Imports no Django: the command line reads files."""

from whytree.engines.tables import Wanted

# Our field -> what it is called elsewhere (Play Console, App Store Connect, Intercom, Zendesk, Typeform, Canny, Formbricks ...).
WANTED: dict[str, Wanted] = {
    "text": Wanted(
        (
            "review text",
            "text",
            "value text",
            "review",
            "feedback",
            "comment",
            "message body",
            "body",
            "message",
            "content",
            "details",
            "description",
            "verbatim",
        ),
        whole=("answer", "response", "words", "said"),
    ),
    "title": Wanted(("review title",), whole=("title", "subject", "summary", "headline"), by_content=False),
    "said_at": Wanted(
        (
            "said at",
            "review submit date and time",
            "collected at",
            "submitted at",
            "created at",
            "posted at",
            "created time",
            "submit date",
            "timestamp",
        ),
        "time",
        whole=("created", "created date", "date", "time", "at", "when", "published", "submitted"),
    ),
    "author_name": Wanted(
        ("author name", "user name", "customer name", "reviewer name", "reviewer nickname"),
        whole=("author", "reviewer", "user", "username", "customer", "speaker", "name", "from", "created by"),
        by_content=False,
    ),
    "author_email": Wanted(
        ("author email", "user email", "customer email", "email address"), whole=("email", "e-mail"), by_content=False
    ),
    "person": Wanted(
        ("distinct id", "person id", "customer id", "author id"), "id", whole=("user id", "person", "external id")
    ),
    "rating": Wanted(("star rating", "rating"), "number", whole=("stars", "score", "nps", "csat", "ces")),
    "submission_id": Wanted(
        ("submission id", "review id", "feedback id", "response id", "ticket id", "record id", "message id"),
        "id",
        whole=("conversation id", "issue key", "id", "uuid", "key", "token"),
    ),
    "language": Wanted(("reviewer language",), whole=("language", "lang", "locale"), by_content=False),
    "app_version": Wanted(("app version name", "app version"), whole=("version",), by_content=False),
    "url": Wanted(("review link", "external url", "html url"), whole=("url", "link", "permalink"), by_content=False),
}
