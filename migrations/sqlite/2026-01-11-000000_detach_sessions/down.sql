DROP TABLE IF EXISTS detached_sessions;
