package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"latchkey/handlers"
	"latchkey/internal/config"
	"latchkey/internal/doctor"
	"latchkey/internal/mail"
)

type doctorCmd struct {
	JSON bool `help:"Print an array of objects instead of the page."`
}

// envFile is where docs/operations.md puts the variables of the systemd unit.
const envFile = "/etc/latchkey/latchkey.env"

// Run checks the installation. It changes nothing: it neither makes a file nor
// migrates the database. The exit code is 1 if a check failed; warnings do not count.
func (c doctorCmd) Run(ctx context.Context, p *process) error {
	cfg, warnings, err := config.Load(p.getenv, p.environ)
	limit := memoryLimit()
	o := doctor.Options{Memory: limit, Hashes: hashesAtOnce(limit), Now: time.Now}
	if err != nil {
		for problem := range strings.Lines(err.Error()) {
			o.Problems = append(o.Problems, strings.TrimSuffix(problem, "\n"))
		}
	} else {
		examine(&o, cfg)
		// The checks of files look at the portal's own.
		warnings = slices.DeleteFunc(warnings, func(warning string) bool { return slices.Contains(cfg.Exposed, warning) })
	}
	o.Warnings = warnings
	checks := doctor.Run(ctx, o)
	if c.JSON {
		err = doctor.PrintJSON(p.stdout, checks)
	} else {
		err = doctor.Print(p.stdout, checks, p.colored())
	}
	if err != nil {
		return err
	}
	switch n := doctor.Count(checks, doctor.Fail); n {
	case 0:
		return nil
	case 1:
		return errors.New("1 check failed")
	default:
		return fmt.Errorf("%d checks failed", n)
	}
}

// colored reports whether standard output is a terminal that shows colors
// (https://no-color.org).
func (p *process) colored() bool {
	file, ok := p.stdout.(*os.File)
	if !ok || p.getenv("NO_COLOR") != "" || p.getenv("TERM") == "dumb" {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// examine fills in what a valid configuration says.
func examine(o *doctor.Options, cfg *config.Config) {
	o.PublicURL, o.Addr, o.Loopback, o.Proxies = cfg.PublicURL, cfg.Addr, cfg.Loopback(), cfg.TrustedProxies
	silent := newLogger(cfg, io.Discard)
	o.Database, o.Explain, o.Path, o.Pool = databaseOptions(cfg, silent), databaseError, cfg.Database.Path, cfg.DatabasePool
	if cfg.Secret.IsZero() {
		o.SecretPath = cfg.SecretPath()
	}
	o.Previous, o.SessionTTL, o.EnvFile = !cfg.SecretPrevious.IsZero(), cfg.SessionTTL, envFile
	o.BackupDir, o.BackupEvery = cfg.Backup.Dir, cfg.Backup.Every
	o.MailFolder = cfg.Mail.Folder
	if server, ok := transport(cfg, silent, nil).(*mail.SMTP); ok {
		o.Mail = server
	}
	o.Facts = effective(settings(cfg))
}

// effective returns the limits and lifetimes among the settings.
func effective(groups []handlers.SettingsGroup) (facts []doctor.Fact) {
	for _, group := range groups {
		for _, s := range group.Settings {
			switch s.Variable {
			case "LATCHKEY_REFRESH_TTL", "LATCHKEY_SESSION_TTL":
				facts = append(facts, doctor.Fact{Name: "Sessions " + strings.ToLower(s.Label[:1]) + s.Label[1:], Value: s.Value})
			case "LATCHKEY_ACCESS_TTL", "LATCHKEY_REFRESH_GRACE", "LATCHKEY_SIGNUP", "LATCHKEY_PASSWORD_MIN", "LATCHKEY_REQUIRE_TWO_STEP",
				"LATCHKEY_LIMITS", "LATCHKEY_DRAIN":
				facts = append(facts, doctor.Fact{Name: s.Label, Value: s.Value})
			}
		}
	}
	return facts
}
