package config

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// secretFileName is the name of the file with a generated secret, beside the
// SQLite database.
const secretFileName = "secret"

// EnsureSecret returns the decoded secret in the file path. If there is no such
// file, it generates one first: 32 random bytes in hex, mode 0600, in a folder
// that it creates with mode 0700 if necessary. created reports whether this call
// generated it. Processes that start together agree on one secret.
//
// EnsureSecret refuses a file with a short or guessable secret and never replaces
// it, because every session depends on the secret.
func EnsureSecret(path string) (secret Secret, created bool, err error) {
	secret, err = readGeneratedSecret(path)
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return secret, false, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return Secret{}, false, fmt.Errorf("create the folder of the secret: %w", err)
	}
	value := make([]byte, minSecretBytes)
	rand.Read(value) // never returns an error: crypto/rand ends the process instead
	err = publish(path, []byte(hex.EncodeToString(value)+"\n"))
	if errors.Is(err, fs.ErrExist) {
		secret, err = readGeneratedSecret(path)
		return secret, false, err
	}
	if err != nil {
		return Secret{}, false, fmt.Errorf("store the generated secret (or set %s instead): %w", nameSecret, err)
	}
	return NewSecret(value), true, nil
}

// CheckSecretFile returns an error if EnsureSecret would refuse the file path. The error
// wraps fs.ErrPermission if the file cannot be read.
func CheckSecretFile(path string) error {
	_, err := readGeneratedSecret(path)
	return err
}

// readGeneratedSecret reads and checks the secret in path.
func readGeneratedSecret(path string) (Secret, error) {
	data, _, err := readSecretFile(path)
	if err != nil {
		return Secret{}, fmt.Errorf("the secret beside the database cannot be read: %w", err)
	}
	value, err := decodeSecret(trimNewline(string(data)))
	if err != nil {
		return Secret{}, fmt.Errorf("the secret in %s %w; put the right one back from a backup, or set %s", path, err, nameSecret)
	}
	return NewSecret(value), nil
}

// publish creates the file path with data in one step, so that no process reads
// a part of it. It returns fs.ErrExist if the file exists.
func publish(path string, data []byte) (err error) {
	// CreateTemp opens with O_EXCL and mode 0600.
	tmp, err := os.CreateTemp(filepath.Dir(path), "."+secretFileName+"-*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(tmp.Name())) }()
	_, err = tmp.Write(data)
	if err == nil {
		err = tmp.Sync()
	}
	if err = errors.Join(err, tmp.Close()); err != nil {
		return err
	}
	// A hard link, unlike a rename, does not replace a file that another process
	// has published meanwhile.
	err = os.Link(tmp.Name(), path)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		err = writeNew(path, data)
	}
	if err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// writeNew creates path with data, for file systems without hard links. A
// process that starts at the same instant may find the file incomplete and
// refuse it, but never gets a different secret.
func writeNew(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// syncDir makes a new file in dir survive a power cut.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	// Some file systems cannot sync a folder; the file itself is safe there.
	_ = d.Sync()
	return d.Close()
}

// checkGeneratedSecret reports a secret that EnsureSecret would refuse, and warns if
// every user of the machine can read it.
func (l *loader) checkGeneratedSecret(path string) {
	info, err := os.Stat(path)
	if err != nil {
		return // there is no secret yet, or opening the database will report the problem
	}
	if _, err := readGeneratedSecret(path); err != nil {
		l.problem(nameSecret, "is not set, and %v", err)
	}
	if worldReadable(info.Mode()) {
		l.expose(nameSecret, "is kept in %s, which every user of this machine can read (mode %04o); chmod it to 0600 and treat the secret as known", path, info.Mode().Perm())
	}
}
