package sql

import (
	"context"
	dbsql "database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/pressly/goose/v3"

	"shieldwall/internal/domain/fault"
)

// engine is what databases do differently. Everything else is written in the SQL that they share.
type engine struct {
	name       string // also of the folder with its migrations
	migrations goose.Dialect
	numbered   bool   // parameters are $1, $2, … instead of ?
	stamp      string // names the first parameter, for use more than once; "": the engine cannot
	lock       string // waits for the lock of those who migrate, which ends with the connection; "" for files
	forUpdate  string // locks the rows of a SELECT; "" where only one transaction writes at a time
	clock      string // asks for the time; "" where the database is a file of this machine
	reading    *dbsql.TxOptions
	writing    *dbsql.TxOptions

	// settles says that others see a commit before it is on disk, see Store.settle.
	settles bool

	// nullTimes says that the published time columns may be NULL, all of them.
	nullTimes bool
	// textTimes says that times are kept as text, which we read in a third of the time that the driver takes.
	textTimes bool
	// bindTime gives a time the form in which its column keeps and compares it.
	bindTime func(time.Time) any
	// firstID says which id the next row of a table gets; nil where only the engine knows.
	firstID func(ctx context.Context, tx session, table string) (int64, error)
	// clean takes from a text what the engine refuses to store.
	clean func(string) string
	// width is the most characters of a text column; 0: no limit.
	width int
	// reasonOf says why the engine refused a statement.
	reasonOf func(error) reason
	// adopt makes tables and rows of the replaced system follow our rules; it runs once for a database, after the
	// tables are there.
	adopt func(context.Context, session, time.Time) error
	// restore undoes what the replaced system may have done to the tables since; it runs at every start.
	restore func(context.Context, session, *slog.Logger) error
}

// reason is why an engine refused a statement.
type reason struct {
	kind  fault.Kind // Internal when it is nobody's business
	again bool       // the transaction lost against another one, and may win when it is repeated
}

// conflictError marks an error after which the transaction has to look again.
type conflictError struct{ error }

func (e conflictError) Unwrap() error { return e.error }

// reasonOf adds to what the engine knows what the connection tells.
func reasonOf(e *engine, err error) reason {
	var lost conflictError
	if errors.As(err, &lost) {
		return reason{kind: fault.Unavailable, again: true}
	}
	if why := e.reasonOf(err); why.kind != fault.Internal {
		return why
	}
	var network *net.OpError
	if errors.Is(err, driver.ErrBadConn) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &network) {
		return reason{kind: fault.Unavailable}
	}
	return reason{kind: fault.Internal}
}

// classify marks errors of the engine; what is marked already keeps its kind.
func classify(e *engine, err error) error {
	if err == nil || fault.KindOf(err) != fault.Internal {
		return err
	}
	if why := reasonOf(e, err); why.kind != fault.Internal {
		return fault.Mark(why.kind, err)
	}
	return err
}

// timeOrNull binds NULL for the zero time, which means that something never happened.
func (e *engine) timeOrNull(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return e.bindTime(t)
}

// times selects columns that hold times, each for an instant to scan.
func (e *engine) times(columns ...string) string {
	if !e.textTimes {
		return strings.Join(columns, ", ")
	}
	// CAST hides the type of a column from the driver, which would parse the text.
	return "CAST(" + strings.Join(columns, " AS text), CAST(") + " AS text)"
}

// fit makes a text of an alert storable, so that one odd text does not refuse all alerts of a request.
func (e *engine) fit(text string) string {
	text = e.clean(text)
	if e.width == 0 || len(text) <= e.width {
		return text
	}
	return firstCharacters(text, e.width)
}

// asItIs is for engines that store any text.
func asItIs(text string) string { return text }

func firstCharacters(text string, count int) string {
	for i := range text {
		if count == 0 {
			return text[:i]
		}
		count--
	}
	return text
}

// parameters writes the placeholders as the engine wants them. Our texts have no question mark but those.
func (e *engine) parameters(query string) string {
	if !e.numbered {
		return query
	}
	first := 1
	if e.stamp != "" && strings.Contains(query, e.stamp) {
		first = 2
	}
	var numbered strings.Builder
	numbered.Grow(len(query) + len(query)/8)
	for n := first; ; n++ {
		before, after, found := strings.Cut(query, "?")
		numbered.WriteString(before)
		if !found {
			return numbered.String()
		}
		numbered.WriteByte('$')
		numbered.WriteString(strconv.Itoa(n))
		query = after
	}
}
