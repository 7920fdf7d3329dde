"""Flags in code: what is resolved is right, what is text says so, and the CSV is LaunchDarkly's."""

import csv
import io
from collections.abc import Collection, Iterable

import pytest

from whytree.engines.code.flag_references import (
    CSV_COLUMNS,
    LINE_LENGTH,
    MOST_PLACES,
    Hunk,
    Reference,
    around,
    as_csv,
    capped,
    csv_name,
    find_references,
    hunks,
    key_pattern,
)
from whytree.engines.code.python.names import Project, word


def find(files: dict[str, str], *keys: str) -> list[Reference]:
    """References in these files, found as a clone's are."""
    texts = {path: text.encode() for path, text in files.items()}
    pattern = key_pattern(keys)

    def speaking_of(names: Collection[str]) -> Iterable[str]:
        return [path for path, text in texts.items() if path.endswith(".py") and word(names).search(text)]

    holding = {path: text for path, text in texts.items() if pattern.search(text)}
    return find_references(keys, holding, Project(texts, texts.get), speaking_of)


def told(found: Iterable[Reference]) -> list[tuple[str, int, str]]:
    return [(one.path, one.line, one.how) for one in found]


ASK = "import flags\nif flags.is_on({}):\n    pass\n"


@pytest.mark.parametrize(
    ("keys", "use"),
    [
        ("DEFER = 'defer'\n", "from keys import DEFER\nfrom app.keys import DEFER as D\nis_on(D)\n"),
        ("DEFER = 'defer'\nLATER = DEFER\n", "import app.keys\nis_on(app.keys.LATER)\n"),
        ("class Keys:\n    DEFER = 'defer'\n", "from app import keys as k\nis_on(k.Keys.DEFER)\n"),
        (
            "import enum\nclass Keys(enum.StrEnum):\n    DEFER = 'defer'\n",
            "from .keys import Keys\nis_on(Keys.DEFER)\n",
        ),
        (
            "from enum import Enum\nclass Keys(Enum):\n    DEFER = 'defer'\n",
            "from .keys import Keys\nis_on(Keys.DEFER.value)\n",
        ),
        ("from typing import Final\nDEFER: Final = 'defer'\n", "from . import keys\nis_on(keys.DEFER)\n"),
        (
            "class Base:\n    DEFER = 'defer'\nclass Keys(Base):\n    pass\n",
            "from .keys import Keys\nis_on(Keys.DEFER)\n",
        ),
    ],
)
def test_a_constant_is_followed_through_modules_classes_and_enums(keys: str, use: str) -> None:
    found = find({"app/keys.py": keys, "app/use.py": use, "app/__init__.py": ""}, "defer")
    line = next(number for number, text in enumerate(use.splitlines(), 1) if "is_on" in text)
    assert ("app/use.py", line, "resolved") in told(found)
    defined = next(number for number, text in enumerate(keys.splitlines(), 1) if "'defer'" in text)
    assert ("app/keys.py", defined, "resolved") in told(found)


@pytest.mark.parametrize(
    "code",
    [
        "KEY = 'defer'\nKEY = 'other'\nis_on(KEY)\n",
        "KEY = 'defer'\ndef f(KEY):\n    return is_on(KEY)\n",
        "KEY = 'defer'\ndef f():\n    global KEY\n    KEY = 'other'\nis_on(KEY)\n",
        "KEY = 'defer'\nfor KEY in names:\n    is_on(KEY)\n",
        "KEY = 'defer'\ntry:\n    from x import KEY\nexcept ImportError:\n    pass\nis_on(KEY)\n",
        "class A:\n    KEY = 'defer'\n    def f(self):\n        self.KEY = other()\n        return is_on(self.KEY)\n",
    ],
)
def test_a_name_that_may_be_something_else_is_not_resolved(code: str) -> None:
    line = next(number for number, text in enumerate(code.splitlines(), 1) if "is_on" in text)
    assert all(one.line != line for one in find({"a.py": code}, "defer") if one.how == "resolved")


def test_two_modules_of_one_name_are_told_apart_by_where_the_importer_stands() -> None:
    files = {
        "one/keys.py": "K = 'defer'\n",
        "two/keys.py": "K = 'other'\n",
        "one/use.py": "from keys import K\nx = is_on(K)\n",
        "two/use.py": "from keys import K\nx = is_on(K)\n",
    }
    assert [one.path for one in find(files, "defer") if "asked" in one.says] == ["one/use.py"]


def test_a_class_attribute_is_resolved_through_self() -> None:
    code = "class View:\n    flag_key = 'defer'\n    def get(self):\n        return is_on(self.flag_key)\n"
    assert ("a.py", 4, "resolved") in told(find({"a.py": code}, "defer"))


def test_a_wrapper_that_only_passes_the_key_on_is_one_who_asks() -> None:
    files = {
        "app/gates.py": "def opened(key, who):\n    'Says.'\n    return client.get_boolean_value(key, False, who)\n",
        "app/use.py": "from app import gates\nif gates.opened('defer', me):\n    pass\n",
    }
    assert [(one.how, one.says) for one in find(files, "defer")] == [("resolved", "asked with opened()")]


def test_a_common_word_is_a_text_match_where_nobody_asks_for_it_and_comes_last() -> None:
    files = {
        "a.py": "x = {'on': 1}['on']\n# turn it on\nrequest.GET.get('on')\nif is_on('on', me):\n    pass\n",
        "README.md": "It is on the way.\n",
    }
    found = find(files, "on")
    assert told(found) == [
        ("a.py", 4, "resolved"),
        ("README.md", 1, "text"),
        ("a.py", 1, "text"),
        ("a.py", 2, "text"),
        ("a.py", 3, "text"),
    ]
    assert [one.says for one in found[1:3]] == ["in prose", "a string"]


def test_a_file_that_does_not_parse_is_matched_as_text_and_says_so() -> None:
    found = find({"old.py": "print 'x'\nif is_on('defer'):\n"}, "defer")
    assert [(one.line, one.how, one.says) for one in found] == [(2, "text", "does not parse as Python")]


def test_a_key_is_found_whole_and_whatever_characters_it_has() -> None:
    files = {"a.js": "phone_number; phone-x; phone; a.*b; axxb; 'c+d'"}
    assert [one.key for one in find(files, "phone", "a.*b", "c+d")] == ["a.*b", "c+d", "phone"]


def test_latin_1_and_broken_bytes_are_read() -> None:
    texts = {"a.py": b"# -*- coding: latin-1 -*-\nn = '\xe9'\nis_on('defer')\n", "b.txt": b"\xff\xfe defer \x80\n"}
    found = find_references(["defer"], texts, Project(texts, texts.get), lambda names: [])
    assert told(found) == [("a.py", 3, "resolved"), ("b.txt", 1, "text")]


def test_deeply_nested_code_does_not_break_the_search() -> None:
    code = "x = " + "(" * 150 + "1" + ")" * 150 + "\nis_on('defer')\n" + "y = " + " + ".join(["1"] * 3000) + "\n"
    assert [one.line for one in find({"a.py": code}, "defer")] == [2]


def test_no_more_places_than_anybody_reads_and_the_rest_is_counted() -> None:
    found = find({"a.txt": "on\n" * (MOST_PLACES + 7)}, "on")
    kept, more = capped(found)
    assert (len(kept), more) == (MOST_PLACES, {"on": 7})


def test_hunks_have_two_lines_of_context_and_join_where_they_touch() -> None:
    lines = [f"line {number}" for number in range(1, 21)]
    places = [Reference("k", "a.py", line, "text") for line in (2, 6, 15)]
    found = hunks(places, lambda path: lines)
    assert [(one.start, len(one.lines)) for one in found] == [(1, 8), (13, 5)]
    assert found[0].lines == tuple(lines[:8])


def test_a_minified_line_is_cut() -> None:
    assert len(around(["x" * 5_000_000], 1)[1][0]) == LINE_LENGTH + 1


def test_the_csv_has_launchdarklys_columns_order_and_name() -> None:
    places = [Reference("b", "z.py", 1, "text"), Reference("a", "a,b.py", 2, "resolved", alias="K.A")]
    text = as_csv(hunks(places, lambda path: ['say "hi"', "two"]), "sprout")
    rows = list(csv.reader(io.StringIO(text)))
    assert tuple(rows[0]) == CSV_COLUMNS
    assert [row[:6] for row in rows[1:]] == [
        ["a", "sprout", "a,b.py", "1", 'say "hi"\ntwo', "K.A"],
        ["b", "sprout", "z.py", "1", 'say "hi"\ntwo', ""],
    ]
    assert rows[1][6] == rows[2][6]
    assert csv_name("my app/../x", "sprout", "0123456789") == "coderefs_sprout_my-app-..-x_0123456.csv"


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t=", "\r=", "\n\t @"])
def test_no_cell_of_the_csv_is_computed_by_a_spreadsheet(sign: str) -> None:
    evil = f"{sign}HYPERLINK(0)"
    text = as_csv([Hunk(evil, evil, 1, (evil, "two"), (evil,))], evil)
    row = list(csv.reader(io.StringIO(text, newline="")))[1]
    assert row[:6] == [f"'{evil}", f"'{evil}", f"'{evil}", "1", f"'{evil}\ntwo", f"'{evil}"]


def test_a_line_that_is_only_indented_stays_as_it_is_in_the_csv() -> None:
    text = as_csv([Hunk("a", "b.go", 1, ("\tif on(a) {", "\t\treturn -1"), ())], "sprout")
    assert list(csv.reader(io.StringIO(text)))[1][4] == "\tif on(a) {\n\t\treturn -1"
