INSERT INTO machines (id, created_at, updated_at, last_push, last_heartbeat, machine_id, password, ip_address, scenarios, version, is_validated, auth_type, osname, hubstate) VALUES
    (1, '2026-11-21 20:24:45.313895017+00:00', '2026-11-21 20:24:54.861391082+00:00', '2026-11-21 20:24:54.768896157+00:00', '2026-11-21 20:24:54+00:00', 'host-1', '$2a$10$a', '127.0.0.1', 'a/b,c/d', 'v1.7.4-linux', 1, 'password', 'Debian', '{}'),
    (2, '2026-11-21 20:24:49.418686875+00:00', '2026-11-21 20:24:49.418687465+00:00', NULL, NULL, 'host-2', '$2a$10$b', '', '', '', 1, 'tls', NULL, NULL),
    (3, '2026-11-21 20:24:49.527297+00:00', '2026-11-21 20:24:49.527297+00:00', '2026-11-21 20:24:49.527297+00:00', NULL, 'host-3', '$2a$10$c', '127.0.0.1', NULL, NULL, 0, 'password', NULL, NULL);
INSERT INTO bouncers (id, created_at, updated_at, name, api_key, revoked, ip_address, type, version, last_pull, auth_type, auto_created) VALUES
    (1, '2026-11-21 20:24:49.585854342+00:00', '2026-11-21 20:24:49.667884363+00:00', 'firewall-1', '5f1a', 0, '127.0.0.1', 'crowdsec-firewall-bouncer', 'v0.0.36', '2026-11-21 20:24:49.667229481+00:00', 'api-key', 0),
    (2, '2026-11-21 20:24:49.527297+00:00', '2026-11-21 20:24:49.527297+00:00', 'firewall-2', '26f6', 0, '', NULL, NULL, NULL, 'api-key', 0);
INSERT INTO alerts (id, created_at, updated_at, scenario, bucket_id, message, events_count, started_at, stopped_at, source_ip, source_range, source_as_number, source_as_name, source_country, source_latitude, source_longitude, source_scope, source_value, capacity, leak_speed, scenario_version, scenario_hash, simulated, uuid, remediation, kind, machine_alerts) VALUES
    (1, '2026-11-21 20:24:52.578914125+00:00', '2026-11-21 20:24:52.578914125+00:00', 'crowdsecurity/ssh-bf', '', 'm', 6, '2026-03-02 06:00:01+00:00', '2026-03-02 06:00:06+00:00', '192.0.2.10', '', '', '', '', 48.5, 0.0, 'Ip', '192.0.2.10', 5, '10s', '', '', 0, 'a-1', 1, 'crowdsec', 1),
    (2, '2026-11-21 20:24:54+00:00', '2026-11-21 20:24:54+00:00', 'manual', '', 'manual', 1, '2026-11-21 20:24:54+00:00', '2026-11-21 20:24:54+00:00', '', '', '', '', '', 0.0, 0.0, 'Range', '192.0.2.64/26', 0, '0', '', '', 0, 'a-2', 1, 'cscli', 1),
    (3, '2026-11-21 20:24:54.5+00:00', '2026-11-21 20:24:54.5+00:00', 'manual', '', 'manual', 1, '2026-11-21 20:24:54+00:00', '2026-11-21 20:24:54+00:00', '', '', '', '', '', 0.0, 0.0, 'Country', 'ZZ', 0, '0', '', '', 0, 'a-3', 1, 'cscli', 1),
    (4, '2026-11-21 20:24:54.52+00:00', '2026-11-21 20:24:54.52+00:00', 'manual', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL),
    (5, '2026-11-21 20:24:55+00:00', '2026-11-21 20:24:55+00:00', 'import', '', 'import', 6, '2026-11-21 20:24:54+00:00', '2026-11-21 20:24:54+00:00', '', '', '', '', '', 0.0, 0.0, '', '', 0, '0', '', '', 0, 'a-5', 0, 'cscli', 1);
INSERT INTO events (created_at, updated_at, time, serialized, alert_events) VALUES
    ('2026-11-21 20:24:52.5+00:00', '2026-11-21 20:24:52.5+00:00', '2026-03-02 06:00:01+00:00', '[{"key":"source_ip","value":"192.0.2.10"}]', 1);
INSERT INTO meta (created_at, updated_at, "key", value, alert_metas) VALUES
    ('2026-11-21 20:24:52.5+00:00', '2026-11-21 20:24:52.5+00:00', 'target_user', '["root"]', 1);
INSERT INTO decisions (id, created_at, updated_at, until, scenario, type, start_ip, end_ip, start_suffix, end_suffix, ip_size, scope, value, origin, simulated, uuid, alert_decisions) VALUES
    (1, '2026-11-21 20:24:52.578+00:00', '2026-11-21 20:24:52.578+00:00', '2036-11-18 20:24:54+00:00', 'crowdsecurity/ssh-bf', 'ban', -9223372033633549814, -9223372033633549814, -9223372036854775807, -9223372036854775807, 4, 'Ip', '192.0.2.10', 'crowdsec', 0, 'd-1', 1),
    (2, '2026-11-21 20:24:52.578+00:00', '2026-11-21 20:24:52.578+00:00', '2026-03-02 10:00:06+00:00', 'crowdsecurity/ssh-bf', 'ban', -9223372033633549813, -9223372033633549813, -9223372036854775807, -9223372036854775807, 4, 'Ip', '192.0.2.11', 'crowdsec', 0, 'd-2', 4),
    (3, '2026-11-21 20:24:54+00:00', '2026-11-21 20:24:54+00:00', '2036-11-18 20:24:54+00:00', 'manual', 'ban', -9223372033633549759, -9223372033633549696, -9223372036854775807, -9223372036854775807, 4, 'Range', '192.0.2.64/26', 'cscli', 0, 'd-3', 2),
    (4, '2026-11-21 20:24:54+00:00', '2026-11-21 20:24:54+00:00', '2036-11-18 20:24:54.000000001+00:00', 'manual', 'captcha', 0, 0, 0, 0, 0, 'Country', 'ZZ', 'cscli', 0, 'd-4', 3),
    (5, '2026-11-21 20:24:54+00:00', '2026-11-21 20:24:54+00:00', '2036-11-18 20:24:54+00:00', 'manual', 'ban', -6917232468739227647, -6917232468739227647, -9223372036854775800, -9223372036854775800, 16, 'Ip', '2001:db8::7', 'cscli', 0, NULL, NULL);
-- Times as builds with other drivers, and old releases with local time, have left them. Some compare wrongly as text.
INSERT INTO decisions (created_at, updated_at, until, scenario, type, scope, value, origin, alert_decisions) VALUES
    ('2026-11-21 20:24:54+00:00', '2026-11-21 20:24:54+00:00', '2027-11-21 20:24:54+00:00', 's', 'ban', 'Ip', '203.0.113.1', 'cscli-import', 5),
    ('2026-11-21 20:24:54+00:00', '2026-11-21 20:24:54+00:00', '2026-11-22 01:30:00+02:00', 's', 'ban', 'Ip', '203.0.113.2', 'cscli-import', 5),
    ('2026-11-21 20:24:54+00:00', '2026-11-21 20:24:54+00:00', '2026-11-21 20:30:00.5 -0400 AST m=+3600.000001', 's', 'ban', 'Ip', '203.0.113.3', 'cscli-import', 5),
    ('2026-11-21 20:24:54+00:00', '2026-11-21 20:24:54+00:00', '2026-11-21 21:00:00.120+00:00', 's', 'ban', 'Ip', '203.0.113.4', 'cscli-import', 5),
    ('2026-11-21 20:24:54+00:00', '2026-11-21 20:24:54+00:00', '2027-01-01T00:00:00Z', 's', 'ban', 'Ip', '203.0.113.5', 'cscli-import', 5),
    ('2026-11-21 20:24:54+00:00', '2026-11-21 20:24:54+00:00', NULL, 's', 'ban', 'Ip', '203.0.113.6', 'cscli-import', 5);
INSERT INTO allow_lists (id, created_at, updated_at, name, from_console, description, allowlist_id) VALUES
    (1, '2026-11-21 20:24:49.721770976+00:00', '2026-11-21 20:24:49.780080117+00:00', 'office', 0, 'our own addresses', '');
INSERT INTO allow_list_items (id, created_at, updated_at, comment, value, start_ip, end_ip, start_suffix, end_suffix, ip_size) VALUES
    (1, '2026-11-21 20:24:49.778988237+00:00', '2026-11-21 20:24:49.778988677+00:00', 'vpn', '198.51.100.0/24', -9223372033529519103, -9223372033529518848, -9223372036854775807, -9223372036854775807, 4);
INSERT INTO allow_list_allowlist_items (allow_list_id, allow_list_item_id) VALUES (1, 1);
INSERT INTO config_items (created_at, updated_at, name, value) VALUES
    ('2026-11-21 20:24:49+00:00', '2026-11-21 20:24:49+00:00', 'papi:last_pull', '0001-01-01T00:00:00Z');
INSERT INTO locks (name, created_at) VALUES ('pullCAPI', '2026-11-21 20:24:49+00:00');
INSERT INTO metrics (generated_type, generated_by, received_at, payload) VALUES ('LP', 'host-1', '2026-11-21 20:24:51.524638808+00:00', '{"metrics":[]}');
