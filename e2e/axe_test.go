package e2e

import (
	"fmt"
	"slices"
	"testing"
)

// findings are the results of axe-core for a page: the violations, and the elements
// about which it could not decide.
type findings struct {
	Violations []string
	Incomplete []doubt
}

// doubt is an element about which axe-core could not decide whether it meets a
// rule.
type doubt struct {
	Rule    string
	What    string
	Matches []string // the selectors of reviewed that the element matches
}

// reviewed lists the doubts that a person has reviewed and found to be fine, with
// the page states in which axe-core may report them. Reports depend on the fonts of
// the machine, so a doubt that is not reported is no fault.
var reviewed = []reviewedDoubt{
	{
		states: []string{"docs", "docs tried"}, rule: "aria-prohibited-attr", selector: "#swagger-ui .copy-to-clipboard",
		why: "The button within has a name of its own.",
	},
	{
		states: []string{"docs tried"}, rule: "color-contrast", selector: "#swagger-ui select",
		why: "The picture behind it is the arrow, beside the text.",
	},
	{
		states: []string{"docs tried"}, rule: "color-contrast", selector: "#swagger-ui .opblock-title > span",
		why: "What is drawn over it is the line that marks the open tab, under the text.",
	},
	{
		states: []string{"docs tried"}, rule: "color-contrast", selector: "#swagger-ui .microlight span",
		why: "A figure of one digit, and lines that scroll away under the copy button: in the colours of their neighbours, which are fine.",
	},
	{
		states: []string{"docs tried"}, rule: "color-contrast", selector: "#swagger-ui .header-col",
		why: "On a phone it scrolls away under the edge of its table: in the colours of its neighbours, which are fine.",
	},
	{
		states: []string{"overview", "overview only you", "overview, no mail"}, rule: "color-contrast", selector: ".chart text",
		why: "axe-core does not look behind the text of a drawing. The labels stand beside the bars, muted on the ground of the page.",
	},
}

// axe runs axe-core with the rules of WCAG 2.2 AA, its best practices, and the
// target size, which is off by default. It skips contrast on a page without a
// style sheet: the page has the browser's own colours, and axe-core knows only
// the light ones.
func (b *tab) axe() findings {
	b.Helper()
	var selectors []string
	for _, entry := range reviewed {
		selectors = append(selectors, entry.selector)
	}
	return ask[findings](b, `axe.run(document, {
		runOnly: { type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice"] },
		rules: { "target-size": { enabled: true }, "color-contrast": { enabled: document.styleSheets.length > 0 } },
		resultTypes: ["violations", "incomplete"],
		elementRef: true,
	}).then(({ violations, incomplete }) => ({
		Violations: violations.flatMap((v) =>
			v.nodes.map((n) => v.id + ": " + v.help + ": " + n.html.slice(0, 200) + " " + n.any.map((c) => c.message).join("; "))),
		Incomplete: incomplete.flatMap((v) => v.nodes.map((n) => ({
			Rule: v.id,
			What: n.html.slice(0, 200) + " " + [...n.any, ...n.all, ...n.none].map((c) => c.message).join("; "),
			Matches: %s.filter((s) => n.element.matches(s)),
		}))),
	}))`, selectors)
}

// reviewedDoubt applies to the elements that selector matches, in any of these
// states of a page.
type reviewedDoubt struct {
	states         []string
	rule, selector string
	why            string
}

func (r reviewedDoubt) covers(state string, d doubt) bool {
	return slices.Contains(r.states, state) && r.rule == d.Rule && slices.Contains(d.Matches, r.selector)
}

// review returns the doubts about a state of a page that are not in reviewed.
func review(state string, doubts []doubt) []string {
	var faults []string
	for _, d := range doubts {
		if !slices.ContainsFunc(reviewed, func(r reviewedDoubt) bool { return r.covers(state, d) }) {
			faults = append(faults, fmt.Sprintf("axe-core could not decide, and it has not been reviewed: %s: %s", d.Rule, d.What))
		}
	}
	return faults
}

func TestReview(t *testing.T) {
	t.Parallel()
	var all []doubt
	for _, entry := range reviewed {
		if entry.why == "" {
			t.Errorf("no reason is given for %s of %s", entry.rule, entry.selector)
		}
		if slices.Contains(entry.states, "docs tried") {
			all = append(all, doubt{Rule: entry.rule, Matches: []string{entry.selector}})
		}
	}
	first := reviewed[0]
	for _, test := range []struct {
		name, state string
		doubts      []doubt
		want        int
	}{
		{name: "no doubt", state: "login"},
		{name: "all reviewed", state: "docs tried", doubts: all},
		{name: "one that is not reported", state: "docs tried", doubts: all[1:]},
		{name: "another page", state: "login", doubts: all[:1], want: 1},
		{name: "another rule", state: "login", doubts: []doubt{{Rule: "region", Matches: []string{first.selector}}}, want: 1},
		{name: "another element", state: "docs tried", doubts: append(slices.Clone(all), doubt{Rule: first.rule}), want: 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := review(test.state, test.doubts); len(got) != test.want {
				t.Errorf("got %q, want %d faults", got, test.want)
			}
		})
	}
}
