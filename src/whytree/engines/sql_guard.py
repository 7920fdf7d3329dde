"""What a person typed as SQL, taken apart and written anew: only that runs. Pure.

    guarded("SELECT event, count() FROM events GROUP BY event", {"events": "SELECT ... WHERE product = 3"})

The engine in this process can read any file and any address, also through functions on a table that is allowed. So nothing is
forbidden here; what is not on a list is refused: kinds of syntax, functions, tables, names. Each table is replaced by a query
that is filtered to the product, and every text becomes a bound value, so that no quoting of ours or theirs can differ.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from whytree.errors import Invalid

LONGEST = 20_000
MOST_NODES = 4_000
_DIALECT = "clickhouse"
_OWN = "part_of_the_question_"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")

_SYNTAX = (
    *(exp.Select, exp.Union, exp.Intersect, exp.Except, exp.Subquery, exp.With, exp.CTE, exp.From, exp.Join, exp.Table),
    *(exp.TableAlias, exp.Where, exp.Group, exp.Having, exp.Order, exp.Ordered, exp.Limit, exp.Offset, exp.Distinct),
    *(
        exp.Identifier,
        exp.Column,
        exp.Star,
        exp.Alias,
        exp.Aliases,
        exp.Literal,
        exp.Boolean,
        exp.Null,
        exp.Paren,
        exp.Tuple,
    ),
    *(exp.Neg, exp.Not, exp.And, exp.Or, exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Add, exp.Sub, exp.Mul),
    *(exp.Div, exp.Mod, exp.IntDiv, exp.In, exp.Between, exp.Like, exp.ILike, exp.Is, exp.Case, exp.If, exp.Bracket),
    *(exp.Interval, exp.Var, exp.Window, exp.WindowSpec, exp.Lambda, exp.Cast, exp.DataType, exp.DPipe, exp.Array),
    *(exp.Anonymous, exp.AnonymousAggFunc, exp.CombinedAggFunc, exp.ParameterizedAgg, exp.CombinedParameterizedAgg),
)
#: Parts of a query; settings, formats, files, samples and locks are none of these.
_PARTS = {
    *("with", "with_", "expressions", "from", "from_", "joins", "where", "group", "having", "order", "limit", "offset"),
    *("distinct", "this", "expression", "alias", "by_name", "side", "kind", "on"),
}
_TYPES = {
    *("INT", "BIGINT", "SMALLINT", "TINYINT", "UINT", "UBIGINT", "USMALLINT", "UTINYINT", "FLOAT", "DOUBLE", "TEXT"),
    *("VARCHAR", "DATE", "DATE32", "DATETIME", "DATETIME64", "TIMESTAMP", "TIMESTAMPTZ", "BOOLEAN", "NULLABLE"),
}
_JOINS = {"", "INNER", "LEFT", "RIGHT", "FULL", "CROSS", "OUTER", "ANY", "ALL"}
#: Aggregates with If behind them too.
_AGGREGATES = """
    count sum avg min max any anyLast uniq uniqExact median quantile quantiles quantileExact argMin argMax groupUniqArray groupArray
    topK stddevPop stddevSamp varPop varSamp corr windowFunnel retention
""".split()  # noqa: SIM905 - readable as words
_FUNCTIONS = """
    toDate toDate32 toDateTime toDateTime64 toStartOfHour toStartOfDay toStartOfWeek toStartOfMonth toStartOfQuarter toStartOfYear
    toStartOfInterval toMonday toYear toMonth toDayOfMonth toDayOfWeek toHour toMinute toYYYYMM toYYYYMMDD toUnixTimestamp
    toUnixTimestamp64Milli dateDiff date_diff dateTrunc date_trunc dateAdd date_add dateSub date_sub addDays addHours addWeeks addMonths
    subtractDays subtractHours now today yesterday formatDateTime toIntervalDay toIntervalHour toIntervalWeek toIntervalMonth
    toInt64 toInt32 toUInt64 toUInt32 toFloat64 toFloat64OrNull toFloat64OrZero toInt64OrNull toInt64OrZero toString
    lower upper length substring concat position positionCaseInsensitive match replaceOne replaceAll splitByChar trim
    splitByString startsWith endsWith if multiIf coalesce ifNull nullIf isNull isNotNull round floor ceil abs greatest least intDiv modulo
    has hasAny hasAll arrayExists arrayAll arrayCount arrayFilter arrayMap arraySort arraySum arrayDistinct arrayJoin indexOf
    mapKeys mapValues mapContains tuple array cast isNaN isFinite row_number rank dense_rank lagInFrame leadInFrame empty notEmpty
    not and or map equals
""".split()  # noqa: SIM905 - readable as words
FUNCTIONS = frozenset(name.lower() for name in [*_FUNCTIONS, *_AGGREGATES, *(f"{name}If" for name in _AGGREGATES)])
#: Words that may stand before a bracket without calling anything.
_WORDS = frozenset(
    """
    select from where by and or not in on as join having limit offset case when then else between like ilike is union all except
    intersect distinct with using over partition order group left right inner outer full cross interval exists
    """.split()  # noqa: SIM905 - readable as words
)


@dataclass(frozen=True)
class Guarded:
    """SQL that may run, and the values it binds."""

    sql: str
    values: dict[str, str]


def guarded(typed: str, tables: Mapping[str, str]) -> Guarded:
    """`tables` are the names somebody may use, each with the SELECT that stands for it. `Invalid` says what is refused."""
    tree = _parsed(typed)
    _refuse_unknown(tree)
    names = _made_names(tree)  # before tables are looked at: they get names that no table has
    if names & set(tables):
        raise Invalid(f"{', '.join(sorted(names & set(tables)))} is a table of ours. Call your own something else.")
    values: dict[str, str] = {}
    for node in list(tree.find_all(exp.Literal)):
        if node.is_string and not (isinstance(node.parent, exp.DateTrunc) and _NAME.fullmatch(node.this)):
            name = f"text{len(values)}"
            values[name] = node.this
            node.replace(exp.Var(this=f"@@{name}@@"))
    for table in list(tree.find_all(exp.Table)):
        _replace(table, tables, names)
    text = tree.sql(dialect=_DIALECT, comments=False)
    _refuse_functions(text)
    for name, sql in tables.items():
        text = text.replace(f"@@table_{name}@@", f"({sql})")
    return Guarded(re.sub(r"@@(text\d+)@@", r"{\1:String}", text), values)


def _parsed(typed: str) -> exp.Query:
    if not typed.strip():
        raise Invalid("Write a question: SELECT event, count() FROM events GROUP BY event")
    if len(typed) > LONGEST or "\x00" in typed or "@@" in typed:
        raise Invalid(f"A question has {LONGEST:,} characters at most, without NUL and without @@.")
    try:
        statements = [one for one in sqlglot.parse(typed, read=_DIALECT) if one is not None]
    except (SqlglotError, RecursionError, ValueError) as error:
        first = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise Invalid(f"This cannot be read as SQL: {first}") from error
    if len(statements) != 1 or not isinstance(statements[0], exp.Query):
        raise Invalid("One SELECT, and nothing else.")
    return statements[0]


def _refuse_unknown(tree: exp.Query) -> None:
    """Every piece of syntax is on the list, and every name is plain."""
    for number, node in enumerate(tree.walk()):
        if number > MOST_NODES:
            raise Invalid("This question has too many parts. Split it.")
        if not isinstance(node, (*_SYNTAX, exp.Func)):
            raise Invalid(f"{type(node).__name__} is not among what can be asked here.")
        if isinstance(node, exp.Query):
            _refuse_parts(node)
        if isinstance(node, exp.Identifier) and not _NAME.fullmatch(node.this):
            raise Invalid(f"{node.this[:40]!r} is no plain name: letters, digits and underscores.")
        if isinstance(node, exp.Var) and not _NAME.fullmatch(node.name):
            raise Invalid(f"{node.name[:40]!r} is no plain word.")
        if isinstance(node, exp.DataType) and node.this.name not in _TYPES:
            raise Invalid(f"A value cannot be turned into {node.this.name} here.")
        if (
            isinstance(node, exp.Join)
            and not {str(node.args.get(name) or "") for name in ("side", "kind", "method")} <= _JOINS
        ):
            raise Invalid("Tables are joined with INNER, LEFT, RIGHT, FULL or CROSS.")
        if isinstance(node, exp.Anonymous) and node.name.lower() not in FUNCTIONS:  # also `in`(x, a_table), in quotes
            raise Invalid(f"The function {node.name[:60]!r} cannot be used here.")
        if isinstance(node, exp.CastToStrType):
            raise Invalid("Name the type without quotes: CAST(x AS Int64).")
        if isinstance(node, exp.In):
            _refuse_in(node)
        if isinstance(node, exp.With) and node.args.get("recursive"):
            raise Invalid("A question cannot call itself.")


def _refuse_parts(node: exp.Query) -> None:
    if isinstance(node, exp.Select) and not node.expressions:
        raise Invalid("SELECT what? Name a column, as SELECT event FROM events.")
    for name, value in node.args.items():
        if name not in _PARTS and value:
            raise Invalid(f"{name.upper()} cannot be said here.")
        if name == "kind" and value:
            raise Invalid("SELECT and nothing between it and the columns but DISTINCT.")


def _refuse_in(node: exp.In) -> None:
    """A bare name after IN would be read as a table, whole and unfiltered."""
    if node.args.get("field") is not None or node.args.get("unnest") is not None:
        raise Invalid("After IN stands a list in brackets, or a SELECT.")
    for one in node.expressions:
        if not isinstance(one, exp.Literal | exp.Neg | exp.Null | exp.Boolean | exp.Tuple) or list(
            one.find_all(exp.Column)
        ):
            raise Invalid("After IN stands a list of values in brackets, or a SELECT.")


def _made_names(tree: exp.Query) -> set[str]:
    """Names that the question gives to parts of itself, which get another one that no table has.

    Else a part that is told inside, or later, could be read outside, or before, as a table of that name.
    """
    if any(one.parent is not tree for one in tree.find_all(exp.With)):
        raise Invalid("WITH stands at the beginning of the question, and nowhere else.")
    names = {cte.alias for cte in tree.find_all(exp.CTE)}
    for cte in tree.find_all(exp.CTE):
        cte.args["alias"].set("this", exp.to_identifier(f"{_OWN}{cte.alias}"))
    return names


def _replace(table: exp.Table, tables: Mapping[str, str], made: Iterable[str]) -> None:
    extra = {name for name, value in table.args.items() if value and name not in ("this", "alias", "joins")}
    if extra or not isinstance(table.this, exp.Identifier):
        raise Invalid(
            f"Only these can be asked: {', '.join(sorted(tables))}. No files, addresses, functions or other databases."
        )
    name = table.name
    if name in made:
        if not table.args.get("alias"):
            table.set("alias", exp.TableAlias(this=exp.to_identifier(name)))
        table.set("this", exp.to_identifier(f"{_OWN}{name}"))
        return
    if name not in tables:
        raise Invalid(f"There is no table {name[:60]!r} here; there is {', '.join(sorted(tables))}.")
    alias: Any = table.args.get("alias") or exp.TableAlias(this=exp.to_identifier(name))
    fresh = exp.Table(this=exp.Var(this=f"@@table_{name}@@"), alias=alias)
    if table.args.get("joins"):
        fresh.set("joins", table.args["joins"])
    table.replace(fresh)


def _refuse_functions(text: str) -> None:
    """Whatever stands before a bracket in what was written anew is a function on the list, or no function."""
    tokens = sqlglot.tokenize(text, read=_DIALECT)
    for token, following in pairwise(tokens):
        if following.text != "(" or not re.match(r"[A-Za-z_]", token.text):
            continue
        word = token.text.lower()
        if word not in FUNCTIONS and word not in _WORDS and token.text.upper() not in _TYPES:
            raise Invalid(f"The function {token.text[:60]!r} cannot be used here.")
