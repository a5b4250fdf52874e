package wire

import "io"

// ReadAlerts reads the answer of GET /v1/alerts, which is an array of alerts or null, to its end. Fields may be missing, as
// servers of other versions may not know them; unknown ones are ignored. An answer that breaks off, or goes on after the
// array, is an error. The caller bounds r.
func ReadAlerts(r io.Reader) ([]Alert, error) {
	d := answerDecoder{alertDecoder: alertDecoder{alertsDecoder: &alertsDecoder{scanner: newScanner(r)}}}
	if !d.null() {
		d.alerts = []Alert{}
		d.array(d.alert)
	}
	if err := d.atEnd(); err != nil {
		return nil, err
	}
	return d.alerts, nil
}

// answerDecoder reads alerts with what a Local API adds to them, and asks for nothing.
type answerDecoder struct {
	alertDecoder // of the alert that is read now

	decided []Decision // in that alert; the next one uses the place again
}

func (d *answerDecoder) alert(int) {
	d.alertDecoder = alertDecoder{alertsDecoder: d.alertsDecoder}
	if !d.null() {
		d.object(d.member)
	}
	d.alerts = append(d.alerts, d.result)
}

func (d *answerDecoder) member(name string) {
	if d.null() {
		return
	}
	switch name {
	case "created_at":
		d.result.CreatedAt = d.text()
	case "decisions":
		d.decided = d.decided[:0]
		d.array(d.decision)
		d.result.Decisions = append([]Decision{}, d.decided...)
	case "events":
		d.result.Events = []Event{}
		d.array(d.event)
	case "id":
		d.result.ID = d.whole(64)
	case "machine_id":
		d.result.MachineID = d.text()
	default:
		d.alertDecoder.member(name)
	}
}

func (d *answerDecoder) decision(int) {
	var decision Decision
	if !d.null() {
		d.object(func(name string) { d.decisionMember(&decision, name) })
	}
	d.decided = append(d.decided, decision)
}

func (d *answerDecoder) decisionMember(decision *Decision, name string) {
	if d.null() {
		return
	}
	switch name {
	case "id":
		decision.ID = d.whole(64)
	case "simulated":
		simulated := d.boolean()
		decision.Simulated = &simulated
	case "until":
		decision.Until = d.text()
	case "uuid":
		decision.UUID = d.text()
	default:
		if target, _ := decisionField(decision, name); target != nil {
			*target = d.text()
			return
		}
		d.skip()
	}
}

func (d *answerDecoder) event(int) {
	var event Event
	if !d.null() {
		d.object(func(name string) { d.eventMember(&event, name) })
	}
	d.result.Events = append(d.result.Events, event)
}

func (d *answerDecoder) eventMember(event *Event, name string) {
	if d.null() {
		return
	}
	switch name {
	case "meta":
		event.Meta = d.meta()
	case "timestamp":
		event.Timestamp = d.text()
	default:
		d.skip()
	}
}
