package source_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"shieldwall/internal/domain/fault"
	"shieldwall/internal/hub/source"
)

type entry struct {
	name, text string
	kind       byte   // of tar, 0 for a file
	target     string // of a link
}

func tarball(tb testing.TB, entries ...entry) []byte {
	tb.Helper()
	var packed bytes.Buffer
	compressed := gzip.NewWriter(&packed)
	archive := tar.NewWriter(compressed)
	for _, e := range entries {
		header := &tar.Header{Name: e.name, Mode: 0o644, Size: int64(len(e.text)), Typeflag: e.kind, Linkname: e.target}
		if e.kind == 0 {
			header.Typeflag = tar.TypeReg
		}
		_, err := io.WriteString(writerOf(archive, header), e.text)
		if err != nil {
			tb.Fatal(err)
		}
	}
	if err := errors.Join(archive.Close(), compressed.Close()); err != nil {
		tb.Fatal(err)
	}
	return packed.Bytes()
}

func writerOf(archive *tar.Writer, header *tar.Header) io.Writer {
	if err := archive.WriteHeader(header); err != nil {
		panic(err)
	}
	return archive
}

func zipped(tb testing.TB, entries ...entry) []byte {
	tb.Helper()
	var packed bytes.Buffer
	archive := zip.NewWriter(&packed)
	for _, e := range entries {
		header := &zip.FileHeader{Name: e.name, Method: zip.Deflate}
		if e.target != "" {
			header.SetMode(fs.ModeSymlink | 0o777)
		}
		w, err := archive.CreateHeader(header)
		if err == nil {
			_, err = io.WriteString(w, e.text+e.target)
		}
		if err != nil {
			tb.Fatal(err)
		}
	}
	if err := archive.Close(); err != nil {
		tb.Fatal(err)
	}
	return packed.Bytes()
}

func saved(tb testing.TB, name string, text []byte) string {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), name)
	if err := os.WriteFile(path, text, 0o600); err != nil {
		tb.Fatal(err)
	}
	return path
}

func TestArchives(t *testing.T) {
	t.Parallel()
	hub := []entry{
		{name: "hub-master/master/.index.json", text: "{}"},
		{name: "hub-master/master/parsers/s01-parse/a/p.yaml", text: "name: a/p\n"},
		{name: "hub-master/master/data/x.txt", text: "data"},
	}
	for name, packed := range map[string][]byte{"h.tar.gz": tarball(t, hub...), "h.tgz": tarball(t, hub...), "h.zip": zipped(t, hub...)} {
		archive, err := source.OpenArchive(saved(t, name, packed), "master")
		if err != nil {
			t.Fatal(name, err)
		}
		if text, err := archive.Index(t.Context(), ""); err != nil || string(text) != "{}" {
			t.Errorf("%s: index %q, %v", name, text, err)
		}
		if text, err := archive.Item(t.Context(), "parsers/s01-parse/a/p.yaml"); err != nil || string(text) != "name: a/p\n" {
			t.Errorf("%s: item %q, %v", name, text, err)
		}
		if _, err := archive.Item(t.Context(), "../../../etc/passwd"); err == nil {
			t.Errorf("%s: a path led out", name)
		}
		got := ""
		err = archive.Data(t.Context(), source.File{URL: "https://x/x.txt", Dest: "x.txt"}, source.Held{}, func(body source.Body) error {
			text, err := io.ReadAll(body)
			got = string(text)
			return err
		})
		if err != nil || got != "data" {
			t.Errorf("%s: data %q, %v", name, got, err)
		}
		if err := archive.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestArchivesThatAreRefused(t *testing.T) {
	t.Parallel()
	index := entry{name: ".index.json", text: "{}"}
	for name, packed := range map[string][]byte{
		"climbs.tar.gz":    tarball(t, index, entry{name: "../evil", text: "x"}),
		"absolute.tar.gz":  tarball(t, index, entry{name: "/tmp/evil", text: "x"}),
		"link.tar.gz":      tarball(t, index, entry{name: "l", kind: tar.TypeSymlink, target: "/etc"}),
		"hardlink.tar.gz":  tarball(t, index, entry{name: "l", kind: tar.TypeLink, target: ".index.json"}),
		"device.tar.gz":    tarball(t, index, entry{name: "d", kind: tar.TypeChar}),
		"twice.tar.gz":     tarball(t, index, index),
		"cut.tar.gz":       tarball(t, index)[:40],
		"nothing.tar.gz":   {},
		"climbs.zip":       zipped(t, index, entry{name: "a/../../evil", text: "x"}),
		"link.zip":         zipped(t, index, entry{name: "l", target: "/etc"}),
		"backslashes.zip":  zipped(t, index, entry{name: `..\evil`, text: "x"}),
		"nothing.zip":      {},
		"under-a-file.zip": zipped(t, index, entry{name: ".index.json/x", text: "x"}),
	} {
		if archive, err := source.OpenArchive(saved(t, name, packed), "master"); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v, %v", name, archive, err)
		}
	}
	if _, err := source.OpenArchive(saved(t, "no-index.zip", zipped(t, entry{name: "x", text: "x"})), "master"); !fault.Is(err, fault.NotFound) {
		t.Errorf("no index: %v", err)
	}
}

func TestFoldersAreNotLeft(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	secret := saved(t, "secret", []byte("secret"))
	err := errors.Join(os.WriteFile(filepath.Join(dir, ".index.json"), []byte("{}"), 0o600), os.Symlink(secret, filepath.Join(dir, "x.yaml")))
	if err != nil {
		t.Fatal(err)
	}
	folder, err := source.OpenFolder(dir, "master")
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Close() //nolint:errcheck // only read
	for _, path := range []string{"x.yaml", "../secret", secret} {
		if text, err := folder.Item(t.Context(), path); err == nil {
			t.Errorf("%s: %q", path, text)
		}
	}
}

// FuzzArchive: whatever an archive says, nothing appears outside, and no link inside.
func FuzzArchive(f *testing.F) {
	f.Add(tarball(f, entry{name: ".index.json", text: "{}"}, entry{name: "../x", text: "x"}), false)
	f.Add(tarball(f, entry{name: "l", kind: tar.TypeSymlink, target: "/etc"}), false)
	f.Add(zipped(f, entry{name: ".index.json", text: "{}"}, entry{name: "l", target: "/etc"}), true)
	f.Fuzz(func(t *testing.T, packed []byte, zip bool) {
		name := "h.tar.gz"
		if zip {
			name = "h.zip"
		}
		archive, err := source.OpenArchive(saved(t, name, packed), "master")
		if err != nil {
			return
		}
		defer archive.Close() //nolint:errcheck // only read
		if _, err := archive.Index(t.Context(), ""); err != nil {
			t.Errorf("an archive with an index that cannot be read: %v", err)
		}
	})
}
