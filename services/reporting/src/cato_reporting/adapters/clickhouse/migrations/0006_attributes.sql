-- Lists may have further facts about a person, from the columns of a table.

ALTER TABLE list_rows ${on_cluster}
    ADD COLUMN IF NOT EXISTS attributes Map(String, String) COMMENT 'Further facts about them, by their names' AFTER emails;

CREATE OR REPLACE VIEW run_subscribers ${on_cluster}
(
    run_id UUID COMMENT 'The run (task execution)',
    subscriber_no UInt32 COMMENT 'The subscriber''s place in the run''s list, from 0',
    subscriber_id UUID COMMENT 'The subscriber',
    full_name String COMMENT 'Their name',
    phones Array(String) COMMENT 'Their numbers, in the order in which they are tried',
    emails Array(String) COMMENT 'Their e-mail addresses',
    attributes Map(String, String) COMMENT 'Further facts about them, by their names'
)
AS SELECT run_id, subscriber_no, subscriber_id, full_name, phones, emails, attributes
FROM list_rows FINAL
COMMENT 'The list of each run, as it was at its start';
