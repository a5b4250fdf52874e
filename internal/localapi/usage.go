package localapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"shieldwall/internal/domain"
	"shieldwall/internal/domain/fault"
	"shieldwall/internal/localapi/store"
	"shieldwall/internal/wire"
)

const usagePath = "/v1/usage-metrics"

// takeUsage takes the report of a machine or of a bouncer. Which of them asks is told by what it proves
// itself with, or, with a certificate, by its name.
func (s *Server) takeUsage() handler {
	asBouncer, asMachine := s.forBouncer(s.takeBouncerUsage), s.forMachine(s.takeMachineUsage)
	return func(w http.ResponseWriter, r *http.Request) error {
		if claimsMachine(r) {
			return asMachine(w, r)
		}
		return asBouncer(w, r)
	}
}

func claimsMachine(r *http.Request) bool {
	if r.Header.Get("X-Api-Key") != "" {
		return false
	}
	return r.Header.Get("Authorization") != "" || strings.HasPrefix(r.UserAgent(), "crowdsec/")
}

func (s *Server) takeBouncerUsage(w http.ResponseWriter, r *http.Request, bouncer domain.Bouncer) error {
	usage, err := decodeUsage(r)
	if err != nil {
		return err
	}
	switch len(usage.RemediationComponents) {
	case 0:
		return fault.Errorf(fault.Invalid, "Missing remediation component data")
	case 1:
	default:
		return fault.Errorf(fault.Invalid, "Payload has more than one remediation component")
	}
	component := usage.RemediationComponents[0]
	payload, err := json.Marshal(struct {
		Metrics []wire.UsageWindow `json:"metrics"`
		Type    string             `json:"type"`
	}{component.Metrics, component.Type})
	if err != nil {
		return fmt.Errorf("encoding usage metrics: %w", err)
	}
	return s.keepUsage(w, r, domain.UsageReport{
		Kind: domain.UsageRemediation, From: bouncer.Name, Payload: string(payload),
	}, senderOf(&component.ComponentUsage))
}

func (s *Server) takeMachineUsage(w http.ResponseWriter, r *http.Request, machineID string) error {
	usage, err := decodeUsage(r)
	if err != nil {
		return err
	}
	switch len(usage.LogProcessors) {
	case 0:
		return fault.Errorf(fault.Invalid, "Missing log processor data")
	case 1:
	default:
		return fault.Errorf(fault.Invalid, "Payload has more than one log processor")
	}
	processor := usage.LogProcessors[0]
	sender := senderOf(&processor.ComponentUsage)
	for _, part := range []struct {
		to   *string
		from any
	}{{&sender.HubState, processor.HubItems}, {&sender.Datasources, processor.Datasources}} {
		text, err := json.Marshal(part.from)
		if err != nil {
			return fmt.Errorf("encoding what the log processor consists of: %w", err)
		}
		*part.to = string(text)
	}
	payload, err := json.Marshal(struct {
		Metrics []wire.UsageWindow `json:"metrics"`
	}{processor.Metrics})
	if err != nil {
		return fmt.Errorf("encoding usage metrics: %w", err)
	}
	return s.keepUsage(w, r, domain.UsageReport{
		Kind: domain.UsageLogProcessor, From: machineID, Payload: string(payload),
	}, sender)
}

func decodeUsage(r *http.Request) (wire.UsageMetrics, error) {
	body, err := bodyOf(r, maxBody)
	if err != nil {
		return wire.UsageMetrics{}, err
	}
	return wire.DecodeUsageMetrics(body)
}

// senderOf returns what a report says about its sender. Without os the stored one is forgotten, as published.
func senderOf(component *wire.ComponentUsage) store.UsageSender {
	sender := store.UsageSender{Version: component.Version, FeatureFlags: component.FeatureFlags}
	if component.OS != nil {
		sender.OSName, sender.OSFamily, sender.OSVersion = component.OS.Name, component.OS.Family, component.OS.Version
	}
	return sender
}

func (s *Server) keepUsage(w http.ResponseWriter, r *http.Request, report domain.UsageReport, sender store.UsageSender) error {
	if err := s.store.AddUsage(r.Context(), report, sender); err != nil {
		return err
	}
	w.WriteHeader(http.StatusCreated)
	return nil
}
