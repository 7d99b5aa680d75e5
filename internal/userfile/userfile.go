// Package userfile reads the accounts in files that other programs wrote: Authelia,
// Keycloak, PocketBase, Django, the services of the FastAPI tutorials, and CSV and
// JSON lines for everything else (docs/import.md).
//
// It decides what such a file says. Whether an account is acceptable, which hash is
// verified and who becomes an admin is the business of package account. A file is
// read as a stream, as often as it is asked for, and never changed.
package userfile

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"time"
)

// Format is the form of a file of accounts.
type Format string

// The formats.
const (
	CSV        Format = "csv"
	JSONLines  Format = "jsonl"
	Authelia   Format = "authelia"
	Keycloak   Format = "keycloak"
	PocketBase Format = "pocketbase"
	Django     Format = "django"
	FastAPI    Format = "fastapi"
)

// Name is what to call the format.
func (f Format) Name() string {
	switch f {
	case CSV:
		return "CSV"
	case JSONLines:
		return "JSON lines"
	case Authelia:
		return "users of Authelia (YAML)"
	case Keycloak:
		return "realm of Keycloak (JSON)"
	case PocketBase:
		return "users of PocketBase (JSON)"
	case Django:
		return "dumpdata of Django (JSON)"
	case FastAPI:
		return "users of a FastAPI service (JSON)"
	}
	return string(f)
}

// Account is one account of a file, as the file says it.
type Account struct {
	Unit   string // what Number counts: "line" or "entry"
	Number int

	Username     string
	Email        string
	FullName     string
	PasswordHash string // empty: the file has none
	Groups       []string
	Disabled     bool
	Verified     bool      // the address
	Created      time.Time // zero: the file does not say

	MustChange bool // the program would ask for a new password at the next sign-in
	SecondStep bool // the file has a second step or a passkey

	Wrong []Wrong // what could not be read
}

// Wrong is a value that could not be read.
type Wrong struct {
	Field   string // empty: the whole line or entry
	Message string // a sentence
}

func (a *Account) wrong(field, message string) {
	a.Wrong = append(a.Wrong, Wrong{field, message})
}

// File is a file of accounts.
type File struct {
	name   string
	format Format
	file   *os.File
	size   int64
	text   *text
	others int
}

// Open opens a file of accounts. "-" is standard input, which is copied to a
// temporary file that nobody else can open. An empty format is detected by the
// content. Errors are sentences that name the file.
func Open(path string, stdin io.Reader, format Format) (*File, error) {
	f := &File{name: filepath.Base(path), format: format}
	if path == "-" {
		f.name = "standard input"
	}
	err := f.open(path, stdin)
	if err == nil && f.format == "" {
		f.format, err = f.detect()
	}
	if err != nil {
		if f.file != nil {
			_ = f.file.Close()
		}
		return nil, f.failure(err)
	}
	return f, nil
}

func (f *File) open(path string, stdin io.Reader) (err error) {
	if path == "-" {
		err = f.spool(stdin)
	} else if f.file, err = os.Open(path); err != nil {
		return pathCause(err)
	}
	if err != nil {
		return err
	}
	info, err := f.file.Stat()
	switch {
	case err != nil:
		return err
	case info.IsDir():
		return errors.New("this is a directory: name a file")
	case !info.Mode().IsRegular(): // a pipe, which can be read only once
		pipe := f.file
		err := f.spool(pipe)
		_ = pipe.Close()
		if err != nil {
			return err
		}
		if info, err = f.file.Stat(); err != nil {
			return err
		}
	}
	if f.size = info.Size(); f.size == 0 {
		return errors.New("the file is empty")
	}
	return nil
}

// spool copies a stream to a temporary file that has no name any more.
func (f *File) spool(from io.Reader) error {
	file, err := os.CreateTemp("", "latchkey-import-*") // mode 0600
	if err != nil {
		return fmt.Errorf("a temporary file could not be created: %w: set TMPDIR to a directory that can be written to", pathCause(err))
	}
	f.file = file
	if err := os.Remove(file.Name()); err != nil {
		return fmt.Errorf("the name of the temporary file could not be removed: %w", err)
	}
	if _, err := io.Copy(file, from); err != nil {
		return fmt.Errorf("it could not be copied to a temporary file: %w", err)
	}
	return nil
}

// pathCause returns what is wrong with a path, without the path.
func pathCause(err error) error {
	if e, ok := errors.AsType[*os.PathError](err); ok {
		return e.Err
	}
	return err
}

// failure adds the name of the file to an error.
func (f *File) failure(err error) error { return fmt.Errorf("%s: %w", f.name, err) }

// Close closes the file.
func (f *File) Close() error { return f.file.Close() }

// Format returns the form of the file.
func (f *File) Format() Format { return f.format }

// Others returns how many entries were left out since Accounts began because they
// are no accounts of people.
func (f *File) Others() int { return f.others }

// Percent returns how much of the file has been read since Accounts began.
func (f *File) Percent() int {
	if f.text == nil || f.size == 0 {
		return 0
	}
	return int(min(f.text.read, f.size) * 100 / f.size)
}

// Accounts returns the accounts from the first on. An error, which names the file,
// ends them: the rest of the file cannot be read.
func (f *File) Accounts() iter.Seq2[Account, error] {
	return func(yield func(Account, error) bool) {
		f.others = 0
		stopped := false
		err := f.each(func(a Account) bool {
			stopped = !yield(a, nil)
			return !stopped
		})
		if err != nil && !stopped {
			yield(Account{}, f.failure(err))
		}
	}
}

// each calls yield for each account until it returns false.
func (f *File) each(yield func(Account) bool) (err error) {
	if f.text, err = newText(f.file); err != nil {
		return err
	}
	switch f.format {
	case CSV:
		return f.csv(yield)
	case JSONLines:
		return f.jsonLines(yield)
	case Authelia:
		return f.authelia(yield)
	case Keycloak:
		return f.keycloak(yield)
	case PocketBase:
		return f.array(yield, pocketBaseUser)
	case Django:
		return f.array(yield, djangoUser)
	case FastAPI:
		return f.fastAPI(yield)
	}
	return fmt.Errorf("the format %q is not known", f.format)
}
