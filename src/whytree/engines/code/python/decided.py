"""What is decided in a file once a flag has one value: expressions that can come to nothing else."""

import ast
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from .flags import Ask, called
from .names import Project, Scope
from .source import Source, Unsure

Value = bool | str | int | float
_UNFOLLOWED = frozenset({"locals", "vars", "eval", "exec"})


@dataclass(frozen=True, slots=True)
class Known:
    """A value that is decided."""

    value: Any


class Decided:
    """The expressions of one text that the flag's value decides, and the local names that hold nothing but its answer."""

    def __init__(self, project: Project, source: Source, asks: Iterable[Ask], value: Value) -> None:
        self._project = project
        self._source = source
        self._value = value
        self._asks: dict[ast.AST, Ask] = {ask.call: ask for ask in asks}
        self._locals: dict[tuple[Scope, str], Known] = {}
        module = source.module
        for node in module.nodes():
            match node:
                case ast.Assign(targets=[ast.Name(id=name)], value=assigned):
                    scope = module.scopes[node]
                    is_local = isinstance(scope.node, ast.FunctionDef | ast.AsyncFunctionDef)
                    if is_local and module.is_settled(scope, name) and not _is_watched(scope):
                        known = self.of(assigned)
                        if known is not None:
                            self._locals[scope, name] = known

    def of(self, node: ast.AST) -> Known | None:
        """What an expression comes to; None where that is not decided."""
        match node:
            case ast.Call() if node in self._asks:
                ask = self._asks[node]
                return Known(not self._value if ask.evaluator.negated else self._value)
            case ast.Await(value=ast.Call() as call) if call in self._asks:
                return self.of(call)
            case ast.Call(func=ast.Name(id="bool"), args=[argument], keywords=[]):
                known = self.of(argument)
                return known and Known(bool(known.value))
            case ast.Name(ctx=ast.Load()):
                owner = self._source.module.scopes[node].owner(node.id)
                return self._locals.get((owner, node.id)) if owner else None
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                known = self.of(operand)
                return known and Known(not known.value)
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                return self._compared(left, op, right)
            case ast.BoolOp():
                return self._combined(node)
        return None

    def is_test(self, node: ast.AST) -> bool:
        """Whether only the truth of an expression matters where it stands."""
        parent = self._source.module.parents.get(node)
        match parent:
            case ast.If(test=test) | ast.While(test=test) | ast.IfExp(test=test) | ast.Assert(test=test):
                return test is node
            case ast.UnaryOp(op=ast.Not()):
                return True
            case ast.Call(func=ast.Name(id="bool")):
                return True
            case ast.BoolOp():
                return self.is_test(parent)
            case ast.comprehension(ifs=ifs):
                return node in ifs
        return False

    def is_held(self, node: ast.AST) -> bool:
        """Whether this gives a local name the answer."""
        match node:
            case ast.Assign(targets=[ast.Name(id=name)]):
                return (self._source.module.scopes[node], name) in self._locals
        return False

    def is_spent(self, node: ast.Assign, name: str) -> bool:
        """Whether it gives a local name the answer that nothing reads any more."""
        module = self._source.module
        scope = module.scopes[node]
        if (scope, name) not in self._locals:
            return False
        return not any(
            isinstance(one, ast.Name)
            and one.id == name
            and isinstance(one.ctx, ast.Load)
            and module.scopes[one].owner(name) is scope
            for one in module.nodes()
        )

    def _compared(self, left: ast.expr, op: ast.cmpop, right: ast.expr) -> Known | None:
        one, two = self.of(left), self.of(right)
        if one is None and two is None:
            return None
        one, two = one or self._constant(left), two or self._constant(right)
        if one is None or two is None:
            return None
        try:
            match op:
                case ast.Eq():
                    return Known(one.value == two.value)
                case ast.NotEq():
                    return Known(one.value != two.value)
                case ast.In():
                    return Known(one.value in two.value)
                case ast.NotIn():
                    return Known(one.value not in two.value)
                case ast.Is() if two.value in (True, False, None) and isinstance(one.value, bool | None):
                    return Known(one.value is two.value)
                case ast.IsNot() if two.value in (True, False, None) and isinstance(one.value, bool | None):
                    return Known(one.value is not two.value)
        except TypeError:
            pass
        return None

    def _constant(self, node: ast.expr) -> Known | None:
        """What is written there, or a constant that is."""
        if isinstance(node, ast.Constant):
            return Known(node.value)
        if isinstance(node, ast.Tuple | ast.List | ast.Set):
            values = [self._constant(one) for one in node.elts]
            return Known([one.value for one in values if one]) if all(values) else None
        text = self._project.text(self._source.module, node)
        return Known(text.value) if text else None

    def _combined(self, node: ast.BoolOp) -> Known | None:
        """`and` or `or` whose outcome is decided, and for which nothing else needs to be evaluated."""
        decides = isinstance(node.op, ast.Or)
        answers = [self.of(one) for one in node.values]
        if all(answers):
            last = answers[-1]
            return next((one for one in answers if one and bool(one.value) is decides), last)
        first = answers[0]
        if first and bool(first.value) is decides:
            return first
        if not self.is_test(node):
            return None
        for position, one in enumerate(answers):
            if one and bool(one.value) is decides:
                for before in node.values[:position]:
                    if doing := self._beyond_reading(before):
                        raise Unsure(
                            before.lineno, f"{doing} would still be evaluated, though it decides nothing any more"
                        )
                return Known(decides)
        return None

    def _beyond_reading(self, node: ast.expr) -> str:
        """What evaluating does besides reading names, attributes and the flag; "" when nothing."""
        waiting: list[ast.AST] = [node]
        while waiting:
            one = waiting.pop()
            if one in self._asks:
                continue
            if isinstance(one, ast.Call):
                return f"{called(one) or 'a call'}()"
            if isinstance(one, ast.Subscript | ast.Await | ast.Yield | ast.YieldFrom | ast.NamedExpr):
                return ast.unparse(one)
            waiting.extend(ast.iter_child_nodes(one))
        return ""


def _is_watched(scope: Scope) -> bool:
    """Whether somebody may look at the local names from outside the syntax."""
    return any(
        isinstance(one, ast.Call) and isinstance(one.func, ast.Name) and one.func.id in _UNFOLLOWED
        for one in ast.walk(scope.node)
    )
