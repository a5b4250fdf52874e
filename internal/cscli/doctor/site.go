package doctor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"shieldwall/internal/cscli/session"
	"shieldwall/internal/hub"
)

const (
	logType       = "shieldwall-doctor" // label of the source
	scenarioName  = "shieldwall/doctor"
	parserName    = "shieldwall/doctor-logs"
	installAdvice = "run \"cscli doctor install\", and reload crowdsec"
	maxMetrics    = 64 << 20 // bytes
)

// site is the log of the doctor, and what the log processor says about it.
type site struct {
	log        string
	metrics    string // URL; "" when they are off
	readBefore int
}

// findSite looks for the source that install puts in place.
func findSite(s *session.Session) (site, error) {
	log := logPath(s)
	files, err := acquisitionFiles(s)
	if err != nil {
		return site{}, err
	}
	for _, path := range files {
		text, err := os.ReadFile(path) //nolint:gosec // the administrator names the file
		if err == nil && strings.Contains(string(text), log) && strings.Contains(string(text), logType) {
			return site{log: log, metrics: metricsURL(s)}, nil
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return site{}, fmt.Errorf("reading acquisition: %w", err)
		}
	}
	return site{}, fmt.Errorf("no acquisition watches %s", log)
}

func logPath(s *session.Session) string { return filepath.Join(s.Config.Paths.DataDir, "doctor.log") }

// acquisitionFiles returns the files that say what the log processor of this machine reads.
func acquisitionFiles(s *session.Session) ([]string, error) {
	processor := s.Config.LogProcessor
	if processor == nil {
		return nil, errors.New("the log processor of this machine is disabled")
	}
	var files []string
	if processor.AcquisitionPath != "" {
		files = append(files, processor.AcquisitionPath)
	}
	if processor.AcquisitionDir == "" {
		return files, nil
	}
	for _, pattern := range []string{"*.yaml", "*.yml"} {
		found, err := filepath.Glob(filepath.Join(processor.AcquisitionDir, pattern))
		if err != nil {
			return nil, fmt.Errorf("listing %s: %w", processor.AcquisitionDir, err)
		}
		files = append(files, found...)
	}
	return files, nil
}

func metricsURL(s *session.Session) string {
	prometheus := s.Config.Prometheus
	if !prometheus.Enabled {
		return ""
	}
	return "http://" + net.JoinHostPort(prometheus.ListenAddr, strconv.Itoa(prometheus.ListenPort)) + "/metrics"
}

// append adds a line to the log in one write, so that it is never read in part.
func (p site) append(line string) error {
	file, err := os.OpenFile(p.log, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600) //nolint:mnd // only the owner
	if err != nil {
		return err
	}
	_, err = file.WriteString(line)
	return errors.Join(err, file.Close())
}

// whyNoAlert looks for the reason why the line did not become an alert.
func (p site) whyNoAlert(ctx context.Context, s *session.Session) finding {
	if missing := missingItems(s); len(missing) > 0 {
		return broken(installAdvice, "not installed: %s", strings.Join(missing, ", "))
	}
	read := p.linesRead(ctx)
	switch {
	case p.metrics == "":
		return broken("see whether crowdsec runs, and what it logs; reload it if the doctor was installed since it started", "no alert came")
	case read < 0:
		return broken("start crowdsec, and see what it logs", "no alert came, and the log processor does not answer at %s", p.metrics)
	case read <= p.readBefore:
		return broken("reload crowdsec if the doctor was installed since it started, and see what it logs", "the log processor has not read the line")
	}
	return broken("reload crowdsec if the doctor was installed since it started; see \"cscli explain --file "+p.log+" --type "+logType+"\"",
		"the line was read, but no alert came: no parser or scenario of the running crowdsec took it, or a whitelist did")
}

// missingItems returns what is not installed of what the doctor needs.
func missingItems(s *session.Session) (missing []string) {
	paths := s.Config.Paths
	inventory, err := hub.Scan(hub.Paths{HubDir: paths.HubDir, IndexPath: paths.IndexPath, ConfigDir: paths.ConfigDir}, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil
	}
	for _, item := range []struct {
		kind hub.Kind
		name string
	}{{hub.Parsers, parserName}, {hub.Scenarios, scenarioName}} {
		if !slices.Contains(inventory.Names(item.kind), item.name) {
			missing = append(missing, item.kind.Singular()+" "+item.name)
		}
	}
	return missing
}

// linesRead returns how many lines of the log were read since the log processor started, -1 when it does not say.
func (p site) linesRead(ctx context.Context) int {
	return p.metric(ctx, "cs_filesource_hits_total{", p.log)
}

// bucketsLeft reports whether the log processor says that there are buckets of the doctor.
func (p site) bucketsLeft(ctx context.Context) bool {
	return p.metric(ctx, "cs_buckets{", scenarioName) > 0
}

// metric returns the sum of the samples that begin with a name and have a text among their labels; -1 when nobody
// answers.
func (p site) metric(ctx context.Context, name, label string) int {
	if p.metrics == "" {
		return -1
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.metrics, http.NoBody)
	if err != nil {
		return -1
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return -1
	}
	defer response.Body.Close() //nolint:errcheck // only read
	page, err := io.ReadAll(io.LimitReader(response.Body, maxMetrics))
	if err != nil || response.StatusCode != http.StatusOK {
		return -1
	}
	sum := 0.0
	for line := range strings.Lines(string(page)) {
		at := strings.LastIndexByte(line, ' ')
		if strings.HasPrefix(line, name) && strings.Contains(line, strconv.Quote(label)) && at > 0 {
			value, _ := strconv.ParseFloat(strings.TrimSpace(line[at:]), 64)
			sum += value
		}
	}
	return int(sum)
}
