-- The time zones of subscribers. Earlier lists do not have them.

ALTER TABLE list_rows ${on_cluster}
    ADD COLUMN IF NOT EXISTS time_zone LowCardinality(String) COMMENT 'The zone in which the subscriber lives; empty: the list does not say';
