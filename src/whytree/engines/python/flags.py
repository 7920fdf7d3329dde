"""Where Python code asks for a flag, and under which names its key travels."""

import ast
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from .names import Module, Project, Text

Gives = Literal["bool", "text", "number", "object", "any"]


@dataclass(frozen=True, slots=True)
class Evaluator:
    """What a function gives for a flag's key. `negated`: the opposite of what the flag says."""

    gives: Gives = "bool"
    negated: bool = False


_BOOL, _ANY, _NOT = Evaluator(), Evaluator("any"), Evaluator(negated=True)
# By the function's own name, whatever it hangs on.
EVALUATORS: dict[str, Evaluator] = {
    # OpenFeature
    "get_boolean_value": _BOOL,
    "get_string_value": Evaluator("text"),
    "get_integer_value": Evaluator("number"),
    "get_float_value": Evaluator("number"),
    "get_object_value": Evaluator("object"),
    # LaunchDarkly, PostHog, Unleash, GrowthBook, Flagsmith, django-waffle
    "variation": _ANY,
    "bool_variation": _BOOL,
    "feature_enabled": _BOOL,
    "get_feature_flag": _ANY,
    "is_enabled": _BOOL,
    "is_on": _BOOL,
    "is_off": _NOT,
    "get_feature_value": _ANY,
    "is_feature_enabled": _BOOL,
    "flag_is_active": _BOOL,
    "switch_is_active": _BOOL,
    # What people call their own
    "is_active": _BOOL,
    "is_disabled": _NOT,
    "flag": _ANY,
    "get_flag": _ANY,
    "flag_enabled": _BOOL,
    "is_flag_enabled": _BOOL,
    "flag_is_on": _BOOL,
    "flag_on": _BOOL,
    "feature": _BOOL,
    "has_feature": _BOOL,
    "feature_on": _BOOL,
    "is_feature_on": _BOOL,
}
_KEY_WORDS = frozenset({"key", "flag_key", "flag", "name", "flag_name", "feature", "feature_name", "feature_key"})
_AMONG_THE_FIRST = 2


@dataclass(frozen=True, slots=True, eq=False)
class Ask:
    """A call that gives a flag's value: `key` is the argument that names the flag, `text` what that stands for."""

    call: ast.Call
    name: str
    evaluator: Evaluator
    key: ast.expr
    text: Text


@dataclass(frozen=True, slots=True)
class Hit:
    """An expression that stands for a key. `is_sure`: the key is asked for there, or its constant is elsewhere."""

    key: str
    line: int
    is_sure: bool
    says: str
    alias: str = ""


def called(node: ast.Call) -> str:
    """The function's own name: `is_on` of `flags.is_on(...)`."""
    match node.func:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
    return ""


class FlagFinder:
    """Finds keys in modules. `readers` are more names of functions that give a flag's value."""

    def __init__(self, project: Project, keys: Collection[str], readers: Iterable[str] = ()) -> None:
        self._project = project
        self._keys = frozenset(keys)
        self._evaluators = EVALUATORS | dict.fromkeys(readers, _ANY)
        self._wrappers: dict[ast.AST, Evaluator | None] = {}

    def asks(self, module: Module) -> Iterator[Ask]:
        """Every call in a module that gives the value of one of the keys."""
        for node in module.nodes():
            if isinstance(node, ast.Call) and (ask := self.ask(module, node)):
                yield ask

    def ask(self, module: Module, call: ast.Call) -> Ask | None:
        evaluator = self._evaluator(module, call)
        if evaluator is None:
            return None
        for argument in _key_arguments(call):
            text = self._text(module, argument)
            if text is not None:
                return Ask(call, called(call), evaluator, argument, text)
        return None

    def _evaluator(self, module: Module, call: ast.Call) -> Evaluator | None:
        name = called(call)
        if name in self._evaluators:
            return self._evaluators[name]
        if not any(self._text(module, argument) for argument in _key_arguments(call)):
            return None
        function = self._project.function(module, call.func)
        if function is None:
            return None
        if function.node not in self._wrappers:
            self._wrappers[function.node] = self._wrapped(function.node)
        return self._wrappers[function.node]

    def _wrapped(self, function: ast.FunctionDef | ast.AsyncFunctionDef) -> Evaluator | None:
        """A function that only returns what an evaluator says for its own argument is one too."""
        body = [one for one in function.body if not (isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant))]
        parameters = {one.arg for one in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)}
        match body:
            case [ast.Return(value=ast.Call() as call)] if isinstance(function, ast.FunctionDef):
                handed = any(isinstance(one, ast.Name) and one.id in parameters for one in _key_arguments(call))
                return self._evaluators.get(called(call)) if handed and not function.decorator_list else None
        return None

    def _text(self, module: Module, node: ast.expr) -> Text | None:
        if not isinstance(node, ast.Constant | ast.Name | ast.Attribute):
            return None
        text = self._project.text(module, node)
        return text if text is not None and text.value in self._keys else None

    # References

    def names(self, module: Module) -> set[str]:
        """Names that a key goes by in this module: of constants, class attributes, imports."""
        found: set[str] = set()
        for node in module.nodes():
            match node:
                case ast.Assign(targets=[ast.Name(id=name)], value=value) if self._text(module, value):
                    found.add(name)
                case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value) if self._text(module, value):
                    found.add(name)
                case ast.ImportFrom():
                    for alias in node.names:
                        load = ast.Name(alias.asname or alias.name, ast.Load())
                        module.scopes[load] = module.scopes[node]
                        if self._text(module, load):
                            found.add(load.id)
                        del module.scopes[load]
        return found

    def hits(self, modules: Sequence[Module], names: Collection[str]) -> dict[str, list[Hit]]:
        """By path, every expression that stands for a key. `names` are those that keys go by, from `names()`."""
        uses = [use for module in modules for use in self._uses(module, names)]
        sure = {(use.text.path, use.text.line) for use in uses if use.ask}
        found: dict[str, list[Hit]] = defaultdict(list)
        for use in uses:
            says = use.says
            place = (use.text.path, use.text.line)
            is_definition = use.definition and place in sure
            is_sure = use.ask or is_definition or (bool(use.text.via) and place in sure)
            hit = Hit(use.text.value, use.node.lineno, is_sure, says, use.alias)
            if hit not in found[use.module.path]:
                found[use.module.path].append(hit)
        return dict(found)

    def mentions(self, module: Module, names: Collection[str] = ()) -> Iterator[tuple[int, str]]:
        """Expressions that stand for a key, and neither ask for it nor give it a name: (line, what they are)."""
        for use in self._uses(module, {*names, *self.names(module)}):
            if not use.ask and not use.definition:
                yield use.node.lineno, use.says

    def definitions(self, module: Module) -> Iterator[tuple[ast.stmt, str]]:
        """Statements that give a key a name: (statement, the name as others write it)."""
        for use in self._uses(module, self.names(module)):
            statement = module.parents[use.node]
            if use.definition and isinstance(statement, ast.stmt):
                yield statement, use.alias

    def _uses(self, module: Module, names: Collection[str]) -> Iterator["_Use"]:
        asked = {ask.key: ask for ask in self.asks(module)}
        for node in list(module.nodes()):
            if isinstance(node, ast.Name) and (node.id not in names or not isinstance(node.ctx, ast.Load)):
                continue
            if isinstance(node, ast.Attribute) and node.attr not in names and node.attr != "value":
                continue
            if not isinstance(node, ast.expr) or isinstance(module.parents.get(node), ast.Attribute):
                continue
            text = self._text(module, node)
            if text is not None:
                yield self._use(module, node, text, asked.get(node))

    def _use(self, module: Module, node: ast.expr, text: Text, ask: Ask | None) -> "_Use":
        parent = module.parents.get(node)
        match parent:
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                holder = next((one.name for one in module.ancestors(node) if isinstance(one, ast.ClassDef)), "")
                alias = f"{holder}.{name}" if holder else name
                return _Use(module, node, text, False, True, f"defines {alias}", alias)
        alias = ast.unparse(node) if text.via else ""
        as_name = f", as {alias}" if alias else ""
        if ask:
            is_used = not isinstance(module.parents.get(ask.call), ast.Expr)  # else it sets something, in a test say
            verb = "asked with" if is_used else "handed to"
            return _Use(module, node, text, True, False, f"{verb} {ask.name}(){as_name}", alias)
        call = parent if isinstance(parent, ast.Call) else None
        if isinstance(parent, ast.keyword):
            call = next((one for one in module.ancestors(node) if isinstance(one, ast.Call)), None)
        if call is not None and called(call):
            return _Use(module, node, text, False, False, f"handed to {called(call)}(){as_name}", alias)
        return _Use(module, node, text, False, False, f"as {alias}" if alias else "a string", alias)


@dataclass(frozen=True, slots=True, eq=False)
class _Use:
    module: Module
    node: ast.expr
    text: Text
    ask: bool
    definition: bool
    says: str
    alias: str


def _key_arguments(call: ast.Call) -> Iterator[ast.expr]:
    """Arguments in which a flag's key may stand."""
    yield from call.args[:_AMONG_THE_FIRST]
    yield from (keyword.value for keyword in call.keywords if keyword.arg in _KEY_WORDS)


def collect(
    project: Project,
    finder: FlagFinder,
    paths: Iterable[str],
    search: Callable[[Collection[str]], Iterable[str]],
    most: int,
) -> tuple[list[Module], set[str]]:
    """The modules that speak of a key, and the names it goes by. `paths` hold a key as text; `search` gives the
    files that hold any of some names. At most `most` modules are read."""
    modules = {path: module for path in paths if (module := project.module(path))}
    names: set[str] = set()
    looked_at: set[str] = set()
    while len(modules) <= most:
        names.update(name for path in modules.keys() - looked_at for name in finder.names(modules[path]))
        looked_at |= modules.keys()
        searched = set(search(names)) - modules.keys() if names else set()
        more = {path: module for path in sorted(searched)[:most] if (module := project.module(path))}
        if not more:
            break
        modules |= more
        if not any(finder.names(module) - names for module in more.values()):
            break
    return [modules[path] for path in sorted(modules)], names
