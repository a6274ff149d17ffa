"""Errors tell a person what to do, and programs an exit code."""

import stat

import pytest

from cato_cli import codes
from cato_cli.profiles import profiles_file


def refused(result, code, *words):
    assert result.exit_code == code, result.output
    text = " ".join(result.stderr.split())
    assert text.startswith("cato: ")
    assert "Traceback" not in text
    for word in words:
        assert word in text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ["call", "--audio", "nothing", "--group", "town", "--settings", "calm"],
            ["'nothing'", "cato audio list"],
        ),
        (["call", "--audio", "flood_warning", "--group", "x", "--settings", "calm"], ["cato group list"]),
        (["call", "--audio", "flood_warning", "--group", "town", "--settings", "x"], ["cato settings list"]),
        (["report", "nothing"], ["'nothing'", "cato runs --all"]),
        (["report", "3fa85f64-5717-4562-b3fc-2c963f66afa6"], ["3fa85f64", "cato runs --all"]),
        (["history"], ["--person"]),
        (["group", "add", "assets/flood_warning.mp3"], [".xlsx"]),
        (["export", "people", "-o", "people.doc"], [".xlsx"]),
        (["export", "people", "-o", "people.xlsx", "--excel"], [".csv"]),
        (["export", "people", "-o", "people.csv", "--which", "some"], ["unreached"]),
        (["export", "group", "town", "-o", "town.parquet"], [".xlsx"]),
        (["profile", "use", "nowhere"], ["cato profile list"]),
        (["--profile", "nowhere", "audio", "list"], ["nowhere", "town, village"]),
    ],
    ids=" ".join,
)
def test_what_cannot_be_used_is_said_with_the_remedy(furnished, arguments, words):
    refused(furnished.run(*arguments), codes.USAGE, *words)


@pytest.mark.parametrize(
    "arguments",
    [
        ["settings", "add", "x", "--hours", "8-18"],
        ["history", "1", "--from", "yesterday"],
        ["settings", "add", "x", "--preset", "party"],
        ["settings", "add", "x", "--retry", "BUSY"],
        ["settings", "add", "x", "--retry", "SLEEPY/300/3"],
        ["call"],
    ],
    ids=" ".join,
)
def test_a_wrong_option_is_a_usage_error(furnished, arguments):
    assert furnished.run(*arguments).exit_code == codes.USAGE


def test_faults_of_a_list_are_shown_with_their_lines(town, tmp_path):
    (tmp_path / "bad.csv").write_text("Name;Phone\nIvan;776413\nOlga;none\nPavel;7.9E+10\n")
    result = town.run("group", "add", "bad.csv")
    refused(result, codes.REFUSED, "2 faults", "not stored")
    lines = [line.split() for line in result.stderr.splitlines()]
    assert {"3", "4"} <= {word for words in lines for word in words}
    assert town.services.groups == {}
    checked = town.run("group", "add", "bad.csv", "--check")
    assert checked.exit_code == codes.REFUSED
    assert "2 faults" in checked.stdout
    assert "Phone" in checked.stdout
    assert town.services.groups == {}


def test_a_system_that_does_not_answer_is_named(town, monkeypatch):
    monkeypatch.setattr("cato_cli.session._PATIENCE_S", 0.0)
    town.bridge.down = True
    refused(town.run("audio", "list"), codes.UNAVAILABLE, "http://127.0.0.1:8080", "cato up", "CATO_URL")


def test_an_unknown_token_is_explained(town, monkeypatch):
    monkeypatch.setenv("CATO_TOKEN", "wrong")
    refused(town.run("audio", "list"), codes.NO_PERMISSION, "CATO_TOKEN", "cato profile add")


def test_another_machine_needs_a_token(town, monkeypatch):
    monkeypatch.setenv("CATO_URL", "https://cato.example.org")
    refused(town.run("audio", "list"), codes.USAGE, "CATO_TOKEN")


def test_the_refusals_of_the_api_are_passed_on(furnished):
    refused(furnished.run("audio", "remove", "march"), codes.REFUSED, "task")
    furnished.done("settings", "add", "calm")
    refused(furnished.run("settings", "show", "calm"), codes.USAGE, "2 have the name")


def test_the_tokens_of_profiles_are_readable_for_their_user_only(furnished):
    assert stat.S_IMODE(profiles_file().stat().st_mode) == 0o600
    furnished.done("profile", "add", "hill", "--url", "https://hill.example.org/", input="secret\n")
    assert stat.S_IMODE(profiles_file().stat().st_mode) == 0o600
    shown = furnished.done("profile", "list")
    assert "https://hill.example.org" in shown
    assert "secret" not in shown


def test_a_profile_is_the_default_until_the_environment_says_otherwise(furnished, monkeypatch):
    furnished.done("profile", "add", "town", "--url", "https://cato.example.org", input="wrong\n")
    refused(furnished.run("audio", "list"), codes.NO_PERMISSION, "https://cato.example.org")
    furnished.done("--profile", "village", "audio", "list")
    monkeypatch.setenv("CATO_TOKEN", "default")
    furnished.done("audio", "list")
    monkeypatch.setenv("CATO_URL", "http://127.0.0.1:8080")
    furnished.done("audio", "list")
    furnished.done("profile", "remove", "town")
    monkeypatch.delenv("CATO_TOKEN")
    monkeypatch.delenv("CATO_URL")
    furnished.done("audio", "list")


def test_a_broken_file_of_profiles_is_named(town):
    profiles_file().parent.mkdir(parents=True)
    profiles_file().write_text("[]")
    refused(town.run("audio", "list"), codes.USAGE, "profiles.json")
