-- sweep_queue: makes the room of dead rows of the queue free for new ones. Gives way to whoever does that already; the file is
-- not made shorter, which would hold up writers: autovacuum does that in a quiet moment.
vacuum (skip_locked, truncate false, index_cleanup on, parallel 0) strata.job
