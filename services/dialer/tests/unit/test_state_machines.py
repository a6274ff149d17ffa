"""The documents of the state machines match the code completely."""

import json
from pathlib import Path

import pytest

from cato_dialer.campaign.domain.run.next_step import RULES
from cato_dialer.campaign.domain.run.run import Run
from cato_dialer.dial.domain.call.machine import TRANSITIONS
from cato_dialer.dial.domain.call.state import Phase, Timer
from cato_dialer.entrypoints.state_machines import data, files, main

DOCS = Path(__file__).parents[4] / "docs"
DECISIONS = {
    *(Run.WaveBegun, Run.WaveClosed, Run.Paused, Run.Resumed),
    *(Run.StationsDown, Run.StationsUp, Run.Stopping, Run.Ended),
    *(Run.Approved, Run.Rejected, Run.ApprovalExpired),
}


@pytest.fixture(scope="module")
def machines():
    return data()


@pytest.mark.parametrize("name", ["state-machines.json", "state-machines.md"])
def test_the_documents_are_what_the_code_says(name):
    assert (DOCS / name).read_text(encoding="utf-8") == files()[name]


def test_a_stale_document_fails_the_check_and_is_written_again(tmp_path, capsys):
    assert main([str(tmp_path)]) == 0
    assert main(["--check", str(tmp_path)]) == 0
    stale = tmp_path / "state-machines.md"
    stale.write_text("something else", encoding="utf-8")
    assert main(["--check", str(tmp_path)]) == 1
    assert str(stale) in capsys.readouterr().err
    assert main([str(tmp_path)]) == 0
    assert main(["--check", str(tmp_path)]) == 0


def test_every_row_of_the_calls_table_is_there(machines):
    rows = machines["call"]["transitions"]
    assert len(rows) == len(TRANSITIONS)
    assert {row["phase"] for row in rows} | {"ended"} == {phase.value for phase in Phase}


def test_every_timer_of_a_call_has_a_limit_and_a_row_for_its_expiry(machines):
    rows = machines["call"]["transitions"]
    timers = machines["call"]["timers"]
    assert [timer["name"] for timer in timers] == [timer.value for timer in Timer]
    for timer in timers:
        assert timer["runs_for"], timer
        assert any(row["trigger"] == timer["expires_as"] for row in rows), timer


def test_every_trigger_of_a_call_but_unsent_orders_has_a_row(machines):
    used = {row["trigger"] for row in machines["call"]["transitions"]}
    assert set(machines["call"]["triggers"]) - used == {"missed", "not-sent"}


def test_every_rule_and_every_decision_of_a_run_is_listed(machines):
    run = machines["run"]
    used = {row["by"] for row in run["transitions"]}
    used |= {rule for rules in run["activities"].values() for rule in rules}
    assert {rule.step.__name__ for rule in RULES} <= used
    assert {row["event"] for row in run["transitions"]} == {decision.TOPIC for decision in DECISIONS}


def test_every_state_of_a_run_leads_to_its_end(machines):
    run = machines["run"]
    ending = {run["final"]}
    for _ in run["states"]:
        ending |= {row["state"] for row in run["transitions"] if row["target"] in ending}
    assert ending == set(run["states"])
    assert not any(row["state"] == run["final"] for row in run["transitions"])


def test_the_data_is_plain_json(machines):
    assert json.loads(files()["state-machines.json"]) == machines
