package source

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"

	"shieldwall/content"
)

// BuiltIn is what comes with this program.
type BuiltIn struct{}

// Index returns nothing: this index is always there.
func (BuiltIn) Index(context.Context, string) ([]byte, error) { return nil, nil }

// String names the source.
func (BuiltIn) String() string { return "this program" }

// Item returns the file at path.
func (BuiltIn) Item(_ context.Context, path string) ([]byte, error) {
	text, err := fs.ReadFile(content.Items(), path)
	if err != nil {
		return nil, fmt.Errorf("reading our own items: %w", err)
	}
	return text, nil
}

// Data calls save with a data file unless the copy that is held is the same.
func (BuiltIn) Data(_ context.Context, file File, held Held, save func(Body) error) error {
	text, err := fs.ReadFile(content.Data(), file.Dest)
	if err != nil {
		return fmt.Errorf("reading our own data: %w", err)
	}
	sum := sha256.Sum256(text)
	digest := hex.EncodeToString(sum[:])
	if same, err := held.unchanged(digest); same || err != nil {
		return err
	}
	return save(Body{Reader: bytes.NewReader(text), Digest: digest})
}
