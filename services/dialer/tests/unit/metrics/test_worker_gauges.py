"""Metrics of the processes that carry the calls."""

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from cato_dialer.dial.adapters.worker_gauges import WorkerGauges, usage_of


def stat(proc, pid, ticks, pages):
    (proc / str(pid)).mkdir(exist_ok=True)
    fields = ["S", *["0"] * 10, str(ticks), "0", *["0"] * 8, str(pages)]
    (proc / str(pid) / "stat").write_text(f"{pid} (a (b) c) {' '.join(fields)}")


def values(gauges):
    return {
        (sample.name, sample.labels["engine"]): sample.value
        for family in gauges.read()
        for sample in family.samples
    }


def test_processor_time_of_ended_processes_is_kept(tmp_path):
    (tmp_path / "self").mkdir()
    second = os.sysconf("SC_CLK_TCK")
    stat(tmp_path, 7, 3 * second, 10)
    stat(tmp_path, 8, 2 * second, 5)
    engine = SimpleNamespace(worker_pids=(7, 8), worker_deaths=0)
    gauges = WorkerGauges(SimpleNamespace(engines={"dense": engine}), proc=tmp_path)
    page = os.sysconf("SC_PAGE_SIZE")
    assert values(gauges) == {
        ("cato_sip_worker_processes", "dense"): 2,
        ("cato_sip_worker_deaths_total", "dense"): 0,
        ("cato_sip_worker_resident_bytes", "dense"): 15 * page,
        ("cato_sip_worker_cpu_seconds_total", "dense"): 5,
    }
    stat(tmp_path, 9, second, 1)
    engine.worker_pids, engine.worker_deaths = (8, 9), 1
    assert values(gauges) == {
        ("cato_sip_worker_processes", "dense"): 2,
        ("cato_sip_worker_deaths_total", "dense"): 1,
        ("cato_sip_worker_resident_bytes", "dense"): 6 * page,
        ("cato_sip_worker_cpu_seconds_total", "dense"): 6,
    }


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="there is no /proc")
def test_a_process_that_runs_uses_memory_and_one_that_ended_is_left_out():
    usage = usage_of(os.getpid())
    assert usage is not None
    assert usage.resident_bytes > 1_000_000
    assert usage_of(2**22 + 1) is None
