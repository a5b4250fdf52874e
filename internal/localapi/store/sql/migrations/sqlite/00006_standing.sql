-- Ours: what remediation components say of what they enforce, as JSON.

-- +goose Up
ALTER TABLE bouncers ADD COLUMN shieldwall_standing text NULL;
