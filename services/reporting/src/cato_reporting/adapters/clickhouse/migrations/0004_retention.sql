-- What is removed after which time. The times themselves are configuration: they are put on the tables when the
-- read model is opened, and noted here, so that nothing is altered that is as it should be.

CREATE TABLE IF NOT EXISTS retention_rules ${on_cluster}
(
    target String COMMENT 'A table, or a table and its column with a dot in between',
    days UInt32 COMMENT 'Days after the end of the month in which a run began; 0: kept for ever',
    applied_at DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When it was put on the table'
)
ENGINE = ${replicated}ReplacingMergeTree(applied_at)
ORDER BY target
COMMENT 'How long the tables keep what';

-- A partition is a month of runs, and its rows expire together: a part is dropped, never written again without
-- some of its rows.
ALTER TABLE call_event_rows ${on_cluster} MODIFY SETTING ttl_only_drop_parts = 1;
ALTER TABLE result_rows ${on_cluster} MODIFY SETTING ttl_only_drop_parts = 1;
ALTER TABLE run_event_rows ${on_cluster} MODIFY SETTING ttl_only_drop_parts = 1;
ALTER TABLE list_rows ${on_cluster} MODIFY SETTING ttl_only_drop_parts = 1;
ALTER TABLE call_rows ${on_cluster} MODIFY SETTING ttl_only_drop_parts = 1;
ALTER TABLE call_start_rows ${on_cluster} MODIFY SETTING ttl_only_drop_parts = 1;
ALTER TABLE run_rows ${on_cluster} MODIFY SETTING ttl_only_drop_parts = 1;
