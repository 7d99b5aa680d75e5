package pages

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestWords checks that no sample page shows a word that docs/words.md replaces.
func TestWords(t *testing.T) {
	pattern := unwanted(t)
	for _, sample := range samples() {
		for _, n := range parse(t, sample.page).all("body") {
			if found := pattern.FindString(n.text); found != "" {
				t.Errorf("%s: the page says %q; docs/words.md has the word to use", sample.name, found)
			}
		}
	}
}

// unwanted matches the words in the second column of the first table of
// docs/words.md. It leaves out words in brackets.
func unwanted(t *testing.T) *regexp.Regexp {
	t.Helper()
	page, err := os.ReadFile("../../docs/words.md")
	if err != nil {
		t.Fatal(err)
	}
	table, _, _ := strings.Cut(string(page), "\nPlanned")
	var words []string
	for line := range strings.Lines(table) {
		cells := strings.Split(line, "|")
		if len(cells) < 4 || strings.Contains(line, "---") || strings.Contains(line, "Latchkey says") {
			continue
		}
		for word := range strings.SplitSeq(cells[2], ",") {
			if word = strings.TrimSpace(word); !strings.HasPrefix(word, "(") {
				words = append(words, regexp.QuoteMeta(word))
			}
		}
	}
	if len(words) < 45 {
		t.Fatalf("words in docs/words.md: got %d", len(words))
	}
	return regexp.MustCompile(`(?i)\b(` + strings.Join(words, "|") + `)\b`)
}
