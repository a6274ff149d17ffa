"""Statements of analysts: what is read, and what is rejected before the database sees it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cato_reporting.domain.statement import StatementError, read_statement
from cato_reporting.domain.statement_tree import check_tree
from tests.analytics.documented import statements

VIEWS = ("runs", "calls")
TABLES = ("runs", "calls", "call_rows", "log_positions")
DOCUMENTED = [block for blocks in statements().values() for block in blocks]


@pytest.mark.parametrize("text", DOCUMENTED)
def test_the_documented_statements_are_taken(text):
    assert "".join(read_statement(text).text.split()) == "".join(text.split())


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("SELECT 1;", "SELECT 1"),
        ("SELECT 1 -- ; DROP TABLE calls", "SELECT 1"),
        ("SELECT/* INTO */1", "SELECT 1"),
        ("(SELECT 1)", "(SELECT 1)"),
        ("select 'it''s; INTO \\' --' AS \"a ; b\"", "select 'it''s; INTO \\' --' AS \"a ; b\""),
        ("WITH x AS (SELECT 1) SELECT * FROM x", "WITH x AS (SELECT 1) SELECT * FROM x"),
        ("SELECT number::String, a->b, x || 'y' FROM calls WHERE a <= 1", None),
    ],
)
def test_a_select_is_kept_without_comments(text, kept):
    assert read_statement(text).text == (kept or text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "SELECT or WITH"),
        ("DROP TABLE calls", "SELECT or WITH"),
        ("INSERT INTO calls VALUES (1)", "SELECT or WITH"),
        ("EXPLAIN SELECT 1", "SELECT or WITH"),
        ("SET readonly = 0", "SELECT or WITH"),
        ("SYSTEM SHUTDOWN", "SELECT or WITH"),
        ("SELECT 1; DROP TABLE calls", "after the semicolon"),
        ("SELECT 1;;", "after the semicolon"),
        ("SELECT 1 INTO OUTFILE '/tmp/x'", "cannot write files"),
        ("SELECT 1 iNtO/**/outfile '/tmp/x'", "cannot write files"),
        ("SELECT 1 SETTINGS readonly = 0", "cannot change settings"),
        ("SELECT 1 FORMAT Native", "format is chosen"),
        ("SELECT 'a", "quotation mark"),
        ("SELECT 'a\\'", "quotation mark"),
        ("SELECT `a", "quotation mark"),
        ("SELECT 'a\nb'", "quotation mark"),
        ("SELECT /* a", "comment"),
        ("SELECT $$a$$", "not allowed"),
        ("SELECT # a\n 1", "'#'"),
        ("SELECT ‘a’", "'‘'"),
        ("SELECT\u00a01", "not allowed"),
        ("SELECT 1\0", "not allowed"),
        ("SELECT (1", "not closed"),
        ("SELECT 1)", "not open"),
        ("SELECT " + "(" * 200 + "1" + ")" * 200, "at most 100 brackets"),
        ("SELECT 1 " * 10_000, "at most 50000 characters"),
    ],
)
def test_what_is_no_plain_select_is_rejected_with_the_reason(text, words):
    with pytest.raises(StatementError, match=words):
        read_statement(text)


@given(st.text(max_size=200) | st.text(alphabet="'\"`\\-/*;()[]{}sSelect INTO\n\0x", max_size=200))
def test_any_text_is_read_or_rejected(text):
    try:
        statement = read_statement(text)
    except StatementError:
        return
    # Reading it again changes nothing: what was checked is what is executed.
    assert read_statement(statement.text) == statement
    assert ";" not in statement.text or "'" in text or '"' in text or "`" in text


def tree(*lines):
    return ["SelectWithUnionQuery (children 1)", *lines]


def table(name):
    return tree(" TablesInSelectQuery", "  TablesInSelectQueryElement", "   TableExpression", f"    {name}")


@pytest.mark.parametrize(
    "lines",
    [
        table("TableIdentifier calls"),
        table("TableIdentifier calls (alias c)"),
        table("TableIdentifier x"),
        table("Function numbers (children 1)"),
        tree(" Function in (children 1)", "  ExpressionList", "   Identifier a", "   Identifier x"),
        tree(" Function in (children 1)", "  ExpressionList", "   Identifier a", "   Subquery"),
        tree(" Function countIf (children 1)"),
    ],
)
def test_a_tree_that_reads_views_is_accepted(lines):
    check_tree(read_statement("WITH x AS (SELECT 1) SELECT 1"), lines, views=VIEWS, tables=TABLES)


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (table("TableIdentifier call_rows"), "call_rows cannot be read"),
        (table("TableIdentifier system.users"), "system.users cannot be read"),
        (table("TableIdentifier default.calls"), "default.calls cannot be read"),
        (table("Function file (children 1)"), "table function file"),
        (table("Function merge (children 1)"), "table function merge"),
        (table("Function remote (children 1)"), "table function remote"),
        (
            tree(
                " Function in (children 1)", "  ExpressionList", "   Literal 1", "   Identifier system.users"
            ),
            "system",
        ),
        (
            tree(" Function globalNotIn", "  ExpressionList", "   Literal 1", "   Identifier call_rows"),
            "call_rows",
        ),
        (tree(" Function dictGet (children 1)"), "function dictGet"),
        (tree(" Function getSetting (children 1)"), "function getSetting"),
        (tree(" Function joinGet (children 1)"), "function joinGet"),
        (tree(" Function sleep (children 1)"), "function sleep"),
        (tree(" Set"), "no Set"),
        (["InsertQuery"], "no InsertQuery"),
        (["DropQuery calls"], "no DropQuery"),
        (["SelectWithUnionQuery", "   Literal 1"], "cannot be checked"),
    ],
)
def test_a_tree_that_reads_anything_else_is_rejected(lines, words):
    with pytest.raises(StatementError, match=words):
        check_tree(read_statement("SELECT 1"), lines, views=VIEWS, tables=TABLES)


def test_a_subquery_cannot_take_the_name_of_a_table():
    statement = read_statement("WITH call_rows AS (SELECT 1) SELECT 1")
    with pytest.raises(StatementError, match="call_rows"):
        check_tree(statement, tree(), views=VIEWS, tables=TABLES)


def test_a_quoted_name_with_a_dot_is_no_subquery():
    assert read_statement("WITH `system.users` AS (SELECT 1) SELECT 1").subqueries == set()
