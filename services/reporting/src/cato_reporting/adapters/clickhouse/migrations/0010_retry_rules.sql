-- What retry rules have decided at the end of a call.

ALTER TABLE call_event_rows ${on_cluster}
    ADD COLUMN IF NOT EXISTS verdict LowCardinality(String) COMMENT 'What a retry rule decided about the number: retry, drop, stop';

ALTER TABLE call_event_rows ${on_cluster}
    ADD COLUMN IF NOT EXISTS next_attempt_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When the number is called again';

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
    data String COMMENT 'What the status document shows, as JSON',
    reason_header String COMMENT 'What the station said about the reason in Reason and Warning (final events)',
    sip_call_id String COMMENT 'The Call-ID of the INVITE (first event after it, and final events)',
    verdict LowCardinality(String) COMMENT 'What a retry rule decided about the number: retry, drop, stop; empty without one',
    next_attempt_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When the number is called again, with the verdict retry'
)
AS SELECT
    run_id, subscriber_no, call_id, seq, concat(toString(call_id), ':', toString(seq)) AS event_id, wave, time, kind,
    name, status, number, phone_index, station_id, delayed, digit, sip_code, reason, heard_ms, success, data,
    reason_header, sip_call_id, verdict, next_attempt_at
FROM call_event_rows FINAL
COMMENT 'Every event of every call';
