-- The tables. Whatever is inserted may be inserted again, in any order, any number of times: a row replaces its
-- equal, and what is derived is derived with max and min alone, never counted or summed on the way in.
-- ${replicated} and ${on_cluster} are empty on a single server.

CREATE TABLE IF NOT EXISTS call_event_rows ${on_cluster}
(
    run_id UUID COMMENT 'The run (task execution)',
    subscriber_no UInt32 COMMENT 'The subscriber''s place in the run''s list, from 0',
    call_id UUID COMMENT 'The call',
    seq UInt16 COMMENT 'The event''s number within the call, from 0',
    wave UInt8 COMMENT 'The wave, from 1',
    time DateTime64(3, 'UTC') COMMENT 'When it happened',
    kind LowCardinality(String) COMMENT 'What happened, in our words',
    name LowCardinality(String) COMMENT 'What happened, as the status document words it',
    status LowCardinality(String) COMMENT 'The call''s status after it, as the status document words it',
    number String COMMENT 'The number that was called',
    phone_index UInt16 COMMENT 'The number''s place among the subscriber''s numbers, from 0',
    station_id Nullable(UUID) COMMENT 'The station (CS) that the call goes through, once chosen',
    delayed Bool COMMENT 'The call had to wait for the station''s minimum interval',
    sip_code Nullable(UInt16) COMMENT 'The SIP response code, where there was one',
    reason LowCardinality(String) COMMENT 'The classifier''s word for the outcome (final events)',
    heard_ms Nullable(UInt32) COMMENT 'Milliseconds of prompt sent (final events)',
    success Bool COMMENT 'The call met the success condition (final events)',
    data String COMMENT 'What the status document shows, as JSON',
    position UInt64 COMMENT 'Sequence of the message in the log'
)
ENGINE = ${replicated}ReplacingMergeTree(position)
PARTITION BY toYYYYMM(UUIDv7ToDateTime(run_id))
ORDER BY (run_id, subscriber_no, call_id, seq)
COMMENT 'Every event of every call, with duplicates until they are merged: read the view call_events';

CREATE TABLE IF NOT EXISTS result_rows ${on_cluster}
(
    run_id UUID COMMENT 'The run (task execution)',
    subscriber_no UInt32 COMMENT 'The subscriber''s place in the run''s list, from 0',
    wave UInt8 COMMENT 'The wave, from 1',
    time DateTime64(3, 'UTC') COMMENT 'When it was decided',
    notified Bool COMMENT 'The subscriber was reached',
    reason LowCardinality(String) COMMENT 'The classifier''s word for the outcome',
    call_id Nullable(UUID) COMMENT 'The call that decided, if there was one',
    number String COMMENT 'The number of that call, empty without one',
    position UInt64 COMMENT 'Sequence of the message in the log',
    rank UInt64 COMMENT 'Which row stands: that a person was reached outranks that they were not, then the later one'
)
ENGINE = ${replicated}ReplacingMergeTree(rank)
PARTITION BY toYYYYMM(UUIDv7ToDateTime(run_id))
ORDER BY (run_id, subscriber_no, wave)
COMMENT 'What became of each subscriber in each wave: read the view subscriber_results';

CREATE TABLE IF NOT EXISTS run_event_rows ${on_cluster}
(
    run_id UUID COMMENT 'The run (task execution)',
    position UInt64 COMMENT 'Sequence of the message in the log',
    place UInt8 COMMENT 'The event''s place within its message, from 0',
    type LowCardinality(String) COMMENT 'What happened: RunStarted, WaveStarted, WaveEnded, RunPaused, RunResumed, RunStopping, RunEnded',
    wave UInt8 COMMENT 'The wave, 0 where none is meant',
    time DateTime64(3, 'UTC') COMMENT 'When it happened',
    body String COMMENT 'The event, as JSON'
)
ENGINE = ${replicated}ReplacingMergeTree
PARTITION BY toYYYYMM(UUIDv7ToDateTime(run_id))
ORDER BY (run_id, position, place)
COMMENT 'The life of each run';

CREATE TABLE IF NOT EXISTS list_rows ${on_cluster}
(
    run_id UUID COMMENT 'The run (task execution)',
    subscriber_no UInt32 COMMENT 'The subscriber''s place in the run''s list, from 0',
    subscriber_id UUID COMMENT 'The subscriber',
    full_name String COMMENT 'Their name',
    phones Array(String) COMMENT 'Their numbers, in the order in which they are tried',
    emails Array(String) COMMENT 'Their e-mail addresses'
)
ENGINE = ${replicated}ReplacingMergeTree
PARTITION BY toYYYYMM(UUIDv7ToDateTime(run_id))
ORDER BY (run_id, subscriber_no)
COMMENT 'The list of each run, as it was at its start: read the view run_subscribers';

CREATE TABLE IF NOT EXISTS call_rows ${on_cluster}
(
    run_id UUID COMMENT 'The run (task execution)',
    subscriber_no UInt32 COMMENT 'The subscriber''s place in the run''s list, from 0',
    call_id UUID COMMENT 'The call',
    wave SimpleAggregateFunction(max, UInt8) COMMENT 'The wave, from 1',
    number SimpleAggregateFunction(max, String) COMMENT 'The number that was called',
    phone_index SimpleAggregateFunction(max, UInt16) COMMENT 'The number''s place among the subscriber''s numbers',
    station SimpleAggregateFunction(max, Tuple(UInt16, UUID)) COMMENT 'The latest station (CS): number of the event that names it plus 1, and its id; 0 for none',
    first_event_at SimpleAggregateFunction(min, Nullable(DateTime64(3, 'UTC'))) COMMENT 'The first event; none if only a result has named the call',
    started_at SimpleAggregateFunction(min, Nullable(DateTime64(3, 'UTC'))) COMMENT 'The start',
    ringing_at SimpleAggregateFunction(min, Nullable(DateTime64(3, 'UTC'))) COMMENT 'The first ringing (180 or 183)',
    answered_at SimpleAggregateFunction(min, Nullable(DateTime64(3, 'UTC'))) COMMENT 'The answer',
    ended_at SimpleAggregateFunction(max, Nullable(DateTime64(3, 'UTC'))) COMMENT 'The end',
    sip_code SimpleAggregateFunction(max, Nullable(UInt16)) COMMENT 'The final SIP response code',
    reason SimpleAggregateFunction(max, String) COMMENT 'The classifier''s word for the outcome',
    heard_ms SimpleAggregateFunction(max, Nullable(UInt32)) COMMENT 'Milliseconds of prompt sent',
    success SimpleAggregateFunction(max, Bool) COMMENT 'By its final event, or by the result that names it',
    delayed SimpleAggregateFunction(max, Bool) COMMENT 'It had to wait for the station''s minimum interval'
)
ENGINE = ${replicated}AggregatingMergeTree
PARTITION BY toYYYYMM(UUIDv7ToDateTime(run_id))
ORDER BY (run_id, subscriber_no, call_id)
COMMENT 'Every call, in parts until they are merged: read the view calls';

CREATE MATERIALIZED VIEW IF NOT EXISTS call_rows_from_events ${on_cluster} TO call_rows AS
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
    max(delayed) AS delayed
FROM call_event_rows
GROUP BY run_id, subscriber_no, call_id;

CREATE MATERIALIZED VIEW IF NOT EXISTS call_rows_from_results ${on_cluster} TO call_rows AS
SELECT
    run_id,
    subscriber_no,
    assumeNotNull(call_id) AS call_id,
    wave,
    number,
    true AS success
FROM result_rows
WHERE notified AND isNotNull(result_rows.call_id);

CREATE TABLE IF NOT EXISTS run_rows ${on_cluster}
(
    run_id UUID COMMENT 'The run (task execution)',
    task_id SimpleAggregateFunction(max, Nullable(UUID)) COMMENT 'The task that it is an execution of',
    task_name SimpleAggregateFunction(max, String) COMMENT 'The task''s name at the start',
    user_id SimpleAggregateFunction(max, String) COMMENT 'Whom it belongs to',
    subscriber_count SimpleAggregateFunction(max, UInt32) COMMENT 'Subscribers in the list',
    wave_total SimpleAggregateFunction(max, UInt8) COMMENT 'Waves that were planned',
    wave SimpleAggregateFunction(max, UInt8) COMMENT 'The latest wave, from 1; 0 before the first',
    started_at SimpleAggregateFunction(min, Nullable(DateTime64(3, 'UTC'))) COMMENT 'The start',
    ended_at SimpleAggregateFunction(min, Nullable(DateTime64(3, 'UTC'))) COMMENT 'The end',
    ending SimpleAggregateFunction(max, String) COMMENT 'FINISHED, STOPPED or EXPIRED; empty while it goes on',
    snapshot SimpleAggregateFunction(max, String) COMMENT 'Everything that the run works with, as JSON'
)
ENGINE = ${replicated}AggregatingMergeTree
PARTITION BY toYYYYMM(UUIDv7ToDateTime(run_id))
ORDER BY run_id
COMMENT 'Every run, in parts until they are merged: read the view runs';

CREATE MATERIALIZED VIEW IF NOT EXISTS run_rows_from_events ${on_cluster} TO run_rows AS
SELECT
    run_id,
    max(if(type = 'RunStarted', toUUIDOrNull(JSONExtractString(body, 'snapshot', 'task_id')), NULL)) AS task_id,
    max(JSONExtractString(body, 'snapshot', 'task_name')) AS task_name,
    max(JSONExtractString(body, 'snapshot', 'user_id')) AS user_id,
    max(JSONExtract(body, 'snapshot', 'subscriber_count', 'UInt32')) AS subscriber_count,
    max(JSONExtract(body, 'snapshot', 'settings', 'attempt_count', 'UInt8')) AS wave_total,
    max(run_event_rows.wave) AS wave,
    min(if(type = 'RunStarted', time, NULL)) AS started_at,
    min(if(type = 'RunEnded', time, NULL)) AS ended_at,
    max(if(type = 'RunEnded', JSONExtractString(body, 'ending'), '')) AS ending,
    max(JSONExtractRaw(body, 'snapshot')) AS snapshot
FROM run_event_rows
GROUP BY run_id;

CREATE TABLE IF NOT EXISTS log_positions ${on_cluster}
(
    log LowCardinality(String) COMMENT 'The stream',
    position UInt64 COMMENT 'Everything up to this sequence is in the tables',
    written_at DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When that was so'
)
ENGINE = ${replicated}ReplacingMergeTree(position)
ORDER BY log
COMMENT 'How far the log has been read into these tables';
