package localapi

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
)

// maxTraces bounds what one process writes, so that a request that is repeated cannot fill the disk.
const maxTraces = 100

// traces keeps the stacks of panics as files for the administrator to send to the developers.
type traces struct {
	dir     string // "": nowhere
	written atomic.Int64
}

// write returns the path of the file, "" when there is none.
func (t *traces) write(r *http.Request, failure any, stack []byte) (string, error) {
	number := t.written.Add(1)
	if t.dir == "" || number > maxTraces {
		return "", nil
	}
	if err := os.MkdirAll(t.dir, 0o700); err != nil {
		return "", fmt.Errorf("making the folder of traces: %w", err)
	}
	path := filepath.Join(t.dir, fmt.Sprintf("lapi-%d-%d.txt", os.Getpid(), number))
	text := fmt.Appendf(nil, "%s %s\npanic: %v\n\n%s", r.Method, r.URL.Path, failure, stack)
	if err := os.WriteFile(path, text, 0o600); err != nil { //nolint:gosec // the name is ours, the request is only in the text
		return "", fmt.Errorf("writing a trace: %w", err)
	}
	return path, nil
}
