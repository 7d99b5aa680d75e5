// Command latchkey is the account portal: its server and the commands to look
// after it from a shell.
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

// process is what a command may touch of the world.
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
	User        userCmd        `cmd:"" help:"Look after accounts. A running server honours it at the next request."`
	Healthcheck healthcheckCmd `cmd:"" help:"Exit 0 when the local server is ready."`
	Version     versionCmd     `cmd:"" help:"Print version, commit and Go version."`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, process{
		args: os.Args[1:], environ: os.Environ(), stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr,
	})
	stop()
	os.Exit(code)
}

// run carries out one command and returns the exit code: 0 done, 1 failed, 2
// wrong use. A failure is one sentence on stderr.
func run(ctx context.Context, p process) int {
	var commands cli
	exited := -1
	parser, err := kong.New(&commands, kong.Name("latchkey"), kong.Writers(p.stdout, p.stderr),
		kong.Description("Latchkey, a self-hosted account portal. Configuration is in environment variables, see docs/configuration.md."),
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

// usageError is a command that was given what it cannot work with.
type usageError struct{ text string }

func (e usageError) Error() string { return e.text }

// fail prints what went wrong, a line for each problem, and what to change.
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
	if said := apperr.Details(err).Message; said != "" {
		text = said
	}
	for line := range strings.Lines(text) {
		_, _ = fmt.Fprintf(p.stderr, "latchkey: %s\n", strings.TrimSuffix(line, "\n"))
	}
	return exitFailed
}

// flagOf is where a command takes a field of an account from.
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

// getenv looks a variable up in the environment that the process was given;
// the last of several wins, as in a shell.
func (p *process) getenv(name string) string {
	for i := len(p.environ) - 1; i >= 0; i-- {
		if value, found := strings.CutPrefix(p.environ[i], name+"="); found {
			return value
		}
	}
	return ""
}
