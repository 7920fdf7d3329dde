"""Where Python code asks for a flag, and under which names its key travels."""

import ast
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
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


@dataclass(frozen=True)
class Calls:
    """Calls that a key is handed to: functions by their own names, and the keyword arguments that may hold the key.

    `handing_on`: a function that hands its own argument to one of these, whatever else it does, is one of these too.
    """

    functions: Mapping[str, Evaluator]
    key_words: frozenset[str]
    handing_on: bool = False


FLAG_CALLS = Calls(EVALUATORS, _KEY_WORDS)


class FlagFinder:
    """Finds keys in modules. `readers` are more names of functions that give a flag's value."""

    def __init__(
        self, project: Project, keys: Collection[str], readers: Iterable[str] = (), calls: Calls = FLAG_CALLS
    ) -> None:
        self._project = project
        self._keys = frozenset(keys)
        self._calls = calls
        self._evaluators = {**calls.functions, **dict.fromkeys(readers, _ANY)}
        self._wrappers: dict[ast.AST, Evaluator | None] = {}
        self.names: set[str] = set()  # that a key goes by, as far as modules were learned from

    def asks(self, module: Module) -> Iterator[Ask]:
        """Every call in a module that gives the value of one of the keys."""
        self.learn(module)
        return self._asks(module, list(module.nodes()))

    def _asks(self, module: Module, nodes: Iterable[ast.AST]) -> Iterator[Ask]:
        for node in nodes:
            if isinstance(node, ast.Call) and (ask := self.ask(module, node)):
                yield ask

    def ask(self, module: Module, call: ast.Call) -> Ask | None:
        for argument in self._key_arguments(call):
            text = self._text(module, argument)
            if text is not None and (evaluator := self._evaluator(module, call)):
                return Ask(call, called(call), evaluator, argument, text)
        return None

    def _evaluator(self, module: Module, call: ast.Call) -> Evaluator | None:
        name = called(call)
        if name in self._evaluators:
            return self._evaluators[name]
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
        if self._calls.handing_on:
            calls = (node.value for node in body if isinstance(node, ast.Expr | ast.Return))
            handing = (self._handed(call, parameters) for call in calls if isinstance(call, ast.Call))
            return next((one for one in handing if one), None)
        match body:
            case [ast.Return(value=ast.Call() as call)] if isinstance(function, ast.FunctionDef):
                return self._handed(call, parameters) if not function.decorator_list else None
        return None

    def _handed(self, call: ast.Call, parameters: Collection[str]) -> Evaluator | None:
        handed = any(isinstance(one, ast.Name) and one.id in parameters for one in self._key_arguments(call))
        return self._evaluators.get(called(call)) if handed else None

    def _key_arguments(self, call: ast.Call) -> Iterator[ast.expr]:
        """Arguments in which a key may stand."""
        yield from call.args[:_AMONG_THE_FIRST]
        yield from (keyword.value for keyword in call.keywords if keyword.arg in self._calls.key_words)

    def _text(self, module: Module, node: ast.expr) -> Text | None:
        match node:
            case ast.Constant(value=str() as value):
                return Text(value, module.path, node.lineno) if value in self._keys else None
            case ast.Name(id=name) if name in self.names:
                pass
            case ast.Attribute(attr=name) if name in self.names or name == "value":
                pass
            case _:
                return None
        text = self._project.text(module, node)
        return text if text is not None and text.value in self._keys else None

    # References

    def learn(self, module: Module) -> set[str]:
        """Note the names that a key goes by in this module (constants, class attributes, imports); those that are new."""
        before = set(self.names)
        while True:
            known = len(self.names)
            for node in module.opened():
                match node:
                    case ast.Assign(targets=[ast.Name(id=name)], value=value) if self._text(module, value):
                        self.names.add(name)
                    case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value) if self._text(
                        module, value
                    ):
                        self.names.add(name)
                    case ast.ImportFrom():
                        self.names.update(
                            alias.asname for alias in node.names if alias.asname and alias.name in self.names
                        )
            if len(self.names) == known:
                return self.names - before

    def hits(self, modules: Sequence[Module]) -> dict[str, list[Hit]]:
        """By path, every expression that stands for a key, in what was opened of the modules."""
        uses = [use for module in modules for use in self._uses(module)]
        sure = {(use.text.path, use.text.line) for use in uses if use.ask}
        found: dict[str, list[Hit]] = defaultdict(list)
        for use in uses:
            place = (use.text.path, use.text.line)
            is_sure = use.ask or (place in sure and (use.definition or bool(use.text.via)))
            hit = Hit(use.text.value, use.node.lineno, is_sure, use.says, use.alias)
            if hit not in found[use.module.path]:
                found[use.module.path].append(hit)
        return dict(found)

    def mentions(self, module: Module) -> Iterator[tuple[int, str]]:
        """Expressions that stand for a key, and neither ask for it nor give it a name: (line, what they are)."""
        module.open()
        for use in self._uses(module):
            if not use.ask and not use.definition:
                yield use.node.lineno, use.says

    def definitions(self, module: Module) -> Iterator[tuple[ast.stmt, str]]:
        """Statements that give a key a name: (statement, the name as others write it)."""
        module.open()
        for use in self._uses(module):
            statement = module.parents[use.node]
            if use.definition and isinstance(statement, ast.stmt):
                yield statement, use.alias

    def _uses(self, module: Module) -> Iterator["_Use"]:
        self.learn(module)
        nodes = module.opened()
        asked = {ask.key: ask for ask in self._asks(module, nodes)}
        for node in nodes:
            if not isinstance(node, ast.Constant | ast.Name | ast.Attribute):
                continue
            text = self._text(module, node)
            if text is None or isinstance(module.parents.get(node), ast.Attribute):
                continue
            if not isinstance(node, ast.Constant) and not isinstance(node.ctx, ast.Load):
                continue
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


def collect(
    project: Project,
    finder: FlagFinder,
    paths: Iterable[str],
    search: Callable[[Collection[str]], Iterable[str]],
    most: int,
) -> list[Module]:
    """The modules that speak of a key. `paths` hold one as text; `search` gives the files that hold any of some names.

    At most `most` modules are read beyond those. Of lazy modules only what stands outside of functions is looked at.
    """
    modules = {path: module for path in paths if (module := project.module(path))}
    searched: set[str] = set()
    for module in modules.values():
        finder.learn(module)
    while finder.names - searched and len(modules) <= most:
        fresh = finder.names - searched
        searched |= fresh
        for path in sorted(set(search(fresh)) - modules.keys())[:most]:
            if module := project.module(path):
                modules[path] = module
        for module in modules.values():
            finder.learn(module)
    return [modules[path] for path in sorted(modules)]
