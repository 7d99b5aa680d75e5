package config

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func TestEnsureSecret(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data", "portal", "secret")
	made, created, err := EnsureSecret(path)
	if err != nil || !created {
		t.Fatalf("EnsureSecret = created %t, %v; want a new secret", created, err)
	}
	if n := len(made.Bytes()); n != 32 {
		t.Errorf("the generated secret has %d bytes, want 32", n)
	}
	read, created, err := EnsureSecret(path)
	if err != nil || created || !read.Equal(made) {
		t.Errorf("the second call = equal %t, created %t, %v; want the same secret", read.Equal(made), created, err)
	}

	content, err := os.ReadFile(path)
	if want := hex.EncodeToString(made.Bytes()) + "\n"; err != nil || string(content) != want {
		t.Errorf("the file does not hold the secret in hex and a newline (%v)", err)
	}
	for name, want := range map[string]fs.FileMode{path: 0o600, filepath.Dir(path): 0o700, filepath.Dir(filepath.Dir(path)): 0o700} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s has mode %04o, want %04o", name, got, want)
		}
	}
	wantAlone(t, path)
}

// wantAlone checks that no temporary file is left beside path.
func wantAlone(t *testing.T, path string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 {
		t.Errorf("the folder holds %v (%v), want only the secret", entries, err)
	}
}

func TestEnsureSecretRefuses(t *testing.T) {
	tests := []struct{ name, content, want string }{
		{"empty", "", "has 0 bytes"},
		{"short", goodHex[:32] + "\n", "has 16 bytes"},
		{"zeros", strings.Repeat("00", 32), "not random enough"},
		{"sample", "changeme", "sample"},
		{"noise", "\x00\x01", "neither hex nor base64"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := writeFile(t, test.content, 0o600)
			secret, created, err := EnsureSecret(path)
			if err == nil || !secret.IsZero() || created {
				t.Fatalf("EnsureSecret = %v, created %t; want a refusal", err, created)
			}
			for _, want := range []string{path, "LATCHKEY_SECRET", test.want} {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not say %q", err, want)
				}
			}
			if content, err := os.ReadFile(path); err != nil || string(content) != test.content {
				t.Errorf("the file changed to %q (%v)", content, err)
			}
		})
	}
}

func TestEnsureSecretCannotWrite(t *testing.T) {
	file := writeFile(t, "in the way", 0o600)
	if _, created, err := EnsureSecret(filepath.Join(file, "secret")); err == nil || created {
		t.Errorf("EnsureSecret below a file = created %t, %v; want an error", created, err)
	}
	dangling := filepath.Join(t.TempDir(), "secret")
	if err := os.Symlink("nowhere", dangling); err != nil {
		t.Fatal(err)
	}
	if _, created, err := EnsureSecret(dangling); !errors.Is(err, fs.ErrNotExist) || created {
		t.Errorf("EnsureSecret at a dangling link = created %t, %v; want not exist", created, err)
	}
	wantAlone(t, dangling)
}

// TestEnsureSecretConcurrently starts many callers at once: one generates the
// secret, and all of them get it.
func TestEnsureSecretConcurrently(t *testing.T) {
	for range 20 {
		path := filepath.Join(t.TempDir(), "data", "secret")
		const callers = 16
		var (
			wg      sync.WaitGroup
			start   = make(chan struct{})
			secrets [callers]Secret
			created [callers]bool
			errs    [callers]error
		)
		for i := range callers {
			wg.Go(func() {
				<-start
				secrets[i], created[i], errs[i] = EnsureSecret(path)
			})
		}
		close(start)
		wg.Wait()
		makers := 0
		for i := range callers {
			if errs[i] != nil {
				t.Fatalf("caller %d: %v", i, errs[i])
			}
			if created[i] {
				makers++
			}
			if !secrets[i].Equal(secrets[0]) {
				t.Fatalf("callers 0 and %d got different secrets", i)
			}
		}
		if makers != 1 {
			t.Fatalf("%d callers generated the secret, want 1", makers)
		}
		wantAlone(t, path)
	}
}

// TestEnsureSecretProcesses does the same with processes. A variable makes this
// test binary print its secret.
func TestEnsureSecretProcesses(t *testing.T) {
	const tell = "CONFIG_TEST_SECRET_PATH"
	if path := os.Getenv(tell); path != "" {
		secret, _, err := EnsureSecret(path)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = os.Stdout.WriteString("got " + hex.EncodeToString(secret.Bytes()) + "\n")
		return
	}
	path := filepath.Join(t.TempDir(), "secret")
	var cmds [4]*exec.Cmd
	var outs [4]bytes.Buffer
	for i := range cmds {
		cmds[i] = exec.Command(os.Args[0], "-test.run=^TestEnsureSecretProcesses$")
		cmds[i].Env = append(os.Environ(), tell+"="+path)
		cmds[i].Stdout = &outs[i]
		if err := cmds[i].Start(); err != nil {
			t.Fatal(err)
		}
	}
	for i, cmd := range cmds {
		if err := cmd.Wait(); err != nil {
			t.Fatalf("process %d: %v\n%s", i, err, &outs[i])
		}
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range outs {
		if want := "got " + string(content); !strings.Contains(outs[i].String(), want) {
			t.Errorf("process %d got another secret than the one in the file", i)
		}
	}
}

func TestWriteNewNeverReplaces(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secret")
	if err := writeNew(path, []byte("first")); err != nil {
		t.Fatal(err)
	}
	if err := writeNew(path, []byte("second")); !errors.Is(err, fs.ErrExist) {
		t.Errorf("the second writeNew = %v, want exist", err)
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != "first" {
		t.Errorf("the file holds %q (%v), want %q", got, err, "first")
	}
}
