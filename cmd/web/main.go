// Command latchkey is the account portal: the server, and commands to manage it
// from a shell.
//
// It wires the program: configuration is read here and nowhere else, and every
// other package receives plain values.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	_ "time/tzdata" // the audit log's days are in the zone of the viewer

	"github.com/alecthomas/kong"

	"latchkey/internal/apperr"
	"latchkey/internal/config"
)

// Exit codes.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

// process is the environment of a command.
type process struct {
	args    []string
	environ []string
	stdin   io.Reader
	stdout  io.Writer
	stderr  io.Writer
}

type cli struct {
	Serve       serveCmd       `cmd:"" default:"1" help:"Migrate the database, then serve the portal."`
	Migrate     migrateCmd     `cmd:"" help:"Run or show database migrations."`
	Admin       adminCmd       `cmd:"" help:"Create an admin."`
	User        userCmd        `cmd:"" help:"Manage accounts. A running server applies changes at the next request."`
	Import      importCmd      `cmd:"" help:"Import the accounts of another program, with their passwords."`
	Mail        mailCmd        `cmd:"" help:"Try out mail."`
	Backup      backupCmd      `cmd:"" help:"Write a backup to a file, while the server runs."`
	Restore     restoreCmd     `cmd:"" help:"Replace the database with a backup, while the server is stopped."`
	Copy        copyCmd        `cmd:"" help:"Copy everything into an empty SQLite or PostgreSQL database."`
	Doctor      doctorCmd      `cmd:"" help:"Check the installation, and say what to do."`
	Healthcheck healthcheckCmd `cmd:"" help:"Exit 0 when the local server is ready."`
	Version     versionCmd     `cmd:"" help:"Print version, commit and Go version."`
}

func main() {
	ends := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // nohup ignores it
		ends = append(ends, syscall.SIGHUP) // a terminal was closed: a command must still clean up
	}
	ctx, stop := signal.NotifyContext(context.Background(), ends...)
	code := run(ctx, process{
		args: os.Args[1:], environ: os.Environ(), stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr,
	})
	stop()
	os.Exit(code)
}

// run executes one command and returns its exit code: 0 success, 1 failure, 2
// wrong usage. It describes failures on stderr.
func run(ctx context.Context, p process) int {
	var commands cli
	exited := -1
	parser, err := kong.New(&commands, kong.Name("latchkey"), kong.Writers(p.stdout, p.stderr),
		kong.Description("Latchkey, a self-hosted account portal. It is configured by environment variables; see docs/configuration.md."),
		kong.Exit(func(code int) { exited = code }), kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(&p))
	if err != nil {
		return p.fail(err)
	}
	parsed, err := parser.Parse(p.args)
	if exited >= 0 { // --help
		return exited
	}
	if err != nil {
		text := err.Error()
		if list, cut := strings.CutSuffix(text, ", ..."); cut {
			text = list + " or another"
		}
		_, _ = fmt.Fprintf(p.stderr, "latchkey: %s. See latchkey --help.\n", text)
		return exitUsage
	}
	if err := parsed.Run(); err != nil {
		return p.fail(err)
	}
	return exitDone
}

// usageError reports a command with wrong input.
type usageError struct{ text string }

func (e usageError) Error() string { return e.text }

// fail prints each problem on a line of its own and returns the exit code.
func (p *process) fail(err error) int {
	if usage, ok := errors.AsType[usageError](err); ok {
		_, _ = fmt.Fprintf(p.stderr, "latchkey: %s\n", usage.text)
		return exitUsage
	}
	if fields, ok := errors.AsType[apperr.Fields](err); ok {
		for _, f := range fields {
			_, _ = fmt.Fprintf(p.stderr, "latchkey: %s: %s\n", flagOf(f.Field), f.Message)
		}
		return exitFailed
	}
	text := err.Error()
	if message := apperr.Details(err).Message; message != "" {
		text = message
	}
	for line := range strings.Lines(text) {
		_, _ = fmt.Fprintf(p.stderr, "latchkey: %s\n", strings.TrimSuffix(line, "\n"))
	}
	return exitFailed
}

// flagOf returns the flag that sets a field of an account.
func flagOf(field string) string {
	switch field {
	case "full_name":
		return "--name"
	case "password":
		return "--password-stdin"
	}
	return "--" + field
}

// configuration reads the environment and prints its warnings.
func (p *process) configuration() (*config.Config, error) {
	cfg, warnings, err := config.Load(p.getenv, p.environ)
	for _, warning := range warnings {
		_, _ = fmt.Fprintf(p.stderr, "latchkey: warning: %s\n", warning)
	}
	return cfg, err
}

// getenv returns the value of an environment variable. If it occurs several
// times, the last one counts, as in a shell.
func (p *process) getenv(name string) string {
	for i := len(p.environ) - 1; i >= 0; i-- {
		if value, found := strings.CutPrefix(p.environ[i], name+"="); found {
			return value
		}
	}
	return ""
}
