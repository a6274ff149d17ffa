-- Who shares calls with whom. Earlier lists and calls have nobody who does.

ALTER TABLE list_rows ${on_cluster}
    ADD COLUMN IF NOT EXISTS household Nullable(UUID) COMMENT 'The first of the subscribers who share their calls; none: the subscriber shares none',
    ADD COLUMN IF NOT EXISTS household_no Nullable(UInt32) COMMENT 'The place of that first one in the list',
    ADD COLUMN IF NOT EXISTS shared_with Array(String) COMMENT 'The names of the others who share the calls';

ALTER TABLE call_rows ${on_cluster}
    ADD COLUMN IF NOT EXISTS shared_with SimpleAggregateFunction(max, Array(String)) COMMENT 'The names of the others who share the call';

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
    groupUniqArray((seq, toString(digit))::Tuple(UInt16, String)) FILTER (WHERE kind = 'digit') AS digits,
    max(if(kind IN ('ended', 'interrupted'), reason_header, '')) AS reason_header,
    max((if(sip_call_id = '', 0, seq + 1), sip_call_id)::Tuple(UInt16, String)) AS sip_call,
    max(if(kind = 'started', JSONExtract(data, 'sharedWith', 'Array(String)'), [])) AS shared_with
FROM call_event_rows
GROUP BY run_id, subscriber_no, call_id;

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
    subscriber_name String COMMENT 'Their name',
    reason_header String COMMENT 'What the station said about the reason of the end in Reason (RFC 3326) and Warning',
    sip_call_id String COMMENT 'The Call-ID of its last INVITE; empty if none was sent, or by an earlier release',
    shared_with Array(String) COMMENT 'The names of the others who share the call; empty: it was for the subscriber alone'
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
    subscriber_name,
    reason_header,
    sip_call.2 AS sip_call_id,
    shared_with
FROM call_rows FINAL
WHERE isNotNull(first_event_at)
COMMENT 'Every call';

CREATE OR REPLACE VIEW run_subscribers ${on_cluster}
(
    run_id UUID COMMENT 'The run (task execution)',
    subscriber_no UInt32 COMMENT 'The subscriber''s place in the run''s list, from 0',
    subscriber_id UUID COMMENT 'The subscriber',
    full_name String COMMENT 'Their name',
    phones Array(String) COMMENT 'Their numbers, in the order in which they are tried',
    emails Array(String) COMMENT 'Their e-mail addresses',
    attributes Map(String, String) COMMENT 'Further facts about them, by their names',
    household Nullable(UUID) COMMENT 'The first of the subscribers who share their calls, at whom the calls are; none: the subscriber shares none',
    shared_with Array(String) COMMENT 'The names of the others who share the calls'
)
AS SELECT run_id, subscriber_no, subscriber_id, full_name, phones, emails, attributes, household, shared_with
FROM list_rows FINAL
COMMENT 'The list of each run, as it was at its start';
