"""Exports of portals, support desks, stores and trackers: recognised by their shape, one record each."""

from typing import Any

import pytest

from whytree.engines.tables import RowError

from .conftest import said

CANNY = [
    {
        "id": "65a",
        "title": "Sign up without a phone",
        "details": "I have none",
        "status": "open",
        "score": 12,
        "commentCount": 1,
        "created": "2026-01-02T10:00:00Z",
        "author": {"name": "Mira", "email": "mira@example.org", "userID": "user-17", "isAdmin": False},
        "board": {"name": "Requests"},
        "tags": [{"name": "signup"}],
        "url": "https://acme.canny.io/p/1",
    },
    {
        "id": "65b",
        "title": "Ours",
        "details": "A plan",
        "status": "open",
        "score": 1,
        "created": "2026-01-03",
        "author": {"name": "Tom", "isAdmin": True},
    },
]
INTERCOM = {
    "type": "conversation.list",
    "conversations": [
        {
            "id": "9",
            "created_at": 1767348000,
            "source": {
                "type": "email",
                "subject": "Help",
                "body": "<p>It wants my&nbsp;number</p><script>x()</script>",
                "author": {"type": "user", "id": "u1", "name": "Ann", "email": "ann@example.org"},
            },
            "tags": {"tags": [{"id": "1", "name": "signup"}]},
            "conversation_rating": {"rating": 2, "remark": "Slow", "created_at": 1767350000},
            "conversation_parts": {
                "conversation_parts": [
                    {"id": "1", "part_type": "assignment", "body": None, "author": {"type": "admin"}},
                    {"id": "2", "part_type": "comment", "body": "We look", "author": {"type": "admin", "id": "a"}},
                    {"id": "3", "part_type": "comment", "body": "Still no", "author": {"type": "user", "id": "u1"}},
                    {"id": "4", "part_type": "comment", "body": "Hi, I am Fin", "author": {"type": "bot"}},
                    {"id": "5", "part_type": "note", "body": "angry one", "author": {"type": "user", "id": "u1"}},
                ]
            },
        }
    ],
}
ZENDESK = {
    "id": 5,
    "subject": "Code never came",
    "description": "I wait for ten minutes",
    "requester_id": 7,
    "submitter_id": 7,
    "organization_id": 3,
    "via": {"channel": "email"},
    "tags": ["sms"],
    "satisfaction_rating": {"score": "bad", "comment": "No answer"},
    "created_at": "2026-02-01T10:00:00Z",
    "updated_at": "2026-02-02T10:00:00Z",
    "comments": [
        {"id": 1, "author_id": 7, "plain_body": "I wait for ten minutes", "public": True},
        {"id": 2, "author_id": 99, "plain_body": "We look", "public": True},
        {"id": 3, "author_id": 7, "plain_body": "It came", "public": True, "created_at": "2026-02-01T11:00:00Z"},
        {"id": 4, "author_id": 99, "plain_body": "secret", "public": False},
    ],
}


def test_canny_knows_its_admins_from_users(opened: Any) -> None:
    export = opened({"posts": CANNY}, "posts.json")
    assert export.recognised.name == "Canny posts"
    assert export.recognised.why == "by its columns “id”, “title”, “details” and “commentCount”"
    (post,) = said(export)
    assert (post["submission_id"], post["person"], post["author_email"]) == ("65a", "user-17", "mira@example.org")
    assert post["metadata"] == {
        "votes": 12,
        "tags": ["signup"],
        "status": "open",
        "commentCount": 1,
        "board.name": "Requests",
    }
    assert export.left_out == {"team": 1}


def test_the_teams_own_words_can_be_kept_as_theirs(opened: Any) -> None:
    export = opened({"posts": CANNY}, "posts.json")
    export.keep_team = True
    assert [one.get("from_team", False) for one in said(export)] == [False, True]


def test_a_domain_says_who_is_of_the_team(opened: Any) -> None:
    export = opened({"posts": CANNY}, "posts.json")
    export.team = frozenset({"example.org"})
    assert said(export) == []
    assert export.left_out == {"team": 2}


def test_intercom_keeps_what_users_said_and_nothing_of_bots_admins_and_notes(opened: Any) -> None:
    export = opened(INTERCOM, "conversations.json")
    first, later, remark = said(export)
    assert (first["text"], first["title"], first["said_at"]) == ("It wants my number", "Help", 1767348000)
    assert (later["text"], later["field_id"], later["metadata"]) == ("Still no", "part 3", {"thread": "9"})
    assert (remark["text"], remark["rating"]) == ("Slow", 2)
    assert export.left_out == {"team": 2, "machine": 1}


@pytest.mark.parametrize("as_lines", [True, False])
def test_zendesk_takes_the_requesters_public_words_once(opened: Any, as_lines: bool) -> None:
    import json

    export = opened(json.dumps(ZENDESK) + "\n" if as_lines else [ZENDESK], "tickets.json")
    assert export.recognised.slug == "zendesk"
    ticket, comment, remark = said(export)
    assert (ticket["text"], ticket["title"], ticket["person"]) == (
        "I wait for ten minutes",
        "Code never came",
        "zendesk:7",
    )
    assert comment["text"] == "It came"
    assert (remark["text"], remark["metadata"]["satisfaction"]) == ("No answer", "bad")
    assert export.left_out == {"team": 2}


def test_uservoice_says_suggestion_still_and_what_was_merged(opened: Any) -> None:
    export = opened(
        "suggestion.id,suggestion.title,suggestion.body,suggestion.status.name,suggestion.parent.id,"
        "suggestion.created_timestamp,external_user.email_address,account.external_id\n"
        "4,Dark mode,<p>Please &amp; soon</p>,started,2,2026-01-02 10:00:00,ann@example.org,acme\n"
    )
    (one,) = said(export)
    assert (one["text"], one["company"], one["metadata"]) == (
        "Please & soon",
        "acme",
        {"merged_into": "2", "suggestion.status.name": "started"},
    )


def test_fiders_csv_and_its_backup_name_the_same_post_alike(opened: Any, zipped: Any) -> None:
    from whytree.engines.voices import open_export

    from_csv = opened(
        "number,title,description,created_at,created_by,votes_count,comments_count,status,responded_by,responded_at,"
        "response,original_number,original_title,tags\n7,Dark,Please,2026-01-02,Ann,3,1,open,,,,,,ui\n"
    )
    from_zip = open_export(
        zipped(
            {
                "posts.json": [{"id": 1, "number": 7, "title": "Dark", "description": "Please", "user_id": 2}],
                "users.json": [
                    {"id": 2, "name": "Ann", "email": "ann@example.org", "role": 1},
                    {"id": 3, "name": "Tom", "email": "tom@example.org", "role": 3},
                ],
                "comments.json": [
                    {"id": 8, "post_id": 1, "user_id": 2, "content": "and blue"},
                    {"id": 9, "post_id": 1, "user_id": 3, "content": "we plan it"},
                ],
                "post_votes.json": [{"post_id": 1, "user_id": 2}, {"post_id": 1, "user_id": 3}],
            }
        )
    )
    assert from_zip is not None
    (post,), (same, comment) = said(from_csv), said(from_zip)
    assert post["submission_id"] == same["submission_id"] == "post 7"
    assert from_csv.recognised.slug == from_zip.recognised.slug
    assert (same["author_email"], same["metadata"]["votes"]) == ("ann@example.org", 2)
    assert comment["field_id"] == "comment 8"
    assert from_zip.left_out == {"team": 1}


def test_quackbacks_four_tables_are_told_apart(opened: Any) -> None:
    (post,) = said(
        opened(
            "title,content,status,author_email,vote_count,created_at,source_id\nT,Words,open,a@b.org,2,2026-01-02,9\n"
        )
    )
    assert (post["text"], post["submission_id"]) == ("Words", "9")
    comments = opened(
        "post_id,body,author_email,author_name,is_staff,created_at\n9,Me too,c@b.org,C,false,2026-01-03\n9,Soon,t@b.org,T,true,2026-01-04\n"
    )
    assert [one["text"] for one in said(comments)] == ["Me too"]
    votes = opened("post_id,voter_email,created_at\n9,c@b.org,2026-01-03\n")
    assert (said(votes), votes.left_out) == ([], {"silent": 1})


def test_a_productboard_note_is_the_customers_and_not_its_owners(opened: Any) -> None:
    (note,) = said(
        opened(
            [
                {
                    "title": "Call",
                    "content": "<b>No phone</b>",
                    "display_url": "https://pb.example.org/1",
                    "user": {"email": "ann@example.org"},
                    "company": {"domain": "acme.example"},
                    "source": {"origin": "zendesk", "record_id": "12"},
                    "owner": {"email": "pm@example.org"},
                    "tags": ["Signup"],
                }
            ],
            "notes.json",
        )
    )
    assert (note["submission_id"], note["author_email"], note["company"]) == ("12", "ann@example.org", "acme.example")
    assert note["metadata"]["kept_by"] == "pm@example.org"


def test_stars_without_words_have_an_id_that_stays(opened: Any) -> None:
    head = (
        "Package Name,App Version Name,Reviewer Language,Device,Review Submit Date and Time,"
        "Review Submit Millis Since Epoch,Star Rating,Review Title,Review Text,Developer Reply Text,Review Link\r\n"
    )
    rows = (
        "com.a,4.1,en,pixel,2026-01-02T10:00:00Z,1767348000000,1,,,,\r\n"
        "com.a,4.1,en,pixel,2026-01-02T10:00:01Z,1767348001000,2,,Wants my number,Sorry,https://play.google.com/r?reviewId=abc&hl=en\r\n"
    )
    export = opened((head + rows).encode("utf-16"), "reviews_com.a_202601.csv")
    stars, review = said(export)
    assert stars == said(export)[0]
    assert stars["submission_id"].startswith("stars:")
    assert (review["submission_id"], review["said_at"], review["rating"]) == ("abc", "1767348001000", "2")
    assert review["metadata"]["Developer Reply Text"] == "Sorry"


def test_plays_api_parts_title_and_body_at_the_tab(opened: Any) -> None:
    (review,) = said(
        opened(
            {
                "reviews": [
                    {
                        "reviewId": "abc",
                        "authorName": "Mira",
                        "comments": [
                            {
                                "userComment": {
                                    "text": "Bad\tAsks too much",
                                    "starRating": 1,
                                    "lastModified": {"seconds": "1767348000"},
                                    "appVersionName": "4.1",
                                }
                            },
                            {"developerComment": {"text": "Sorry"}},
                        ],
                    }
                ]
            },
            "reviews.json",
        )
    )
    assert (review["title"], review["text"], review["app_version"]) == ("Bad", "Asks too much", "4.1")


def test_both_of_apples_shapes(opened: Any) -> None:
    (one,) = said(
        opened(
            {
                "data": [
                    {
                        "type": "customerReviews",
                        "id": "x1",
                        "attributes": {
                            "rating": 2,
                            "title": "Hm",
                            "body": "No",
                            "reviewerNickname": "Jo",
                            "createdDate": "2026-01-02T10:00:00Z",
                            "territory": "DEU",
                        },
                    }
                ]
            },
            "a.json",
        )
    )
    assert (one["rating"], one["author_name"], one["metadata"]) == (2, "Jo", {"territory": "DEU"})
    feed = {
        "feed": {
            "entry": [
                {"im:name": {"label": "Sprout"}, "id": {"label": "app"}, "title": {"label": "Sprout"}},
                {
                    "id": {"label": "77"},
                    "author": {"name": {"label": "Jo"}},
                    "im:rating": {"label": "1"},
                    "im:version": {"label": "4.1"},
                    "title": {"label": "Hm"},
                    "content": {"label": "No"},
                    "updated": {"label": "2026-01-02T10:00:00-07:00"},
                },
            ]
        }
    }
    export = opened(feed, "rss.json")
    assert [(one["submission_id"], one["app_version"]) for one in said(export)] == [("77", "4.1")]
    assert export.left_out == {"silent": 1}


def test_an_issue_and_what_users_added_below(opened: Any) -> None:
    export = opened(
        [
            {
                "number": 3,
                "title": "Phone",
                "body": None,
                "createdAt": "2026-01-02T10:00:00Z",
                "url": "https://github.com/a/b/issues/3",
                "author": {"login": "rk"},
                "labels": [{"name": "bug"}],
                "comments": [
                    {
                        "id": "C1",
                        "author": {"login": "ann"},
                        "authorAssociation": "NONE",
                        "body": "Me too",
                        "createdAt": "2026-01-03T10:00:00Z",
                    },
                    {
                        "id": "C2",
                        "author": {"login": "tom"},
                        "authorAssociation": "OWNER",
                        "body": "Fixed",
                        "createdAt": "2026-01-04T10:00:00Z",
                    },
                ],
            },
        ],
        "issues.json",
    )
    issue, comment = said(export)
    assert (issue["title"], issue["person"], issue["metadata"]["labels"]) == ("Phone", "rk", ["bug"])
    assert (comment["text"], comment["submission_id"]) == ("Me too", issue["submission_id"])
    assert export.left_out == {"team": 1}


def test_requests_of_the_team_are_no_voices(opened: Any) -> None:
    rest = {
        "number": 1,
        "title": "T",
        "body": "B",
        "html_url": "https://github.com/a/b/issues/1",
        "user": {"login": "rk", "type": "User"},
        "author_association": "NONE",
    }
    export = opened(
        [
            rest,
            {**rest, "number": 2, "pull_request": {"url": "x"}},
            {**rest, "number": 4, "user": {"login": "dependabot[bot]", "type": "Bot"}},
        ],
        "i.json",
    )
    assert len(said(export)) == 1
    assert export.left_out == {"silent": 1, "machine": 1}


def test_jira_and_linear_come_as_their_trackers_write_them(opened: Any) -> None:
    jira = opened(
        "Summary,Issue key,Status,Reporter,Created,Labels,Labels,Description,Comment\n"
        'Form,ABC-1,Open,Ann,12/Mar/24 9:41 AM,a,b,Words,"13/Mar/24 9:00 AM;bob;Me too",14/Mar/24 9:00 AM;eve;And me\n'
    )
    assert [one["text"] for one in said(jira)] == ["Words", "Me too", "And me"]
    linear = opened(
        "ID,Team,Title,Description,Status,Creator,Created,SLA Status\nENG-1,Eng,T,'=D,Todo,tom@example.org,2026-01-02T10:00:00Z\n"
    )
    assert (said(linear), linear.left_out) == ([], {"team": 1})  # only members create issues there


def test_a_row_that_cannot_be_read_says_its_number_and_why(opened: Any) -> None:
    found = list(opened("Package Name,Star Rating,Review Text,Review Link\ncom.a,2,Words,\n"))
    assert found == [RowError(2, "it has neither a Review Link nor Review Submit Millis Since Epoch to know it by")]


def test_a_table_that_nobody_we_know_writes_is_none(opened: Any) -> None:
    assert opened("when,what\n2026-01-02,hello\n") is None


def test_a_column_beyond_all_measure_is_named_and_not_kept(opened: Any) -> None:
    (one,) = said(opened(f"suggestion.id,suggestion.title,notes\n1,T,{'x' * 40_000}\n"))
    assert one["metadata"] == {"too long to keep": "notes"}
