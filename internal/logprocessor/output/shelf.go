package output

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"shieldwall/internal/domain/fault"
	"shieldwall/internal/platform/atomicfile"
	"shieldwall/internal/wire"
)

// maxShelved bounds the files that are kept aside; the oldest go first.
const maxShelved = 1000

// shelf is the folder for what cannot be delivered. It never fails its caller, who must go on: what cannot
// be put there is logged.
type shelf struct {
	dir string
	log *slog.Logger
}

// rejection is the content of a file about an alert that the Local API refused for good.
type rejection struct {
	RefusedAt time.Time       `json:"refused_at"`
	Kind      string          `json:"kind"`
	Reason    string          `json:"reason"`
	Alert     json.RawMessage `json:"alert"`
}

func (s shelf) putRefused(refused waitingAlert, reason error, now time.Time) {
	var alert wire.Alert
	_ = json.Unmarshal(refused.alert, &alert) // for the log; what is kept is what was sent
	s.log.Error("alert refused by the Local API, set aside", "scenario", alert.Scenario,
		"value", alert.GetValue(), "uuid", alert.UUID, "error", reason)
	text, err := json.MarshalIndent(rejection{now.UTC(), fault.KindOf(reason).String(), reason.Error(), refused.alert}, "", "  ")
	s.put(fmt.Sprintf("%016d.json", refused.number), text, err)
}

func (s shelf) putDamaged(segment string, offset int64, content []byte) {
	s.put(fmt.Sprintf("%s-%d.damaged", strings.TrimSuffix(segment, segmentSuffix), offset), content, nil)
}

func (s shelf) put(name string, content []byte, err error) {
	if err == nil {
		err = errors.Join(s.makeRoom(), atomicfile.Write(filepath.Join(s.dir, name), content, 0o600))
	}
	if err != nil {
		s.log.Error("nothing could be set aside", "name", name, "error", err)
	}
}

func (s shelf) makeRoom() error {
	entries, err := os.ReadDir(s.dir) // sorted, and names begin with the number
	if err != nil {
		return err
	}
	for len(entries) >= maxShelved {
		if err := os.Remove(filepath.Join(s.dir, entries[0].Name())); err != nil {
			return err
		}
		entries = entries[1:]
	}
	return nil
}
