package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"latchkey/handlers"
	"latchkey/internal/account"
	"latchkey/internal/audit"
	"latchkey/internal/auth"
	"latchkey/internal/auth/passkey"
	"latchkey/internal/auth/password"
	"latchkey/internal/backup"
	"latchkey/internal/config"
	"latchkey/internal/cookie"
	"latchkey/internal/forwardauth"
	"latchkey/internal/limit"
	"latchkey/internal/mail"
	"latchkey/internal/metrics"
	"latchkey/internal/notice"
	"latchkey/internal/oauth"
	"latchkey/internal/outbox"
	"latchkey/internal/seal"
	"latchkey/internal/token"
	"latchkey/models"
	"latchkey/static"
	"latchkey/views/letters"
)

// portal holds the configuration and the services behind the routes.
type portal struct {
	cfg      *config.Config
	logger   *slog.Logger
	store    *models.Store
	auth     *auth.Service
	oauth    *oauth.Service
	accounts *account.Service
	outbox   *outbox.Outbox
	mail     *mail.Mail
	backups  *backup.Schedule // nil: the server makes none
	hasher   *password.Hasher
	keyring  *token.Keyring
	metrics  *metrics.Metrics // nil: nothing is measured
	secret   []byte

	purgeHeld bool // the log says that nothing is purged; only purge uses it
}

// open reads the configuration, opens and migrates the database and builds the
// services. When it fails, it leaves nothing open.
func (p *process) open(ctx context.Context, logs io.Writer) (*portal, error) {
	cfg, err := p.configuration()
	if err != nil {
		return nil, err
	}
	o := &portal{cfg: cfg, logger: newLogger(cfg, logs)}
	if o.metrics, err = o.newMetrics(); err != nil {
		return nil, err
	}
	options := databaseOptions(cfg, o.logger)
	options.Meter = o.storeMeter()
	if o.store, err = models.Open(ctx, options); err != nil {
		return nil, databaseError(err)
	}
	if err := o.prepare(ctx); err != nil {
		_ = o.store.Close()
		return nil, err
	}
	return o, nil
}

func (o *portal) prepare(ctx context.Context) error {
	if err := o.store.Migrate(ctx); err != nil {
		return databaseError(err)
	}
	secret := o.cfg.Secret
	if secret.IsZero() {
		var created bool
		var err error
		if secret, created, err = config.EnsureSecret(o.cfg.SecretPath()); err != nil {
			return err
		}
		if created {
			o.logger.Info("generated a master secret", "path", o.cfg.SecretPath())
		}
	}
	o.secret = secret.Bytes()
	o.hasher = password.NewHasher(password.HasherOptions{Slots: hashesAtOnce(memoryLimit()), Waited: o.hashWait()})
	return o.services()
}

// services builds everything between the handlers and the store.
func (o *portal) services() error {
	log := audit.New(o.store, o.logger, time.Now)
	limits, err := limit.New(limit.Options{Store: o.store, Now: time.Now, Secret: o.secret, Off: !o.cfg.Limits})
	if err != nil {
		return err
	}
	o.keyring, err = token.NewKeyring(o.cfg.PublicURL, o.secret, o.cfg.SecretPrevious.Bytes(), time.Now)
	if err != nil {
		return err
	}
	keys, err := o.derivedKeys("latchkey/aead/v1")
	if err != nil {
		return err
	}
	sealer, err := seal.New(keys)
	if err != nil {
		return err
	}
	if err := o.post(); err != nil {
		return err
	}
	log.Tell(notice.New(o.mail, time.Now).Tell)
	party, err := o.passkeys()
	if err != nil {
		return err
	}
	o.auth, err = auth.New(auth.Options{
		Store: o.store, Logger: o.logger, Now: time.Now, Keyring: o.keyring,
		AccessTTL: o.cfg.AccessTTL, RefreshTTL: o.cfg.RefreshTTL, SessionTTL: o.cfg.SessionTTL, RefreshGrace: o.cfg.RefreshGrace,
		Audit: log, Limits: limits, Hasher: o.hasher, Sealer: sealer, RequireStep: auth.StepPolicy(o.cfg.RequireTwoStep), Passkeys: party,
		Meter: o.authMeter(),
	})
	if err != nil {
		return err
	}
	o.oauth, err = oauth.New(oauth.Options{
		Auth: o.auth, Store: o.store, Keyring: o.keyring, Audit: log, Limits: limits, Now: time.Now, PasswordGrant: o.cfg.PasswordGrant,
		Renewal: o.cfg.TokenRenewal, VerifyRequired: o.cfg.VerifyEmail == config.VerifyRequired && o.mail.On(),
	})
	if err != nil {
		return err
	}
	o.accounts, err = account.New(account.Options{
		Auth: o.auth, Store: o.store, Audit: log, Limits: limits, Now: time.Now, Hasher: o.hasher,
		Policy: password.NewPolicy(password.PolicyOptions{Min: o.cfg.PasswordMin, Context: contextWords(o.cfg)}),
		Outbox: o.outbox, Mail: o.mail, Verify: account.Verification(o.cfg.VerifyEmail), Secret: o.secret, Signup: account.SignupPolicy(o.cfg.Signup),
		Reserved: forwardauth.Usernames(o.cfg.ForwardAuth),
	})
	return err
}

// passkeys returns the portal as the relying party of passkeys.
func (o *portal) passkeys() (*passkey.Party, error) {
	keys, err := o.derivedKeys("latchkey/webauthn/v1")
	if err != nil {
		return nil, err
	}
	return passkey.New(passkey.Options{PublicURL: o.cfg.PublicURL, Name: o.cfg.Brand.Name, Keys: keys, Now: time.Now})
}

// deliveryLease is the lease of deliveries, 0 for the default one. Tests that kill
// processes shorten it.
var deliveryLease time.Duration

// post builds the outbox and the mail that goes through it.
func (o *portal) post() error {
	keys, err := o.derivedKeys("latchkey/outbox/v1")
	if err != nil {
		return err
	}
	sealer, err := seal.New(keys)
	if err != nil {
		return err
	}
	o.outbox, err = outbox.New(outbox.Options{Store: o.store, Sealer: sealer, Logger: o.logger, Now: time.Now, Lease: deliveryLease})
	if err != nil {
		return err
	}
	o.mail, err = mail.New(mail.Options{
		Outbox: o.outbox, Transport: transport(o.cfg, o.logger, nil), From: o.cfg.Mail.From,
		Brand: letterBrand(o.cfg), Now: time.Now,
	})
	return err
}

// transport returns the way that mail takes, nil when none is configured. trace is
// nil, or gets the conversation with a mail server.
func transport(cfg *config.Config, logger *slog.Logger, trace func(string)) mail.Transport {
	m := cfg.Mail
	switch {
	case m.SMTP():
		hello := ""
		if u, err := url.Parse(cfg.PublicURL); err == nil {
			hello = u.Hostname()
		}
		return mail.NewSMTP(mail.SMTPOptions{
			Host: m.Host, Port: m.Port, ImplicitTLS: m.ImplicitTLS, Username: m.Username, Password: m.Password.Bytes(),
			Hello: hello, Trace: trace,
		})
	case m.Folder != "":
		return mail.NewFolder(m.Folder, logger)
	}
	return nil
}

// letterBrand is the sender as letters show it.
func letterBrand(cfg *config.Config) letters.Brand {
	accent, label := static.AccentColors(cfg.Brand.Accent)
	return letters.Brand{Name: cfg.Brand.Name, URL: cfg.PublicURL, SupportEmail: cfg.Brand.SupportEmail, Accent: accent, OnAccent: label}
}

// derivedKeys returns the key for one use of the master secret, and that of the
// previous secret if there is one.
func (o *portal) derivedKeys(label string) (keys [][]byte, err error) {
	for _, secret := range [][]byte{o.secret, o.cfg.SecretPrevious.Bytes()} {
		if len(secret) == 0 {
			continue
		}
		key, err := token.DeriveKey(secret, label)
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// contextWords are words that passwords must not be based on, besides the
// person's own names.
func contextWords(cfg *config.Config) []string {
	words := []string{"latchkey", cfg.Brand.Name}
	if u, err := url.Parse(cfg.PublicURL); err == nil {
		words = append(words, u.Hostname())
	}
	return words
}

func databaseOptions(cfg *config.Config, logger *slog.Logger) models.Options {
	url := string(cfg.Database.URL.Bytes())
	if cfg.Database.Dialect == config.SQLite {
		url = "sqlite:" + cfg.Database.Path
	}
	return models.Options{URL: url, Conns: cfg.DatabasePool, Logger: logger}
}

// databaseError returns on one line why the database cannot be used, after the
// name of the variable to change. A schema that is too new and a full disk are not
// caused by the variable.
func databaseError(err error) error {
	if err == nil || errors.Is(err, models.ErrSchemaNewer) {
		return err
	}
	if errors.Is(err, models.ErrDiskFull) {
		return errors.New(oneLine(err))
	}
	return fmt.Errorf("LATCHKEY_DATABASE_URL: %s", oneLine(err))
}

// oneLine returns the text of an error on one line.
func oneLine(err error) string {
	text := ""
	for line := range strings.Lines(err.Error()) { // pgx writes a line for each address that it tried
		line = strings.TrimSpace(line)
		switch {
		case text == "":
		case strings.HasSuffix(text, ":"):
			text += " "
		default:
			text += "; "
		}
		text += line
	}
	return text
}

func newLogger(cfg *config.Config, w io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: cfg.LogLevel, ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey && len(groups) == 0 {
			a.Value = slog.TimeValue(a.Value.Time().UTC())
		}
		return a
	}}
	if cfg.LogFormat == config.LogJSON {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// handlers builds the HTTP handlers.
func (o *portal) handlers() (*handlers.Handlers, error) {
	brand, err := loadBrand(o.cfg, o.logger)
	if err != nil {
		return nil, err
	}
	jar, err := o.cookies()
	if err != nil {
		return nil, err
	}
	return handlers.New(handlers.Options{
		Backups: o.backupStatus(),
		Auth:    o.auth, OAuth: o.oauth, Accounts: o.accounts, Store: o.store, Cookies: jar, Logger: o.logger, Now: time.Now,
		PublicURL: o.cfg.PublicURL, HTTPS: o.cfg.Secure(), HSTSIncludeSubdomains: o.cfg.HSTSIncludeSubdomains,
		TrustedProxies: o.cfg.TrustedProxies, Brand: brand, BrandName: o.cfg.Brand.Name, SupportEmail: o.cfg.Brand.SupportEmail,
		APIOrigins: o.cfg.APIOrigins, ForwardAuth: forwardauth.New(o.cfg.ForwardAuth), Settings: settings(o.cfg), Meter: o.requestMeter(),
	})
}

// cookies builds the cookie jar. It also opens cookies that the previous secret
// sealed, as tokens that it signed stay valid.
func (o *portal) cookies() (*cookie.Jar, error) {
	keys, err := o.derivedKeys("latchkey/aead/v1")
	if err != nil {
		return nil, err
	}
	return cookie.New(cookie.Options{Secure: o.cfg.Secure(), Domain: o.cfg.CookieDomain, Keys: keys, Now: time.Now})
}

func loadBrand(cfg *config.Config, logger *slog.Logger) (*static.Brand, error) {
	brand, err := static.NewBrand(cfg.Brand.Accent, cfg.Brand.Logo)
	if err != nil {
		return nil, err
	}
	for _, warning := range brand.Warnings() {
		logger.Warn(warning)
	}
	if cfg.Brand.SupportEmail == "" {
		logger.Warn("LATCHKEY_SUPPORT_EMAIL is not set: no page tells people whom to ask for help")
	}
	return brand, nil
}
