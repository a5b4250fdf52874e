-- Ours, and additive: the replaced system works on after it.
--
-- An entry for an addition names the decision's row. An entry for a removal carries the decision itself, because its
-- row may be gone when the entry is read: until is the end it had, ended_at the end it got. Numbers come from the
-- counter, which whoever writes entries holds until the end of the transaction.

-- +goose Up
CREATE TABLE decision_changes (
    seq         bigint      NOT NULL PRIMARY KEY,
    removed     boolean     NOT NULL,
    decision_id bigint      NOT NULL,
    ended_at    timestamptz,
    alert_id    bigint,
    uuid        text,
    origin      text,
    type        text,
    scenario    text,
    scope       text,
    value       text,
    simulated   boolean,
    until       timestamptz,
    created_at  timestamptz
);

ALTER TABLE bouncers ADD COLUMN stream_cursor bigint NOT NULL DEFAULT 0;

CREATE TABLE counters (
    name  text   NOT NULL PRIMARY KEY,
    value bigint NOT NULL
);
INSERT INTO counters (name, value) VALUES ('decision_changes', 0), ('allowlists', 0);

CREATE TABLE leases (
    job        text        NOT NULL PRIMARY KEY,
    holder     text        NOT NULL,
    expires_at timestamptz NOT NULL
);

CREATE TABLE nodes (
    id         text        NOT NULL PRIMARY KEY,
    hostname   text        NOT NULL,
    address    text        NOT NULL,
    version    text        NOT NULL,
    started_at timestamptz NOT NULL,
    seen_at    timestamptz NOT NULL,
    applied    bigint      NOT NULL
);

CREATE TABLE audit_log (
    id         bigint      NOT NULL GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    created_at timestamptz NOT NULL,
    actor_kind text        NOT NULL,
    actor      text        NOT NULL,
    address    text        NOT NULL,
    action     text        NOT NULL,
    subject    text        NOT NULL,
    affected   bigint      NOT NULL
);
CREATE INDEX audit_log_created_at ON audit_log (created_at);
