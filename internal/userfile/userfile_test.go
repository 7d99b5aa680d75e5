package userfile_test

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/internal/userfile"
)

// read returns the accounts of a file and the first error.
func read(t *testing.T, path string, stdin io.Reader, format userfile.Format) (*userfile.File, []userfile.Account, error) {
	t.Helper()
	file, err := userfile.Open(path, stdin, format)
	if err != nil {
		return nil, nil, err
	}
	t.Cleanup(func() { _ = file.Close() })
	var list []userfile.Account
	for a, err := range file.Accounts() {
		if err != nil {
			return file, list, err
		}
		list = append(list, a)
	}
	return file, list, nil
}

// ana is an account that every file has.
func ana(unit string, number int, verified bool, groups ...string) userfile.Account {
	return userfile.Account{
		Unit: unit, Number: number, Username: "ana", Email: "Ana@example.org", FullName: "Ana Silva", Groups: groups, Verified: verified,
		Created: time.Date(2019, time.May, 31, 12, 20, 0, 0, time.UTC),
	}
}

// TestFormats reads a file of each format, which it detects.
func TestFormats(t *testing.T) {
	inCSV := ana("line", 2, true, "admin")
	inCSV.FullName = `Silva, Ana "Nita"`
	inAuthelia := ana("line", 4, false, "admins", "dev")
	inAuthelia.Created = time.Time{}
	inPocketBase := ana("entry", 1, true)
	inPocketBase.Created = inPocketBase.Created.Add(123 * time.Millisecond)
	bo := userfile.Account{Unit: "entry", Number: 2, Username: "bo", Email: "bo@example.org"}
	boAt := bo
	boAt.Number, boAt.Created = 3, time.Date(2020, time.January, 2, 3, 4, 5, 123456000, time.UTC)
	cy := userfile.Account{Unit: "entry", Number: 3, Username: "cy", FullName: "Cy Chen", Disabled: true}
	cyAfter := cy
	cyAfter.Number = 4
	inKeycloak := ana("entry", 1, true, "default-roles-house", "admins", "staff")
	inKeycloak.SecondStep = true
	boInKeycloak := bo
	boInKeycloak.MustChange = true
	tests := []struct {
		file   string
		format userfile.Format
		others int
		want   []userfile.Account
	}{
		{"users.csv", userfile.CSV, 0, []userfile.Account{
			inCSV,
			{Unit: "line", Number: 3, Username: "Bo", Email: "bo@example.org", Created: time.Date(2020, time.January, 2, 3, 4, 5, 0, time.UTC)},
			{Unit: "line", Number: 4, Username: "cy", FullName: "Cy Chen", Disabled: true},
		}},
		{"users.jsonl", userfile.JSONLines, 0, []userfile.Account{
			ana("line", 1, true, "admin"),
			{Unit: "line", Number: 2, Username: "bo", Email: "bo@example.org"},
			{Unit: "line", Number: 3, Username: "cy", Disabled: true},
		}},
		{"authelia.yml", userfile.Authelia, 0, []userfile.Account{
			inAuthelia,
			{Unit: "line", Number: 12, Username: "bo", Email: "bo@example.org", FullName: "Bo"},
			{Unit: "line", Number: 18, Username: "cy", FullName: "Cy Chen", Disabled: true},
			{Unit: "line", Number: 22, Username: "di", Email: "di@example.org", FullName: "Di"},
		}},
		{"keycloak.json", userfile.Keycloak, 1, []userfile.Account{inKeycloak, boInKeycloak, cy}},
		{"pocketbase.json", userfile.PocketBase, 0, []userfile.Account{inPocketBase, bo}},
		{"django.json", userfile.Django, 1, []userfile.Account{
			ana("entry", 2, false, "superuser", "staff"), boAt, cyAfter,
			{Unit: "entry", Number: 5, Username: "di", Email: "di@example.org"},
		}},
		{"fastapi.json", userfile.FastAPI, 0, []userfile.Account{
			{Unit: "entry", Number: 1, Username: "johndoe", Email: "johndoe@example.org", FullName: "John Doe"},
			{Unit: "entry", Number: 2, Username: "alice", Email: "alice@example.org", FullName: "Alice Wonderson", Disabled: true},
		}},
	}
	for _, test := range tests {
		t.Run(test.file, func(t *testing.T) {
			file, got, err := read(t, filepath.Join("testdata", test.file), nil, "")
			if err != nil {
				t.Fatal(err)
			}
			for i := range got { // the hashes are compared with passwords in package account
				if got[i].PasswordHash == "" {
					t.Errorf("%s has no hash", got[i].Username)
				}
				got[i].PasswordHash = ""
			}
			if file.Format() != test.format || file.Others() != test.others || file.Percent() != 100 {
				t.Errorf("got %s, %d others, %d %%, want %s, %d, 100 %%", file.Format(), file.Others(), file.Percent(), test.format, test.others)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("accounts (-want +got):\n%s", diff)
			}
			again := 0
			for range file.Accounts() {
				again++
			}
			if again != len(got) {
				t.Errorf("read again: %d accounts, want %d", again, len(got))
			}
			content, err := os.Open(filepath.Join("testdata", test.file))
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = content.Close() }()
			if _, piped, err := read(t, "-", io.MultiReader(strings.NewReader("\xef\xbb\xbf"), content), test.format); err != nil || len(piped) != len(got) {
				t.Errorf("from standard input with a byte order mark: %d accounts, %v, want %d", len(piped), err, len(got))
			}
		})
	}
}

// TestDetectLongLine checks that a file on one line is not taken for JSON lines when
// the part that is looked at ends with a brace.
func TestDetectLongLine(t *testing.T) {
	const window = 64 << 10
	for start, want := range map[string]userfile.Format{
		`{"realm":"house","x":[{"y":"`: userfile.Keycloak, `{"ana":{"username":"ana"},"bo":{"username":"`: userfile.FastAPI,
	} {
		content := start + strings.Repeat("x", window-len(start)-2) + `"}` // the brace is the last byte of the window
		content += map[userfile.Format]string{userfile.Keycloak: `],"users":[{"username":"ana"}]}`, userfile.FastAPI: `}`}[want]
		file, got, err := read(t, "-", strings.NewReader(content), "")
		if err != nil || file.Format() != want || len(got) == 0 || got[0].Username != "ana" {
			t.Errorf("%.20s: got %v, %d accounts, %v, want %s", start, file, len(got), err, want)
		}
	}
}

// TestNoTemporaryDirectory checks that the sentence names the variable to set.
func TestNoTemporaryDirectory(t *testing.T) {
	t.Setenv("TMPDIR", filepath.Join(t.TempDir(), "none"))
	_, _, err := read(t, "-", strings.NewReader("username\nana\n"), "")
	want := "standard input: a temporary file could not be created: no such file or directory: set TMPDIR to a directory that can be written to"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// TestKeycloakHashes checks that hashes become what other programs write.
func TestKeycloakHashes(t *testing.T) {
	_, got, err := read(t, "testdata/keycloak.json", nil, "")
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"$argon2id$v=19$m=256,t=2,p=1$AAEC", "$pbkdf2-sha256$1000$AAEC", "$pbkdf2-sha512$1000$AAEC"} {
		if !strings.HasPrefix(got[i].PasswordHash, want) {
			t.Errorf("got %s, want the prefix %s", got[i].PasswordHash, want)
		}
	}
}

// TestBrokenFiles checks the sentence for each file that cannot be read, and how many
// accounts come before the fault.
func TestBrokenFiles(t *testing.T) {
	const header = "username,email\n"
	long := strings.Repeat("x", 2<<20)
	tests := []struct {
		name, content string
		format        userfile.Format
		accounts      int
		want          string
	}{
		{"empty", "", "", 0, "the file is empty"},
		{"only white space", " \n\n", "", 0, "the file is empty"},
		{"only a mark", "\xef\xbb\xbf", "", 0, "the file is empty"},
		{"UTF-16", "\xff\xfeu\x00s\x00", "", 0, "the file is UTF-16: save it as UTF-8"},
		{"NUL", header + "ana,a@example.org\nb\x00,b@example.org\n", "", 0, "line 3 has a NUL byte: the file is not text"},
		{"unknown column", "username,emial\nana,x\n", "", 0, `line 1: the column "emial" is not known: the columns are username, email,`},
		{"column twice", "username,password_hash,hashed_password\n", "", 0, "line 1: the column password_hash is there twice"},
		{"no names", "full_name,role\n", "", 0, "line 1: there is neither a column username nor a column email"},
		{"no header", "ana,ana@example.org\n", "", 0, `line 1: the column "ana" is not known`},
		{"hashes in place of a header", "$6$salt$hash,ana\n", "", 0, "line 1 does not name the columns: they are username"},
		{"passwd", "root:$6$salt$hash:20228:0\n", "", 0, "line 1 does not name the columns: they are username"},
		{"semicolons", "username;email\n", "", 0, "line 1: separate the columns with commas"},
		{"quote not closed", header + "ana,a@example.org\nbo,\"b@example.org\ncy,c@example.org\n", "", 1, "line 3: a quotation mark is missing"},
		{"quote inside", header + "ana,a\"b@example.org\n", "", 0, "line 2: a quotation mark is missing, or one inside of a value is not doubled"},
		{"long line", header + long + ",a@example.org\n", "", 0, "is longer than 1 MiB: no account is that long"},
		{"long quote", header + "\"" + strings.Repeat("x\n", 1<<20) + "\",a@example.org\n", "", 0, "is longer than 1 MiB: no account is that long"},
		{"long JSON line", `{"username":"ana"}` + "\n" + `{"username":"` + long + `"}`, "", 1, "line 2 is longer than 1 MiB"},
		{"long JSON value", `[{"username":"` + long + `"}]`, "", 0, "is longer than 1 MiB"},
		{"JSON cut off", `[{"username":"ana"},` + "\n" + `{"userna`, "", 1, "the JSON ends too early: the file is not complete"},
		{"JSON broken", "[{\"username\":\"ana\"},\n{\"username\":\"bo\"},\n{\"username\" \"cy\"}]", "", 2, "line 3 is not JSON: "},
		{"JSON with more", `[{"username":"ana"}] []`, "", 1, "there is more behind the end of the JSON"},
		{"JSON not UTF-8", "[{\"username\":\"an\xff\"}]", "", 0, "line 1 is not JSON: invalid UTF-8"},
		{"realm without users", `{"realm":"house","roles":{}}`, "", 0, "this realm of Keycloak has no users"},
		{"array as realm", `[]`, userfile.Keycloak, 0, "this is not a realm of Keycloak"},
		{"object as array", `{}`, userfile.Django, 0, "this is not a list of dumpdata of Django"},
		{"YAML broken", "users:\n  ana:\n   email: x\n  - bo\n", "", 0, "it is not YAML: line "},
		{"YAML without users", "people:\n  ana: {}\n", userfile.Authelia, 0, "there is no mapping “users”"},
		{"YAML too large", "users:\n# " + strings.Repeat("x", 8<<20) + "\n", "", 0, "the file is larger than 8 MiB, too large for YAML"},
		{"two documents", "users:\n  ana: {}\n---\nusers:\n  bo: {}\n", "", 0, "there is a second YAML document"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "users.txt")
			if err := os.WriteFile(path, []byte(test.content), 0o600); err != nil {
				t.Fatal(err)
			}
			_, got, err := read(t, path, nil, test.format)
			if err == nil || !strings.HasPrefix(err.Error(), "users.txt: ") || !strings.Contains(err.Error(), test.want) || len(err.Error()) > 300 || strings.Contains(err.Error(), "$") {
				t.Errorf("got %v, want a short sentence with %q", err, test.want)
			}
			if len(got) != test.accounts {
				t.Errorf("got %d accounts before it, want %d", len(got), test.accounts)
			}
		})
	}
	if _, _, err := read(t, t.TempDir(), nil, ""); err == nil || !strings.Contains(err.Error(), "this is a directory: name a file") {
		t.Errorf("a directory: got %v", err)
	}
	if _, _, err := read(t, filepath.Join(t.TempDir(), "none.csv"), nil, ""); err == nil || err.Error() != "none.csv: no such file or directory" {
		t.Errorf("no file: got %v", err)
	}
}

// TestWrongValues checks what is said about values that cannot be read, and that the
// accounts after them are read.
func TestWrongValues(t *testing.T) {
	const groups = "line 3: groups: Write the groups as a list of names. References (*) are not read."
	tests := []struct{ name, content, want string }{
		{"CSV columns", "username,email\nana\nbo,b@example.org\n", "line 2: : This line has 1 values for 2 columns."},
		{"CSV not UTF-8", "username,email\n\xff,a@example.org\nbo,b@example.org\n", "line 2: : This line is not UTF-8."},
		{"CSV flag", "username,disabled\nana,perhaps\nbo,no\n", "line 2: disabled: Use true or false."},
		{"CSV time", "username,created_at\nana,yesterday\nbo,\n", "line 2: created_at: Use a time like 2024-05-31T14:20:00Z."},
		{"JSON line", `{"username":"ana"}` + "\n" + `{"username":` + "\n" + `{"username":"bo"}`, "line 2: : This line is not a JSON object: it ends too early."},
		{"JSON line twice", `{"username":"ana","username":"bo"}` + "\n" + `{"username":"bo"}`, `line 1: : This line is not a JSON object: duplicate object member name.`},
		{"JSON name", `{"username":"ana","emial":"x"}` + "\n" + `{"username":"bo"}`, `line 1: : The name "emial" is not known: the names are username,`},
		{"JSON kind", `{"username":["ana"]}` + "\n" + `{"username":"bo"}`, "line 1: username: This value is not a text."},
		{"JSON NUL", `{"username":"a\u0000"}` + "\n" + `{"username":"bo"}`, "line 1: username: This value is not a text."},
		{"entry", `[{"model":"auth.user","fields":{"username":"ana","password":1,"is_active":"perhaps"}},{"model":"auth.user","fields":{"username":"bo","password":"","last_login":null}}]`, "entry 1: disabled: Use true or false."},
		{"no object", `["ana",{"username":"bo"}]`, "entry 1: : This entry is not a JSON object."},
		{"JSON hash twice", `{"username":"ana","hashed_password":"x","password_hash":"y"}` + "\n" + `{"username":"bo"}`, "line 1: password_hash: This value is there twice, under two names."},
		{"YAML group reference", "users:\n  di: {email: &admins d@example.org}\n  ana: {groups: [*admins]}\n  bo: {}\n", groups},
		{"YAML groups reference", "users:\n  di: {groups: &shared [dev]}\n  ana: {groups: *shared}\n  bo: {}\n", groups},
		{"YAML groups as text", "users:\n  di: {groups: }\n  ana: {groups: dev}\n  bo: {}\n", groups},
		{"YAML groups as mapping", "users:\n  di: {groups: []}\n  ana: {groups: {dev: true}}\n  bo: {}\n", groups},
		{"YAML reference", "users:\n  ana: *x\n  bo: {}\n", "it is not YAML: unknown anchor 'x' referenced"},
		{"YAML kind", "users:\n  ana: text\n  bo: {}\n", "line 2: : This user has no mapping with email and password."},
		{"YAML list", "users:\n  ana: {email: [a, b]}\n  bo: {}\n", "line 2: email: This value is not a text."},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, got, err := read(t, "-", strings.NewReader(test.content), "")
			var said []string
			last := ""
			for _, a := range got {
				for _, w := range a.Wrong {
					said = append(said, a.Unit+" "+string(rune('0'+a.Number))+": "+w.Field+": "+w.Message)
				}
				last = a.Username
			}
			if err != nil {
				said, last = append(said, err.Error()), "bo"
			}
			if len(said) != 1 || !strings.Contains(said[0], test.want) || last != "bo" {
				t.Errorf("got %q, last %q, %v, want %q and last bo", said, last, err, test.want)
			}
		})
	}
}
