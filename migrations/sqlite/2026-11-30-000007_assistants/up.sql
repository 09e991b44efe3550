-- What a site's admins wrote for its assistants. A version is never changed; version 0 is the configuration.
CREATE TABLE assistant_versions (
    site_id TEXT NOT NULL,
    version BIGINT NOT NULL,
    document TEXT NOT NULL,
    note TEXT NOT NULL,
    created_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    -- The version that this one took the place of when it was last activated.
    replaced BIGINT NULL,
    PRIMARY KEY (site_id, version)
);

CREATE TABLE active_assistants (
    site_id TEXT NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    activated_at BIGINT NOT NULL
);

-- The conversations that a draft is checked against.
CREATE TABLE assistant_tests (
    site_id TEXT NOT NULL PRIMARY KEY,
    conversations TEXT NOT NULL
);
