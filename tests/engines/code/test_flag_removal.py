"""Taking a flag out of Python: the branch that stays is as it was written, and nothing else changes what it does."""

import ast
import subprocess
import sys
from collections.abc import Collection, Iterable
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from whytree.engines.code.python.flags import FlagFinder, collect
from whytree.engines.code.python.names import Project, word
from whytree.engines.code.python.taking_out import Removal, take_out


def removed(files: dict[str, str | bytes], value: Any = True, *, only: Collection[str] = ()) -> Removal:
    """The removal of the flag "x" from these files."""
    texts = {path: dedent(text).encode() if isinstance(text, str) else text for path, text in files.items()}
    project = Project(texts, texts.get)
    finder = FlagFinder(project, ["x"])

    def search(names: Collection[str]) -> Iterable[tuple[str, bytes]]:
        pattern = word(names)
        return [(path, text) for path, text in texts.items() if path.endswith(".py") and pattern.search(text)]

    holding = [path for path, text in texts.items() if path.endswith(".py") and word(["x"]).search(text)]
    modules = collect(project, finder, holding, lambda some: [path for path, _ in search(some)], 100)
    sources = {one.path: texts[one.path] for one in modules if not only or one.path in only}
    return take_out(project, finder, sources, search, value=value)


def after(code: str, value: Any = True) -> str:
    result = removed({"a.py": code}, value)
    assert not result.refusals, result.refusals
    text = result.files[0].after
    assert text is not None
    ast.parse(text)
    return text.decode()


def refusal(code: str, value: Any = True) -> str:
    result = removed({"a.py": code}, value)
    assert result.files[0].after is None, result.files[0].after
    return f"{result.refusals[0].line}: {result.refusals[0].says}"


CASES = {
    "if and else": (
        """\
        if is_on("x"):  # the trial
            # People asked for it.
            later()

            text = '''
                stays where it is
            '''
        else:
            now()
        go_on()
        """,
        """\
        # People asked for it.
        later()

        text = '''
                stays where it is
            '''
        go_on()
        """,
        """\
        now()
        go_on()
        """,
    ),
    "not": ('if not is_on("x"):\n    now()\nelse:\n    later()\n', "later()\n", "now()\n"),
    "is_off says the opposite": ('if flags.is_off("x"):\n    now()\nelse:\n    later()\n', "later()\n", "now()\n"),
    "early return": (
        """\
        def plan(booking):
            \"\"\"One message.\"\"\"
            if not is_on("x", booking.person):
                return

            send(booking)
        """,
        """\
        def plan(booking):
            \"\"\"One message.\"\"\"

            send(booking)
        """,
        """\
        def plan(booking):
            \"\"\"One message.\"\"\"
            return
        """,
    ),
    "early return of the winner": (
        """\
        def form(request):
            if is_on("x"):
                return Short(request)
            form = Long(request)
            # never again
            return form


        def other():
            pass
        """,
        """\
        def form(request):
            return Short(request)


        def other():
            pass
        """,
        """\
        def form(request):
            form = Long(request)
            # never again
            return form


        def other():
            pass
        """,
    ),
    "elif in the middle": (
        """\
        if a:
            one()
        # about the trial
        elif is_on("x"):
            two()
        # about the rest
        elif b:
            three()
        else:
            four()
        """,
        """\
        if a:
            one()
        # about the trial
        else:
            two()
        """,
        """\
        if a:
            one()
        # about the trial
        # about the rest
        elif b:
            three()
        else:
            four()
        """,
    ),
    "first of a chain": (
        """\
        if is_on("x"):
            one()
        elif b:
            two()
        else:
            three()
        """,
        "one()\n",
        """\
        if b:
            two()
        else:
            three()
        """,
    ),
    "last elif": (
        'if a:\n    one()\nelif is_on("x"):\n    two()\nelse:\n    three()\n',
        "if a:\n    one()\nelse:\n    two()\n",
        "if a:\n    one()\nelse:\n    three()\n",
    ),
    "last elif without else": (
        'if a:\n    one()\nelif is_on("x"):\n    two()\n',
        "if a:\n    one()\nelse:\n    two()\n",
        "if a:\n    one()\n",
    ),
    "an if inside an else": (
        'if a:\n    one()\nelse:\n    if is_on("x"):\n        two()\n',
        "if a:\n    one()\nelse:\n    two()\n",
        "if a:\n    one()\n",
    ),
    "ternary": ('v = small(a) if is_on("x") else (b, c)\n', "v = small(a)\n", "v = (b, c)\n"),
    "nested ternary": ('v = a if is_on("x") else b if c else d\n', "v = a\n", "v = b if c else d\n"),
    "ternary in a call": (
        'f(1, a if not is_on("x") else lambda: 0, 2)\n',
        "f(1, lambda: 0, 2)\n",
        "f(1, a, 2)\n",
    ),
    "and": ('if a and is_on("x"):\n    f()\n', "if a:\n    f()\n", ""),
    "and, first": ('if is_on("x") and (a or b):\n    f()\n', "if (a or b):\n    f()\n", ""),
    "and, in the middle of lines": (
        'if (\n    a()\n    and is_on("x")\n    and b()\n):\n    f()\n',
        "if (\n    a()\n    and b()\n):\n    f()\n",
        None,
    ),
    "and, over a backslash": ('if a \\\n        and is_on("x"):\n    f()\n', "if a:\n    f()\n", ""),
    "or not": (
        'if person.phone or not is_on("x", person):\n    f()\n',
        "if person.phone:\n    f()\n",
        "f()\n",
    ),
    "a value with and": ('v = is_on("x") and pick()\n', "v = pick()\n", "v = False\n"),
    "a value with and last": ('v = pick() and is_on("x")\n', "v = pick() and True\n", "v = pick() and False\n"),
    "a value with or": ('v = is_on("x") or pick()\n', "v = True\n", "v = pick()\n"),
    "parentheses around operands": ('if (is_on("x")) and (a):\n    f()\n', "if (a):\n    f()\n", ""),
    "local used twice": (
        """\
        def f(a):
            enabled = is_on("x", a.person)
            if enabled:
                one()
            return two() if enabled else three()
        """,
        """\
        def f(a):
            one()
            return two()
        """,
        """\
        def f(a):
            return three()
        """,
    ),
    "local of a negation, read in a closure": (
        """\
        def f(a):
            old = not is_on("x")

            def g():
                return 1 if old else 2

            return g
        """,
        """\
        def f(a):
            def g():
                return 2

            return g
        """,
        """\
        def f(a):
            def g():
                return 1

            return g
        """,
    ),
    "awaited": (
        'async def f():\n    if await is_on("x"):\n        one()\n',
        "async def f():\n    one()\n",
        "async def f():\n    pass\n",
    ),
    "a value handed on": ('render(t, {"x2": is_on("x")})\n', 'render(t, {"x2": True})\n', 'render(t, {"x2": False})\n'),
    "compared with a truth": ('if is_on("x") is True:\n    f()\n', "f()\n", ""),
    "a loop": ('while is_on("x"):\n    f()\ng()\n', "while True:\n    f()\ng()\n", "g()\n"),
    "the only statement of a with": (
        'with lock:\n    if is_on("x"):\n        f()\n',
        "with lock:\n    f()\n",
        "with lock:\n    pass\n",
    ),
    "one line": ('if is_on("x"): a(); b()  # both\nelse: c()\nd()\n', "a(); b()  # both\nd()\n", "c()\nd()\n"),
    "one inside the other": (
        'if is_on("x"):\n    if a or is_on("x"):\n        f()\n    else:\n        g()\n',
        "f()\n",
        "",
    ),
    "a decorated function and a class": (
        'if is_on("x"):\n    @one\n    def f():\n        return 1\n\n    class A:\n        """Text\n        over lines."""\n',
        '@one\ndef f():\n    return 1\n\nclass A:\n    """Text\n        over lines."""\n',
        "",
    ),
    "tabs": (
        'def f():\n\tif is_on("x"):\n\t\tone()\n\t\ttwo()\n',
        "def f():\n\tone()\n\ttwo()\n",
        "def f():\n\tpass\n",
    ),
    "windows line ends": (
        'if is_on("x"):\r\n    one()\r\nelse:\r\n    two()\r\n',
        "one()\r\n",
        "two()\r\n",
    ),
    "letters of more bytes": ('s = "é"; n = "ü" if is_on("x") else "ö"\n', 's = "é"; n = "ü"\n', 's = "é"; n = "ö"\n'),
    "no newline at the end": ('if is_on("x"):\n    one()', "one()", ""),
    "comments of the branches": (
        """\
        if is_on("x"):
            one()
            # end of one
        # about two
        else:
            # begin of two
            two()
            # end of two
        # after
        three()
        """,
        """\
        one()
        # end of one
        # after
        three()
        """,
        """\
        # about two
        # begin of two
        two()
        # end of two
        # after
        three()
        """,
    ),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("value", [True, False])
def test_the_branch_that_stays_is_as_it_was_written(case: str, value: bool) -> None:
    before, on, off = (dedent(text) if text is not None else None for text in CASES[case])
    wanted = on if value else off
    assert before is not None
    if wanted is None:
        assert "would still be evaluated" in refusal(before, value)
    else:
        assert after(before, value) == wanted


@pytest.mark.parametrize(
    ("code", "value", "wanted"),
    [
        ('if variation("x", c, "a") == "b":\n    f()\nelse:\n    g()\n', "b", "f()\n"),
        ('if "b" != variation("x", c, "a"):\n    f()\nelse:\n    g()\n', "b", "g()\n"),
        ('if get_feature_flag("x", me) in ("b", "c"):\n    f()\n', "b", "f()\n"),
        ('v = variation("x", c, "a")\n', "b", 'v = "b"\n'),
        ("v = variation('x', c, 'a')\n", "it's", 'v = "it\'s"\n'),
        ('NEW = "b"\nif variation("x", c) == NEW:\n    f()\n', "b", 'NEW = "b"\nf()\n'),
        ('n = client.get_integer_value("x", 3) + 1\n', 7, "n = 7 + 1\n"),
        (
            'def f():\n    arm = variation("x", c, "a")\n    if arm == "a":\n        return 1\n'
            '    elif arm == "b":\n        return 2\n    return 3\n',
            "b",
            "def f():\n    return 2\n",
        ),
    ],
)
def test_variants_are_compared_as_the_code_compares_them(code: str, value: Any, wanted: str) -> None:
    assert after(code, value) == wanted


@pytest.mark.parametrize(
    ("code", "value", "says"),
    [
        ('@flag_required(is_on("x"))\ndef f():\n    pass\n', True, "1: is_on() decorates f"),
        ('@waffle_flag("x")\ndef f():\n    pass\n', True, "1: handed to waffle_flag()"),
        ('def test(flag):\n    flag("x", True)\n', True, "2: the value of flag() is not used here"),
        ('FLAGS = {"x": True}\n', True, "1: a string"),
        ("print(f\"{is_on('x')}\")\n", True, "1: is_on() is asked inside an f-string"),
        ('if is_on("x", load()):\n    f()\n', True, "1: an argument does something: load()"),
        ('if is_on("x", (p := me)):\n    f()\n', True, "1: an argument does something: namedexpr"),
        ('if connect().is_on("x"):\n    f()\n', True, "1: what it is asked of does something: connect()"),
        ('if load() and is_on("x"):\n    f()\n', False, "1: load() would still be evaluated"),
        ('if is_on("x"):\n    f()\n', "b", "1: is_on() gives no value like 'b'"),
        ('c = get_object_value("x", {})\n', True, "1: get_object_value() gives no value"),
        ('assert not is_on("x")\n', True, "1: this assertion would always fail"),
        ('def f():\n    if is_on("x"):\n        yield 1\n    return 2\n', False, "1: f would be no generator any more"),
        (
            'y = 1\ndef f():\n    if is_on("x"):\n        y = 2\n    return y\n',
            False,
            "2: y is only set in the branch that goes, and f still reads it",
        ),
        ('if is_on("x"):\n    def g():\n        pass\ng()\n', False, "1: g is only set in the branch that goes"),
        ('K = "x"\nALL = [K]\nif is_on(K):\n    f()\n', True, "2: as K"),
        ("def f(:\n", True, ""),
        ('a = 1; b = is_on("x") and 2\nif a: pass\nfor i in is_on("x"): pass\n', True, ""),
    ],
)
def test_what_is_unsure_is_refused_with_its_line_and_the_reason(code: str, value: Any, says: str) -> None:
    result = removed({"a.py": code}, value)
    if not says:
        return
    assert says in refusal(code, value)
    assert not result.changed


def test_a_local_name_that_is_set_twice_or_looked_at_is_no_constant() -> None:
    twice = 'def f(a):\n    on = is_on("x")\n    if a:\n        on = False\n    return on\n'
    assert after(twice) == twice.replace('is_on("x")', "True")
    watched = 'def f():\n    on = is_on("x")\n    return locals()\n'
    assert after(watched) == watched.replace('is_on("x")', "True")


def test_a_value_that_stays_as_a_literal_is_noted() -> None:
    result = removed({"a.py": 'ENABLED = is_on("x")\n'})
    assert [(one.line, "became True here" in one.says) for one in result.notes] == [(1, True)]


# Leftovers ------------------------------------------------------------------------------------------------


def test_imports_that_nothing_names_any_more_go_and_others_stay() -> None:
    files = {
        "app/use.py": """\
            import json
            from app import flags, texts
            from app.context import (
                Context,
                person_of,
            )
            from app.old import slow  # noqa: F401

            if flags.is_on("x", Context(person_of)):
                texts.say()
            else:
                slow()
            """,
        "app/flags.py": "def is_on(key, person):\n    return client.get_boolean_value(key, False, person)\n",
        "app/__init__.py": "",
    }
    result = removed(files)
    assert (
        result.changed[0].after
        == dedent(
            """\
        import json
        from app import texts
        from app.old import slow  # noqa: F401

        texts.say()
        """
        ).encode()
    )


def test_an_import_that_others_take_from_here_stays() -> None:
    files = {
        "app/use.py": 'from app import flags\n\nif flags.is_on("x"):\n    go()\n',
        "app/other.py": "from app.use import flags\n",
    }
    assert b"import flags" in (removed(files).changed[0].after or b"")
    files["app/other.py"] = "import app.use\n\napp.use.flags.is_on(1)\n"
    assert b"import flags" in (removed(files).changed[0].after or b"")
    files["app/other.py"] = "from app.use import *\n"
    assert b"import flags" in (removed(files).changed[0].after or b"")
    files["app/other.py"] = "import flags\n"
    assert b"import flags" not in (removed(files).changed[0].after or b"")


def test_a_constant_goes_with_its_last_use_over_all_files() -> None:
    files = {
        "app/keys.py": 'DEFER = "x"\nOTHER = "y"\n',
        "app/one.py": "from app.keys import DEFER, OTHER\n\nif is_on(DEFER) or is_on(OTHER):\n    go()\n",
        "app/two.py": "from app import keys\n\nif is_on(keys.DEFER):\n    go()\n",
    }
    result = removed(files)
    assert {one.path: one.after for one in result.changed} == {
        "app/keys.py": b'OTHER = "y"\n',
        "app/one.py": b"go()\n",
        "app/two.py": b"go()\n",
    }


def test_an_enum_keeps_its_member_and_that_is_said() -> None:
    files = {"a.py": 'class K(StrEnum):\n    DEFER = "x"\n\n\nif is_on(K.DEFER):\n    go()\n'}
    result = removed(files)
    assert result.changed[0].after == b'class K(StrEnum):\n    DEFER = "x"\n\n\ngo()\n'
    assert any("K.DEFER still names it, and nothing reads that" in one.says for one in result.notes)


def test_a_name_that_other_files_take_from_the_losing_branch_is_refused() -> None:
    files = {
        "app/use.py": 'if is_on("x"):\n    from a import new as make\nelse:\n    def make():\n        pass\n    def old():\n        pass\n',
        "app/other.py": "from app.use import old\n",
    }
    result = removed(files)
    assert "old is only defined in the branch that goes" in result.refusals[0].says
    assert not result.changed


def test_another_encoding_and_a_byte_order_mark_stay_or_are_refused() -> None:
    marked = b'\xef\xbb\xbfif is_on("x"):\n    f("\xc3\xa9")\n'
    assert removed({"a.py": marked}).changed[0].after == b'\xef\xbb\xbff("\xc3\xa9")\n'
    latin = b'# coding: latin-1\nif is_on("x"):\n    f("\xe9")\n'
    assert "latin" in removed({"a.py": latin}).refusals[0].says or "8859" in removed({"a.py": latin}).refusals[0].says


# The code still does what it did ---------------------------------------------------------------------------

APP = {
    "app/__init__.py": "",
    "app/flags.py": """\
        STATE = {"x": True}


        def is_on(key, person=None):
            return STATE.get(key, False)
        """,
    "app/sign_up.py": '''\
        """The form."""

        from app import flags
        from app.keys import X, Keys

        FIELDS = ["email", "phone"]


        def fields(person):
            """What this person is asked."""
            deferred = flags.is_on(X, person)
            if deferred and person:
                # The number can wait.
                kept = [name for name in FIELDS if name != "phone"]
            elif not deferred:
                kept = list(FIELDS)
            else:
                kept = []
            return kept


        class Form:
            def __init__(self, person):
                self.person = person
                self.is_short = flags.is_on(Keys.DEFER, person)

            def title(self):
                return "Short" if flags.is_on("x", self.person) else f"""Long
            form"""

            def steps(self):
                if not flags.is_on("x", self.person):
                    yield "phone"
                yield "email"
                try:
                    if flags.is_on("x") or self.person is None:
                        return
                    yield "late"
                finally:
                    self.done = True
        ''',
    "app/keys.py": 'X = "x"\nY = "y"\n\n\nclass Keys:\n    DEFER = "x"\n',
}
CHECKS = """\
from app.sign_up import Form, fields


def check(on):
    if on:
        assert fields("ana") == ["email"] and fields("") == []
        assert Form("ana").title() == "Short" and Form("ana").is_short
        assert list(Form("ana").steps()) == ["email"] and list(Form(None).steps()) == ["email"]
    else:
        assert fields("ana") == ["email", "phone"]
        assert Form("ana").title() == "Long\\n    form" and not Form("ana").is_short
        assert list(Form("ana").steps()) == ["phone", "email", "late"] and list(Form(None).steps()) == ["phone", "email"]
"""


def _green(folder: Path, files: dict[str, bytes], run: str) -> None:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(text)
    (folder / "checks.py").write_text(CHECKS)
    done = subprocess.run([sys.executable, "-W", "error", "-c", run], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("value", [True, False])
def test_the_apps_own_tests_are_green_before_and_after(tmp_path: Path, value: bool) -> None:
    files = {path: dedent(text).encode() for path, text in APP.items()}
    both = "import checks; from app import flags; checks.check(True); flags.STATE['x'] = False; checks.check(False)"
    _green(tmp_path / "before", files, both)
    result = removed(dict(APP), value, only=["app/sign_up.py", "app/keys.py"])
    assert not result.refusals
    changed = {one.path: one.after for one in result.changed if one.after is not None}
    assert b"is_on" not in changed["app/sign_up.py"]
    assert changed["app/keys.py"].startswith(b'Y = "y"')
    only_one = f"import checks; from app import flags; flags.STATE.clear(); checks.check({value})"
    _green(tmp_path / "after", files | changed, only_one)
