// Package atomicfile replaces files so that a reader, or a machine that loses power, sees the old content
// or the new one and never a mixture.
package atomicfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Write replaces path by a file with the given content and mode. When it returns nil the content is on
// disk. The folder must exist; an error leaves the old file as it was.
func Write(path string, content []byte, mode fs.FileMode) error {
	return Copy(path, bytes.NewReader(content), mode)
}

// Copy is Write with the content read from r, of any size. When reading fails, the old file stays as it was.
func Copy(path string, r io.Reader, mode fs.FileMode) error {
	temp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	if err := fill(temp, r, mode); err != nil {
		return fmt.Errorf("writing %s: %w", path, errors.Join(err, os.Remove(temp.Name())))
	}
	if err := os.Rename(temp.Name(), path); err != nil {
		return fmt.Errorf("writing %s: %w", path, errors.Join(err, os.Remove(temp.Name())))
	}
	return SyncDir(filepath.Dir(path))
}

// SyncDir makes the names in a folder, and their removal, survive a loss of power.
func SyncDir(path string) error {
	dir, err := os.Open(path) //nolint:gosec // the caller owns the folder
	if err != nil {
		return fmt.Errorf("syncing folder: %w", err)
	}
	if err := errors.Join(dir.Sync(), dir.Close()); err != nil {
		return fmt.Errorf("syncing folder %s: %w", path, err)
	}
	return nil
}

func fill(file *os.File, content io.Reader, mode fs.FileMode) error {
	_, err := io.Copy(file, content)
	return errors.Join(err, file.Chmod(mode), file.Sync(), file.Close())
}
