"""Random programs do the same before and after, with the same calls in the same order; or the removal is refused."""

import ast
import random
from typing import Any

import pytest

from whytree.engines.code.python.flags import FlagFinder
from whytree.engines.code.python.names import Project
from whytree.engines.code.python.removal import remove

PROGRAMS = 120


class Writer:
    """Writes a random function that asks for the flag in many ways."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)
        self.number = 0
        self.locals = 0

    def program(self) -> str:
        body = self.block(1, 0)
        return "def f(a, b):\n" + "".join(body) + "    t('end')\n    return a\n\n\ndef after():\n    return 1\n"

    def condition(self, depth: int = 0) -> str:
        kind = self.draw.choice(["flag", "flag", "a", "b", "call", "not", "and", "or", "compare", "local"])
        if depth > 2 and kind in ("not", "and", "or"):
            kind = "flag"
        if kind == "flag":
            return self.draw.choice(['is_on("x")', 'is_on("x", a)', 'is_off("x")'])
        if kind == "call":
            self.number += 1
            return f"c({self.number})"
        if kind == "not":
            return f"not ({self.condition(depth + 1)})"
        if kind in ("and", "or"):
            parts = [self.condition(depth + 1) for _ in range(self.draw.choice([2, 3]))]
            return f" {kind} ".join(f"({part})" for part in parts)
        if kind == "compare":
            return 'is_on("x") is True'
        if kind == "local" and self.locals:
            return f"v{self.draw.randrange(self.locals)}"
        return kind if kind in "ab" else "a"

    def block(self, indent: int, depth: int) -> list[str]:
        lines: list[str] = []
        for _ in range(self.draw.randint(1, 4)):
            lines += self.statement("    " * indent, indent, depth)
        return lines

    def statement(self, pad: str, indent: int, depth: int) -> list[str]:
        self.number += 1
        n = self.number
        kinds = ["call", "call", "value", "ternary", "blank", "comment"]
        if depth < 3:
            kinds += ["if", "if", "if", "else", "elif", "elif", "try", "for", "local", "return"]
        match self.draw.choice(kinds):
            case "if":
                return [f"{pad}if {self.condition()}:  # {n}\n", *self.block(indent + 1, depth + 1)]
            case "else":
                first, second = self.block(indent + 1, depth + 1), self.block(indent + 1, depth + 1)
                return [f"{pad}if {self.condition()}:\n", *first, f"{pad}else:\n", *second]
            case "elif":
                lines = [f"{pad}if {self.condition()}:\n", *self.block(indent + 1, depth + 1)]
                for _ in range(self.draw.randint(1, 3)):
                    lines += [f"{pad}elif {self.condition()}:\n", *self.block(indent + 1, depth + 1)]
                if self.draw.random() < 0.5:
                    lines += [f"{pad}else:\n", *self.block(indent + 1, depth + 1)]
                return lines
            case "try":
                first, second = self.block(indent + 1, depth + 1), self.block(indent + 1, depth + 1)
                return [f"{pad}try:\n", *first, f"{pad}finally:\n", *second]
            case "for":
                end = self.draw.choice(["", f"{pad}    continue\n", f"{pad}    break\n"])
                other = [f"{pad}else:\n", f"{pad}    t({n})\n"] if self.draw.random() < 0.3 else []
                body = self.block(indent + 1, depth + 1)
                return [
                    f"{pad}for i in range(2):\n",
                    *body,
                    f"{pad}    if {self.condition()}:\n{pad}        break\n",
                    end,
                    *other,
                ]
            case "local":
                self.locals += 1
                answer = self.draw.choice(['is_on("x")', 'not is_on("x")'])
                return [f"{pad}v{self.locals - 1} = {answer}\n"]
            case "return":
                return [f"{pad}if {self.condition()}:\n{pad}    return {n}\n"]
            case "value":
                return [f"{pad}t({n}, {self.condition()})\n"]
            case "ternary":
                return [f"{pad}t({n} if {self.condition()} else c({n}))\n"]
            case "blank":
                return ["\n", f"{pad}t({n})\n"]
            case "comment":
                return [f"{pad}# about {n}\n", f'{pad}t("""{n}\n  text""")\n']
        return [f"{pad}t({n})\n"]


def trace(code: str, flag: bool) -> list[Any]:
    """What the function does for each pair of arguments."""
    told: list[Any] = []

    def call(number: int) -> bool:
        told.append(("c", number))
        return number % 3 == 0

    names = {
        "is_on": lambda *words: flag,
        "is_off": lambda *words: not flag,
        "t": lambda *words: told.append(words),
        "c": call,
    }
    exec(compile(code, "f.py", "exec"), names)
    for a in (True, False):
        for b in (True, False):
            try:
                told.append(("=", names["f"](a, b)))
            except UnboundLocalError:
                told.append("unbound")
    return told


@pytest.mark.slow
@pytest.mark.parametrize("flag", [True, False])
def test_random_programs_do_the_same_or_are_refused(flag: bool) -> None:
    changed = 0
    for seed in range(PROGRAMS):
        code = Writer(seed).program()
        project = Project([], lambda path: None)
        result = remove(project, FlagFinder(project, ["x"]), "f.py", code.encode(), value=flag)
        if result.after is None:
            assert result.refusals, code
            continue
        after = result.after.decode()
        ast.parse(after)
        assert "is_o" not in after, f"{seed}\n{code}\n---\n{after}"
        before = trace(code, flag)
        if "unbound" not in before:
            assert trace(after, flag) == before, f"{seed}\n{code}\n---\n{after}"
            changed += 1
    assert changed > PROGRAMS / 4
