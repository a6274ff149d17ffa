"""The metrics of a campaign replica that need no broker."""

from typing import Any

from cato_dialer.campaign.adapters.campaign_gauges import CampaignGauges


async def test_s1_runs_are_stalled_while_the_broker_stores_no_messages() -> None:
    faults: list[str] = []
    no_broker: Any = None
    gauges = CampaignGauges(
        no_broker, lambda: 3, lambda: 0, storage_fault=lambda: faults[0] if faults else None
    )

    def value(name: str) -> float:
        (metric,) = (each for each in gauges.collect() if each.name == name)
        return float(metric.samples[0].value)

    assert (value("cato_runs_in_progress"), value("cato_runs_stalled")) == (3, 0)
    faults.append("the broker stores no messages; its disk may be full")
    assert (value("cato_runs_in_progress"), value("cato_runs_stalled")) == (3, 3)
    faults.clear()
    assert value("cato_runs_stalled") == 0
