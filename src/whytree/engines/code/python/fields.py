"""Who reads what people type into a form field: places outside the form, nobody, or not to be told.

    finder = FieldFinder(project, modules, classes_named)
    finder.look("company_size", mentions)        # FieldReads("company_size", "nobody", ...)

"Nobody" is only said of a field of a plain form class (Django's `forms.Form`, WTForms, Flask-WTF) that no code names
outside of it, while nothing in the repository takes the form's data as a whole: then its value has no way out. Whatever
might be such a way makes the answer "unsure", and is listed.
"""

import ast
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from .carriers import Carriers, Spot, last_name
from .names import Module, Project, word

Verdict = Literal["read", "nobody", "unsure"]

PLAIN_FORMS = frozenset({"Form", "FlaskForm", "SecureForm"})
_SQL = re.compile(r"\b(?:select|insert|update|delete|where|from|join|set)\b", re.IGNORECASE)
_TEST_PATH = re.compile(r"(?:^|/)(?:tests?|conftest|testing)(?:/|\.py$|_)|(?:^|/)test_[^/]*\.py$|_tests?\.py$")
_MIGRATION = re.compile(r"(?:^|/)migrations/")
_TEMPLATE = (".html", ".htm", ".jinja", ".jinja2", ".j2", ".djhtml", ".html-fragment")
_PROSE = (".md", ".rst", ".txt", ".adoc", ".po", ".pot", ".mo", ".css", ".scss", ".svg")
_INPUT = re.compile(
    r"\b(?:name|id|for|data-field|aria-describedby|placeholder|list)\s*=\s*[\"']?(?:id_)?$", re.IGNORECASE
)
MOST_PLACES = 50


@dataclass
class FieldReads:
    """`reads`: where its value is taken out of the form. `hides`: what may do so without naming it."""

    name: str
    verdict: Verdict = "unsure"
    reads: list[Spot] = field(default_factory=list)
    hides: list[Spot] = field(default_factory=list)
    defined: list[Spot] = field(default_factory=list)
    tests: list[Spot] = field(default_factory=list)
    says: str = ""


class FieldFinder:
    """Looks fields up in one repository.

    `modules` are those in which `carriers.CARRIERS` matches; `unread` are sentences on files that could not be looked at;
    `naming` gives the Python modules in which any of some names stands.
    """

    def __init__(
        self,
        project: Project,
        modules: Sequence[Module],
        naming: Callable[[Collection[str]], Iterable[Module]],
        unread: Iterable[Spot] = (),
    ) -> None:
        self._project = project
        self._naming = naming
        self._everywhere = list(unread)
        carriers = Carriers(project)
        for module in modules:
            if not is_test(module.path) and not _MIGRATION.search(module.path):
                self._everywhere += carriers.in_module(module)

    def look(self, name: str, mentions: Mapping[str, bytes]) -> FieldReads:
        """`mentions` are all tracked text files in which the name stands."""
        found = FieldReads(name)
        forms = self._forms(name, mentions, found)
        for path, text in sorted(mentions.items()):
            if _MIGRATION.search(path):
                continue
            module = self._project.module(path) if path.endswith(".py") else None
            if module is not None:
                self._in_python(module, name, forms, found)
            elif is_test(path):
                found.tests += list(_lines(path, text, name, "in a test"))[:MOST_PLACES]
            elif path.lower().endswith(_TEMPLATE):
                _in_template(path, text.decode("utf-8", "replace"), name, found)
            elif not path.lower().endswith(_PROSE):
                says = "does not parse as Python" if path.endswith(".py") else "names it, and is not Python"
                found.hides += list(_lines(path, text, name, says))[:MOST_PLACES]
        found.hides += self._everywhere
        return _judged(found)

    # Forms

    def _forms(self, name: str, mentions: Mapping[str, bytes], found: FieldReads) -> set[ast.ClassDef]:
        """Plain form classes that have the field, with those that inherit it."""
        owners: list[tuple[Module, ast.ClassDef]] = []
        for path in mentions:
            module = self._project.module(path) if path.endswith(".py") else None
            for node in module.nodes() if module is not None and not is_test(path) else ():
                if isinstance(node, ast.ClassDef) and module is not None and _own_field(node, name):
                    owners.append((module, node))
        forms: set[ast.ClassDef] = set()
        waiting, seen = list(owners), set[ast.ClassDef]()
        while waiting:
            module, node = waiting.pop()
            if node in seen:
                continue
            seen.add(node)
            doubt = self._doubt(module, node)
            if doubt:
                found.hides.append(Spot(module.path, node.lineno, f"{node.name} {doubt}"))
            else:
                forms.add(node)
            for heir in self._heirs(node):
                waiting.append(heir)
        for module, node in owners:
            line = _own_field(node, name)
            if node in forms and line:
                found.defined.append(Spot(module.path, line, f"a field of {node.name}"))
        return forms

    def _heirs(self, node: ast.ClassDef) -> Iterator[tuple[Module, ast.ClassDef]]:
        for module in self._naming([node.name]):
            for other in module.nodes():
                if isinstance(other, ast.ClassDef) and other is not node:
                    bases = [own for _, own in self._project.bases(module, other)]
                    if any(own is not None and own[1] is node for own in bases):
                        yield module, other

    def _doubt(self, module: Module, node: ast.ClassDef, depth: int = 10) -> str:
        """Why a class is more than a plain form; "" when it is one."""
        if node.keywords or node.decorator_list:
            return "is made by more than its own lines"
        if not node.bases or not depth:
            return "is no plain form: its attributes may be read anywhere"
        for written, own in self._project.bases(module, node):
            if own is not None:
                if doubt := self._doubt(*own, depth - 1):
                    return doubt
            elif written.rpartition(".")[2] not in PLAIN_FORMS:
                return f"inherits {written}, which may hand its values on"
        return ""

    # Python

    def _in_python(self, module: Module, name: str, forms: Collection[ast.ClassDef], found: FieldReads) -> None:
        test = is_test(module.path)
        for node in module.nodes():
            says = _mention(module, node, name)
            if not says:
                continue
            spot = Spot(module.path, getattr(node, "lineno", 1), says)
            if test:
                found.tests.append(spot)
            elif says.startswith("in a text"):
                found.hides.append(spot)
            elif not _is_of_the_form(module, node, name, forms) and spot not in found.reads:
                found.reads.append(spot)


def loose(name: str) -> str:
    """Finds the name with whatever an ORM puts around it: `get_name_display`, `name__in`, `-name`."""
    return rf"(?<![A-Za-z0-9]){re.escape(name)}(?![A-Za-z0-9])"


def is_test(path: str) -> bool:
    return bool(_TEST_PATH.search(path))


def _own_field(node: ast.ClassDef, name: str) -> int:
    """Line on which a class defines the field; 0 when it does not."""
    for statement in node.body:
        match statement:
            case ast.Assign(targets=targets) if any(isinstance(one, ast.Name) and one.id == name for one in targets):
                return statement.lineno
            case ast.AnnAssign(target=ast.Name(id=bound)) if bound == name:
                return statement.lineno
    return 0


def _mention(module: Module, node: ast.AST, name: str) -> str:
    """How a node names the field; "" when it does not."""
    match node:
        case ast.Attribute(attr=attribute, ctx=ast.Load() | ast.Del()) if attribute in (name, f"get_{name}_display"):
            return ast.unparse(node)[:80]
        case ast.keyword(arg=str() as used) if used == name or used.startswith(f"{name}__"):
            return f"{used}=..."
        case ast.MatchClass(kwd_attrs=names) if name in names:
            return f"matches {name}"
        case ast.MatchMapping():
            return ""  # its keys are strings of their own
        case ast.Constant(value=str() as text):
            return _in_string(module, node, text, name)
        case ast.Constant(value=bytes() as raw) if word([name]).search(raw):
            return f"the bytes {raw!r}"[:80]
    return ""


def _in_string(module: Module, node: ast.Constant, text: str, name: str) -> str:
    if text == name:
        parent = module.parents.get(node)
        shown = ast.unparse(parent) if isinstance(parent, ast.Subscript | ast.Call) else f'"{name}"'
        return shown[:80]
    if not re.search(loose(name), text):
        return ""
    if isinstance(module.parents.get(node), ast.Expr):
        return ""  # a docstring
    if re.fullmatch(r"\w+", text) and "__" not in text and text != f"get_{name}_display":
        return ""  # another name that has this one in it
    if _SQL.search(text) and len(text.split()) > 2 and not _is_sentence(text):
        return f"in SQL: {' '.join(text.split())}"[:80]
    return "" if _is_sentence(text) else f"in a text: {' '.join(text.split())}"[:80]


def _is_sentence(text: str) -> bool:
    """Said to people: begins like a sentence and ends like one, or is long and has no sign of a machine."""
    words = text.split()
    plain = not re.search(r"[_{}%=<>;/\\]|\w\.\w", text)
    return len(words) > 2 and plain and (text.strip()[-1:] in ".!?…" or text.strip()[:1].isupper())


def _is_of_the_form(module: Module, node: ast.AST, name: str, forms: Collection[ast.ClassDef]) -> bool:
    """Whether a mention defines, draws or checks the field, and takes its value nowhere."""
    parent = module.parents.get(node)
    if isinstance(parent, ast.Subscript) and last_name(parent.value) in ("fields", "base_fields", "declared_fields"):
        return True
    inside = list(module.ancestors(node))
    form = next((one for one in inside if isinstance(one, ast.ClassDef)), None)
    if form not in forms or form is None:
        return False
    method = next((one for one in inside if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)), None)
    if method is None:
        return True  # the field itself, its order, its labels
    return method.name in (f"clean_{name}", f"validate_{name}") and module.parents.get(method) is form


def _lines(path: str, text: bytes, name: str, says: str) -> Iterator[Spot]:
    pattern = re.compile(loose(name).encode())
    for number, line in enumerate(text.split(b"\n"), 1):
        if pattern.search(line):
            yield Spot(path, number, says)


def _in_template(path: str, text: str, name: str, found: FieldReads) -> None:
    """What a template draws of the form itself is none; a value it shows from elsewhere is."""
    scripts = [
        (one.start(), one.end()) for one in re.finditer(r"<script\b.*?</script>", text, re.DOTALL | re.IGNORECASE)
    ]
    for match in re.finditer(loose(name), text):
        line = text.count("\n", 0, match.start()) + 1
        before = text[max(0, match.start() - 200) : match.start()]
        tag = max(before.rfind("{{"), before.rfind("{%"))
        in_tag = tag >= 0 and "}}" not in before[tag:] and "%}" not in before[tag:]
        if any(start <= match.start() < end for start, end in scripts):
            found.hides.append(Spot(path, line, "a script names it"))
        elif in_tag:
            if not re.search(r"(?:^|[^\w])[\w.]*form\.(?:fields\.)?$", before):
                found.reads.append(Spot(path, line, before[tag:].strip("{%} ")[-40:] + name))
        elif not _INPUT.search(before) and re.search(r"<[^<>]*$", before):
            found.hides.append(Spot(path, line, "an attribute names it"))


def _judged(found: FieldReads) -> FieldReads:
    telling = sorted(found.reads, key=lambda one: not one.says.endswith("=..."))  # the last one of a line is kept
    by_line = {(one.path, one.line): one for one in telling}
    found.reads = [by_line[place] for place in sorted(by_line)]
    count = len(found.reads)
    found.reads, found.hides = found.reads[:MOST_PLACES], list(dict.fromkeys(found.hides))[:MOST_PLACES]
    found.tests = found.tests[:MOST_PLACES]
    tests = ", only tests name it" if found.tests else ""
    if count:
        found.verdict = "read"
        places = "1 place reads" if count == 1 else f"{count} places read"
        found.says = f"{places} {found.name}."
    elif not found.defined:
        found.says = f"Not to be told: no plain form of this repository has a field {found.name}."
    elif found.hides:
        ways = "1 place" if len(found.hides) == 1 else f"{len(found.hides)} places"
        found.says = f"Nothing names {found.name}{tests}, but {ways} could read it without."
    else:
        found.verdict = "nobody"
        found.says = f"No code reads {found.name}{tests}."
    return found
