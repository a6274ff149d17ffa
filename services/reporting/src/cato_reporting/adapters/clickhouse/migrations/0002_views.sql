-- What analysts read: one row per fact, whatever the tables still have to merge.

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
    outcome String COMMENT 'ringing, talking, succeeded or failed'
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
    multiIf(isNull(ended_at), if(isNull(answered_at), 'ringing', 'talking'), success, 'succeeded', 'failed') AS outcome
FROM call_rows FINAL
WHERE isNotNull(first_event_at)
COMMENT 'Every call';

CREATE OR REPLACE VIEW call_events ${on_cluster}
(
    run_id UUID COMMENT 'The run (task execution)',
    subscriber_no UInt32 COMMENT 'The subscriber''s place in the run''s list, from 0',
    call_id UUID COMMENT 'The call',
    seq UInt16 COMMENT 'The event''s number within the call, from 0',
    event_id String COMMENT 'The event''s identity: call and seq',
    wave UInt8 COMMENT 'The wave, from 1',
    time DateTime64(3, 'UTC') COMMENT 'When it happened',
    kind LowCardinality(String) COMMENT 'What happened, in our words',
    name LowCardinality(String) COMMENT 'What happened, as the status document words it',
    status LowCardinality(String) COMMENT 'The call''s status after it, as the status document words it',
    number String COMMENT 'The number that was called',
    phone_index UInt16 COMMENT 'The number''s place among the subscriber''s numbers, from 0',
    station_id Nullable(UUID) COMMENT 'The station (CS) that the call goes through, once chosen',
    delayed Bool COMMENT 'The call had to wait for the station''s minimum interval between calls',
    sip_code Nullable(UInt16) COMMENT 'The SIP response code, where there was one',
    reason LowCardinality(String) COMMENT 'The classifier''s word for the outcome (final events)',
    heard_ms Nullable(UInt32) COMMENT 'Milliseconds of prompt sent (final events)',
    success Bool COMMENT 'The call met the success condition (final events)',
    data String COMMENT 'What the status document shows, as JSON'
)
AS SELECT
    run_id, subscriber_no, call_id, seq, concat(toString(call_id), ':', toString(seq)) AS event_id, wave, time, kind,
    name, status, number, phone_index, station_id, delayed, sip_code, reason, heard_ms, success, data
FROM call_event_rows FINAL
COMMENT 'Every event of every call';

CREATE OR REPLACE VIEW subscriber_results ${on_cluster}
(
    run_id UUID COMMENT 'The run (task execution)',
    subscriber_no UInt32 COMMENT 'The subscriber''s place in the run''s list, from 0',
    wave UInt8 COMMENT 'The wave, from 1',
    time DateTime64(3, 'UTC') COMMENT 'When it was decided',
    notified Bool COMMENT 'The subscriber was reached',
    reason LowCardinality(String) COMMENT 'The classifier''s word for the outcome',
    call_id Nullable(UUID) COMMENT 'The call that decided, if there was one',
    number String COMMENT 'The number of that call, empty without one'
)
AS SELECT run_id, subscriber_no, wave, time, notified, reason, call_id, number
FROM result_rows FINAL
COMMENT 'What became of each subscriber in each wave';

CREATE OR REPLACE VIEW run_subscribers ${on_cluster}
(
    run_id UUID COMMENT 'The run (task execution)',
    subscriber_no UInt32 COMMENT 'The subscriber''s place in the run''s list, from 0',
    subscriber_id UUID COMMENT 'The subscriber',
    full_name String COMMENT 'Their name',
    phones Array(String) COMMENT 'Their numbers, in the order in which they are tried',
    emails Array(String) COMMENT 'Their e-mail addresses'
)
AS SELECT run_id, subscriber_no, subscriber_id, full_name, phones, emails
FROM list_rows FINAL
COMMENT 'The list of each run, as it was at its start';

CREATE OR REPLACE VIEW runs ${on_cluster}
(
    run_id UUID COMMENT 'The run (task execution)',
    task_id UUID COMMENT 'The task that it is an execution of',
    task_name String COMMENT 'The task''s name at the start',
    user_id String COMMENT 'Whom it belongs to',
    subscriber_count UInt32 COMMENT 'Subscribers in the list',
    wave_total UInt8 COMMENT 'Waves that were planned (attemptCount)',
    wave UInt8 COMMENT 'The latest wave that began, from 1; 0 before the first',
    started_at DateTime64(3, 'UTC') COMMENT 'The start',
    ended_at Nullable(DateTime64(3, 'UTC')) COMMENT 'The end; none while it goes on',
    ending String COMMENT 'FINISHED, STOPPED or EXPIRED; empty while it goes on',
    snapshot String COMMENT 'Everything that the run works with, as JSON'
)
AS SELECT
    run_id, assumeNotNull(task_id) AS task_id, task_name, user_id, subscriber_count, wave_total, wave,
    assumeNotNull(started_at) AS started_at, ended_at, ending, snapshot
FROM run_rows FINAL
WHERE isNotNull(started_at)
COMMENT 'Every run';

CREATE OR REPLACE VIEW digits ${on_cluster}
(
    run_id UUID COMMENT 'The run (task execution)',
    subscriber_no UInt32 COMMENT 'The subscriber''s place in the run''s list, from 0',
    call_id UUID COMMENT 'The call',
    number String COMMENT 'The number that was called',
    digits String COMMENT 'What was keyed during the call, in order',
    first_at DateTime64(3, 'UTC') COMMENT 'The first key',
    last_at DateTime64(3, 'UTC') COMMENT 'The last key'
)
AS SELECT
    run_id,
    subscriber_no,
    call_id,
    any(number) AS number,
    arrayStringConcat(arrayMap(pair -> pair.2, arraySort(groupArray((seq, substring(JSONExtractString(data), 7)))))) AS digits,
    min(time) AS first_at,
    max(time) AS last_at
FROM call_event_rows FINAL
WHERE kind = 'digit'
GROUP BY run_id, subscriber_no, call_id
COMMENT 'What people keyed';
