-- Ours, and additive: what processes that share a database tell each other, and who changed what.

-- +goose Up
-- A counter that is moved is moved in the transaction whose changes it counts.
CREATE TABLE counters (
    name  text    NOT NULL PRIMARY KEY,
    value integer NOT NULL
);
INSERT INTO counters (name, value) VALUES ('allowlists', 0);
INSERT INTO counters (name, value)
    SELECT 'decision_changes', COALESCE(MAX(seq), 0) FROM sqlite_sequence WHERE name = 'decision_changes';

CREATE TABLE leases (
    job        text     NOT NULL PRIMARY KEY,
    holder     text     NOT NULL,
    expires_at datetime NOT NULL
);

CREATE TABLE nodes (
    id         text     NOT NULL PRIMARY KEY,
    hostname   text     NOT NULL,
    address    text     NOT NULL,
    version    text     NOT NULL,
    started_at datetime NOT NULL,
    seen_at    datetime NOT NULL,
    applied    integer  NOT NULL
);

CREATE TABLE audit_log (
    id         integer  NOT NULL PRIMARY KEY AUTOINCREMENT,
    created_at datetime NOT NULL,
    actor_kind text     NOT NULL,
    actor      text     NOT NULL,
    address    text     NOT NULL,
    action     text     NOT NULL,
    subject    text     NOT NULL,
    affected   integer  NOT NULL
);
CREATE INDEX audit_log_created_at ON audit_log (created_at);
