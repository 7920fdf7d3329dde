"""Talks as recorders write them down, with everything that goes wrong in such files."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whytree.engines.voices.transcripts import (
    MOST_BYTES,
    MOST_CUES,
    Line,
    Transcript,
    Unreadable,
    as_text,
    clock,
    decoded,
    read_clock,
    read_edited,
    read_transcript,
)

TEAMS = """\ufeffWEBVTT - Weekly talk

NOTE recorded in the office
with a second row

STYLE
::cue { color: red }

0d8a-1
00:00:01.000 --> 00:00:03.500 align:start
<v Mei Tanaka>Tell me about the last time.</v>

0d8a-2
00:00:04.000 --> 00:00:06.000
<v Wiktor Kowalski>That was on the tram,</v>

0d8a-3
00:00:06.100 --> 00:00:08.000
<v Wiktor Kowalski>on <i>Tuesday</i> I think &amp; it rained.</v>
"""

ZOOM = """WEBVTT

1
00:00:01.000 --> 00:00:03.500
Mei Tanaka: Tell me about the last time.

2
00:00:04.000 --> 00:00:06.000
Wiktor Kowalski: That was on the tram,

3
00:00:06.100 --> 00:00:08.000
Wiktor Kowalski: on Tuesday. I told them: no.
"""


def said(read: Transcript) -> list[tuple[str, str]]:
    return [(line.speaker, line.text) for line in read.lines]


def test_teams_names_the_speaker_in_a_voice_tag() -> None:
    read = read_transcript(TEAMS)
    assert read.format == "WebVTT"
    assert said(read) == [
        ("Mei Tanaka", "Tell me about the last time."),
        ("Wiktor Kowalski", "That was on the tram, on Tuesday I think & it rained."),
    ]
    assert read.problems == ()
    joined = read.lines[1]
    assert (joined.start_ms, joined.end_ms) == (4000, 8000)
    assert joined.cues == ((0, 4000), (22, 6100))
    assert joined.text[22:].startswith("on Tuesday")


def test_zoom_names_the_speaker_in_the_words() -> None:
    read = read_transcript(ZOOM)
    assert said(read) == [
        ("Mei Tanaka", "Tell me about the last time."),
        ("Wiktor Kowalski", "That was on the tram, on Tuesday. I told them: no."),
    ]


def test_two_who_speak_at_once_both_keep_their_times() -> None:
    read = read_transcript(
        "WEBVTT\n\n00:05.000 --> 00:09.000\n<v Ana>We close at\n\n00:01.000 --> 00:06.000\n<v Wiktor>I typed it, then I\n\n"
        "00:09.500 --> 00:10.000\n<v Ana>six.\n"
    )
    assert [(line.speaker, line.start_ms, line.end_ms) for line in read.lines] == [
        ("Wiktor", 1000, 6000),
        ("Ana", 5000, 10000),
    ]


def test_two_voices_in_one_cue_are_two_lines() -> None:
    read = read_transcript("WEBVTT\n\n00:01.000 --> 00:02.000\n<v.loud Ana>Here?</v> <v Wiktor>Here.</v>\n")
    assert said(read) == [("Ana", "Here?"), ("Wiktor", "Here.")]


def test_a_bad_cue_keeps_its_words_and_is_told_by_its_line() -> None:
    read = read_transcript(
        "WEBVTT\n\n00:01.000 --> 00:02.000\nOne.\n\n00:aa.000 --> 00:03.000\nTwo.\n\n00:09.000 --> 00:04.000\nThree.\n\n"
        "00:61.000 --> 00:62.000\nFour.\n\nwords without any time\n"
    )
    assert " ".join(line.text for line in read.lines) == "One. Two. Three. Four. words without any time" or sorted(
        line.text for line in read.lines
    ) == sorted(["One.", "Two.", "Three.", "Four.", "words without any time"])
    assert [problem.line for problem in read.problems] == [6, 9, 12, 15]
    assert "no time" in read.problems[0].reason
    assert "ends before it begins" in read.problems[1].reason


def test_a_lost_blank_line_costs_no_words() -> None:
    read = read_transcript("WEBVTT\n\n1\n00:01.000 --> 00:02.000\nOne.\n2\n00:02.000 --> 00:03.000\nTwo.\n")
    assert [line.text for line in read.lines] == ["One. Two."]
    assert read.lines[0].cues == ((0, 1000), (5, 2000))


def test_captions_that_roll_up_say_everything_once() -> None:
    rows = ["I opened the app and looked", "at two classes there were", "then I tapped on the price"]
    cues = [f"00:0{n}.000 --> 00:0{n + 1}.000\n{rows[n - 1] if n else ' '}\n{row}\n" for n, row in enumerate(rows)]
    read = read_transcript("WEBVTT\n\n" + "\n".join(cues))
    assert " ".join(line.text for line in read.lines) == " ".join(rows)


def test_srt_has_commas_numbers_and_tags() -> None:
    read = read_transcript(
        "1\r\n00:00:01,000 --> 00:00:02,500\r\n<i>Ana: Hello?</i>\r\n\r\n2\r\n00:00:03,000 --> 00:00:04,000\r\nWiktor: Hello.\r\n"
    )
    assert read.format == "SRT"
    assert said(read) == [("Ana", "Hello?"), ("Wiktor", "Hello.")]
    assert read.lines[0].end_ms == 2500


def test_whisper_has_seconds_and_no_speakers() -> None:
    segments: list[Any] = [
        {"id": 0, "start": 0.0, "end": 2.5, "text": " Tell me about the last time."},
        {"id": 1, "start": 6.1, "end": None, "text": " On the tram."},
        {"id": 2, "start": "late", "end": 9, "text": " I think."},
        {"id": 3, "start": 12.0, "end": 9, "text": " So."},
        {"id": 4},
        "nonsense",
    ]
    read = read_transcript(json.dumps({"text": "...", "language": "en", "segments": segments}))
    assert (read.format, read.language) == ("Whisper JSON", "en")
    assert [(line.text, line.start_ms) for line in read.lines] == [
        ("Tell me about the last time.", 0),
        ("On the tram.", 6100),
        ("I think.", None),
        ("So.", 12000),
    ]
    assert [problem.line for problem in read.problems] == [3, 4, 5, 6]


def test_whisperx_and_whisper_cpp_are_read_too() -> None:
    spoken = read_transcript(json.dumps({"segments": [{"start": 1, "end": 2, "text": "Hi.", "speaker": "SPEAKER_00"}]}))
    assert said(spoken) == [("SPEAKER_00", "Hi.")]
    cpp = {"result": {"language": "de"}, "transcription": [{"offsets": {"from": 1200, "to": 2000}, "text": " Hallo."}]}
    read = read_transcript(json.dumps(cpp))
    assert (read.language, read.lines[0].start_ms, read.lines[0].end_ms) == ("de", 1200, 2000)


@pytest.mark.parametrize(
    "text",
    [
        "Ana: Tell me.\n\nWiktor: On the tram,\nin the rain. I told them: no.\nAna: And then?",
        "[00:01] Ana: Tell me.\n[00:04] Wiktor: On the tram,\nin the rain. I told them: no.\n[00:09] Ana: And then?",
        "00:00:01 Ana: Tell me.\n00:00:04 Wiktor: On the tram,\nin the rain. I told them: no.\n00:00:09 Ana: And then?",
        "Ana (0:01): Tell me.\nWiktor (0:04): On the tram,\nin the rain. I told them: no.\nAna (0:09): And then?",
        "Ana  0:01\nTell me.\n\nWiktor  0:04\nOn the tram,\nin the rain. I told them: no.\n\nAna  0:09\nAnd then?",
    ],
    ids=["names", "brackets", "clock first", "clock behind", "Otter"],
)
def test_plain_turns_in_the_shapes_people_paste(text: str) -> None:
    read = read_transcript(text)
    assert said(read) == [
        ("Ana", "Tell me."),
        ("Wiktor", "On the tram, in the rain. I told them: no."),
        ("Ana", "And then?"),
    ]
    times = [line.start_ms for line in read.lines]
    assert times in ([None, None, None], [1000, 4000, 9000])


def test_names_in_other_scripts_and_with_particles_are_names() -> None:
    read = read_transcript("Mees van den Berg: Dag.\n田中：はい。\nMees van den Berg: Ja.\n田中：どうも。")
    assert read.speakers == ("Mees van den Berg", "田中")


def test_a_long_turn_is_cut_between_sentences() -> None:
    sentence = "I opened the app and then I looked at the price of it. "
    read = read_transcript(f"Ana: Go on.\nWiktor: {sentence * 30}\nAna: I see.")
    his = [line.text for line in read.lines if line.speaker == "Wiktor"]
    assert " ".join(his) == (sentence * 30).strip()
    assert len(his) > 2
    assert all(text.endswith(".") and len(text) <= 540 for text in his)


def test_a_file_may_end_within_a_note() -> None:
    read = read_transcript("WEBVTT\n\n00:01.000 --> 00:02.000\nThat was on the tram.\n\nNOTE the end")
    assert [line.text for line in read.lines] == ["That was on the tram."]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no word"),
        ("WEBVTT\n\nNOTE only a note\n", "no word"),
        ("WEBVTT", "no word"),
        ("We talked for an hour and it was nice.\nNothing else.", "No line says who speaks"),
        ('{"segments": [{"text": "a"', "cannot be read at line 1"),
        ('{"hits": []}', "no “segments”"),
        ('{"segments": []}', "no word"),
        ("[" * 50_000, "cannot be read"),
        (json.dumps({"segments": [{"text": "a"}] * (MOST_CUES + 1)}), "is the most"),
        ("Ana: " + "word " * 450_000, "too many for one talk"),
    ],
)
def test_what_is_no_transcript_is_refused_with_what_to_do(text: str, why: str) -> None:
    with pytest.raises(Unreadable, match=why):
        read_transcript(text)


def test_bytes_are_read_by_their_mark_or_shape() -> None:
    assert decoded("Ana: žluť".encode("utf-16")) == "Ana: žluť"
    assert decoded("Ana: žluť".encode()) == "Ana: žluť"
    assert decoded("Ana: schön".encode("cp1252")) == "Ana: schön"
    with pytest.raises(Unreadable, match="no text"):
        decoded(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")
    with pytest.raises(Unreadable, match="is the most"):
        decoded(b"a" * (MOST_BYTES + 1))


def test_a_clock_is_read_and_written() -> None:
    assert [read_clock(one) for one in ("1:02:03.450", "02:03", "02:03,5", "99:59")] == [
        3723450,
        123000,
        123500,
        5999000,
    ]
    assert [read_clock(one) for one in ("1:60:00", "0:75", "x", "", "-1:00", "1:2:3:4")] == [None] * 6
    assert (clock(3723450), clock(123000), clock(3723450, exact=True)) == ("1:02:03", "2:03", "01:02:03.450")


def test_a_corrected_line_keeps_the_moments_inside() -> None:
    line = Line(
        "Lena",
        "I closed it. She booked it for me. It took a day.",
        5_500,
        40_000,
        ((0, 5_500), (13, 21_000), (35, 33_000)),
    )
    text = as_text([line]).replace("I closed it", "Well, I closed the app").replace("a day", "two days")
    (edited,) = read_edited(text, [line])
    assert edited.cues == ((0, 5_500), (24, 21_000), (46, 33_000))
    assert edited.text[24:].startswith("She booked")
    (other,) = read_edited(text.replace("She booked it for me. ", ""), [line])
    assert other.cues == ((0, 5_500), (24, 33_000))


def test_what_is_edited_keeps_what_was_left_alone() -> None:
    lines = read_transcript(TEAMS).lines
    rows = as_text(lines).split("\n")
    rows[0] = rows[0].replace("Mei Tanaka", "Mei")
    edited = read_edited("\n".join([*rows, "it really rained"]), lines)
    assert edited[0] == Line("Mei", "Tell me about the last time.", 1000, 3500, ((0, 1000),))
    assert edited[1].text.endswith("it rained. it really rained")
    assert read_edited(as_text(lines), lines) == lines
    with pytest.raises(Unreadable, match="no word left"):
        read_edited(" \n", lines)


_WORD = st.text(
    st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp", "Zs"), exclude_characters="<>&{}-:：[]("),
    min_size=1,
    max_size=8,
)


@given(
    st.lists(
        st.tuples(st.sampled_from(["Ana", "Wiktor"]), st.lists(_WORD, min_size=1, max_size=5)), min_size=1, max_size=12
    )
)
def test_no_word_is_lost_and_none_invented(turns: list[tuple[str, list[str]]]) -> None:
    """What goes in as cues comes out as lines: the same words in the same order, each with its speaker."""
    cues = [
        f"{clock(n * 2000, exact=True)} --> {clock(n * 2000 + 1500, exact=True)}\n<v {name}>{' '.join(words)}"
        for n, (name, words) in enumerate(turns)
    ]
    read = read_transcript("WEBVTT\n\n" + "\n\n".join(cues))
    spoken = [(name, word) for name, words in turns for word in " ".join(words).split()]
    assert [(line.speaker, word) for line in read.lines for word in line.text.split()] == spoken
    for line in read.lines:
        assert [offset for offset, _ in line.cues] == sorted({offset for offset, _ in line.cues})
    assert read_edited(as_text(read.lines), read.lines) == read.lines


@given(st.text(max_size=300))
def test_whatever_comes_is_read_or_refused(text: str) -> None:
    for written in (text, "WEBVTT\n\n" + text, "1\n00:00:01,000 --> 00:00:02,000\n" + text):
        try:
            read = read_transcript(written)
        except Unreadable:
            continue
        assert all(line.text.strip() == line.text and line.text for line in read.lines)


CUE = "WEBVTT\n\n00:00:01.000 --> 00:00:02.000\n"


@pytest.mark.parametrize(
    "text",
    [
        "a" + "\n" * 1_990 + "b",
        CUE + "<v " * 300_000,
        CUE + "<v." * 300_000,
        CUE + "<v" + " " * 1_000_000,
        CUE + "Ana: hi\nAna: no\n" + "x\n" * 300_000,
        "Ana: hi\nAna: no\n" + "x\n" * 300_000,
        "Ana: hi\nAna: no\n00:12" + " " * 1_000_000 + "x",
        "Ana: hi\nAna: no\nBob" + " " * 1_000_000 + "x",
        '{"segments": [{"text": "B' + r"\u0020" * 300_000 + '", "start": 1}]}',
    ],
    ids=[
        "blank rows",
        "open tags",
        "open classes",
        "tag",
        "rows of a cue",
        "rows",
        "blanks",
        "named blanks",
        "escaped",
    ],
)
def test_what_is_made_to_take_for_ever_is_read_or_refused_at_once(text: str) -> None:
    """Each of them took from half a minute to hours once."""
    with contextlib.suppress(Unreadable):
        read_transcript(text)


def test_editing_many_rows_without_a_name_takes_no_hour() -> None:
    before = read_transcript("Ana: hi\nWiktor: no").lines
    edited = read_edited("Ana: hi\n" + "x\n" * 300_000, before)
    assert [line.text.count("x") for line in edited] == [300_000]


def test_blanks_between_a_time_a_name_and_words_are_passed_over() -> None:
    read = read_transcript(
        "[00:12]" + " " * 30 + "Ana:" + " " * 30 + "hello\n[00:20] Ana      : bye\nMei" + " " * 40 + "0:30\nyes"
    )
    assert [(line.speaker, line.text, line.start_ms) for line in read.lines] == [
        ("Ana", "hello", 12_000),
        ("Ana", "bye", 20_000),
        ("Mei", "yes", 30_000),
    ]
