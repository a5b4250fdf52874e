-- Ours: what remediation components say of what they enforce, as JSON.

-- +goose Up
ALTER TABLE bouncers ADD COLUMN IF NOT EXISTS shieldwall_standing text NULL;
