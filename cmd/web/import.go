package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode/utf8"

	"latchkey/internal/account"
	"latchkey/internal/auth"
	"latchkey/internal/userfile"
)

// importPause is the time between two steps of the progress that is shown.
const importPause = 200 * time.Millisecond

type importCmd struct {
	File              string   `arg:"" help:"The file with the accounts; - is standard input."`
	Format            string   `enum:"auto,csv,jsonl,authelia,keycloak,pocketbase,django,fastapi" default:"auto" help:"auto, csv, jsonl, authelia, keycloak, pocketbase, django or fastapi."`
	DryRun            bool     `help:"Print what would be imported and what is wrong, and import nothing."`
	AdminGroup        []string `placeholder:"NAME" sep:"none" help:"Members of this group or role in the file become admins; can be repeated. Without it, everyone becomes a user."`
	AllowReserved     bool     `help:"Import usernames that people cannot choose themselves, such as admin."`
	WithoutPassword   bool     `help:"Import accounts whose password hash is missing or cannot be verified: they need a reset link."`
	UsernameFromEmail bool     `help:"Make the part of the email address before the @ the username of accounts that have none, or an address in its place."`
}

// Run imports the accounts of a file: all of them, or none.
func (c importCmd) Run(ctx context.Context, p *process) error {
	format := userfile.Format(c.Format)
	if c.Format == "auto" {
		format = ""
	}
	file, err := userfile.Open(c.File, p.stdin, format)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	err = p.with(ctx, func(o *portal) error { return c.run(ctx, p, o, file) })
	if err != nil && ctx.Err() != nil {
		return errors.New("interrupted: nothing was imported")
	}
	return err
}

func (c importCmd) run(ctx context.Context, p *process, o *portal, file *userfile.File) error {
	rules := account.ImportRules{
		AdminGroups: c.AdminGroup, Reserved: c.AllowReserved, WithoutPassword: c.WithoutPassword, UsernameFromEmail: c.UsernameFromEmail,
		HashMemory: largestHash(memoryLimit()),
	}
	line := newTerminalLine(p.stderr)
	report, err := o.accounts.CheckImport(ctx, file.Accounts(), rules, func(done int) {
		line.show(fmt.Sprintf("Checked %s accounts (%d %%)", importNumber(done), file.Percent()), importPause)
	})
	line.clear()
	if c.DryRun || err == nil && report.ProblemCount == 0 {
		if err := printImport(p.stdout, file, report); err != nil {
			return err
		}
	}
	if err := importProblems(report, err); err != nil {
		return err
	}
	if c.DryRun {
		return p.say(nil, "Nothing was imported: this was a dry run.")
	}
	done, err := o.accounts.Import(ctx, auth.Shell(), file.Format(), file.Accounts(), rules, func(done int) {
		line.show(fmt.Sprintf("Written %s of %s accounts", importNumber(done), importNumber(report.Accounts)), importPause)
	})
	line.clear()
	if err != nil {
		return err
	}
	return p.say(nil, "Imported %s.", importCount(done.Accounts, "account"))
}

// importProblems returns what is wrong with a file, one sentence a line, nil for
// nothing. broken says why the file could not be read to its end.
func importProblems(report *account.ImportReport, broken error) error {
	var lines []string
	problems := slices.Clone(report.Problems)
	slices.SortStableFunc(problems, func(a, b account.ImportProblem) int { return cmp.Compare(a.Number, b.Number) })
	for _, problem := range problems {
		line := fmt.Sprintf("%s %d", problem.Unit, problem.Number)
		if problem.Username != "" {
			line += " (" + importText(problem.Username) + ")"
		}
		if problem.Field != "" {
			line += ": " + problem.Field
		}
		lines = append(lines, line+": "+problem.Message)
	}
	if more := report.ProblemCount - len(problems); more > 0 {
		lines = append(lines, importCount(more, "more problem")+" not shown")
	}
	switch {
	case broken != nil && len(lines) == 0:
		return broken
	case broken != nil:
		lines = append(lines, broken.Error())
	case len(lines) == 0 && report.Accounts == 0:
		return errors.New("there are no accounts in the file")
	case len(lines) == 0:
		return nil
	}
	return errors.New(strings.Join(append(lines, "nothing was imported: correct the file, or see latchkey import --help"), "\n"))
}

// printImport prints what an import does.
func printImport(w io.Writer, file *userfile.File, report *account.ImportReport) error {
	table := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	row := func(name string, count int) { _, _ = fmt.Fprintf(table, "%s\t%s\n", name, importNumber(count)) }
	_, _ = fmt.Fprintf(table, "Format\t%s\n", file.Format().Name())
	row("Accounts", report.Accounts)
	row("  users", report.Accounts-report.Admins)
	row("  admins", report.Admins)
	row("  disabled", report.Disabled)
	row("  with a verified address", report.Verified)
	row("  without an address", report.NoEmail)
	row("  without a password", report.NoPassword)
	if report.Unverifiable > 0 {
		row("    because their hash cannot be verified", report.Unverifiable)
	}
	if report.MustChange > 0 {
		row("  that had to choose a new password", report.MustChange)
	}
	if report.SecondStep > 0 {
		row("  whose second step stays behind", report.SecondStep)
	}
	for _, scheme := range slices.Sorted(maps.Keys(report.Schemes)) {
		row("Passwords as "+scheme, report.Schemes[scheme])
	}
	if groups := importGroups(report.Groups); groups != "" {
		_, _ = fmt.Fprintf(table, "Groups that make nobody an admin\t%s\n", groups)
	}
	if file.Others() > 0 {
		row("Left out: no accounts of people", file.Others())
	}
	if report.ProblemCount > 0 {
		row("Problems", report.ProblemCount)
	}
	return table.Flush()
}

// importGroups names the ten largest groups.
func importGroups(groups map[string]int) string {
	names := slices.SortedFunc(maps.Keys(groups), func(a, b string) int {
		return cmp.Or(groups[b]-groups[a], cmp.Compare(a, b))
	})
	var words []string
	for _, name := range names[:min(len(names), 10)] {
		words = append(words, fmt.Sprintf("%s (%s)", importText(name), importNumber(groups[name])))
	}
	if more := len(names) - len(words); more > 0 {
		words = append(words, fmt.Sprintf("%d more", more))
	}
	return strings.Join(words, ", ")
}

// importText returns the start of a text of a file, without what a terminal would
// obey. It hides what may be a hash in the wrong column.
func importText(text string) string {
	const most = 40
	if strings.Contains(text, "$") {
		return "…"
	}
	if utf8.RuneCountInString(text) > most {
		text = string([]rune(text)[:most]) + "…"
	}
	if quoted := strconv.Quote(text); quoted != `"`+text+`"` {
		return quoted
	}
	return text
}

// importCount writes a number with its noun: "1 account", "1,234 accounts".
func importCount(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return importNumber(n) + " " + noun + "s"
}

// importNumber writes a number with commas.
func importNumber(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
