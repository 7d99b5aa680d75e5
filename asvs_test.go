package latchkey_test

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// TestASVSPage checks that docs/asvs.md has each requirement of levels 1 and 2 once,
// with the right level, that its summary has the right figures, and that everything
// that a row names as evidence exists.
func TestASVSPage(t *testing.T) {
	root := os.DirFS(".")
	page, err := fs.ReadFile(root, "docs/asvs.md")
	if err != nil {
		t.Fatal(err)
	}
	numbers, err := fs.ReadFile(root, "testdata/asvs-5.0-numbers.txt")
	if err != nil {
		t.Fatal(err)
	}
	want := requirementList(string(numbers))
	if len(want) != 253 {
		t.Errorf("got %d requirements, want 253", len(want))
	}
	for _, fault := range asvsFaults(string(page), want) {
		t.Error(fault)
	}
	missing, err := missingTests(root, string(page))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range missing {
		t.Errorf("the test %s does not exist", name)
	}
	for _, link := range deadLinks(root, "docs/asvs.md", string(page)) {
		t.Errorf("the link %s leads nowhere", link)
	}
}

func TestASVSPageBites(t *testing.T) {
	const page = `| met | 1 | 1 | 2 |
| not applicable | 0 | 1 | 1 |
| not met | 0 | 0 | 0 |
| all | 1 | 2 | 3 |

| 1.1.1 | 1 | a | met | shown by ` + "`main.TestX`" + ` |
| 1.1.1 | 1 | a | met | [a page](b.md) |
| 1.1.2 | 1 | a | met | As 1.1.1 |
| 1.1.3 | 2 | a | not applicable | There is none |
| 1.1.4 | 2 | a | not met | Nobody did |
| 1.1.5 | 2 | a | partly | Since the start |
| 1.1.6 | 2 |  | met | ` + "`main.TestX`" + ` |
`
	want := []string{
		"1.1.2 is met and names neither a test nor a page",
		"1.1.4 is not met and does not say since when",
		"the row 1.1.5 cannot be read",
		"the row 1.1.6 cannot be read",
		"1.1.1 is there 2 times",
		"1.1.2 has level 1, and the standard 2",
		"1.1.5 is missing",
		"1.1.3 is no requirement of levels 1 and 2",
		"1.1.4 is no requirement of levels 1 and 2",
		`the summary has "met" as 1, 1 and 2, and the rows as 3, 0 and 3`,
		`the summary has "not met" as 0, 0 and 0, and the rows as 0, 1 and 1`,
		`the summary has "all" as 1, 2 and 3, and the rows as 3, 2 and 5`,
	}
	got := asvsFaults(page, requirementList("# a note\n1.1.1 1\n1.1.2 2\n1.1.5 2\n"))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("asvsFaults (-want +got):\n%s", diff)
	}
	links := deadLinks(fstest.MapFS{
		"docs/a.md": {Data: []byte("# A\n\n## `GET /x` and more\n")}, "LICENSE": {},
	}, "docs/b.md", "[1](a.md#get-x-and-more) [2](a.md#other) [3](../LICENSE) [4](c.md) [5](https://example.org/x) [6](#here)\n## Here\n[7](#there)")
	if diff := cmp.Diff([]string{"a.md#other", "c.md", "#there"}, links); diff != "" {
		t.Errorf("deadLinks (-want +got):\n%s", diff)
	}
}

// requirement is the number of a requirement of the standard and its level, "1" or "2".
type requirement struct{ number, level string }

// requirementList reads one requirement from each line that is not a comment.
func requirementList(text string) (all []requirement) {
	for line := range strings.Lines(text) {
		if fields := strings.Fields(line); len(fields) == 2 {
			all = append(all, requirement{fields[0], fields[1]})
		}
	}
	return all
}

var (
	asvsRow     = regexp.MustCompile(`(?m)^\| (\d+\.\d+\.\d+) \| .*$`)
	asvsColumns = regexp.MustCompile(`^\| [\d.]+ \| ([12]) \| [^|]+ \| (met|not applicable|not met) \| ([^|]+) \|$`)
	asvsSummary = regexp.MustCompile(`(?m)^\| (met|not applicable|not met|all) \| (\d+) \| (\d+) \| (\d+) \|$`)
	evidence    = regexp.MustCompile("`\\w+\\.Test\\w+`|\\]\\([^)]+\\)")
)

// asvsFaults returns a sentence for everything that is wrong with the rows of a page
// and with its summary. Rows of level 3 have no column with a level and are left out.
func asvsFaults(page string, want []requirement) (faults []string) {
	page, _, _ = strings.Cut(page, "\n## Level 3\n")
	found := map[string][]string{} // levels by number
	count := map[string][2]int{}   // rows of each level by state
	var order []string
	for _, row := range asvsRow.FindAllStringSubmatch(page, -1) {
		number, columns := row[1], asvsColumns.FindStringSubmatch(row[0])
		if columns == nil {
			faults = append(faults, fmt.Sprintf("the row %s cannot be read", number))
			continue
		}
		level, state, how := columns[1], columns[2], columns[3]
		switch {
		case state == "met" && !evidence.MatchString(how):
			faults = append(faults, number+" is met and names neither a test nor a page")
		case state == "not met" && !strings.HasPrefix(how, "Since "):
			faults = append(faults, number+" is not met and does not say since when")
		}
		if found[number] == nil {
			order = append(order, number)
		}
		found[number] = append(found[number], level)
		for _, name := range []string{state, "all"} {
			n := count[name]
			n[level[0]-'1']++
			count[name] = n
		}
	}
	for _, r := range want {
		switch levels := found[r.number]; {
		case len(levels) == 0:
			faults = append(faults, r.number+" is missing")
		case len(levels) > 1:
			faults = append(faults, fmt.Sprintf("%s is there %d times", r.number, len(levels)))
		case levels[0] != r.level:
			faults = append(faults, fmt.Sprintf("%s has level %s, and the standard %s", r.number, levels[0], r.level))
		}
	}
	for _, number := range order {
		if !slices.ContainsFunc(want, func(r requirement) bool { return r.number == number }) {
			faults = append(faults, number+" is no requirement of levels 1 and 2")
		}
	}
	return append(faults, summaryFaults(page, count)...)
}

// summaryFaults compares the figures at the top of a page with the rows.
func summaryFaults(page string, count map[string][2]int) (faults []string) {
	said := map[string]string{}
	for _, line := range asvsSummary.FindAllStringSubmatch(page, -1) {
		said[line[1]] = fmt.Sprintf("%s, %s and %s", line[2], line[3], line[4])
	}
	for _, state := range []string{"met", "not applicable", "not met", "all"} {
		n := count[state]
		if rows := fmt.Sprintf("%d, %d and %d", n[0], n[1], n[0]+n[1]); said[state] != rows {
			faults = append(faults, fmt.Sprintf("the summary has %q as %s, and the rows as %s", state, said[state], rows))
		}
	}
	return faults
}

var (
	pageLink = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading  = regexp.MustCompile(`(?m)^#+ (.+)$`)
	unlinked = regexp.MustCompile(`[^\w\- ]`)
)

// deadLinks returns the links of the page name to files of root, and to headings in
// them, that do not exist.
func deadLinks(root fs.FS, name, page string) (dead []string) {
	for _, link := range pageLink.FindAllStringSubmatch(page, -1) {
		if strings.Contains(link[1], "://") {
			continue
		}
		file, anchor, _ := strings.Cut(link[1], "#")
		target := page
		if file != "" {
			content, err := fs.ReadFile(root, path.Join(path.Dir(name), file))
			if err != nil {
				dead = append(dead, link[1])
				continue
			}
			target = string(content)
		}
		if anchor != "" && !slices.Contains(anchors(target), anchor) {
			dead = append(dead, link[1])
		}
	}
	return dead
}

// anchors returns the anchors that a forge gives to the headings of a page.
func anchors(page string) (all []string) {
	for _, line := range heading.FindAllStringSubmatch(page, -1) {
		plain := unlinked.ReplaceAllString(strings.ToLower(line[1]), "")
		all = append(all, strings.ReplaceAll(plain, " ", "-"))
	}
	return all
}
