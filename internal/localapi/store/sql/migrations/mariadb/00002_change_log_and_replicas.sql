-- Ours, and additive: the replaced system works on after it.
--
-- An entry for an addition names the decision's row. An entry for a removal carries the decision itself, because its
-- row may be gone when the entry is read: until is the end it had, ended_at the end it got. Numbers come from the
-- counter, which whoever writes entries holds until the end of the transaction.

-- +goose Up
-- Statements of data definition cannot be undone together here, so each can be repeated.
CREATE TABLE IF NOT EXISTS decision_changes (
    seq         bigint       NOT NULL PRIMARY KEY,
    removed     boolean      NOT NULL,
    decision_id bigint       NOT NULL,
    ended_at    datetime(6)  NULL,
    alert_id    bigint       NULL,
    uuid        varchar(255) NULL,
    origin      varchar(255) NULL,
    type        varchar(255) NULL,
    scenario    varchar(255) NULL,
    scope       varchar(255) NULL,
    value       varchar(255) NULL,
    simulated   boolean      NULL,
    until       datetime(6)  NULL,
    created_at  datetime(6)  NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS counters (
    name  varchar(255) NOT NULL PRIMARY KEY,
    value bigint       NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
INSERT IGNORE INTO counters (name, value) VALUES ('decision_changes', 0), ('allowlists', 0), ('settled', 0);

CREATE TABLE IF NOT EXISTS leases (
    job        varchar(255) NOT NULL PRIMARY KEY,
    holder     varchar(255) NOT NULL,
    expires_at datetime(6)  NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS nodes (
    id         varchar(255) NOT NULL PRIMARY KEY,
    hostname   varchar(255) NOT NULL,
    address    varchar(255) NOT NULL,
    version    varchar(255) NOT NULL,
    started_at datetime(6)  NOT NULL,
    seen_at    datetime(6)  NOT NULL,
    applied    bigint       NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS audit_log (
    id         bigint       NOT NULL AUTO_INCREMENT PRIMARY KEY,
    created_at datetime(6)  NOT NULL,
    actor_kind varchar(255) NOT NULL,
    actor      varchar(255) NOT NULL,
    address    varchar(255) NOT NULL,
    action     varchar(255) NOT NULL,
    subject    text         NOT NULL,
    affected   bigint       NOT NULL,
    KEY audit_log_created_at (created_at)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
