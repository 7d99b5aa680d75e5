package doctor

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

var (
	marks  = map[State]string{OK: "✓", Warn: "!", Fail: "✗"}
	colors = map[State]string{OK: "\x1b[32m", Warn: "\x1b[33m", Fail: "\x1b[31m"}
)

// Print writes the checks as a page, one line each and its advice below, and a line
// with their numbers.
func Print(w io.Writer, checks []Check, colored bool) error {
	var page strings.Builder
	last := ""
	for _, c := range checks {
		if c.Group != last {
			if last != "" {
				page.WriteString("\n")
			}
			page.WriteString(c.Group + "\n")
			last = c.Group
		}
		mark := marks[c.State]
		if colored {
			mark = colors[c.State] + mark + "\x1b[0m"
		}
		fmt.Fprintf(&page, "  %s %s: %s\n", mark, c.Name, c.Detail)
		if c.Advice != "" {
			fmt.Fprintf(&page, "      %s\n", c.Advice)
		}
	}
	fmt.Fprintf(&page, "\n%s ✓, %s !, %s ✗\n", number(checks, OK), number(checks, Warn), number(checks, Fail))
	_, err := io.WriteString(w, page.String())
	return err
}

func number(checks []Check, state State) string { return fmt.Sprint(Count(checks, state)) }

// PrintJSON writes the checks as an array of objects.
func PrintJSON(w io.Writer, checks []Check) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(checks)
}
