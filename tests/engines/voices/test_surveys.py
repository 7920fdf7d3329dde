"""Survey answers: what is in somebody's own words is a voice, the rest stays beside it."""

from typing import Any

from .conftest import said

WORDS = ["I closed it when it asked for my number", "The code never came and I gave up"]


def test_three_generations_of_typeform(opened: Any) -> None:
    new = opened(
        "#,How likely are you to recommend us?,What is missing?,Which app?,"
        "Response Type,Start Date (UTC),Stage Date (UTC),Submit Date (UTC),Network ID,Tags,Ending\n"
        f"abc,9,{WORDS[0]},iOS / Web,completed,2026-01-02 10:00:00,,2026-01-02 10:02:00,n1,,\n"
        f"abd,2,{WORDS[1]},Web,completed,2026-01-03 10:00:00,,2026-01-03 10:02:00,n2,,\n"
    )
    first, _ = said(new)
    assert (first["text"], first["rating"], first["field_id"]) == (WORDS[0], "9", "What is missing?")
    assert first["metadata"]["Which app?"] == "iOS / Web"
    assert "Network ID" not in first["metadata"]
    old = opened(
        "#,What is missing?,iOS,Web,What is missing?,Start Date (UTC),Submit Date (UTC),Network ID\n"
        f"abc,{WORDS[0]},iOS,,{WORDS[1]},2026-01-02 10:00:00,2026-01-02 10:02:00,n1\n"
    )
    assert [(one["text"], one["field_id"]) for one in said(old)] == [
        (WORDS[0], "What is missing?"),
        (WORDS[1], "What is missing? (2)"),
    ]


def test_typeforms_api_says_which_answer_is_text(opened: Any) -> None:
    (one,) = said(
        opened(
            {
                "items": [
                    {
                        "response_id": "r1",
                        "submitted_at": "2026-01-02T10:00:00Z",
                        "hidden": {"user_id": "user-17"},
                        "answers": [
                            {"type": "text", "text": WORDS[0], "field": {"id": "f1", "ref": "missing"}},
                            {"type": "choice", "choice": {"label": "Web"}, "field": {"id": "f2", "ref": "app"}},
                            {"type": "number", "number": 3, "field": {"id": "f3"}},
                            {"type": "email", "email": "ann@example.org", "field": {"id": "f4"}},
                        ],
                    }
                ]
            },
            "responses.json",
        )
    )
    assert (one["person"], one["author_email"], one["rating"], one["field_id"]) == (
        "user-17",
        "ann@example.org",
        3,
        "missing",
    )
    assert one["metadata"]["app"] == "Web"


def test_google_forms_have_only_a_timestamp(opened: Any) -> None:
    export = opened(
        f"Timestamp,Email Address,What stopped you?,How easy was it?\n2026/01/02 10:00:00,ann@example.org,{WORDS[0]},2\n"
    )
    (one,) = said(export)
    assert (one["author_email"], one["rating"], one["submission_id"]) == (
        "ann@example.org",
        "2",
        "2026/01/02 10:00:00 ann@example.org",
    )
    assert export.recognised.source == "Google Forms"


def test_surveymonkeys_second_header_is_no_answer(opened: Any) -> None:
    export = opened(
        "Respondent ID,Collector ID,Start Date,End Date,IP Address,Email Address,First Name,Last Name,What is missing?,Which?,\n"
        ",,,,,,,,Open-Ended Response,iOS,Web\n"
        "11,2,01/02/2026 10:00:00 AM,01/02/2026 10:05:00 AM,10.0.0.9,ann@example.org,Ann,Lee,Yes,iOS,\n"
    )
    (one,) = said(export)
    assert (one["text"], one["author_name"], one["submission_id"]) == ("Yes", "Ann Lee", "11")
    assert one["said_at"].startswith("2026-01-02T10:05")
    assert one["metadata"] == {"question": "What is missing?", "Which?": "iOS"}
    assert export.left_out == {"silent": 1}


def test_qualtrics_has_three_header_rows_and_previews_of_the_team(opened: Any) -> None:
    head = "StartDate,EndDate,Status,IPAddress,RecordedDate,ResponseId,ExternalReference,UserLanguage,Q1\n"
    export = opened(
        head
        + "Start Date,End Date,Response Type,IP Address,Recorded Date,Response ID,External Data Reference,User Language,What stopped you?\n"
        + '"{""ImportId"":""startDate""}","{""ImportId"":""endDate""}",,,,,,,\n'
        + f"2026-01-02 10:00:00,2026-01-02 10:01:00,IP Address,1.2.3.4,2026-01-02 10:01:02,R_1,user-17,EN,{WORDS[0]}\n"
        + f"2026-01-02 11:00:00,2026-01-02 11:01:00,Survey Preview,1.2.3.4,2026-01-02 11:01:02,R_2,,EN,{WORDS[1]}\n"
    )
    (one,) = said(export)
    assert (one["person"], one["metadata"]["question"]) == ("user-17", "What stopped you?")
    assert export.left_out == {"silent": 2, "team": 1}


def test_formbricks_in_both_shapes(opened: Any) -> None:
    hub = opened(
        [
            {
                "submission_id": "s1",
                "field_id": "q1",
                "field_type": "text",
                "field_label": "Why?",
                "value_text": WORDS[0],
                "collected_at": "2026-01-02T10:00:00Z",
                "user_id": "user-17",
                "tenant_id": "t",
            },
            {"submission_id": "s1", "field_id": "q2", "field_type": "nps", "value_number": 3, "tenant_id": "t"},
        ],
        "records.json",
    )
    (one,) = said(hub)
    assert (one["submission_id"], one["field_id"], one["person"]) == ("s1", "q1", "user-17")
    csv = opened(
        f"No.,Response ID,Timestamp,Finished,Survey ID,User ID,Tags,1. Why?,2. Which?\n"
        f"1,r1,2026-01-02 10:00:00,Yes,s,user-17,,{WORDS[0]},Web\n"
    )
    assert [(one["text"], one["metadata"]["2. Which?"]) for one in said(csv)] == [(WORDS[0], "Web")]
