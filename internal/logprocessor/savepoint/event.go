package savepoint

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"shieldwall/internal/logprocessor/event"
	"shieldwall/internal/wire"
)

// savedEvent is an event as it is read.
type savedEvent struct {
	Type            int               `json:"type"`
	Mode            int               `json:"mode"`
	Whitelisted     bool              `json:"whitelisted"`
	WhitelistReason string            `json:"whitelist_reason"`
	Stage           string            `json:"stage"`
	Line            savedLine         `json:"line"`
	Parsed          map[string]string `json:"parsed"`
	Enriched        map[string]string `json:"enriched"`
	Unmarshaled     map[string]any    `json:"unmarshaled"`
	Overflow        savedOverflow     `json:"overflow"`
	Time            time.Time         `json:"time"`
	StrTime         string            `json:"str_time"`
	StrTimeFormat   string            `json:"str_time_format"`
	MarshaledTime   string            `json:"marshaled_time"`
	Process         bool              `json:"process"`
	Appsec          savedAppsec       `json:"appsec"`
	Meta            map[string]string `json:"meta"`
}

type savedLine struct {
	Raw     string            `json:"raw"`
	Src     string            `json:"src"`
	Time    time.Time         `json:"time"`
	Labels  map[string]string `json:"labels"`
	Process bool              `json:"process"`
	Module  string            `json:"module"`
}

// savedOverflow holds alerts as the Local API gets them, so bytes in them that are no UTF-8 do not come back.
type savedOverflow struct {
	Mapkey      string                  `json:"map_key,omitempty"`
	BucketID    string                  `json:"bucket_id,omitempty"`
	Whitelisted bool                    `json:"whitelisted,omitempty"`
	Reprocess   bool                    `json:"reprocess,omitempty"`
	Sources     map[string]*wire.Source `json:"sources,omitempty"`
	Alert       *wire.Alert             `json:"alert,omitempty"` // nil: the first of Alerts, if any
	Alerts      []*wire.Alert           `json:"alerts,omitempty"`
}

type savedAppsec struct {
	InBand   bool              `json:"in_band"`
	OutBand  bool              `json:"out_band"`
	Rules    []any             `json:"rules"`
	Vars     map[string]string `json:"vars"`
	HookVars map[string]string `json:"hook_vars"`
}

// appendEvent appends an event as JSON.
func appendEvent(dst []byte, evt *event.Event) ([]byte, error) {
	o := object{bytes: dst}
	o.open()
	o.int("type", int(evt.Type))
	o.int("mode", int(evt.ExpectMode))
	o.bool("whitelisted", evt.Whitelisted)
	o.text("whitelist_reason", evt.WhitelistReason)
	o.text("stage", evt.Stage)
	o.key("line")
	o.line(&evt.Line)
	o.texts("parsed", evt.Parsed)
	o.texts("enriched", evt.Enriched)
	o.values("unmarshaled", evt.Unmarshaled)
	o.time("time", evt.Time)
	o.text("str_time", evt.StrTime)
	o.text("str_time_format", evt.StrTimeFormat)
	o.text("marshaled_time", evt.MarshaledTime)
	o.bool("process", evt.Process)
	o.appsec(&evt.Appsec)
	o.texts("meta", evt.Meta)
	err := o.overflow(&evt.Overflow)
	o.close()
	return o.bytes, err
}

func (o *object) line(line *event.Line) {
	o.open()
	o.text("raw", line.Raw)
	o.text("src", line.Src)
	o.time("time", line.Time)
	o.texts("labels", line.Labels)
	o.bool("process", line.Process)
	o.text("module", line.Module)
	o.close()
}

func (o *object) appsec(appsec *event.Appsec) {
	if !appsec.HasInBandMatches && !appsec.HasOutBandMatches && appsec.MatchedRules == nil && appsec.Vars == nil && appsec.HookVars == nil {
		return
	}
	o.key("appsec")
	o.open()
	o.bool("in_band", appsec.HasInBandMatches)
	o.bool("out_band", appsec.HasOutBandMatches)
	if appsec.MatchedRules != nil {
		o.key("rules")
		o.bytes = appendList(o.bytes, appsec.MatchedRules, func(dst []byte, rule map[string]any) []byte { return appendValue(dst, rule) })
	}
	o.texts("vars", appsec.Vars)
	o.texts("hook_vars", appsec.HookVars)
	o.close()
}

// overflow is rare enough for package json.
func (o *object) overflow(overflow *event.RuntimeAlert) error {
	if overflow.Mapkey == "" && overflow.Alert == nil && overflow.APIAlerts == nil && overflow.Sources == nil && !overflow.Whitelisted {
		return nil
	}
	saved := savedOverflow{
		Mapkey: overflow.Mapkey, BucketID: overflow.BucketId, Whitelisted: overflow.Whitelisted, Reprocess: overflow.Reprocess,
		Sources: overflow.Sources, Alert: overflow.Alert, Alerts: overflow.APIAlerts,
	}
	if len(saved.Alerts) > 0 && saved.Alert == saved.Alerts[0] {
		saved.Alert = nil
	}
	text, err := json.Marshal(saved)
	if err != nil {
		return fmt.Errorf("encoding overflow of bucket %s: %w", overflow.Mapkey, err)
	}
	o.key("overflow")
	o.bytes = append(o.bytes, text...)
	return nil
}

// event undoes appendEvent.
func (s *savedEvent) event() (*event.Event, error) {
	evt := &event.Event{
		Type: event.Type(s.Type), ExpectMode: event.Clock(s.Mode), Whitelisted: s.Whitelisted,
		Line: event.Line{Time: s.Line.Time, Process: s.Line.Process}, Overflow: s.Overflow.alert(), Time: s.Time, Process: s.Process,
		Appsec: event.Appsec{HasInBandMatches: s.Appsec.InBand, HasOutBandMatches: s.Appsec.OutBand},
	}
	err := errors.Join(
		unescape(&evt.WhitelistReason, s.WhitelistReason), unescape(&evt.Stage, s.Stage),
		unescape(&evt.Line.Raw, s.Line.Raw), unescape(&evt.Line.Src, s.Line.Src), unescape(&evt.Line.Module, s.Line.Module),
		unescape(&evt.StrTime, s.StrTime), unescape(&evt.StrTimeFormat, s.StrTimeFormat), unescape(&evt.MarshaledTime, s.MarshaledTime),
		unescapeMap(&evt.Line.Labels, s.Line.Labels), unescapeMap(&evt.Parsed, s.Parsed), unescapeMap(&evt.Enriched, s.Enriched),
		unescapeMap(&evt.Meta, s.Meta), unescapeMap(&evt.Appsec.Vars, s.Appsec.Vars), unescapeMap(&evt.Appsec.HookVars, s.Appsec.HookVars),
	)
	if err != nil {
		return nil, fmt.Errorf("texts of an event: %w", err)
	}
	if evt.Unmarshaled, err = mapOf(s.Unmarshaled, valueOf); err != nil {
		return nil, fmt.Errorf("unpacked values of an event: %w", err)
	}
	evt.Appsec.MatchedRules, err = rulesOf(s.Appsec.Rules)
	return evt, err
}

func unescape(into *string, text string) (err error) {
	*into, err = plain(text)
	return err
}

func unescapeMap(into *map[string]string, texts map[string]string) (err error) {
	*into, err = mapOf(texts, plain)
	return err
}

func rulesOf(read []any) (event.MatchedRules, error) {
	if read == nil {
		return nil, nil
	}
	rules := make(event.MatchedRules, 0, len(read))
	for _, element := range read {
		value, err := valueOf(element)
		if err != nil {
			return nil, fmt.Errorf("rules of an event: %w", err)
		}
		rule, ok := value.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("rules of an event: %w", errValue)
		}
		rules = append(rules, rule)
	}
	return rules, nil
}

// alert shares equal sources again, as package event promises.
func (s *savedOverflow) alert() event.RuntimeAlert {
	alert := s.Alert
	if alert == nil && len(s.Alerts) > 0 {
		alert = s.Alerts[0]
	}
	for _, one := range append(slices.Clone(s.Alerts), alert) {
		if one == nil || one.Source == nil {
			continue
		}
		for _, key := range slices.Sorted(maps.Keys(s.Sources)) {
			if source := s.Sources[key]; source != nil && *source == *one.Source {
				one.Source = source
				break
			}
		}
	}
	return event.RuntimeAlert{
		Mapkey: s.Mapkey, BucketId: s.BucketID, Whitelisted: s.Whitelisted, Reprocess: s.Reprocess,
		Sources: s.Sources, Alert: alert, APIAlerts: s.Alerts,
	}
}
