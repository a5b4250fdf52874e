// Package source is where a hub comes from: a server, a folder, an archive, or this program.
//
// It owns addresses, conditional requests, retries, patience and bounds, and what a mirror looks like. It hands out texts as
// they come; who asks for an item holds them against the digest in the index. It writes nothing but the temporary folder of
// an archive, and follows no path out of a folder.
package source

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"path"
	"path/filepath"
	"time"

	"shieldwall/internal/domain/fault"
)

// The bounds of what is taken, in bytes.
const (
	maxIndex    = 64 << 20
	maxItem     = 4 << 20
	maxManifest = 4 << 20
	maxData     = 1 << 30
)

// The names in a folder that is a hub.
const (
	IndexName    = ".index.json"
	ManifestName = "data.json" // of a mirror: its data files
)

// File is a data file that an item names.
type File struct {
	URL  string // where the hub says that it is, "" when it comes with this program
	Dest string // path below the data folder
}

// Held describes the copy of a data file that is there.
type Held struct {
	Modified time.Time              // zero when there is none, or it has to be replaced whatever it is
	Digest   func() (string, error) // hex SHA-256 of it
}

// Body is a data file on its way.
type Body struct {
	io.Reader

	Modified time.Time // zero when it is not known
	Digest   string    // hex SHA-256 that it must have, "" when it is not known
}

// Manifest lists the data files of a mirror by the URLs that items name.
type Manifest map[string]Mirrored

// Mirrored is a data file of a mirror.
type Mirrored struct {
	Path     string    `json:"path"`   // below the hub folder
	Digest   string    `json:"digest"` // hex SHA-256
	Modified time.Time `json:"modified,omitzero"`
}

// DecodeManifest reads the text of a manifest. One that points out of its mirror is of kind fault.Invalid.
func DecodeManifest(text []byte) (Manifest, error) {
	var manifest Manifest
	if err := json.Unmarshal(text, &manifest); err != nil {
		return nil, fault.Errorf(fault.Invalid, "reading %s: %w", ManifestName, err)
	}
	for url, file := range manifest {
		if !filepath.IsLocal(file.Path) || path.Clean(file.Path) != file.Path {
			return nil, fault.Errorf(fault.Invalid, "%s: the file of %s is not below the mirror: '%s'", ManifestName, url, file.Path)
		}
	}
	return manifest, nil
}

// MirrorPath returns where a mirror keeps the data file at url, below the hub folder.
func MirrorPath(url string) string {
	sum := sha256.Sum256([]byte(url))
	return path.Join("data", hex.EncodeToString(sum[:8]), path.Base(path.Clean("/"+url)))
}

// bounded reads all of r, at most limit bytes.
func bounded(r io.Reader, limit int64, what string) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(text)) > limit {
		return nil, tooLarge(what, limit)
	}
	return text, nil
}

func tooLarge(what string, limit int64) error {
	return fault.Errorf(fault.TooLarge, "%s is larger than %d MiB", what, limit>>20)
}

// capped is a Reader that fails behind its limit, where io.LimitReader would end as if that was all.
type capped struct {
	r    io.Reader
	left int64
	what string
}

func (c *capped) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	if c.left -= int64(n); c.left < 0 {
		return 0, tooLarge(c.what, maxData)
	}
	return n, err
}

// unchanged reports whether the copy has the digest.
func (h Held) unchanged(digest string) (bool, error) {
	if h.Modified.IsZero() || digest == "" {
		return false, nil
	}
	own, err := h.Digest()
	if err != nil {
		return false, fmt.Errorf("reading the copy: %w", err)
	}
	return own == digest, nil
}
