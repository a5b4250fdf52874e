package file

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// headBytes is how much of the beginning of a file its fingerprint covers.
const headBytes = 1 << 10

// identity tells files apart while both exist; numbers of deleted files are used again.
type identity struct {
	Device uint64 `json:"device"`
	Inode  uint64 `json:"inode"`
}

// head is a fingerprint of the first Size bytes of a file; the zero value fits every file.
type head struct {
	Size int    `json:"head_size"`
	Sum  string `json:"head"` // hex
}

// place is how far a file has been read: what is kept as its checkpoint.
type place struct {
	identity
	head
	Offset int64 `json:"offset"`
	// Backlog says that what follows was written during a long pause, and has not all been read.
	Backlog bool `json:"backlog,omitempty"`
}

// isIn reports whether the file is the one that the place was taken in, and still reaches up to it.
func (p place) isIn(file *os.File) (bool, error) {
	info, err := file.Stat()
	if err != nil {
		return false, err
	}
	if identityOf(info) != p.identity || info.Size() < p.Offset {
		return false, nil
	}
	now, err := headOf(file, int64(p.Size))
	return err == nil && now == p.head, err
}

func identityOf(info fs.FileInfo) identity {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return identity{}
	}
	return identity{Device: stat.Dev, Inode: stat.Ino}
}

// headOf fingerprints the beginning of a file up to end, which lies within the file.
func headOf(file io.ReaderAt, end int64) (head, error) {
	size := int(min(end, headBytes))
	if size == 0 {
		return head{}, nil
	}
	buffer := make([]byte, size)
	n, err := file.ReadAt(buffer, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return head{}, fmt.Errorf("reading the beginning: %w", err)
	}
	sum := sha256.Sum256(buffer[:n])
	return head{Size: n, Sum: hex.EncodeToString(sum[:16])}, nil
}
