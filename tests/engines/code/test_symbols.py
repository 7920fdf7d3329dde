"""Finding a definition by its name in Python as it stands."""

import pytest

from whytree.engines.code.symbols import NotReadable, Symbol, SymbolProblem, find_python, names_it, python_symbols

SOURCE = """import forms

LIMIT: int = 3
A = B = 1


@final
@register("form")
class SignUp(forms.Form):
    phone = forms.CharField(
        required=False,
    )

    @property
    def name(self):
        return 1

    @name.setter
    def name(self, value):
        total = value

    async def clean(self):
        def inner():
            pass


class Other:
    def clean(self): ...


try:
    import fast
except ImportError:
    def fast(): ...
"""


def test_classes_functions_methods_and_constants_have_their_lines() -> None:
    found = {(one.name, one.first, one.last) for one in python_symbols(SOURCE)}
    assert found >= {
        ("LIMIT", 3, 3),
        ("B", 4, 4),
        ("SignUp", 7, 24),
        ("SignUp.phone", 10, 12),
        ("SignUp.clean", 22, 24),
        ("SignUp.clean.inner", 23, 24),
        ("fast", 34, 34),
    }
    assert "SignUp.name.total" not in {name for name, _, _ in found}


def test_a_name_is_found_whole_or_by_its_end() -> None:
    assert find_python("f.py", SOURCE, "SignUp.phone") == Symbol("SignUp.phone", 10, 12)
    assert find_python("f.py", SOURCE, "phone").name == "SignUp.phone"
    assert find_python("f.py", SOURCE, "inner").name == "SignUp.clean.inner"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("clean", r"f.py has 2 called clean: SignUp.clean at 22, Other.clean at 28. Say which: f.py::SignUp.clean"),
        ("SignUp.name", r"f.py has 2 called SignUp.name: .* Say which: f.py:14-16"),
        ("SignUp.claen", r"f.py has no SignUp.claen. Did you mean f.py::SignUp.clean"),
        ("singup", r"Did you mean f.py::SignUp"),
        ("zzzzzz", r"f.py has no zzzzzz. Ask by line: f.py:12"),
    ],
)
def test_what_is_not_one_definition_says_what_to_ask(name: str, words: str) -> None:
    with pytest.raises(SymbolProblem, match=words):
        find_python("f.py", SOURCE, name)


@pytest.mark.parametrize(
    "source", ["def f(:\n", "x = '\0'", "(" * 5000 + ")" * 5000, "x = 1\n" * 400_000, "-" * 100_000 + "1", "\ud800"]
)
def test_what_is_no_python_is_a_sentence_and_no_crash(source: str) -> None:
    with pytest.raises(NotReadable, match=r"f.py is no valid Python"):
        find_python("f.py", source, "f")


def test_a_name_is_a_word_of_its_own() -> None:
    assert names_it("func (s *Store) Save(x int) {", "Save")
    assert not names_it("func UnSave(x int) {", "Save")
    assert not names_it("function save_all() {", "save")
