-- A key that was pressed is a column. Until here it was cut from the words of the status document (data).

ALTER TABLE call_event_rows ${on_cluster}
    ADD COLUMN IF NOT EXISTS digit LowCardinality(String) COMMENT 'The key that was pressed (digit events)' AFTER delayed;

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
    groupUniqArray((seq, toString(digit))::Tuple(UInt16, String)) FILTER (WHERE kind = 'digit') AS digits
FROM call_event_rows
GROUP BY run_id, subscriber_no, call_id;

-- Events that are here already: call_rows has their keys, each with the number of its event.
INSERT INTO call_event_rows
(
    run_id, subscriber_no, call_id, seq, wave, time, kind, name, status, number, phone_index, station_id, delayed,
    digit, sip_code, reason, heard_ms, success, data, position
)
SELECT
    run_id, subscriber_no, call_id, seq, wave, time, kind, name, status, number, phone_index, station_id, delayed,
    keyed, sip_code, reason, heard_ms, success, data, position
FROM
(
    SELECT * FROM call_event_rows FINAL WHERE kind = 'digit' AND digit = ''
) AS events
INNER JOIN
(
    SELECT run_id, subscriber_no, call_id, key.1 AS seq, key.2 AS keyed FROM call_rows FINAL ARRAY JOIN digits AS key
) AS keys USING (run_id, subscriber_no, call_id, seq);

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
    digit LowCardinality(String) COMMENT 'The key that was pressed (digit events)',
    sip_code Nullable(UInt16) COMMENT 'The SIP response code, where there was one',
    reason LowCardinality(String) COMMENT 'The classifier''s word for the outcome (final events)',
    heard_ms Nullable(UInt32) COMMENT 'Milliseconds of prompt sent (final events)',
    success Bool COMMENT 'The call met the success condition (final events)',
    data String COMMENT 'What the status document shows, as JSON'
)
AS SELECT
    run_id, subscriber_no, call_id, seq, concat(toString(call_id), ':', toString(seq)) AS event_id, wave, time, kind,
    name, status, number, phone_index, station_id, delayed, digit, sip_code, reason, heard_ms, success, data
FROM call_event_rows FINAL
COMMENT 'Every event of every call';

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
    arrayStringConcat(arrayMap(pair -> pair.2, arraySort(groupArray((seq, digit))))) AS digits,
    min(time) AS first_at,
    max(time) AS last_at
FROM call_event_rows FINAL
WHERE kind = 'digit'
GROUP BY run_id, subscriber_no, call_id
COMMENT 'What people keyed';

-- Parts are removed by one thread: the engine starts 128 for more than this many, and keeps them.
ALTER TABLE call_event_rows ${on_cluster} MODIFY SETTING concurrent_part_removal_threshold = 1000000;
ALTER TABLE result_rows ${on_cluster} MODIFY SETTING concurrent_part_removal_threshold = 1000000;
ALTER TABLE run_event_rows ${on_cluster} MODIFY SETTING concurrent_part_removal_threshold = 1000000;
ALTER TABLE list_rows ${on_cluster} MODIFY SETTING concurrent_part_removal_threshold = 1000000;
ALTER TABLE call_rows ${on_cluster} MODIFY SETTING concurrent_part_removal_threshold = 1000000;
ALTER TABLE call_start_rows ${on_cluster} MODIFY SETTING concurrent_part_removal_threshold = 1000000;
ALTER TABLE run_rows ${on_cluster} MODIFY SETTING concurrent_part_removal_threshold = 1000000;
ALTER TABLE log_positions ${on_cluster} MODIFY SETTING concurrent_part_removal_threshold = 1000000;
