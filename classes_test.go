package latchkey_test

import (
	"compress/gzip"
	"io"
	"io/fs"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// TestClasses checks that every class of a page or script has a rule in the
// stylesheets, and that every class with a rule is used; for a letter, in the style
// element that it carries.
func TestClasses(t *testing.T) {
	faults, checked, err := classFaults(os.DirFS("."))
	if err != nil {
		t.Fatal(err)
	}
	if checked < 50 {
		t.Errorf("checked %d classes", checked)
	}
	for _, fault := range faults {
		t.Error(fault)
	}
}

func TestClassesBite(t *testing.T) {
	got, _, err := classFaults(fstest.MapFS{
		"static/css/app.css": {Data: []byte(`/* .comment */
			@layer parts { .btn { margin: 0.5rem } .btn.primary:hover, .row > .method-GET { color: red } .left-over { top: 0 } }
			#swagger-ui :is(.theirs, .also) { top: 0 }`)},
		"static/js/app.js": {Data: []byte(`e.classList.toggle("moved"); h("p", { className: "shown" });`)},
		"views/a.templ": {Data: []byte("<a class=\"btn quiet\" id=\"row\"></a>\n<p class={ \"row\", tone, \"method-\" + m, templ.KV(\"sorted\", s.Name != \"none\") }></p>\n" +
			"<b class=\"shown\"></b>")},
		"views/letters/l.templ": {Data: []byte("<style>@media print { .own { top: 0 } } .idle { top: 0 }</style><p class=\"own btn\">.text {</p>")},
		"views/a.go":            {Data: []byte(`const tone, other = "primary", "Some words"`)},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"no rule for the class btn of views/letters/l.templ",
		"no rule for the class moved of static/js/app.js",
		"no rule for the class quiet of views/a.templ",
		"no rule for the class shown of static/js/app.js",
		"no rule for the class shown of views/a.templ",
		"no rule for the class sorted of views/a.templ",
		"nothing has the class left-over, which has a rule",
		"nothing in views/letters/l.templ has the class idle, which has a rule there",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("classFaults (-want +got):\n%s", diff)
	}
}

var (
	cssComment    = regexp.MustCompile(`(?s)/\*.*?\*/`)
	cssPrelude    = regexp.MustCompile(`[^{}]*\{`)
	cssClass      = regexp.MustCompile(`\.([A-Za-z][\w-]*)`)
	parenthesised = regexp.MustCompile(`\([^()]*\)`)
	styleElement  = regexp.MustCompile(`(?s)<style[^>]*>(.*?)</style>`)
	classAttr     = regexp.MustCompile(`\bclass=(?:"([^"]*)"|\{([^}]*)\})`)
	jsClass       = regexp.MustCompile(`(?:classList\.\w+\(|className[:=] ?)"([^"]*)"`)
	literal       = regexp.MustCompile(`"([a-z][\w -]*)"`)
	compared      = regexp.MustCompile(`[!=]= "[^"]*"`)
)

// classFaults returns a sentence for every class in root that is used without a
// rule, or has a rule without a use, and the number of classes with a rule.
//
// A class of a page is a word of a class attribute, or of a string in its
// expression. A value computed elsewhere counts as a use, not as a class: any
// string of the views may be it. Swagger UI brings its own rules and pages.
func classFaults(root fs.FS) (faults []string, checked int, err error) {
	ours, theirs, err := rules(root)
	if err != nil {
		return nil, 0, err
	}
	uses := map[string]bool{}
	use := func(file, words string, known ...map[string]bool) {
		for _, class := range strings.Fields(words) {
			uses[class] = true
			stem := strings.HasSuffix(class, "-") // the rest is computed
			if !stem && !slices.ContainsFunc(known, func(rules map[string]bool) bool { return rules[class] }) {
				faults = append(faults, "no rule for the class "+class+" of "+file)
			}
		}
	}
	err = walkSources(root, []string{".templ", ".go", ".js"}, func(name string, content []byte) error {
		text := string(content)
		switch {
		case strings.HasPrefix(name, "static/js/"):
			for _, m := range jsClass.FindAllStringSubmatch(text, -1) {
				use(name, m[1], ours, theirs)
			}
		case strings.HasPrefix(name, "views/letters/") && strings.HasSuffix(name, ".templ"):
			faults = append(faults, letterFaults(name, text)...)
		case strings.HasPrefix(name, "views/letters/"): // the words of letters are no classes
		case strings.HasPrefix(name, "views/") && !strings.HasSuffix(name, "_templ.go") && !strings.HasSuffix(name, "_test.go"):
			for _, m := range classAttr.FindAllStringSubmatch(text, -1) {
				use(name, m[1], ours)
				for _, part := range literal.FindAllStringSubmatch(compared.ReplaceAllString(m[2], ""), -1) {
					use(name, part[1], ours)
				}
			}
			for _, m := range literal.FindAllStringSubmatch(text, -1) {
				for _, word := range strings.Fields(m[1]) {
					uses[word] = true
				}
			}
		}
		return nil
	})
	for class := range ours {
		stem, _, _ := strings.Cut(class, "-")
		if !uses[class] && !uses[stem+"-"] {
			faults = append(faults, "nothing has the class "+class+", which has a rule")
		}
	}
	slices.Sort(faults)
	return slices.Compact(faults), len(ours), err
}

// letterFaults returns a sentence for every class of a letter without a rule in the
// style element of the same file, and for every such rule without a use.
func letterFaults(name, text string) (faults []string) {
	ours, uses := map[string]bool{}, map[string]bool{}
	for _, m := range styleElement.FindAllStringSubmatch(text, -1) {
		maps.Copy(ours, classesOf(m[1], false))
	}
	for _, m := range classAttr.FindAllStringSubmatch(text, -1) {
		for _, class := range strings.Fields(m[1]) {
			uses[class] = true
		}
	}
	for class := range uses {
		if !ours[class] {
			faults = append(faults, "no rule for the class "+class+" of "+name)
		}
	}
	for class := range ours {
		if !uses[class] {
			faults = append(faults, "nothing in "+name+" has the class "+class+", which has a rule there")
		}
	}
	return faults
}

// rules returns the classes in the selectors of our stylesheets, and those in
// the selectors of Swagger UI's.
func rules(root fs.FS) (ours, theirs map[string]bool, err error) {
	ours, theirs = map[string]bool{}, map[string]bool{}
	err = walkSources(root, []string{".css", ".gz"}, func(name string, content []byte) error {
		css := string(content)
		if strings.HasSuffix(name, ".css.gz") {
			reader, err := gzip.NewReader(strings.NewReader(css))
			if err != nil {
				return err
			}
			unpacked, err := io.ReadAll(reader)
			if err != nil {
				return err
			}
			maps.Copy(theirs, classesOf(string(unpacked), true))
		} else if strings.HasSuffix(name, ".css") {
			maps.Copy(ours, classesOf(css, false))
			maps.Copy(theirs, classesOf(css, true))
		}
		return nil
	})
	return ours, theirs, err
}

// classesOf returns the classes in the selectors of a stylesheet: those about
// Swagger UI's pages too, or none of them.
func classesOf(css string, swagger bool) map[string]bool {
	classes := map[string]bool{}
	for _, prelude := range cssPrelude.FindAllString(cssComment.ReplaceAllString(css, ""), -1) {
		for parenthesised.MatchString(prelude) { // commas part selectors outside of :is() and :not()
			prelude = parenthesised.ReplaceAllStringFunc(prelude, strings.NewReplacer("(", " ", ")", " ", ",", " ").Replace)
		}
		for selector := range strings.SplitSeq(prelude, ",") {
			if !swagger && strings.Contains(selector, "swagger-ui") {
				continue
			}
			for _, m := range cssClass.FindAllStringSubmatch(selector, -1) {
				classes[m[1]] = true
			}
		}
	}
	return classes
}
