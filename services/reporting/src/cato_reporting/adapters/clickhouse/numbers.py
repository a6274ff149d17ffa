"""The numbers of runs, counted over all calls and results at once."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from clickhouse_connect.driver.client import Client

from cato_contracts.api.reasons import Group, Reason
from cato_reporting.domain.report import Numbers

_Outcomes = tuple[int, int, int, Mapping[str, int]]
"""For the subscribers with the same latest wave: the wave, reached, not reached, decided by rules."""

_CALL_NUMBERS = """
SELECT
    run_id,
    max(wave),
    countIf(ended AND success),
    countIf(ended AND NOT success),
    countIf(begun AND NOT ended AND NOT answered),
    countIf(begun AND NOT ended AND answered),
    countIf(begun AND delayed)
FROM
(
    SELECT
        run_id, wave, success, delayed,
        isNotNull(first_event_at) AS begun, isNotNull(answered_at) AS answered, isNotNull(ended_at) AS ended
    FROM call_rows FINAL
    WHERE run_id IN {runs:Array(UUID)}
)
GROUP BY run_id
"""

_RULES = ", ".join(f"'{reason}'" for reason in Reason if reason.group is Group.RULE)

_OUTCOME_NUMBERS = f"""
SELECT
    run_id, latest, countIf(reached), countIf(NOT reached),
    sumMapIf(map(last_reason, toUInt64(1)), NOT reached AND last_reason IN ({_RULES}))
FROM
(
    SELECT
        run_id, subscriber_no, max(wave) AS latest, max(notified) AS reached,
        argMax(toString(reason), wave) AS last_reason
    FROM result_rows FINAL
    INNER JOIN (SELECT run_id, subscriber_count FROM runs WHERE run_id IN {{runs:Array(UUID)}}) AS sizes
        USING run_id
    WHERE run_id IN {{runs:Array(UUID)}} AND subscriber_no < subscriber_count
    GROUP BY run_id, subscriber_no
)
GROUP BY run_id, latest
"""  # noqa: S608 - our own words

_WAVES = "SELECT run_id, wave FROM runs WHERE run_id IN {runs:Array(UUID)}"


def read_numbers(client: Client, run_ids: Sequence[UUID]) -> dict[UUID, Numbers]:
    """Count by the same definitions as the live projection."""
    values = {"runs": list(run_ids)}
    waves: dict[UUID, int] = {}
    counted: dict[UUID, tuple[int, int, int, int, int]] = {}
    for run_id, wave, *counts in client.query(_CALL_NUMBERS, values).result_rows:
        waves[run_id] = wave
        counted[run_id] = (counts[0], counts[1], counts[2], counts[3], counts[4])
    for run_id, wave in client.query(_WAVES, values).result_rows:
        waves[run_id] = max(wave, waves.get(run_id, 0))
    outcomes: dict[UUID, list[_Outcomes]] = {}
    for run_id, wave, notified, failed, by_rule in client.query(_OUTCOME_NUMBERS, values).result_rows:
        outcomes.setdefault(run_id, []).append((wave, notified, failed, by_rule))
        waves[run_id] = max(wave, waves.get(run_id, 0))
    return {
        run_id: _numbers(waves.get(run_id, 0), counted.get(run_id), outcomes.get(run_id, []))
        for run_id in run_ids
    }


def _numbers(wave: int, calls: tuple[int, int, int, int, int] | None, outcomes: list[_Outcomes]) -> Numbers:
    succeeded, failed, ringing, talking, delayed = calls or (0, 0, 0, 0, 0)
    by_rule: Mapping[str, int] = next((rules for latest, _, _, rules in outcomes if latest == wave), {})
    return Numbers(
        notified=sum(reached for _, reached, _, _ in outcomes),
        failed=sum(missed for latest, _, missed, _ in outcomes if latest == wave),
        succeeded_calls=succeeded,
        failed_calls=failed,
        ringing=ringing,
        talking=talking,
        delayed=delayed,
        wave=wave,
        failed_by_rule=dict(sorted(by_rule.items())),
    )
