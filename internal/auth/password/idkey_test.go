package password

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/printer"
	"go/token"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"golang.org/x/crypto/argon2"
)

// TestIDKey compares with the library, also over memory that other hashes, of
// other costs, were computed in, several at a time.
func TestIDKey(t *testing.T) {
	var group sync.WaitGroup
	for worker := range 4 {
		group.Go(func() {
			salt := bytes.Repeat([]byte{byte(worker)}, saltSize)
			for i, p := range []Params{
				{8, 1, 1},
				{19456, 2, 1},
				{64, 3, 1},
				{67, 2, 2}, // not a multiple of its slices
				{9, 1, 1},
				{1024, 1, 16},
				{128, 10, 16},
				{64, 1, 3},
			} {
				for _, size := range []int{minTag, tagSize, maxSize} {
					word := []byte(strings.Repeat("three tangerine lamps ", i))
					got := idKey(word, salt, p.Time, p.Memory, p.Threads, uint32(size))
					if want := argon2.IDKey(word, salt, p.Time, p.Memory, p.Threads, uint32(size)); !bytes.Equal(got, want) {
						t.Errorf("%+v, %d bytes: got %x, want %x", p, size, got, want)
					}
				}
			}
		})
	}
	group.Wait()
}

// TestIDKeyMemory checks that hashes after the first allocate next to nothing.
func TestIDKeyMemory(t *testing.T) {
	const hashes, memory = 100, 1024 // KiB
	hash := func() { idKey([]byte("three tangerine lamps"), make([]byte, saltSize), 1, memory, 1, tagSize) }
	hash()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range hashes {
		hash()
	}
	runtime.ReadMemStats(&after)
	// A collection in between takes the memory; a hundred are not possible.
	if got := (after.TotalAlloc - before.TotalAlloc) >> 10; got > hashes*memory/2 {
		t.Errorf("%d hashes of %d KiB allocate %d KiB", hashes, memory, got)
	}
}

// TestLibraryFits reads the library's source: its functions are called with
// what idkey.go says of them, which no compiler compares.
func TestLibraryFits(t *testing.T) {
	want := map[string]string{}
	for _, d := range declarations(t, "idkey.go") {
		if f, ok := d.(*ast.FuncDecl); ok && f.Body == nil {
			want[f.Name.Name] = printed(t, f.Type)
		}
	}
	if len(want) == 0 {
		t.Fatal("idkey.go declares no function of the library")
	}
	out, err := exec.Command("go", "list", "-f", "{{.Dir}}", "golang.org/x/crypto/argon2").Output()
	if err != nil {
		t.Fatal(err)
	}
	dir := strings.TrimSpace(string(out))
	var all []ast.Decl
	for _, name := range []string{"argon2.go", "blake2b.go"} {
		all = append(all, declarations(t, filepath.Join(dir, name))...)
	}
	for _, d := range all {
		if f, ok := d.(*ast.FuncDecl); ok && want[f.Name.Name] != "" {
			if got := printed(t, f.Type); got != want[f.Name.Name] {
				t.Errorf("%s is %s, idkey.go has %s", f.Name.Name, got, want[f.Name.Name])
			}
			delete(want, f.Name.Name)
		}
	}
	for name := range want {
		t.Errorf("the library has no %s", name)
	}
	source := printed(t, all)
	for _, part := range []string{"type block [blockLength]uint64", "blockLength\t= 128", "syncPoints\t= 4", "argon2d = iota\n\targon2i\n\targon2id"} {
		if !strings.Contains(strings.Join(strings.Fields(source), " "), strings.Join(strings.Fields(part), " ")) {
			t.Errorf("the library does not say %q", part)
		}
	}
}

func declarations(t *testing.T, file string) []ast.Decl {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	return parsed.Decls
}

func printed(t *testing.T, node any) string {
	t.Helper()
	var b strings.Builder
	if err := printer.Fprint(&b, token.NewFileSet(), node); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
