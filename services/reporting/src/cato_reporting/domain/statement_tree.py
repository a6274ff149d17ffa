"""What a statement reads, checked on the syntax tree that the database makes of it (EXPLAIN AST).

Only the views for analysts can be read, and the subqueries that the statement names. Kinds of nodes that are
not known here are rejected: a list of what is harmless stays right when the database learns something new.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from cato_reporting.domain.statement import Statement, StatementError

_NODES = frozenset(
    {
        "SelectWithUnionQuery",
        "SelectIntersectExceptQuery",
        "SelectQuery",
        "ExpressionList",
        "Subquery",
        "WithElement",
        "TablesInSelectQuery",
        "TablesInSelectQueryElement",
        "TableExpression",
        "TableIdentifier",
        "TableJoin",
        "ArrayJoin",
        "Function",
        "Identifier",
        "Literal",
        "Asterisk",
        "QualifiedAsterisk",
        "ColumnsRegexpMatcher",
        "ColumnsListMatcher",
        "ColumnsTransformerList",
        "ColumnsExceptTransformer",
        "ColumnsReplaceTransformer",
        "OrderByElement",
        "WindowDefinition",
        "WindowListElement",
        "InterpolateElement",
        "GroupingSets",
        "NameTypePair",
        "DataType",
    }
)
_GENERATORS = frozenset({"numbers", "zeros", "generateseries", "generate_series"})
"""Functions that may stand where a table stands."""

_MEMBERSHIP = frozenset(
    f"{scope}{name}{variant}"
    for scope in ("", "global")
    for name in ("in", "notin", "nullin", "notnullin")
    for variant in ("", "ignoreset")
)
"""Functions whose second argument may be the name of a table."""

_FORBIDDEN = (
    "addressto",
    "authuser",
    "authenticateduser",
    "catboost",
    "current",
    "defaultprofiles",
    "defaultroles",
    "demangle",
    "dict",
    "enabledprofiles",
    "enabledroles",
    "file",
    "filesystem",
    "fqdn",
    "getclient",
    "getmacro",
    "getmergetree",
    "getoskernel",
    "getserver",
    "getsetting",
    "hascolumnintable",
    "hasthreadfuzzer",
    "hostname",
    "initialquery",
    "joinget",
    "logtrace",
    "model",
    "queryid",
    "query_id",
    "serveruuid",
    "showcertificate",
    "sleep",
    "tcpport",
    "transactionid",
    "transactionlatest",
    "user",
    "zookeeper",
)
"""How the names of functions begin that reach files, other tables, or the server itself."""

_ALLOWED = frozenset({"current_date", "current_timestamp", "currentdate"})


@dataclass(slots=True)
class _Node:
    kind: str
    rest: str
    children: "list[_Node]" = field(default_factory=list)

    @property
    def name(self) -> str:
        """The name, without what the database adds to it: `calls (alias c)`."""
        return self.rest.split(" (", 1)[0]


def check_tree(
    statement: Statement, lines: Iterable[str], *, views: Collection[str], tables: Collection[str]
) -> None:
    """Check what a statement reads. `tables`: all that there are in its database.

    Raises:
        StatementError: if it is more than the views.

    """
    shadowing = (statement.subqueries & set(tables)) - set(views)
    if shadowing:
        raise StatementError(f"a subquery cannot be named {min(shadowing)}, which is a table")
    _check(_tree(lines), {*views, *statement.subqueries}, views)


def _tree(lines: Iterable[str]) -> _Node:
    root = _Node("", "")
    open_nodes = [root]
    for line in lines:
        if not line.strip():
            continue
        depth = len(line) - len(line.lstrip(" "))
        kind, _, rest = line.strip().partition(" ")
        node = _Node(kind, rest)
        if depth + 1 > len(open_nodes):
            raise StatementError("the statement cannot be checked")
        del open_nodes[depth + 1 :]
        open_nodes[depth].children.append(node)
        open_nodes.append(node)
    return root


def _check(root: _Node, readable: set[str], views: Collection[str]) -> None:
    nodes = [root]
    while nodes:
        node = nodes.pop()
        for child in node.children:
            if child.kind not in _NODES:
                raise StatementError(f"a query of the views has no {child.kind}")
            if child.kind == "TableIdentifier":
                _check_table(child.name, readable, views)
            elif child.kind == "Function":
                _check_function(child, node.kind, readable, views)
        nodes += node.children


def _check_table(name: str, readable: set[str], views: Collection[str]) -> None:
    if name not in readable:
        raise StatementError(f"{name[:100]} cannot be read; the views are {', '.join(sorted(views))}")


def _check_function(node: _Node, place: str, readable: set[str], views: Collection[str]) -> None:
    name = node.name.lower()
    if place == "TableExpression" and name not in _GENERATORS:
        raise StatementError(f"the table function {node.name[:100]} is not available")
    if name.startswith(_FORBIDDEN) and name not in _ALLOWED:
        raise StatementError(f"the function {node.name[:100]} is not available")
    if name in _MEMBERSHIP:
        for arguments in node.children:
            for argument in arguments.children[1:]:
                if argument.kind == "Identifier":
                    _check_table(argument.name, readable, views)
