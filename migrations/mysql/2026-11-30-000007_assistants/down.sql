DROP TABLE assistant_tests;
DROP TABLE active_assistants;
DROP TABLE assistant_versions;
