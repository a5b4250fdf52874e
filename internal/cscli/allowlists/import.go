package allowlists

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"shieldwall/internal/cscli/session"
	"shieldwall/internal/domain"
	"shieldwall/internal/platform/duration"
)

func newImport(runner *session.Runner) *cobra.Command {
	var input string
	cmd := &cobra.Command{
		Use:   "import [allowlist_name] -i file",
		Short: "Import values to an allowlist from a CSV file",
		Long: "Add the values of a CSV file to an allowlist. The first line names the columns: value, and if\n" +
			"wanted expiration and comment.",
		Example:           "cscli allowlists import my_allowlist --input my_allowlist.csv",
		Args:              session.Args(cobra.ExactArgs(1)),
		ValidArgsFunction: runner.CompleteOnStore(names),
		RunE: runner.RunOnStore(func(ctx context.Context, s *session.Session, db *session.Store, args []string) error {
			items, err := readItems(s, input)
			if err != nil {
				return err
			}
			return add(ctx, s, db, args[0], items)
		}),
	}
	cmd.Flags().StringVarP(&input, "input", "i", "", "CSV file, - for standard input")
	_ = cmd.MarkFlagRequired("input") // the flag exists: it is the one above
	return cmd
}

func readItems(s *session.Session, input string) ([]domain.AllowlistItem, error) {
	if input == "-" {
		return parseItems(s.Stdin, s.Now())
	}
	file, err := os.Open(input) //nolint:gosec // the administrator names the file
	if err != nil {
		return nil, fmt.Errorf("unable to read file: %w", err)
	}
	defer file.Close() //nolint:errcheck // only read
	return parseItems(file, s.Now())
}

// parseItems reads rows with the columns value, expiration and comment, in the order of the first row.
func parseItems(r io.Reader, now time.Time) ([]domain.AllowlistItem, error) {
	rows := csv.NewReader(r)
	rows.FieldsPerRecord, rows.TrimLeadingSpace = -1, true
	header, err := rows.Read()
	if errors.Is(err, io.EOF) {
		return nil, errors.New("no values to import")
	}
	if err != nil {
		return nil, fmt.Errorf("reading the header: %w", err)
	}
	var items []domain.AllowlistItem
	for number := 1; ; number++ {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		item, err := parseItem(header, row, now)
		if err != nil {
			return nil, fmt.Errorf("row %d: %w", number, err)
		}
		items = append(items, item)
	}
	if len(items) == 0 {
		return nil, errors.New("no values to import")
	}
	return items, nil
}

func parseItem(header, row []string, now time.Time) (domain.AllowlistItem, error) {
	column := func(name string) string {
		i := slices.Index(header, name)
		if i < 0 || i >= len(row) {
			return ""
		}
		return strings.TrimSpace(row[i])
	}
	item := domain.AllowlistItem{Value: column("value"), Comment: column("comment")}
	if item.Value == "" {
		return item, errors.New("missing 'value'")
	}
	if text := column("expiration"); text != "" {
		length, err := duration.Parse(text)
		if err != nil {
			return item, fmt.Errorf("invalid expiration %q: %w", text, err)
		}
		item.ExpiresAt = expiry(now, length)
	}
	return item, nil
}
