-- What a site's admins wrote for its tools. Without a declaration it is a tool of the configuration that they switched off or
-- on. Written so that it may run again.
CREATE TABLE IF NOT EXISTS site_tools (
    site_id VARCHAR(40) NOT NULL,
    name VARCHAR(64) NOT NULL,
    enabled BOOLEAN NOT NULL,
    declaration MEDIUMTEXT NULL,
    changed_by VARCHAR(36) NOT NULL,
    changed_at BIGINT NOT NULL,
    PRIMARY KEY (site_id, name)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
