-- The evidence that subscribers agreed to be called. Earlier lists do not have it.

ALTER TABLE list_rows ${on_cluster}
    ADD COLUMN IF NOT EXISTS consent String COMMENT 'Evidence that the subscriber agreed to be called; empty: the list has none';
