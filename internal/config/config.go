// Package config reads the configuration from the environment, checks it and
// reports all problems at once.
//
// It reads variables and the files they name, checks each value and how the
// values fit together, and returns one [Config]. It logs nothing and opens
// neither the database nor a port; the package that receives a value acts on it.
// Only [EnsureSecret] writes a file.
package config

import (
	"errors"
	"log/slog"
	"net/netip"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"latchkey/internal/forwardauth"
)

// Config is a checked configuration. A Config that [Load] returned holds no
// contradiction; [Variables] documents the variable behind each field.
type Config struct {
	// Addr is the listen address, host:port with a numeric port; the host may
	// be empty.
	Addr string
	// PublicURL is the one origin of the portal, as a browser writes it:
	// lower case, no default port, no trailing slash.
	PublicURL string
	// InsecureHTTP permits an http PublicURL on a host that is not loopback.
	InsecureHTTP bool
	// HSTSIncludeSubdomains adds includeSubDomains to
	// Strict-Transport-Security (RFC 6797 §6.1.2).
	HSTSIncludeSubdomains bool

	// CookieDomain is the domain whose hosts receive the token cookies, in lower
	// case; empty for the portal's host only.
	CookieDomain string
	// ForwardAuth are the apps that forward-auth protects, and their rules; none
	// if forward-auth is off.
	ForwardAuth []forwardauth.Origin

	// Drain is how long the server goes on serving after SIGTERM while /readyz
	// says that it will stop.
	Drain time.Duration
	// MetricsAddr is the listen address of the metrics, host:port; empty for none.
	MetricsAddr string

	// Database is where accounts and sessions are stored.
	Database Database
	// DatabasePool is how many connections a process keeps to PostgreSQL at most.
	DatabasePool int
	// Backup says when the server makes backups by itself.
	Backup Backup

	// Secret is the decoded master secret, 32 bytes or more. It is empty if the
	// database is SQLite and no secret was set: EnsureSecret(SecretPath()) then
	// generates or reads it.
	Secret Secret
	// SecretPrevious is the decoded secret before the last rotation, or empty.
	SecretPrevious Secret

	// AccessTTL is the life of an access token.
	AccessTTL time.Duration
	// RefreshTTL is the idle limit of a session.
	RefreshTTL time.Duration
	// SessionTTL is the absolute limit of a session.
	SessionTTL time.Duration
	// RefreshGrace is the overlap for parallel requests; 0 for none.
	RefreshGrace time.Duration

	// Mail says how messages are sent.
	Mail Mail
	// VerifyEmail says whether people have to prove that their address is theirs.
	VerifyEmail VerifyEmail
	// RequireTwoStep says who has to have a second step.
	RequireTwoStep RequireTwoStep
	// Signup says who may create an account.
	Signup Signup
	// PasswordMin is the minimum length of a password in code points, 8 to 64.
	PasswordMin int
	// TokenRenewal says whether API clients may renew an access token with itself.
	TokenRenewal bool
	// PasswordGrant says whether API clients may send passwords.
	PasswordGrant bool
	// APIOrigins are the origins whose scripts may call the API, as a browser
	// writes them.
	APIOrigins []string
	// TrustedProxies are the networks whose X-Forwarded-For is trusted.
	TrustedProxies []netip.Prefix
	// Limits is false if attempt limits are off, which requires a loopback
	// PublicURL.
	Limits bool

	// LogFormat is how log lines are written.
	LogFormat LogFormat
	// LogLevel is the least severe level that is logged.
	LogLevel slog.Level

	// Brand is the operator's name, colour, logo and support address.
	Brand Brand

	// Exposed are those of Load's warnings that say that every user of the machine can
	// read the database file or the generated secret.
	Exposed []string
}

// Signup says who may create an account.
type Signup string

// The sign-up policies.
const (
	SignupOpen   Signup = "open"   // anyone
	SignupInvite Signup = "invite" // anyone with an invitation
	SignupClosed Signup = "closed" // only people whom an admin adds
)

// RequireTwoStep says who has to have a second step.
type RequireTwoStep string

// The policies.
const (
	TwoStepOff    RequireTwoStep = "off"    // nobody
	TwoStepAdmins RequireTwoStep = "admins" // admins
	TwoStepAll    RequireTwoStep = "all"    // everybody
)

// LogFormat is how log lines are written.
type LogFormat string

// The log formats.
const (
	LogText LogFormat = "text"
	LogJSON LogFormat = "json"
)

// Load reads the configuration through getenv; an empty value counts as unset.
// Load warns about LATCHKEY_ names in environ, in the form of os.Environ, that it
// does not know.
//
// The warnings are sentences for the operator's log and are returned with an
// error too. The error joins one sentence per problem, each beginning with the
// variable to change. Neither contains the value of a secret.
func Load(getenv func(string) string, environ []string) (*Config, []string, error) {
	l := newLoader(getenv)
	c := &Config{
		InsecureHTTP:          l.toggle(nameInsecureHTTP),
		HSTSIncludeSubdomains: l.toggle(nameHSTSIncludeSubdomains),
		AccessTTL:             l.duration(nameAccessTTL, time.Second),
		RefreshTTL:            l.duration(nameRefreshTTL, time.Second),
		SessionTTL:            l.duration(nameSessionTTL, time.Second),
		RefreshGrace:          l.duration(nameRefreshGrace, 0),
		RequireTwoStep:        RequireTwoStep(l.choice(nameRequireTwoStep, string(TwoStepOff), string(TwoStepAdmins), string(TwoStepAll))),
		Signup:                Signup(l.choice(nameSignup, string(SignupOpen), string(SignupInvite), string(SignupClosed))),
		PasswordMin:           l.integer(namePasswordMin, 8, 64),
		PasswordGrant:         l.toggle(namePasswordGrant),
		TokenRenewal:          l.toggle(nameTokenRenewal),
		APIOrigins:            l.originList(nameAPICORSOrigins),
		TrustedProxies:        l.prefixes(nameTrustedProxies),
		LogFormat:             LogFormat(l.choice(nameLogFormat, string(LogText), string(LogJSON))),
		LogLevel:              l.level(nameLogLevel),
		Brand:                 l.brand(),
	}
	port := ""
	c.Addr, port = l.listenAddr(nameAddr)
	c.PublicURL = l.publicURL(namePublicURL, port, c.InsecureHTTP)
	c.CookieDomain = l.cookieDomain(nameCookieDomain, c)
	c.ForwardAuth = l.forwardAuth(nameForwardAuthFile, c)
	c.Limits = l.limits(c)
	c.Drain = l.drain(nameDrain, c)
	c.MetricsAddr = l.metricsAddr(nameMetricsAddr, port)
	c.Database = l.database(nameDatabaseURL)
	c.DatabasePool = l.integer(nameDatabasePool, 2, 1000)
	c.Backup = l.backup()
	c.Mail = l.mail(c)
	c.VerifyEmail = l.verifyEmail(c)
	c.Secret = l.secret(nameSecret)
	c.SecretPrevious = l.secret(nameSecretPrevious)
	l.checkSecrets(c)
	l.checkLifetimes(c)
	l.warnings = append(l.warnings, unknownNames(environ)...)

	if len(l.problems) > 0 {
		return nil, l.warnings, errors.Join(l.problems...)
	}
	c.Exposed = l.exposed
	return c, l.warnings, nil
}

// Secure reports whether browsers reach the portal by https. The names and the
// Secure attribute of cookies depend on it.
func (c *Config) Secure() bool {
	return strings.HasPrefix(c.PublicURL, "https://")
}

// Loopback reports whether the public URL names this machine only: localhost,
// 127.0.0.0/8 or ::1.
func (c *Config) Loopback() bool {
	u, err := url.Parse(c.PublicURL)
	return err == nil && isLoopback(u.Hostname())
}

// SecretPath returns the path of the generated secret of a portal on SQLite: the
// file "secret" beside the database file. It is empty on PostgreSQL, because
// replicas share no folder.
func (c *Config) SecretPath() string {
	if c.Database.Dialect != SQLite {
		return ""
	}
	return filepath.Join(filepath.Dir(c.Database.Path), secretFileName)
}

// limits reads LATCHKEY_LIMITS. If the public URL is unknown because it has a
// problem of its own, limits does not report another one.
func (l *loader) limits(c *Config) bool {
	on := l.toggle(nameLimits)
	if !on && c.PublicURL != "" && !c.Loopback() {
		l.problem(nameLimits, "is off, which is for load tests only; set it to on, or %s to a loopback address", namePublicURL)
	}
	return on
}

// longestGrace is the longest recommended overlap. Parallel requests arrive
// within seconds, and a copied token stays unnoticed as long as the overlap.
const longestGrace = time.Minute

// checkLifetimes warns about lifetimes that have no effect beside each other or
// that delay the detection of copied tokens. They work, so none is a problem.
func (l *loader) checkLifetimes(c *Config) {
	if c.RefreshTTL > c.SessionTTL {
		l.warn(nameRefreshTTL, "(%s) is longer than %s (%s), so the idle limit never takes effect", c.RefreshTTL, nameSessionTTL, c.SessionTTL)
	}
	if c.AccessTTL >= c.RefreshTTL {
		l.warn(nameAccessTTL, "(%s) is not shorter than %s (%s), so an access token outlives the idle limit; shorten it", c.AccessTTL, nameRefreshTTL, c.RefreshTTL)
	} else if c.AccessTTL >= c.SessionTTL {
		l.warn(nameAccessTTL, "(%s) is not shorter than %s (%s), so an access token outlives its session; shorten it", c.AccessTTL, nameSessionTTL, c.SessionTTL)
	}
	if c.RefreshGrace > longestGrace {
		l.warn(nameRefreshGrace, "(%s) is longer than %s, and for that long a copied token is not noticed; shorten it", c.RefreshGrace, longestGrace)
	}
}
