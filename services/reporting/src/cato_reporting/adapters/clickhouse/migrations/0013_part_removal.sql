-- Merged parts are removed within seconds. By default they stay for up to five minutes, each with some 17 kB in memory:
-- with a batch of events every second or two, 50 MB.

ALTER TABLE call_event_rows ${on_cluster} MODIFY SETTING cleanup_delay_period = 5, cleanup_delay_period_random_add = 2, max_cleanup_delay_period = 15;
ALTER TABLE result_rows ${on_cluster} MODIFY SETTING cleanup_delay_period = 5, cleanup_delay_period_random_add = 2, max_cleanup_delay_period = 15;
ALTER TABLE run_event_rows ${on_cluster} MODIFY SETTING cleanup_delay_period = 5, cleanup_delay_period_random_add = 2, max_cleanup_delay_period = 15;
ALTER TABLE list_rows ${on_cluster} MODIFY SETTING cleanup_delay_period = 5, cleanup_delay_period_random_add = 2, max_cleanup_delay_period = 15;
ALTER TABLE call_rows ${on_cluster} MODIFY SETTING cleanup_delay_period = 5, cleanup_delay_period_random_add = 2, max_cleanup_delay_period = 15;
ALTER TABLE call_start_rows ${on_cluster} MODIFY SETTING cleanup_delay_period = 5, cleanup_delay_period_random_add = 2, max_cleanup_delay_period = 15;
ALTER TABLE run_rows ${on_cluster} MODIFY SETTING cleanup_delay_period = 5, cleanup_delay_period_random_add = 2, max_cleanup_delay_period = 15;
ALTER TABLE log_positions ${on_cluster} MODIFY SETTING cleanup_delay_period = 5, cleanup_delay_period_random_add = 2, max_cleanup_delay_period = 15;
