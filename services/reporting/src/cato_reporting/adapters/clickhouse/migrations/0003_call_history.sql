-- The history of calls. Calls are found by their start, number, run or id in a table of their own in the order of
-- time, because call_rows is in the order of runs, as the status document wants it. It has one row per call, from
-- its first event, which never changes afterwards: a row replaces its equal, as everywhere.

CREATE TABLE IF NOT EXISTS call_start_rows ${on_cluster}
(
    started_at DateTime64(3, 'UTC') COMMENT 'The start of the call',
    call_id UUID COMMENT 'The call',
    run_id UUID COMMENT 'The run (task execution)',
    subscriber_no UInt32 COMMENT 'The subscriber''s place in the run''s list, from 0',
    number String COMMENT 'The number that was called',
    INDEX by_number number TYPE bloom_filter(0.001) GRANULARITY 1,
    INDEX by_call call_id TYPE bloom_filter(0.001) GRANULARITY 1,
    INDEX by_run run_id TYPE bloom_filter(0.001) GRANULARITY 1
)
ENGINE = ${replicated}ReplacingMergeTree
PARTITION BY toYYYYMM(UUIDv7ToDateTime(run_id))
ORDER BY (started_at, call_id)
COMMENT 'When each call began, to find calls by: in the order of time, with duplicates until they are merged';

CREATE MATERIALIZED VIEW IF NOT EXISTS call_start_rows_from_events ${on_cluster} TO call_start_rows AS
SELECT time AS started_at, call_id, run_id, subscriber_no, number
FROM call_event_rows
WHERE kind = 'started';

ALTER TABLE call_rows ${on_cluster}
    ADD COLUMN IF NOT EXISTS subscriber_id SimpleAggregateFunction(max, Nullable(UUID)) COMMENT 'The subscriber',
    ADD COLUMN IF NOT EXISTS subscriber_name SimpleAggregateFunction(max, String) COMMENT 'Their name',
    ADD COLUMN IF NOT EXISTS digits SimpleAggregateFunction(groupUniqArrayArray, Array(Tuple(UInt16, String))) COMMENT 'What was keyed, each with the number of its event, in no order';

ALTER TABLE call_rows_from_events ${on_cluster} MODIFY QUERY
SELECT
    run_id,
    subscriber_no,
    call_id,
    max(wave) AS wave,
    max(number) AS number,
    max(phone_index) AS phone_index,
    max((if(isNull(station_id), 0, seq + 1), assumeNotNull(station_id))::Tuple(UInt16, UUID)) AS station,
    min(toNullable(time)) AS first_event_at,
    min(if(kind = 'started', time, NULL)) AS started_at,
    min(if(kind IN ('ringing', 'session-progress'), time, NULL)) AS ringing_at,
    min(if(kind = 'answered', time, NULL)) AS answered_at,
    max(if(kind IN ('ended', 'interrupted'), time, NULL)) AS ended_at,
    max(if(kind IN ('ended', 'interrupted'), sip_code, NULL)) AS sip_code,
    max(if(kind IN ('ended', 'interrupted'), toString(reason), '')) AS reason,
    max(heard_ms) AS heard_ms,
    max(success AND kind IN ('ended', 'interrupted'))::Bool AS success,
    max(delayed) AS delayed,
    max(if(kind = 'started', toUUIDOrNull(JSONExtractString(data, 'id')), NULL)) AS subscriber_id,
    max(if(kind = 'started', JSONExtractString(data, 'fullName'), '')) AS subscriber_name,
    groupUniqArray((seq, substring(JSONExtractString(data), 7))::Tuple(UInt16, String)) FILTER (WHERE kind = 'digit') AS digits
FROM call_event_rows
GROUP BY run_id, subscriber_no, call_id;

INSERT INTO call_start_rows SELECT time, call_id, run_id, subscriber_no, number
FROM call_event_rows
WHERE kind = 'started';

INSERT INTO call_rows (run_id, subscriber_no, call_id, subscriber_id, subscriber_name)
SELECT
    run_id, subscriber_no, call_id, toUUIDOrNull(JSONExtractString(data, 'id')), JSONExtractString(data, 'fullName')
FROM call_event_rows
WHERE kind = 'started';

INSERT INTO call_rows (run_id, subscriber_no, call_id, digits)
SELECT run_id, subscriber_no, call_id, [(seq, substring(JSONExtractString(data), 7))::Tuple(UInt16, String)]
FROM call_event_rows
WHERE kind = 'digit';

CREATE OR REPLACE VIEW calls ${on_cluster}
(
    run_id UUID COMMENT 'The run (task execution)',
    subscriber_no UInt32 COMMENT 'The subscriber''s place in the run''s list, from 0',
    call_id UUID COMMENT 'The call',
    wave UInt8 COMMENT 'The wave in which it was made, from 1',
    number String COMMENT 'The number that was called',
    phone_index UInt16 COMMENT 'The number''s place among the subscriber''s numbers, from 0',
    station_id Nullable(UUID) COMMENT 'The station (CS) that it went through',
    started_at DateTime64(3, 'UTC') COMMENT 'The start: a channel was taken for it',
    ringing_at Nullable(DateTime64(3, 'UTC')) COMMENT 'The first ringing (180 or 183)',
    answered_at Nullable(DateTime64(3, 'UTC')) COMMENT 'The answer',
    ended_at Nullable(DateTime64(3, 'UTC')) COMMENT 'The end; none while it is up',
    sip_code Nullable(UInt16) COMMENT 'The final SIP response code; none without a final response',
    reason String COMMENT 'The classifier''s word for the outcome; empty while it is up',
    heard_ms Nullable(UInt32) COMMENT 'Milliseconds of prompt sent while it was up',
    success Bool COMMENT 'It met the success condition of its task',
    delayed Bool COMMENT 'It had to wait for the station''s minimum interval between calls',
    outcome String COMMENT 'ringing, talking, succeeded or failed',
    pdd_ms Nullable(Int64) COMMENT 'Post-dial delay: milliseconds from the start to the first ringing, or the answer without one',
    talk_ms Nullable(Int64) COMMENT 'Milliseconds from the answer to the end',
    digits String COMMENT 'What was keyed, in order',
    subscriber_id Nullable(UUID) COMMENT 'The subscriber',
    subscriber_name String COMMENT 'Their name'
)
AS SELECT
    run_id,
    subscriber_no,
    call_id,
    wave,
    number,
    phone_index,
    if(station.1 = 0, NULL, station.2) AS station_id,
    assumeNotNull(coalesce(started_at, first_event_at)) AS started_at,
    ringing_at,
    answered_at,
    ended_at,
    sip_code,
    reason,
    heard_ms,
    success,
    delayed,
    multiIf(isNull(ended_at), if(isNull(answered_at), 'ringing', 'talking'), success, 'succeeded', 'failed') AS outcome,
    -- Not below 0: the end of a call may be told by another machine, and clocks differ.
    if((dateDiff('millisecond', started_at, coalesce(ringing_at, answered_at)) AS dialed) < 0, 0, dialed) AS pdd_ms,
    if((dateDiff('millisecond', answered_at, ended_at) AS talked) < 0, 0, talked) AS talk_ms,
    arrayStringConcat(arrayMap(key -> key.2, arraySort(digits))) AS digits,
    subscriber_id,
    subscriber_name
FROM call_rows FINAL
WHERE isNotNull(first_event_at)
COMMENT 'Every call';
