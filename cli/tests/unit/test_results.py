"""What the commands print and do: tables, JSON, exit codes, files."""

import csv
import json
from datetime import UTC, datetime

import pytest

from cato_cli import codes
from cato_client.models.presets import PRESETS
from cato_contracts.api.status import RunState
from cato_contracts.messages.campaign_commands import AddNotificationSettings, AddTask, CallTester, StopRun
from cli.tests.support.town import MARCH

CALL = ["call", "--audio", "flood_warning", "--group", "town", "--settings", "calm", "--yes"]


def asked(town, kind):
    return [each.body for each in town.services.asked if isinstance(each.body, kind)]


@pytest.mark.parametrize(
    "arguments",
    [
        ["audio", "list"],
        ["group", "list"],
        ["group", "show", "town"],
        ["settings", "list"],
        ["settings", "show", "calm"],
        ["runs", "--all"],
        ["report", "--people", "all"],
        ["history", "776413"],
        ["stations"],
        ["sip-trace", "list"],
        ["sip-trace", "start", "ten", "--station", "main", "--pcap", "--unmasked"],
        ["sip-trace", "save", "nine", "-o", "nine.txt"],
        ["sip-trace", "remove", "nine"],
        ["group", "add", "people.csv", "--check"],
        ["audio", "add", "assets/flood_warning.mp3"],
        ["audio", "remove", "flood_warning"],
        ["group", "remove", "town"],
        ["settings", "remove", "calm"],
        ["stop"],
        ["export", "people", "-o", "people.csv"],
        ["profile", "list"],
        ["profile", "use", "village"],
        ["profile", "remove", "town"],
        CALL,
    ],
    ids=" ".join,
)
def test_every_result_is_json_on_demand(furnished, arguments):
    assert json.loads(furnished.done(*arguments, "--json"))


def test_a_call_is_a_task_that_is_started_and_watched(furnished):
    text = furnished.done(*CALL, "--watch", "--name", "April", "--priority", "3")
    task = asked(furnished, AddTask)[-1].spec
    assert (task.name, task.priority) == ("April", 3)
    assert "April" in text
    assert "finished" in text


def test_a_check_shows_what_would_happen_and_leaves_nothing(furnished):
    before = dict(furnished.services.tasks), dict(furnished.services.runs)
    text = furnished.done(*CALL, "--check")
    assert "0:00:12 to 0:10:00" in text
    assert json.loads(furnished.done(*CALL, "--check", "--json"))["subscribers"] == 2
    assert (furnished.services.tasks, furnished.services.runs) == before


def test_a_test_call_goes_to_one_number(furnished):
    furnished.done(*CALL, "--test", "+7 343 211-06-95")
    assert asked(furnished, CallTester)[-1].number == "+73432110695"
    result = furnished.run(*CALL, "--test", "x")
    assert result.exit_code == codes.REFUSED
    assert len(furnished.services.tasks) == 2  # the task of the refused call is gone


def test_a_message_may_be_a_file(furnished):
    furnished.done(*CALL[:2], "assets/flood_warning.mp3", *CALL[3:])
    assert asked(furnished, AddTask)[-1].spec.files


def test_watching_as_json_gives_one_report_a_line(furnished):
    lines = furnished.done(*CALL, "--watch", "--json").splitlines()
    assert [json.loads(line)["state"] for line in lines] == ["FINISHED"]


@pytest.mark.parametrize(
    ("state", "reached", "code"),
    [
        (RunState.FINISHED, None, codes.DONE),
        (RunState.FINISHED, 1, codes.NOT_ALL_REACHED),
        (RunState.STOPPED, 1, codes.ENDED_EARLY),
    ],
)
def test_the_exit_code_says_how_an_execution_ended(furnished, state, reached, code):
    furnished.state, furnished.reached = state, reached
    assert furnished.run(*CALL, "--watch").exit_code == code
    assert furnished.run("watch", MARCH).exit_code == codes.DONE


def test_settings_are_those_of_a_preset_with_changes(town):
    town.done(
        *("settings", "add", "x", "--preset", "reminder", "--hours", "22:15-06:00", "--days", "mon, tue"),
        *("--attempts", "9", "--reached", "confirmed", "--code", "12", "--zone", "Europe/Moscow"),
    )
    spec = asked(town, AddNotificationSettings)[-1].spec
    assert (spec.attempt_count, spec.attempt_delay_s, spec.success_condition) == (
        9,
        3600,
        "PICKUP_AND_CONFIRM",
    )
    assert spec.time_restrictions.model_dump() == {
        "from_hour": 22,
        "from_min": 15,
        "till_hour": 6,
        "till_min": 0,
    }
    assert (spec.weekdays, spec.confirm_code) == (["MON", "TUE"], "12")


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_is_that_of_the_client(town, preset):
    town.done("settings", "add", "x", "--preset", preset)
    spec = asked(town, AddNotificationSettings)[-1].spec.model_dump()
    wanted = PRESETS[preset].model_dump(exclude_none=True)
    assert {name: spec[name] for name in wanted} == wanted


def test_numbers_are_put_on_a_list_and_taken_off(furnished):
    furnished.done(
        "exclusion", "put", "do-not-call", "8 343 720-00-41", "--reason", "asked", "--until", "2030-05-09"
    )
    shown = furnished.done("exclusion", "show", "do-not-call", "+73437200041", "--json")
    (entry,) = json.loads(shown)
    assert (entry["number"], entry["reason"]) == ("+73437200041", "asked")
    assert datetime.fromisoformat(entry["expiresAt"]) == datetime(2030, 5, 9).astimezone()
    furnished.done("exclusion", "drop", "do-not-call", "83437200041")
    numbers = json.loads(furnished.done("exclusion", "show", "do-not-call", "--json"))
    assert [each["number"] for each in numbers] == ["776429"]
    gone = furnished.run("exclusion", "show", "do-not-call", "83437200041")
    assert gone.exit_code == codes.REFUSED
    assert "not on the exclusion list" in gone.stderr


def test_a_report_names_the_unreached_and_why(furnished):
    text = furnished.done("report", MARCH, "--people", "unreached")
    assert "Olga Popova" in text
    assert "busy" in text
    assert "Ivan Potapov" not in text


def test_names_are_not_markup(furnished):
    furnished.done("settings", "add", "[red]loud[/red]")
    assert "[red]loud[/red]" in furnished.done("settings", "list")


def test_a_file_is_written_as_a_whole(furnished, tmp_path):
    furnished.done("export", "people", "--which", "unreached", "-o", "people.jsonl")
    assert (tmp_path / "people.jsonl").stat().st_size
    furnished.services.history.broken_at = 0
    result = furnished.run("export", "calls", "-o", "calls.csv")
    assert result.exit_code == codes.UNAVAILABLE
    assert not list(tmp_path.glob("calls*"))


def test_a_group_goes_out_and_in_again(furnished, tmp_path):
    furnished.done("export", "group", "town", "-o", "town.csv")
    with (tmp_path / "town.csv").open(newline="", encoding="utf-8") as file:
        assert [row["fullName"] for row in csv.DictReader(file)] == ["Ivan Potapov", "Olga Popova"]
    furnished.done("group", "add", "town.csv", "--name", "town", "--replace")


def test_an_execution_is_named_by_id_by_task_or_not_at_all(furnished):
    (run_id,) = furnished.services.runs
    for name in ([str(run_id)], [MARCH], []):
        furnished.done("stop", *name, "--hangup")
        command = asked(furnished, StopRun)[-1]
        assert (command.id, command.hangup) == (run_id, True)


def test_times_without_a_zone_are_those_of_this_computer(furnished):
    furnished.done(*CALL, "--start-at", "2026-03-24T08:30", "--expires-at", "2026-03-26T09:30+03:00")
    spec = asked(furnished, AddTask)[-1].spec
    assert spec.start_at == datetime(2026, 3, 24, 8, 30).astimezone()
    assert spec.expires_at == datetime(2026, 3, 26, 6, 30, tzinfo=UTC)


def test_the_options_of_a_call_and_of_settings_reach_the_api(furnished):
    furnished.done(
        *("settings", "add", "offers", "--limit", "3/86400", "--gap", "3600", "--opt-out-key", "9"),
        *("--opt-out-list", "no offers", "--opt-out-audio", "flood_warning", "--repeat-key", "0"),
        *("--skip-hopeless", "--not-on", "2027-05-09", "--local-time"),
        *("--retry", "busy/300/3", "--retry", "NO_ANSWER,UNREACHABLE/0/2"),
    )
    stored = next(each for each in furnished.services.settings.values() if each.name == "offers")
    assert stored.contact_limits is not None
    assert stored.contact_limits.min_gap_s == 3600
    assert [(each.max_calls, each.per_s) for each in stored.contact_limits.limits] == [(3, 86400)]
    assert (stored.opt_out_key, stored.opt_out_list, stored.repeat_key) == ("9", "no offers", "0")
    assert stored.opt_out_file is not None
    rules = [(each.outcomes, each.after_s, each.max_attempts) for each in stored.retry_rules]
    assert rules == [(["BUSY"], 300, 3), (["NO_ANSWER", "UNREACHABLE"], 0, 2)]
    assert (stored.skip_hopeless, stored.local_time is not None, len(stored.excluded_dates)) == (
        True,
        True,
        1,
    )
    furnished.done(
        *("call", "--audio", "flood_warning", "--group", "town", "--settings", "offers", "--name", "o"),
        *(
            "--caller-id",
            "7764",
            "--purpose",
            "offers",
            "--ignore-exclusions",
            "--ignore-contact-limits",
            "--share-phone",
            "-y",
        ),
    )
    task = next(each for each in furnished.services.tasks.values() if each.name == "o")
    assert (task.caller_id, task.purpose) == ("7764", "offers")
    assert (task.ignore_exclusions, task.ignore_contact_limits, task.share_phone) == (True, True, True)


def test_a_limit_that_is_not_understood_is_refused(furnished):
    result = furnished.run("settings", "add", "x", "--limit", "often")
    assert result.exit_code == 2
    assert "3/86400" in result.output
