-- Ours: who shares this database. What the nodes were is of no interest after a restart, so the table is made again.

-- +goose Up
DROP TABLE IF EXISTS nodes;
CREATE TABLE nodes (
    id         text        NOT NULL PRIMARY KEY,
    hostname   text        NOT NULL,
    pid        bigint      NOT NULL,
    address    text        NOT NULL,
    version    text        NOT NULL,
    started_at timestamptz NOT NULL,
    seen_at    timestamptz NOT NULL,
    applied    bigint      NOT NULL,
    behind     bigint      NOT NULL
);
