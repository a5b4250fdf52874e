package e2e

import (
	"strings"
	"testing"
)

// TestLogProcessorSaysWhatItIs: cscli shows what the log processor has reported when it started.
func TestLogProcessorSaysWhatItIs(t *testing.T) {
	in := newInstance(t, "")
	in.installContent()
	in.register()
	in.startEngine()
	rows := strings.Split(in.cscli("machines", "list", "-o", "raw"), "\n")
	name, _, _ := strings.Cut(rows[1], ",") // below the header
	eventually(t, "the report arrives", func() bool {
		return strings.Contains(in.cscli("machines", "inspect", name), "| Datasources      | file: 1")
	})
	if hub := in.cscli("machines", "inspect", name, "-H", "-o", "raw"); !strings.Contains(hub, "\nscenarios,") || !strings.Contains(hub, ",custom,") {
		t.Errorf("hub items: %s", hub)
	}
}
