-- What a site's admins wrote for its tools. Without a declaration it is a tool of the configuration that they switched off or
-- on.
CREATE TABLE site_tools (
    site_id TEXT NOT NULL,
    name TEXT NOT NULL,
    enabled BOOLEAN NOT NULL,
    declaration TEXT NULL,
    changed_by TEXT NOT NULL,
    changed_at BIGINT NOT NULL,
    PRIMARY KEY (site_id, name)
);
