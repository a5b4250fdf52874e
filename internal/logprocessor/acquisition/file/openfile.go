package file

import (
	"os"
	"time"
)

// openFile is a file that a tail has open.
type openFile struct {
	file     *os.File
	identity identity
	splitter splitter
	head     head
	read     int64     // bytes from the start of the file, given to the splitter
	done     int64     // end of the last line handed over
	active   time.Time // when bytes were last read
	foreign  bool      // another tail reads it
}

// maxLine bounds lines of followed files, in bytes without the newline.
const maxLine = 1 << 20

func newOpenFile(file *os.File, offset int64, now time.Time) (*openFile, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	f := &openFile{file: file, identity: identityOf(info)}
	return f, f.moveTo(offset, now)
}

// moveTo continues reading at an offset, which is the beginning of a line.
func (f *openFile) moveTo(offset int64, now time.Time) error {
	if _, err := f.file.Seek(offset, 0); err != nil {
		return err
	}
	f.splitter = splitter{limit: maxLine, offset: offset}
	f.read, f.done, f.active, f.head = offset, offset, now, head{}
	return nil
}

// place returns the place after what was handed over.
func (f *openFile) place() (place, error) {
	if covered := min(f.done, headBytes); int64(f.head.Size) < covered {
		fresh, err := headOf(f.file, covered)
		if err != nil {
			return place{}, err
		}
		f.head = fresh
	}
	return place{identity: f.identity, head: f.head, Offset: f.done}, nil
}

// waiting reports whether the beginning of a line waits for its newline.
func (f *openFile) waiting() bool { return len(f.splitter.held) > 0 }

// exhausted reports whether everything in the file was read.
func (f *openFile) exhausted() (bool, error) {
	info, err := f.file.Stat()
	return err == nil && info.Size() == f.read, err
}

// truncated reports whether the file is shorter than what was read of it.
func (f *openFile) truncated() (bool, error) {
	info, err := f.file.Stat()
	return err == nil && info.Size() < f.read, err
}
