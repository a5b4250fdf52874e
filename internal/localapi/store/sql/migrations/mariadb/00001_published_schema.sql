-- The published schema (tables, columns, indexes and constraint names are outside surfaces), with times to the
-- microsecond. On a database of the replaced system every statement finds its table and does nothing; adopt then makes
-- its times as precise.

-- +goose Up
CREATE TABLE IF NOT EXISTS machines (
    id bigint(20) NOT NULL AUTO_INCREMENT,
    created_at datetime(6) NULL,
    updated_at datetime(6) NULL,
    last_push datetime(6) NULL,
    last_heartbeat datetime(6) NULL,
    machine_id varchar(255) NOT NULL,
    password varchar(255) NOT NULL,
    ip_address varchar(255) NOT NULL,
    scenarios longtext NULL,
    version varchar(255) NULL,
    is_validated tinyint(1) NOT NULL DEFAULT 0,
    auth_type varchar(255) NOT NULL DEFAULT 'password',
    osname varchar(255) NULL,
    osfamily varchar(255) NULL,
    osversion varchar(255) NULL,
    featureflags varchar(255) NULL,
    hubstate json NULL,
    datasources json NULL,
    PRIMARY KEY (id),
    UNIQUE KEY machine_id (machine_id),
    KEY machine_last_heartbeat_created_at (last_heartbeat,created_at),
    KEY machine_is_validated (is_validated)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS bouncers (
    id bigint(20) NOT NULL AUTO_INCREMENT,
    created_at datetime(6) NULL,
    updated_at datetime(6) NULL,
    name varchar(255) NOT NULL,
    api_key varchar(255) NOT NULL,
    revoked tinyint(1) NOT NULL,
    ip_address varchar(255) DEFAULT '',
    type varchar(255) NULL,
    version varchar(255) NULL,
    last_pull datetime(6) NULL,
    auth_type varchar(255) NOT NULL DEFAULT 'api-key',
    osname varchar(255) NULL,
    osfamily varchar(255) NULL,
    osversion varchar(255) NULL,
    featureflags varchar(255) NULL,
    auto_created tinyint(1) NOT NULL DEFAULT 0,
    PRIMARY KEY (id),
    UNIQUE KEY name (name),
    KEY bouncer_api_key_auth_type (api_key,auth_type),
    KEY bouncer_api_key_ip_address (api_key,ip_address),
    KEY bouncer_last_pull_created_at (last_pull,created_at)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS alerts (
    id bigint(20) NOT NULL AUTO_INCREMENT,
    created_at datetime(6) NULL,
    updated_at datetime(6) NULL,
    scenario varchar(255) NOT NULL,
    bucket_id varchar(255) DEFAULT '',
    message varchar(255) DEFAULT '',
    events_count int(11) DEFAULT 0,
    started_at datetime(6) NULL,
    stopped_at datetime(6) NULL,
    source_ip varchar(255) NULL,
    source_range varchar(255) NULL,
    source_as_number varchar(255) NULL,
    source_as_name varchar(255) NULL,
    source_country varchar(255) NULL,
    source_latitude double NULL,
    source_longitude double NULL,
    source_scope varchar(255) NULL,
    source_value varchar(255) NULL,
    capacity int(11) NULL,
    leak_speed varchar(255) NULL,
    scenario_version varchar(255) NULL,
    scenario_hash varchar(255) NULL,
    simulated tinyint(1) NOT NULL DEFAULT 0,
    uuid varchar(255) NULL,
    remediation tinyint(1) NULL,
    kind varchar(255) NULL,
    machine_alerts bigint(20) NULL,
    PRIMARY KEY (id),
    KEY alert_id (id),
    KEY alert_uuid (uuid),
    KEY alert_scenario (scenario),
    KEY alerts_machines_alerts (machine_alerts),
    CONSTRAINT alerts_machines_alerts FOREIGN KEY (machine_alerts) REFERENCES machines (id) ON DELETE SET NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS decisions (
    id bigint(20) NOT NULL AUTO_INCREMENT,
    created_at datetime(6) NULL,
    updated_at datetime(6) NULL,
    until datetime(6) NULL,
    scenario varchar(255) NOT NULL,
    type varchar(255) NOT NULL,
    start_ip bigint(20) NULL,
    end_ip bigint(20) NULL,
    start_suffix bigint(20) NULL,
    end_suffix bigint(20) NULL,
    ip_size bigint(20) NULL,
    scope varchar(255) NOT NULL,
    value varchar(255) NOT NULL,
    origin varchar(255) NOT NULL,
    simulated tinyint(1) NOT NULL DEFAULT 0,
    uuid varchar(255) NULL,
    alert_decisions bigint(20) NULL,
    PRIMARY KEY (id),
    KEY decision_start_ip_end_ip (start_ip,end_ip),
    KEY decision_value (value),
    KEY decision_until (until),
    KEY decision_alert_decisions (alert_decisions),
    CONSTRAINT decisions_alerts_decisions FOREIGN KEY (alert_decisions) REFERENCES alerts (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS events (
    id bigint(20) NOT NULL AUTO_INCREMENT,
    created_at datetime(6) NULL,
    updated_at datetime(6) NULL,
    time datetime(6) NULL,
    serialized varchar(8191) NOT NULL,
    alert_events bigint(20) NULL,
    PRIMARY KEY (id),
    KEY event_alert_events (alert_events),
    CONSTRAINT events_alerts_events FOREIGN KEY (alert_events) REFERENCES alerts (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS meta (
    id bigint(20) NOT NULL AUTO_INCREMENT,
    created_at datetime(6) NULL,
    updated_at datetime(6) NULL,
    "key" varchar(255) NOT NULL,
    value varchar(4095) NOT NULL,
    alert_metas bigint(20) NULL,
    PRIMARY KEY (id),
    KEY meta_alert_metas (alert_metas),
    CONSTRAINT meta_alerts_metas FOREIGN KEY (alert_metas) REFERENCES alerts (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS config_items (
    id bigint(20) NOT NULL AUTO_INCREMENT,
    created_at datetime(6) NULL,
    updated_at datetime(6) NULL,
    name varchar(255) NOT NULL,
    value longtext NOT NULL,
    PRIMARY KEY (id),
    UNIQUE KEY name (name)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS locks (
    id bigint(20) NOT NULL AUTO_INCREMENT,
    name varchar(255) NOT NULL,
    created_at datetime(6) NULL,
    PRIMARY KEY (id),
    UNIQUE KEY name (name)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS metrics (
    id bigint(20) NOT NULL AUTO_INCREMENT,
    generated_type enum('LP','RC') NOT NULL,
    generated_by varchar(255) NOT NULL,
    received_at datetime(6) NULL,
    pushed_at datetime(6) NULL,
    payload longtext NOT NULL,
    PRIMARY KEY (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS allow_lists (
    id bigint(20) NOT NULL AUTO_INCREMENT,
    created_at datetime(6) NULL,
    updated_at datetime(6) NULL,
    name varchar(255) NOT NULL,
    from_console tinyint(1) NOT NULL,
    description varchar(255) NULL,
    allowlist_id varchar(255) NULL,
    PRIMARY KEY (id),
    UNIQUE KEY allowlist_id (id),
    UNIQUE KEY allowlist_name (name),
    KEY allowlist_allowlist_id (allowlist_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS allow_list_items (
    id bigint(20) NOT NULL AUTO_INCREMENT,
    created_at datetime(6) NULL,
    updated_at datetime(6) NULL,
    expires_at datetime(6) NULL,
    comment varchar(255) NULL,
    value varchar(255) NOT NULL,
    start_ip bigint(20) NULL,
    end_ip bigint(20) NULL,
    start_suffix bigint(20) NULL,
    end_suffix bigint(20) NULL,
    ip_size bigint(20) NULL,
    PRIMARY KEY (id),
    KEY allowlistitem_id (id),
    KEY allowlistitem_start_ip_end_ip (start_ip,end_ip),
    KEY allowlistitem_expires_at (expires_at)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS allow_list_allowlist_items (
    allow_list_id bigint(20) NOT NULL,
    allow_list_item_id bigint(20) NOT NULL,
    PRIMARY KEY (allow_list_id,allow_list_item_id),
    KEY allow_list_allowlist_items_allow_list_item_id (allow_list_item_id),
    CONSTRAINT allow_list_allowlist_items_allow_list_id FOREIGN KEY (allow_list_id) REFERENCES allow_lists (id) ON DELETE CASCADE,
    CONSTRAINT allow_list_allowlist_items_allow_list_item_id FOREIGN KEY (allow_list_item_id) REFERENCES allow_list_items (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
