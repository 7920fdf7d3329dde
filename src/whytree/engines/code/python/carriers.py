"""What may carry a form's data away as a whole, without naming the field: then nobody can say that no code reads it."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from .flags import called
from .names import Module, Project

_REQUESTS = frozenset({"request", "req"})
_REQUEST_DATA = frozenset(
    {"POST", "GET", "form", "values", "data", "json", "body", "FILES", "query_params", "args", "params"}
)
_BY_NAME = frozenset({"get", "getlist", "pop", "setdefault", "getone", "getall"})
_HIDING_CALLS = frozenset(
    {
        *("modelform_factory", "modelformset_factory", "inlineformset_factory"),
        *("get_all_cleaned_data", "get_cleaned_data_for_step", "attrgetter", "methodcaller", "get_json"),
        *("eval", "exec", "__getattribute__", "__getitem__"),
    }
)
# What stands in every file that may take a form's data as a whole.
CARRIERS = (
    r"(?<!\w)(?:cleaned_data|POST|GET|FILES|req|request|getattr|vars|__dict__|clean|\w*[Ff]orms?(?:et)?|\w*[Ff]ormSet"
    r"|fields|visible_fields|hidden_fields|" + "|".join(sorted(_HIDING_CALLS)) + r")(?!\w)"
)
# What may be given a form, and only draws or looks at it.
_DRAWING = frozenset(
    {"render", "render_to_string", "render_template", "TemplateResponse", "isinstance", "bool", "str", "len", "type"}
    | {
        "form_valid",
        "form_invalid",
        "get_context_data",
        "super",
        "render_crispy_form",
        "as_crispy_form",
        "id",
        "hasattr",
    }
)
_ALL_FIELDS = frozenset({"fields", "visible_fields", "hidden_fields", "base_fields", "declared_fields", "_fields"})
_A_FORM = re.compile(r"Form(?:Set)?$")
_FORM_NAME = re.compile(r"(?:^|_)form$|Form$")


@dataclass(frozen=True, slots=True)
class Spot:
    """A line, and what it does with the field."""

    path: str
    line: int
    says: str


class Carriers:
    """Looks for them in the modules of one project."""

    def __init__(self, project: Project) -> None:
        self._project = project

    def in_module(self, module: Module) -> Iterator[Spot]:
        """Places that take a form's or a request's data without saying which part."""
        for node in module.nodes():
            line = getattr(node, "lineno", 1)
            match node:
                case ast.Attribute(attr="cleaned_data"):
                    if not self._is_by_name(module, node):
                        yield Spot(module.path, line, "cleaned_data is taken as a whole")
                case ast.Attribute(attr=attribute, value=base) if (
                    attribute in _REQUEST_DATA and last_name(base) in _REQUESTS
                ):
                    if not self._is_by_name(module, node) and not self._fills_a_form(module, node):
                        yield Spot(module.path, line, f"{ast.unparse(node)} is taken as a whole")
                case ast.Attribute(attr="data" | "__dict__" | "_raw_value", value=base) if self._is_one(module, base):
                    if not self._is_by_name(module, node):
                        yield Spot(module.path, line, f"{ast.unparse(node)} is taken as a whole")
                case ast.Call(func=ast.Attribute(attr="clean", value=ast.Call(func=ast.Name(id="super")))):
                    if not self._is_by_name(module, node):
                        yield Spot(module.path, line, "what super().clean() gives is taken as a whole")
                case ast.Call() if called(node) == "getattr" and len(node.args) > 1:
                    yield from self._getattr(module, node)
                case ast.Call() if called(node) in _HIDING_CALLS:
                    yield Spot(module.path, line, f"{called(node)}() may read any field")
                case ast.Call() if (handed := self._handed_on(module, node)) is not None:
                    says = f"{ast.unparse(handed)} is handed to {called(node) or 'something'}()"
                    yield Spot(module.path, line, says[:120])
                case ast.Attribute(attr=attribute) if attribute in _ALL_FIELDS and not self._draws(module, node):
                    yield Spot(module.path, line, f"{ast.unparse(node)} names every field"[:120])
                case ast.For(iter=ast.expr() as walked) | ast.comprehension(iter=walked) if self._is_one(
                    module, walked
                ):
                    yield Spot(module.path, walked.lineno, f"goes through every field of {ast.unparse(walked)}")
                case ast.Subscript(value=base, slice=part) if self._is_one(module, base):
                    if not isinstance(part, ast.Constant):
                        yield Spot(module.path, line, f"{ast.unparse(node)} may be any field")
                case _:
                    pass

    def _is_one(self, module: Module, node: ast.AST, depth: int = 3) -> bool:
        """Whether an expression is a form: by its name, by what it is made with, or as a form's own `self`."""
        if _FORM_NAME.search(last_name(node)):
            return True
        if isinstance(node, ast.Call):
            own = self._project.class_of(module, node.func)
            return self._is_form(*own) if own is not None else False
        if not isinstance(node, ast.Name) or not depth:
            return False
        owner = module.scopes[node].owner(node.id)
        if owner is None:
            return False
        if isinstance(owner.node, ast.FunctionDef) and owner.node.args.args and owner.node.args.args[0].arg == node.id:
            holder = module.parents.get(owner.node)
            return isinstance(holder, ast.ClassDef) and self._is_form(module, holder)
        values = [one.value for one in owner.names[node.id]]
        return any(one is not None and self._is_one(module, one, depth - 1) for one in values)

    def _handed_on(self, module: Module, node: ast.Call) -> ast.expr | None:
        """A form among the arguments of a call that does more than draw it."""
        if called(node) in _DRAWING or self._project.class_of(module, node.func) is not None:
            return None
        for position, argument in enumerate(node.args):
            inner = argument.value if isinstance(argument, ast.Starred) else argument
            if isinstance(inner, ast.Name | ast.Attribute | ast.Call) and self._is_one(module, inner):
                function = self._project.function(module, node.func)
                parameters = [one.arg for one in function.node.args.args] if function else []
                if position < len(parameters) and _FORM_NAME.search(parameters[position]):
                    continue  # what the function does with it is looked at where it is written
                return inner
        for keyword in node.keywords:
            if self._is_one(module, keyword.value) and not _FORM_NAME.search(keyword.arg or ""):
                return keyword.value
        return None

    def _draws(self, module: Module, node: ast.Attribute) -> bool:
        """Whether fields are only set up here: one by its name, or in a form's own methods."""
        parent = module.parents.get(node)
        if isinstance(parent, ast.Subscript) and parent.value is node and isinstance(parent.slice, ast.Constant):
            return True
        if isinstance(parent, ast.Attribute) and parent.attr in ("pop", "get"):
            return True
        if isinstance(node.ctx, ast.Store):
            return True
        holder = next((one for one in module.ancestors(node) if isinstance(one, ast.ClassDef)), None)
        return last_name(node.value) == "self" and holder is not None and self._is_form(module, holder)

    def _getattr(self, module: Module, node: ast.Call) -> Iterator[Spot]:
        wanted = node.args[1]
        if isinstance(wanted, ast.Constant):
            if wanted.value in ("cleaned_data", "POST", "data", "form"):
                yield Spot(module.path, node.lineno, f'getattr(..., "{wanted.value}")')
            return
        if last_name(node.args[0]) not in ("settings", "conf") and not self._is_foreign(module, node.args[0]):
            yield Spot(module.path, node.lineno, "getattr with a name made at run time")

    def _is_foreign(self, module: Module, node: ast.expr) -> bool:
        """A module that was imported, or what import_module gives: no form, no record."""
        if isinstance(node, ast.Call):
            return called(node) == "import_module"
        if not isinstance(node, ast.Name):
            return False
        owner = module.scopes[node].owner(node.id)
        bindings = owner.names[node.id] if owner else []
        return bool(bindings) and all(isinstance(one.node, ast.Import) for one in bindings)

    def _is_by_name(self, module: Module, node: ast.expr, depth: int = 3) -> bool:
        """Whether only named parts of the data are taken here, or it is given back to the form itself."""
        parent = module.parents.get(node)
        match parent:
            case ast.Subscript(value=value, slice=ast.Constant()) if value is node:
                return True
            case ast.Attribute(attr=attribute, value=value) if value is node and attribute in _BY_NAME:
                call = module.parents.get(parent)
                return isinstance(call, ast.Call) and bool(call.args) and isinstance(call.args[0], ast.Constant)
            case ast.Compare(left=ast.Constant(), ops=[ast.In() | ast.NotIn()]):
                return True
            case ast.If(test=test) | ast.IfExp(test=test) | ast.While(test=test) if test is node:
                return True
            case ast.BoolOp() if _only_truth(module, parent):
                return True
            case ast.UnaryOp(op=ast.Not()):
                return True
            case ast.Expr():
                return True
            case ast.Return():
                function = next(
                    (one for one in module.ancestors(node) if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)),
                    None,
                )
                return function is not None and function.name == "clean"
            case ast.Assign(targets=[ast.Name(id=name)]) if depth:
                return self._alias_is_by_name(module, parent, name, depth)
        return False

    def _alias_is_by_name(self, module: Module, assignment: ast.Assign, name: str, depth: int) -> bool:
        scope = module.scopes[assignment]
        if not isinstance(scope.node, ast.FunctionDef | ast.AsyncFunctionDef) or not module.is_settled(scope, name):
            return False
        return all(
            self._is_by_name(module, one, depth - 1)
            for one in module.nodes()
            if isinstance(one, ast.Name)
            and one.id == name
            and isinstance(one.ctx, ast.Load)
            and module.scopes[one].owner(name) is scope
        )

    def _fills_a_form(self, module: Module, node: ast.expr) -> bool:
        """`SignUp(request.POST or None)`: the form is looked at where it is used."""
        child: ast.AST = node
        parent = module.parents.get(child)
        while isinstance(parent, ast.BoolOp | ast.IfExp | ast.keyword):
            child, parent = parent, module.parents.get(parent)
        if not isinstance(parent, ast.Call) or child is parent.func:
            return False
        own = self._project.class_of(module, parent.func)
        return self._is_form(*own) if own is not None else bool(_A_FORM.search(last_name(parent.func)))

    def _is_form(self, module: Module, node: ast.ClassDef, depth: int = 10) -> bool:
        """A form takes the fields it has, and no others."""
        return any(
            self._is_form(*own, depth - 1) if own is not None and depth else bool(_A_FORM.search(written))
            for written, own in self._project.bases(module, node)
        )


def _only_truth(module: Module, node: ast.AST) -> bool:
    """Whether nothing but the truth of `and` and `or` is asked for."""
    parent = module.parents.get(node)
    while isinstance(parent, ast.BoolOp):
        node, parent = parent, module.parents.get(parent)
    return isinstance(parent, ast.If | ast.IfExp | ast.While) and parent.test is node


def last_name(node: ast.AST) -> str:
    """`form` of `form`, `self.form` and `self.form()`."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""
