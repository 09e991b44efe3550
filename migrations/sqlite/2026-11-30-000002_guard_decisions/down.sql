DROP TABLE guard_decisions;
