-- What a site's admins wrote for its assistants. A version is never changed; version 0 is the configuration. `replaced` is
-- the version that this one took the place of when it was last activated. Written so that it may run again.
CREATE TABLE IF NOT EXISTS assistant_versions (
    site_id VARCHAR(40) NOT NULL,
    version BIGINT NOT NULL,
    document MEDIUMTEXT NOT NULL,
    note TEXT NOT NULL,
    created_by VARCHAR(36) NOT NULL,
    created_at BIGINT NOT NULL,
    replaced BIGINT NULL,
    PRIMARY KEY (site_id, version)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS active_assistants (
    site_id VARCHAR(40) NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    activated_at BIGINT NOT NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- The conversations that a draft is checked against.
CREATE TABLE IF NOT EXISTS assistant_tests (
    site_id VARCHAR(40) NOT NULL PRIMARY KEY,
    conversations MEDIUMTEXT NOT NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
