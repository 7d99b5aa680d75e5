package static

import (
	"io/fs"
	"regexp"
	"strings"
	"testing"
)

// unsafeScript are the ways in which a script could run text as code or show it as
// HTML, and assignments to a property whose name comes from data (prototype pollution).
var unsafeScript = map[string]*regexp.Regexp{
	"runs text as code":             regexp.MustCompile(`\beval\(|\bnew Function\b|\bFunction\(|\bset(Timeout|Interval)\(\s*["'` + "`" + `]`),
	"shows text as HTML":            regexp.MustCompile(`\b(inner|outer)HTML\b|insertAdjacentHTML|document\.write|dangerouslySetInnerHTML|\bsrcdoc\b`),
	"names a property by data":      regexp.MustCompile(`[\w)\]]\[[^\]"']*\]\s*=[^=>]|__proto__|\bprototype\b`),
	"listens to messages of others": regexp.MustCompile(`postMessage|\bonmessage\b|["']message["']`),
}

// TestScripts checks the portal's own scripts. Swagger UI is vendored, and the content
// security policy of its page holds for it too.
func TestScripts(t *testing.T) {
	checked := 0
	err := fs.WalkDir(files, "js", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(name, ".js") {
			return err
		}
		checked++
		source, err := files.ReadFile(name)
		if err != nil {
			return err
		}
		for what, pattern := range unsafeScript {
			if found := pattern.Find(source); found != nil {
				t.Errorf("%s %s: %q", name, what, found)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if checked < 2 {
		t.Errorf("checked %d scripts", checked)
	}
}

func TestScriptsBite(t *testing.T) {
	for script, want := range map[string]string{
		`eval(text)`:                      "runs text as code",
		`const f = new Function("a")`:     "runs text as code",
		`setTimeout("go()", 1)`:           "runs text as code",
		`box.innerHTML = text`:            "shows text as HTML",
		`target[key] = value`:             "names a property by data",
		`a.b[c.d][e]=f`:                   "names a property by data",
		`addEventListener("message", f)`:  "listens to messages of others",
		`const [a, b] = list`:             "",
		`if (a[b] === c) { d["e"] = 1; }`: "",
		`setTimeout(ready, 10, form)`:     "",
	} {
		got := ""
		for what, pattern := range unsafeScript {
			if pattern.MatchString(script) {
				got = what
			}
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", script, got, want)
		}
	}
}
