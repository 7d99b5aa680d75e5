package userfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
)

const (
	// maxRecord is the longest line or entry, in bytes.
	maxRecord = 1 << 20
	// readAhead is what decoders read beyond the record that they return.
	readAhead = 64 << 10
)

// text is the content of a file. It refuses what is not text, and records that are
// so long that they would fill the memory.
type text struct {
	file *os.File
	read int64
	line int   // of what is read next
	left int64 // bytes until the record is too long
}

// A damage is a fault of a file that ends its reading, as a sentence without the
// name of the file.
type damage string

func (d damage) Error() string { return string(d) }

// newText returns the content of a file from its beginning, without a byte order
// mark.
func newText(file *os.File) (*text, error) {
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	mark := make([]byte, 3)
	n, err := io.ReadFull(file, mark)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return nil, pathCause(err)
	}
	switch mark = mark[:n]; {
	case bytes.HasPrefix(mark, []byte{0xff, 0xfe}), bytes.HasPrefix(mark, []byte{0xfe, 0xff}):
		return nil, damage("the file is UTF-16: save it as UTF-8")
	case bytes.Equal(mark, []byte{0xef, 0xbb, 0xbf}):
	default:
		if _, err := file.Seek(0, io.SeekStart); err != nil {
			return nil, err
		}
	}
	t := &text{file: file, line: 1}
	t.record()
	return t, nil
}

// record begins a new record.
func (t *text) record() { t.left = maxRecord + readAhead }

// whole lets one value be as long as the file.
func (t *text) whole() { t.left = 1 << 62 }

// Read reads the next bytes (io.Reader).
func (t *text) Read(p []byte) (int, error) {
	if t.left <= 0 {
		return 0, damage(fmt.Sprintf("what ends near line %d is longer than 1 MiB: no account is that long", t.line))
	}
	n, err := t.file.Read(p[:min(int64(len(p)), readAhead, t.left)])
	p = p[:n]
	if i := bytes.IndexByte(p, 0); i >= 0 {
		return 0, damage(fmt.Sprintf("line %d has a NUL byte: the file is not text", t.line+bytes.Count(p[:i], []byte{'\n'})))
	}
	t.read, t.left, t.line = t.read+int64(n), t.left-int64(n), t.line+bytes.Count(p, []byte{'\n'})
	if err != nil && !errors.Is(err, io.EOF) {
		err = pathCause(err)
	}
	return n, err
}

// lineAt returns the line of a byte of a file.
func lineAt(file *os.File, offset int64) (int, error) {
	t, err := newText(file)
	if err != nil {
		return 0, err
	}
	t.whole()
	content, line := io.LimitReader(t, offset), 1
	buffer := make([]byte, readAhead)
	for {
		n, err := content.Read(buffer)
		line += bytes.Count(buffer[:n], []byte{'\n'})
		if errors.Is(err, io.EOF) {
			return line, nil
		}
		if err != nil {
			return 0, err
		}
	}
}
