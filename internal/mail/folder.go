package mail

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
)

// Folder writes each message to a file of its own, for trying things out.
type Folder struct {
	dir    string
	logger *slog.Logger
}

// NewFolder returns a transport to a folder, which is created with the first message.
func NewFolder(dir string, logger *slog.Logger) *Folder { return &Folder{dir: dir, logger: logger} }

// Send writes a message and returns the path of its file. The log says it too,
// because the file holds the links.
func (f *Folder) Send(_ context.Context, m Message) (string, error) {
	e, err := m.envelope()
	if err != nil {
		return "", err
	}
	path, err := f.write(m.Date.UTC().Format("20060102-150405")+"-"+m.ID+".eml", e.data)
	if err != nil {
		return "", err
	}
	f.logger.Info("a message was written to a file", "path", path, "to", m.To, "subject", oneLine(m.Subject))
	return "Written to " + path, nil
}

// write creates a file that is there as a whole or not at all.
func (f *Folder) write(name string, data []byte) (string, error) {
	if err := os.MkdirAll(f.dir, 0o700); err != nil {
		return "", fmt.Errorf("create the folder for mail: %w", err)
	}
	path := filepath.Join(f.dir, name)
	file, err := os.CreateTemp(f.dir, ".*.tmp") // of mode 0600
	if err != nil {
		return "", fmt.Errorf("write a message: %w", err)
	}
	_, err = file.Write(data)
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		_ = os.Remove(file.Name())
		return "", fmt.Errorf("write a message: %w", err)
	}
	return path, nil
}
