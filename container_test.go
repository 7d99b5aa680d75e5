package latchkey_test

import (
	"context"
	"debug/elf"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// TestContainerBinary builds the portal with the very command of the Dockerfile
// and shows that the result runs in an image that holds nothing else.
func TestContainerBinary(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skipf("the image is for Linux, this is %s", runtime.GOOS)
	}
	t.Parallel()
	dockerfile, err := os.ReadFile("Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	command, err := buildCommand(string(dockerfile))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	build := shell(t.Context(), strings.ReplaceAll(command, "/out/", dir+"/"))
	build.Env = append(os.Environ(), "VERSION=v0.0.0-test", "COMMIT=0123456789ab")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", command, err, out)
	}
	binary := filepath.Join(dir, "latchkey")

	file, err := elf.Open(binary)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, header := range file.Progs {
		if header.Type == elf.PT_INTERP {
			t.Error("the binary asks for a dynamic linker")
		}
	}
	if libraries, err := file.ImportedLibraries(); err != nil || len(libraries) > 0 {
		t.Errorf("the binary asks for the libraries %q (%v)", libraries, err)
	}

	version := exec.CommandContext(t.Context(), binary, "version")
	version.Dir, version.Env = dir, []string{}
	out, err := version.CombinedOutput()
	if err != nil {
		t.Fatalf("latchkey version: %v\n%s", err, out)
	}
	for _, want := range []string{"v0.0.0-test", "0123456789ab", runtime.Version()} {
		if !strings.Contains(string(out), want) {
			t.Errorf("latchkey version says %q, want %q in it", out, want)
		}
	}
}

func TestBuildCommand(t *testing.T) {
	tests := []struct {
		name       string
		dockerfile string
		want       string // empty: an error
	}{
		{"one line", "FROM x\nRUN go build -o /out/a .\n", "go build -o /out/a ."},
		{"continued", "RUN CGO_ENABLED=0 go build \\\n    -o /out/a .\nUSER b\n", "CGO_ENABLED=0 go build     -o /out/a ."},
		{"cache mount", "RUN --mount=type=cache,target=/c go build .", "go build ."},
		{"other commands", "RUN go mod download\nRUN go build .", "go build ."},
		{"commented out", "# RUN go build .", ""},
		{"none", "FROM x\nRUN make", ""},
		{"two", "RUN go build ./a\nRUN go build ./b", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := buildCommand(test.dockerfile)
			if (err == nil) != (test.want != "") {
				t.Errorf("error %v, want a command %q", err, test.want)
			}
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// buildCommand returns the one command line of a Dockerfile that calls go build.
func buildCommand(dockerfile string) (string, error) {
	var found []string
	joined := strings.ReplaceAll(dockerfile, "\\\n", "")
	for line := range strings.Lines(joined) {
		command, isRun := strings.CutPrefix(strings.TrimSpace(line), "RUN ")
		for strings.HasPrefix(command, "--") { // an option of RUN itself
			_, command, _ = strings.Cut(command, " ")
		}
		if isRun && strings.Contains(command, "go build") {
			found = append(found, command)
		}
	}
	if len(found) != 1 {
		return "", fmt.Errorf("the Dockerfile has %d commands with go build, want 1", len(found))
	}
	return found[0], nil
}

// shell runs a line as RUN does.
func shell(ctx context.Context, line string) *exec.Cmd {
	return exec.CommandContext(ctx, "/bin/sh", "-c", line)
}
