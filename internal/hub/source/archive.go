package source

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"shieldwall/internal/domain/fault"
)

// The bounds of an archive.
const (
	maxFiles    = 200_000
	maxUnpacked = 4 << 30 // bytes
)

// Archive is a hub in a .tar.gz, .tgz or .zip file, unpacked into a temporary folder.
type Archive struct {
	*Folder

	temp string
}

// OpenArchive unpacks the archive at path. One that has links, or files outside, or too much, is refused with an error of
// kind fault.Invalid or fault.TooLarge. Close deletes what was unpacked.
func OpenArchive(path, branch string) (*Archive, error) {
	temp, err := os.MkdirTemp("", "cscli_hub*")
	if err != nil {
		return nil, fmt.Errorf("unpacking %s: %w", path, err)
	}
	err = unpackFile(path, temp)
	if err == nil {
		var folder *Folder
		if folder, err = OpenFolder(temp, branch); err == nil {
			folder.dir = path
			return &Archive{folder, temp}, nil
		}
	}
	return nil, errors.Join(fmt.Errorf("unpacking %s: %w", path, err), os.RemoveAll(temp))
}

// Close ends the use of the archive.
func (a *Archive) Close() error { return errors.Join(a.Folder.Close(), os.RemoveAll(a.temp)) }

func unpackFile(path, dir string) error {
	file, err := os.Open(path) //nolint:gosec // the administrator names it
	if err != nil {
		return err
	}
	defer file.Close() //nolint:errcheck // only read
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close() //nolint:errcheck // what was written is closed
	u := unpacker{root: root, files: maxFiles, bytes: maxUnpacked}
	if strings.HasSuffix(path, ".zip") {
		info, err := file.Stat()
		if err != nil {
			return err
		}
		return u.zip(file, info.Size())
	}
	return u.tar(file)
}

// unpacker writes files into a folder, as many as it may.
type unpacker struct {
	root  *os.Root
	files int
	bytes int64
}

func (u *unpacker) tar(r io.Reader) error {
	packed, err := gzip.NewReader(r)
	if err != nil {
		return fault.Mark(fault.Invalid, err)
	}
	for archive := tar.NewReader(packed); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fault.Mark(fault.Invalid, err)
		}
		switch header.Typeflag {
		case tar.TypeReg, tar.TypeDir:
			err = u.entry(header.Name, header.FileInfo(), archive)
		case tar.TypeXGlobalHeader:
		default:
			err = fault.Errorf(fault.Invalid, "'%s' is neither a file nor a folder", header.Name)
		}
		if err != nil {
			return err
		}
	}
}

func (u *unpacker) zip(r io.ReaderAt, size int64) error {
	archive, err := zip.NewReader(r, size)
	if err != nil {
		return fault.Mark(fault.Invalid, err)
	}
	for _, packed := range archive.File {
		if err := u.zipped(packed); err != nil {
			return err
		}
	}
	return nil
}

func (u *unpacker) zipped(packed *zip.File) error {
	content, err := packed.Open()
	if err != nil {
		return fault.Mark(fault.Invalid, err)
	}
	defer content.Close() //nolint:errcheck // only read
	return u.entry(packed.Name, packed.FileInfo(), content)
}

func (u *unpacker) entry(name string, info fs.FileInfo, content io.Reader) error {
	clean := path.Clean(name)
	if u.files--; u.files < 0 {
		return fault.Errorf(fault.TooLarge, "there are more than %d files", maxFiles)
	}
	switch {
	case !filepath.IsLocal(clean) || strings.Contains(name, `\`):
		return fault.Errorf(fault.Invalid, "'%s' would lie outside of the folder", name)
	case info.IsDir():
		return u.root.MkdirAll(clean, 0o700)
	case !info.Mode().IsRegular():
		return fault.Errorf(fault.Invalid, "'%s' is neither a file nor a folder", name)
	}
	if err := u.root.MkdirAll(path.Dir(clean), 0o700); err != nil {
		return fault.Mark(fault.Invalid, err)
	}
	if err := u.file(clean, content); err != nil {
		return err
	}
	return u.root.Chtimes(clean, info.ModTime(), info.ModTime())
}

func (u *unpacker) file(name string, content io.Reader) error {
	file, err := u.root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fault.Mark(fault.Invalid, err)
	}
	written, err := io.Copy(file, io.LimitReader(content, u.bytes+1))
	if err = errors.Join(err, file.Close()); err != nil {
		return fault.Mark(fault.Invalid, err)
	}
	if u.bytes -= written; u.bytes < 0 {
		return fault.Errorf(fault.TooLarge, "it unpacks to more than %d MiB", maxUnpacked>>20)
	}
	return nil
}
