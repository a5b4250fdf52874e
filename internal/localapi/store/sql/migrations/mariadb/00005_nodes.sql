-- Ours: who shares this database. What the nodes were is of no interest after a restart, so the table is made again.

-- +goose Up
DROP TABLE IF EXISTS nodes;
CREATE TABLE nodes (
    id         varchar(255) NOT NULL PRIMARY KEY,
    hostname   varchar(255) NOT NULL,
    pid        bigint       NOT NULL,
    address    varchar(255) NOT NULL,
    version    varchar(255) NOT NULL,
    started_at datetime(6)  NOT NULL,
    seen_at    datetime(6)  NOT NULL,
    applied    bigint       NOT NULL,
    behind     bigint       NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
