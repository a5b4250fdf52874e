-- Ours, and additive: the replaced system works on after it.
--
-- An entry for an addition names the decision's row. An entry for a removal carries the decision itself, because its
-- row may be gone when the entry is read: until is the end it had, ended_at the end it got.
-- AUTOINCREMENT: a number is never given twice, not even after its entry was flushed.

-- +goose Up
CREATE TABLE decision_changes (
    seq         integer  NOT NULL PRIMARY KEY AUTOINCREMENT,
    removed     bool     NOT NULL,
    decision_id integer  NOT NULL,
    ended_at    datetime NULL,
    alert_id    integer  NULL,
    uuid        text     NULL,
    origin      text     NULL,
    type        text     NULL,
    scenario    text     NULL,
    scope       text     NULL,
    value       text     NULL,
    simulated   bool     NULL,
    until       datetime NULL,
    created_at  datetime NULL
);

ALTER TABLE bouncers ADD COLUMN stream_cursor integer NOT NULL DEFAULT 0;
