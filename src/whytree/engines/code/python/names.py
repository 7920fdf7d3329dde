"""What a name in Python code stands for: constants resolved through scopes, classes, enums and imports.

    project = Project(paths, read)
    module = project.module("app/signup.py")
    project.text(module, node)       # Text("defer_phone", ...) for KEYS.DEFER, DEFER, "defer_phone"; None when unsure

Only what cannot be otherwise is resolved: a name that is bound twice stands for nothing, neither does one built at run time.
"""

import ast
import re
import warnings
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, field
from pathlib import PurePosixPath

# Folders from which packages are imported though their name is in no import.
SOURCE_ROOTS = frozenset({"src", "lib", "python"})
_DEPTH = 12
_REBINDS = re.compile(rb"\b(?:global|nonlocal)\b")  # a function that may change what a name outside of it stands for
_Functions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_Comprehensions = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_DEFERRED = frozenset({ast.FunctionDef, ast.AsyncFunctionDef})
_SCOPED = frozenset({*_Functions, ast.ClassDef, *_Comprehensions})
_BINDING = frozenset(
    {
        *(ast.Assign, ast.AnnAssign, ast.Name, ast.arg, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef),
        *(ast.Import, ast.ImportFrom, ast.ExceptHandler, ast.MatchAs, ast.MatchStar, ast.MatchMapping),
        *(ast.Global, ast.Nonlocal),
    }
)
_NOTHING: frozenset[ast.AST] = frozenset()
# Operators, contexts and the like are one object for all, and say nothing of names.
_SKIPPED = frozenset({"ctx", "op", "ops", "type_comment", "kind", "conversion", "simple", "is_async", "level"})


class _Fields(dict[type, tuple[str, ...]]):
    """Fields of each kind of node in which others stand."""

    def __missing__(self, kind: type) -> tuple[str, ...]:
        fields: tuple[str, ...] = getattr(kind, "_fields", ())
        self[kind] = tuple(name for name in fields if name not in _SKIPPED)
        return self[kind]


_CHILDREN = _Fields()


@dataclass(slots=True, eq=False)
class Binding:
    """One place that gives a name its value. `value` is what is assigned; `imported` is (module, level, name)."""

    node: ast.AST
    value: ast.expr | None = None
    imported: tuple[str, int, str] | None = None


@dataclass(slots=True, eq=False)
class Scope:
    """A module, class, function or comprehension, with what is bound to each name in it."""

    node: ast.AST
    parent: "Scope | None"
    names: dict[str, list[Binding]] = field(default_factory=lambda: defaultdict(list))
    elsewhere: set[str] = field(default_factory=set)  # declared global or nonlocal

    def owner(self, name: str) -> "Scope | None":
        """The scope whose binding a load of `name` here sees; None for builtins and what we cannot follow."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.elsewhere:
                return None
            if name in scope.names and (scope is self or not isinstance(scope.node, ast.ClassDef)):
                return scope
            scope = scope.parent
        return None


@dataclass(frozen=True, slots=True)
class Text:
    """A string that an expression stands for. `via` is the name it came through; `path:line` is where it is written."""

    value: str
    path: str
    line: int
    via: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class _Class:
    module: "Module"
    node: ast.ClassDef


@dataclass(frozen=True, slots=True, eq=False)
class Function:
    """A function of the repository."""

    module: "Module"
    node: ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class _Package:
    """An imported module, or a folder of them."""

    parts: tuple[str, ...]
    importer: str


_Thing = Text | Function | _Class | _Package | None


def parse(source: bytes | str) -> ast.Module | None:
    """The tree; None when this is no Python that this interpreter reads."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


class Module:
    """One file's tree with its scopes and parents. With `lazy`, functions are looked into only when somebody asks."""

    def __init__(self, path: str, tree: ast.Module, *, lazy: bool = False) -> None:
        self.path = path
        self.tree = tree
        self.top = Scope(tree, None)
        self.scopes: dict[ast.AST, Scope] = {}
        self.parents: dict[ast.AST, ast.AST] = {}
        self._globals: set[str] = set()
        self._closed: list[tuple[ast.AST, Scope]] = []
        self._deferred: set[ast.AST] = set()  # bound already
        self._walk([(tree, self.top)], lazy=lazy)

    def nodes(self) -> Iterator[ast.AST]:
        """Every node but operators and contexts."""
        self.open()
        return iter(self.scopes)

    def opened(self) -> list[ast.AST]:
        """Nodes of what was looked into so far."""
        return list(self.scopes)

    def open(self, lines: Sequence[int] | None = None) -> None:
        """Look into the functions that hold any of these lines (sorted); into all without."""
        if not self._closed:
            return
        wanted: list[tuple[ast.AST, Scope]] = []
        kept: list[tuple[ast.AST, Scope]] = []
        for node, scope in self._closed:
            (wanted if lines is None or _spans(node, lines) else kept).append((node, scope))
        self._closed = kept
        self._walk(wanted, lazy=False)

    def ancestors(self, node: ast.AST) -> Iterator[ast.AST]:
        while node in self.parents:
            node = self.parents[node]
            yield node

    def is_settled(self, scope: Scope, name: str) -> bool:
        """Whether the name is bound once and for all in its scope."""
        return len(scope.names[name]) == 1 and name not in self._globals

    def _walk(self, waiting: list[tuple[ast.AST, Scope]], *, lazy: bool) -> None:
        """Without recursion: generated code nests deeper than the interpreter's stack."""
        scopes, parents = self.scopes, self.parents
        while waiting:
            node, scope = waiting.pop()
            kind = type(node)
            if lazy and kind in _DEFERRED:
                self._bind(node, scope)
                self._closed.append((node, scope))
                self._deferred.add(node)
                continue
            scopes[node] = scope
            if kind in _BINDING and node not in self._deferred:
                self._bind(node, scope)
            inner = scope
            outside: Set[ast.AST] = _NOTHING
            if kind in _SCOPED:
                inner, outside = Scope(node, scope), _outside(node)
            for name in _CHILDREN[kind]:
                value = getattr(node, name, None)
                if isinstance(value, list):
                    for child in value:
                        if isinstance(child, ast.AST):
                            parents[child] = node
                            waiting.append((child, scope if child in outside else inner))
                elif isinstance(value, ast.AST):
                    parents[value] = node
                    waiting.append((value, scope if value in outside else inner))

    def _bind(self, node: ast.AST, scope: Scope) -> None:
        match node:
            case ast.Assign(targets=[ast.Name() as name], value=value):
                scope.names[name.id].append(Binding(node, value))
            case ast.AnnAssign(target=ast.Name() as name, value=value):
                if value is not None:
                    scope.names[name.id].append(Binding(node, value))
            case ast.Name(ctx=ast.Store() | ast.Del()):
                parent = self.parents.get(node)
                if not (isinstance(parent, ast.Assign) and len(parent.targets) == 1 and parent.targets[0] is node) and (
                    not isinstance(parent, ast.AnnAssign)
                ):
                    self._holder(parent, scope).names[node.id].append(Binding(node))
            case ast.arg():
                scope.names[node.arg].append(Binding(node))
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                scope.names[node.name].append(Binding(node))
            case ast.Import():
                for alias in node.names:
                    dotted = alias.name if alias.asname else alias.name.split(".")[0]
                    scope.names[alias.asname or dotted].append(Binding(node, imported=(dotted, 0, "")))
            case ast.ImportFrom():
                for alias in node.names:
                    imported = (node.module or "", node.level, alias.name)
                    scope.names[alias.asname or alias.name].append(Binding(node, imported=imported))
            case ast.ExceptHandler(name=str() as caught):
                scope.names[caught].append(Binding(node))
            case ast.MatchAs(name=str() as caught) | ast.MatchStar(name=str() as caught):
                scope.names[caught].append(Binding(node))
            case ast.MatchMapping(rest=str() as caught):
                scope.names[caught].append(Binding(node))
            case ast.Global() | ast.Nonlocal():
                scope.elsewhere.update(node.names)
                self._globals.update(node.names)
            case _:
                pass

    def _holder(self, parent: ast.AST | None, scope: Scope) -> Scope:
        """A walrus in a comprehension binds outside of it."""
        while isinstance(parent, ast.NamedExpr) and isinstance(scope.node, _Comprehensions) and scope.parent:
            scope = scope.parent
        return scope


def _spans(node: ast.AST, lines: Sequence[int]) -> bool:
    """Whether any of the lines, which are sorted, belongs to a function or its decorators."""
    decorators = [one.lineno for one in getattr(node, "decorator_list", ())]
    first, last = min([node.lineno, *decorators]), node.end_lineno or node.lineno  # type: ignore[attr-defined]
    position = bisect_left(lines, first)
    return position < len(lines) and lines[position] <= last


def _outside(node: ast.AST) -> Set[ast.AST]:
    """Children of a function or class that are evaluated where it stands, not inside."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        arguments = node.args
        defaults = [*arguments.defaults, *(one for one in arguments.kw_defaults if one)]
        return {*node.decorator_list, *defaults, *([node.returns] if node.returns else [])}
    if isinstance(node, ast.ClassDef):
        return {*node.decorator_list, *node.bases, *node.keywords}
    return _NOTHING


class Project:
    """The Python files of a repository, read and parsed when somebody asks."""

    def __init__(self, paths: Iterable[str], read: Callable[[str], bytes | None], *, lazy: bool = False) -> None:
        self._read = read
        self._lazy = lazy
        self._modules: dict[str, Module | None] = {}
        self._by_tail: dict[str, list[tuple[str, ...]]] = defaultdict(list)
        self._files: dict[tuple[str, ...], str] = {}
        for path in paths:
            if path.endswith((".py", ".pyi")):
                parts = PurePosixPath(path).with_suffix("").parts
                parts = parts[:-1] if parts[-1] == "__init__" else parts
                if parts and parts not in self._files:
                    self._files[parts] = path
                    self._by_tail[parts[-1]].append(parts)

    def module(self, path: str) -> Module | None:
        """The file's module; None when it cannot be read or has a syntax error."""
        if path not in self._modules:
            source = self._read(path)
            tree = parse(source) if source is not None else None
            lazy = self._lazy and source is not None and not _REBINDS.search(source)
            self._modules[path] = Module(path, tree, lazy=lazy) if tree is not None else None
        return self._modules[path]

    def source(self, path: str) -> bytes | None:
        """What the file holds."""
        return self._read(path)

    def text(self, module: Module, node: ast.expr) -> Text | None:
        """The string an expression stands for, when it can be no other."""
        thing = self._resolve(module, node, module.scopes.get(node, module.top), _DEPTH)
        return thing if isinstance(thing, Text) else None

    def bases(self, module: Module, node: ast.ClassDef) -> Iterator[tuple[str, tuple[Module, ast.ClassDef] | None]]:
        """Each base of a class as it is written, with its own class when that is in the repository."""
        for base in node.bases:
            thing = self._resolve(module, base, module.scopes.get(base, module.top), _DEPTH)
            yield ast.unparse(base), (thing.module, thing.node) if isinstance(thing, _Class) else None

    def function(self, module: Module, node: ast.expr) -> Function | None:
        """The function an expression names, while it is one of the repository's own modules."""
        thing = self._resolve(module, node, module.scopes.get(node, module.top), _DEPTH)
        return thing if isinstance(thing, Function) else None

    def class_of(self, module: Module, node: ast.expr) -> tuple[Module, ast.ClassDef] | None:
        """The class an expression names."""
        thing = self._resolve(module, node, module.scopes.get(node, module.top), _DEPTH)
        return (thing.module, thing.node) if isinstance(thing, _Class) else None

    # Resolving

    def _resolve(self, module: Module, node: ast.expr, scope: Scope, depth: int) -> _Thing:
        if depth == 0:
            return None
        match node:
            case ast.Constant(value=str() as value):
                return Text(value, module.path, node.lineno)
            case ast.Name():
                return self._name(module, node.id, scope, depth)
            case ast.Attribute():
                return self._attribute(module, node, scope, depth)
        return None

    def _name(self, module: Module, name: str, scope: Scope, depth: int) -> _Thing:
        owner = scope.owner(name)
        if owner is None or not module.is_settled(owner, name):
            return None
        binding = owner.names[name][0]
        if isinstance(binding.node, ast.ClassDef):
            return _Class(module, binding.node)
        if isinstance(binding.node, ast.FunctionDef | ast.AsyncFunctionDef):
            return Function(module, binding.node)
        if binding.imported:
            return self._imported(module, binding.imported, depth)
        if binding.value is None:
            return None
        return _through(name, self._resolve(module, binding.value, owner, depth - 1))

    def _imported(self, module: Module, imported: tuple[str, int, str], depth: int) -> _Thing:
        dotted, level, name = imported
        parts = tuple(dotted.split(".")) if dotted else ()
        if level:
            folder = PurePosixPath(module.path).parent.parts
            if level - 1 > len(folder):
                return None
            parts = folder[: len(folder) - (level - 1)] + parts
        package = _Package(parts, "" if level else module.path)
        return self._member(package, name, depth) if name else package

    def _attribute(self, module: Module, node: ast.Attribute, scope: Scope, depth: int) -> _Thing:
        base = self._resolve(module, node.value, scope, depth - 1)
        match base:
            case Text() if node.attr == "value" and base.via.count("."):
                return base  # an enum's member
            case _Package():
                return _through(
                    f"{base.parts[-1]}.{node.attr}" if base.parts else "", self._member(base, node.attr, depth)
                )
            case _Class():
                return self._of_class(base, node.attr, depth)
        if isinstance(node.value, ast.Name) and (own := _own_class(module, node.value, scope)):
            stored = any(
                isinstance(one, ast.Attribute) and one.attr == node.attr and not isinstance(one.ctx, ast.Load)
                for one in module.nodes()
            )
            return None if stored else self._of_class(_Class(module, own), node.attr, depth)
        return None

    def _member(self, package: _Package, name: str, depth: int) -> _Thing:
        """A name in a module, or a module in a folder."""
        path = self._locate(package)
        module = self.module(path) if path else None
        if module is not None and depth and name in module.top.names:
            return self._name(module, name, module.top, depth - 1)
        inner = _Package((*package.parts, name), package.importer)
        known = self._locate(inner) or any(parts[:-1] == inner.parts for parts in self._files)
        return inner if known or path is None else None

    def _of_class(self, found: _Class, name: str, depth: int) -> _Thing:
        if depth == 0:
            return None
        for statement in found.node.body:
            value = _assigned(statement, name)
            if value is not None:
                scope = found.module.scopes[statement]
                if not found.module.is_settled(scope, name):
                    return None
                thing = self._resolve(found.module, value, scope, depth - 1)
                return _through(f"{found.node.name}.{name}", thing)
        for base in found.node.bases:
            thing = self._resolve(found.module, base, found.module.scopes[base], depth - 1)
            inherited = self._of_class(thing, name, depth - 1) if isinstance(thing, _Class) else None
            if inherited is not None:
                return inherited
        return None

    def _locate(self, package: _Package) -> str | None:
        """The file of a module as an importer means it; None when several could be meant."""
        if not package.importer:
            return self._files.get(package.parts)
        if not package.parts:
            return None
        size = len(package.parts)
        around = PurePosixPath(package.importer).parent.parts
        found = []
        for parts in self._by_tail[package.parts[-1]]:
            root = parts[:-size]
            if parts[-size:] == package.parts and (root == around[: len(root)] or root[-1] in SOURCE_ROOTS):
                found.append((_common(root, around), parts))
        found.sort(reverse=True)
        if not found or (len(found) > 1 and found[0][0] == found[1][0]):
            return None
        return self._files[found[0][1]]


def _through(via: str, thing: _Thing) -> _Thing:
    if not isinstance(thing, Text) or not via:
        return thing
    named = via if "." in via or "." not in thing.via else thing.via
    return Text(thing.value, thing.path, thing.line, named)


def _assigned(statement: ast.stmt, name: str) -> ast.expr | None:
    match statement:
        case ast.Assign(targets=[ast.Name(id=bound)], value=value) if bound == name:
            return value
        case ast.AnnAssign(target=ast.Name(id=bound), value=value) if bound == name:
            return value
    return None


def _own_class(module: Module, name: ast.Name, scope: Scope) -> ast.ClassDef | None:
    """The class whose `self` or `cls` this is."""
    owner = scope.owner(name.id)
    if owner is None or not isinstance(owner.node, ast.FunctionDef | ast.AsyncFunctionDef):
        return None
    arguments = [*owner.node.args.posonlyargs, *owner.node.args.args]
    parent = module.parents.get(owner.node)
    is_first = bool(arguments) and arguments[0].arg == name.id and len(owner.names[name.id]) == 1
    return parent if is_first and isinstance(parent, ast.ClassDef) else None


def _common(one: tuple[str, ...], two: tuple[str, ...]) -> int:
    count = 0
    for left, right in zip(one, two, strict=False):
        if left != right:
            break
        count += 1
    return count


def word(names: Iterable[str]) -> re.Pattern[bytes]:
    """Finds any of these names as a whole word."""
    alternatives = b"|".join(re.escape(name.encode()) for name in sorted(set(names), key=len, reverse=True))
    return re.compile(rb"(?<![\w])(?:" + alternatives + rb")(?![\w])")
