package decisions

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"shieldwall/internal/cscli/session"
	"shieldwall/internal/domain"
	"shieldwall/internal/wire"
)

const (
	importOrigin = "cscli-import"
	fromStdin    = "-"
	manyRows     = 1000 // more are announced
	rowsAtOnce   = 5000 // of a request, unless told otherwise: the Local API takes its time for bodies of more than 1 MiB
	inFlight     = 2    // requests: while one is stored, the next one is read
)

type importOptions struct {
	input    string
	format   string
	batch    int
	defaults row
}

func newImport(runner *session.Runner) *cobra.Command {
	var options importOptions
	cmd := &cobra.Command{
		Use:   "import [options]",
		Short: "Import decisions from a file or pipe",
		Long: "Add the decisions of a file. CSV needs a first line that names its columns, JSON is an array of\n" +
			"objects; both know duration, reason, scope, type and value, and only value is required. A file of\n" +
			"values has one on each line.",
		Example: "cscli decisions import -i decisions.csv\ncscli decisions import -i decisions.json --batch 1000\n" +
			"echo 192.0.2.1 | cscli decisions import -i - --format values",
		Args: session.Args(cobra.NoArgs),
		RunE: runner.Run(func(ctx context.Context, s *session.Session, _ []string) error {
			return importDecisions(ctx, s, options)
		}),
	}
	set := cmd.Flags()
	set.StringVarP(&options.input, "input", "i", "", "file to read, - for standard input")
	set.StringVarP(&options.defaults.Duration, "duration", "d", "4h", "how long a decision lasts that does not say")
	set.StringVar(&options.defaults.Scope, "scope", string(domain.ScopeIP), "the scope of a value without one: ip, range, username, …")
	set.StringVarP(&options.defaults.Reason, "reason", "R", "manual", "the reason of a decision without one")
	set.StringVarP(&options.defaults.Type, "type", "t", "ban", "the type of a decision without one: ban, captcha, throttle")
	set.IntVar(&options.batch, "batch", 0, "how many decisions to send at once, 0 for 5000")
	set.StringVar(&options.format, "format", "", "format of the input: json, csv or values; by the name of the file without")
	_ = cmd.MarkFlagRequired("input") // the flag exists: it is the first one above
	return cmd
}

func importDecisions(ctx context.Context, s *session.Session, options importOptions) error {
	rows, err := readRows(s, options)
	if err != nil {
		return err
	}
	if err := announce(s, len(rows), options.batch); err != nil {
		return err
	}
	client, err := s.ConfiguredClient()
	if err != nil {
		return err
	}
	i := importer{session: s, api: client, source: options.input, total: len(rows), atOnce: cmp.Or(options.batch, rowsAtOnce)}
	if i.source == fromStdin {
		i.source = "stdin"
	}
	for chunk := range slices.Chunk(rows, cmp.Or(options.batch, len(rows))) {
		s.Log.DebugContext(ctx, fmt.Sprintf("Processing chunk of %d decisions", len(chunk))) //nolint:sloglint // a published sentence
		if err := i.send(ctx, chunk); err != nil {
			return err
		}
	}
	return s.Printf("Imported %d decisions", i.imported)
}

// readRows returns what the input says, completed by the defaults.
func readRows(s *session.Session, options importOptions) ([]row, error) {
	if err := options.defaults.checkDefaults(); err != nil {
		return nil, err
	}
	if options.batch < 0 {
		return nil, errors.New("batch cannot be negative")
	}
	format, err := chooseFormat(options.format, options.input)
	if err != nil {
		return nil, err
	}
	text, err := readInput(s, options.input)
	if err != nil {
		return nil, err
	}
	if err := s.Printf("Parsing %s\n", format); err != nil {
		return nil, err
	}
	rows, err := parseRows(format, text)
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, errors.New("no decisions found")
	}
	for i := range rows {
		if rows[i].Value == "" {
			return nil, fmt.Errorf("item %d: missing 'value'", i+1)
		}
		rows[i].complete(options.defaults)
	}
	return rows, nil
}

func readInput(s *session.Session, input string) ([]byte, error) {
	if input == fromStdin {
		text, err := io.ReadAll(s.Stdin)
		if err != nil {
			return nil, fmt.Errorf("unable to read from stdin: %w", err)
		}
		return text, nil
	}
	text, err := os.ReadFile(input) //nolint:gosec // the administrator names the file
	if err != nil {
		return nil, fmt.Errorf("unable to read file: %w", err)
	}
	return text, nil
}

func announce(s *session.Session, count, batch int) error {
	text := ""
	if count > manyRows {
		text = fmt.Sprintf("You are about to add %d decisions, this may take a while\n", count)
	}
	if batch > 0 {
		text += fmt.Sprintf("batch size: %d\n", batch)
	}
	return s.Print(text)
}

type importAPI interface {
	CheckManyAllowlists(ctx context.Context, targets []string) ([]wire.BulkAllowlistResult, error)
	PushAlerts(ctx context.Context, alerts []wire.Alert) ([]string, error)
}

// importer sends rows and knows how far it is.
type importer struct {
	session *session.Session
	api     importAPI
	source  string
	total   int
	atOnce  int // rows of a request

	mu             sync.Mutex // guards all below
	done, imported int
}

// send looks at all rows before it imports the first one.
func (i *importer) send(ctx context.Context, rows []row) error {
	allowed, err := i.withoutListed(ctx, rows)
	if err != nil {
		return err
	}
	i.note(len(rows)-len(allowed), 0)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(inFlight)
	for part := range slices.Chunk(allowed, i.atOnce) {
		group.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			_, err := i.api.PushAlerts(ctx, []wire.Alert{importAlert(i.session.Now(), i.source, part)})
			if err == nil {
				i.note(len(part), len(part))
			}
			return err
		})
	}
	return group.Wait()
}

// note says how many more rows are dealt with, and imported.
func (i *importer) note(done, imported int) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.done += done
	i.imported += imported
	if i.session.StderrTerminal && i.total > i.atOnce {
		_, _ = fmt.Fprintf(i.session.Stderr, "\r%3d %% %d/%d ", 100*i.done/i.total, i.done, i.total)
	}
}

// withoutListed leaves out what is on an allowlist, and says so.
func (i *importer) withoutListed(ctx context.Context, rows []row) ([]row, error) {
	var targets []string
	for _, r := range rows {
		if domain.NormalizeScope(r.Scope).IsAddress() {
			targets = append(targets, r.Value)
		}
	}
	if len(targets) == 0 {
		return rows, nil
	}
	results, err := i.api.CheckManyAllowlists(ctx, targets)
	if err != nil {
		return nil, err
	}
	listed := make(map[string]bool, len(results))
	for _, result := range results {
		if err := i.session.Printf("Value %s is allowlisted by %s\n", result.Target, result.Allowlists); err != nil {
			return nil, err
		}
		listed[result.Target] = true
	}
	if len(listed) == 0 {
		return rows, nil
	}
	return slices.DeleteFunc(slices.Clone(rows), func(r row) bool {
		return listed[r.Value] && domain.NormalizeScope(r.Scope).IsAddress()
	}), nil
}

// importAlert returns the alert that carries imported decisions.
func importAlert(now time.Time, source string, rows []row) wire.Alert {
	at, simulated := now.UTC().Format(time.RFC3339), false
	alert := wire.Alert{
		CreatedAt:   at,
		Decisions:   make([]wire.Decision, len(rows)),
		Events:      []wire.Event{},
		EventsCount: int32(min(len(rows), 1<<31-1)),
		Kind:        origin,
		Leakspeed:   "0",
		Remediation: true,
		Scenario:    fmt.Sprintf("import %s: %d IPs", source, len(rows)),
		Source:      &wire.Source{},
		StartAt:     at,
		StopAt:      at,
	}
	for i, r := range rows {
		alert.Decisions[i] = wire.Decision{
			Duration: r.Duration, Origin: importOrigin, Scenario: r.Reason, Scope: string(domain.NormalizeScope(r.Scope)),
			Simulated: &simulated, Type: r.Type, Value: r.Value,
		}
	}
	return alert
}
