package main

import (
	"cmp"
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"latchkey/handlers"
	"latchkey/internal/config"
	"latchkey/internal/mail"
)

// settings returns the settings page: every variable of package config with its
// value in words, and never the value of a secret.
func settings(cfg *config.Config) []handlers.SettingsGroup {
	return []handlers.SettingsGroup{
		{Title: "Look", Settings: []handlers.Setting{
			{Label: "Name", Value: cfg.Brand.Name, Variable: "LATCHKEY_BRAND_NAME"},
			{Label: "Accent", Value: cmp.Or(cfg.Brand.Accent, "Built-in green"), Variable: "LATCHKEY_BRAND_ACCENT"},
			{Label: "Logo", Value: either(cfg.Brand.Logo != nil, "Your file", "Built-in mark"), Variable: "LATCHKEY_BRAND_LOGO"},
			{Label: "Address for help", Value: cmp.Or(cfg.Brand.SupportEmail, "None"), Variable: "LATCHKEY_SUPPORT_EMAIL"},
		}},
		{Title: "Addresses", Settings: []handlers.Setting{
			{Label: "Public URL", Value: cfg.PublicURL, Variable: "LATCHKEY_PUBLIC_URL"},
			{Label: "Listens on", Value: cfg.Addr, Variable: "LATCHKEY_ADDR"},
			{Label: "Public URL without https", Value: either(cfg.InsecureHTTP, "Allowed", "Only on this machine"), Variable: "LATCHKEY_INSECURE_HTTP"},
			{Label: "Subdomains must use https", Value: either(cfg.HSTSIncludeSubdomains, "Yes", "No"), Variable: "LATCHKEY_HSTS_INCLUDE_SUBDOMAINS"},
			{Label: "Session cookies go to", Value: cmp.Or(cfg.CookieDomain, "The host of the public URL"), Variable: "LATCHKEY_COOKIE_DOMAIN"},
			{Label: "Apps behind forward-auth", Value: either(len(cfg.ForwardAuth) > 0, fmt.Sprint(len(cfg.ForwardAuth)), "None"), Variable: "LATCHKEY_FORWARD_AUTH_FILE"},
			{Label: "Trusted proxies", Value: listed(cfg.TrustedProxies), Variable: "LATCHKEY_TRUSTED_PROXIES"},
		}},
		{Title: "Accounts", Settings: []handlers.Setting{
			{Label: "Sign-up", Value: signupWords(cfg.Signup), Variable: "LATCHKEY_SIGNUP"},
			{Label: "Shortest password", Value: fmt.Sprintf("%d characters", cfg.PasswordMin), Variable: "LATCHKEY_PASSWORD_MIN"},
			{Label: "Second step required", Value: stepWords(cfg.RequireTwoStep), Variable: "LATCHKEY_REQUIRE_TWO_STEP"},
			{Label: "Limits on attempts", Value: either(cfg.Limits, "On", "Off"), Variable: "LATCHKEY_LIMITS"},
		}},
		{Title: "Mail", Settings: []handlers.Setting{
			{Label: "Mail server", Value: mailWords(cfg.Mail), Variable: "LATCHKEY_SMTP_URL"},
			{Label: "Sender", Value: mail.Readable(cfg.Mail.From), Variable: "LATCHKEY_MAIL_FROM"},
			{Label: "Addresses are verified", Value: verifyWords(cfg.VerifyEmail), Variable: "LATCHKEY_VERIFY_EMAIL"},
		}},
		{Title: "Sessions", Settings: []handlers.Setting{
			{Label: "End when unused for", Value: inWords(cfg.RefreshTTL), Variable: "LATCHKEY_REFRESH_TTL"},
			{Label: "Last at most", Value: inWords(cfg.SessionTTL), Variable: "LATCHKEY_SESSION_TTL"},
			{Label: "Access tokens last", Value: inWords(cfg.AccessTTL), Variable: "LATCHKEY_ACCESS_TTL"},
			{Label: "Old token works for another", Value: inWords(cfg.RefreshGrace), Variable: "LATCHKEY_REFRESH_GRACE"},
		}},
		{Title: "API", Settings: []handlers.Setting{
			{Label: "Passwords at /token", Value: either(cfg.PasswordGrant, "Accepted", "Refused"), Variable: "LATCHKEY_PASSWORD_GRANT"},
			{Label: "Access tokens renew themselves", Value: either(cfg.TokenRenewal, "Yes", "No"), Variable: "LATCHKEY_TOKEN_RENEWAL"},
			{Label: "Other origins with scripts", Value: listed(cfg.APIOrigins), Variable: "LATCHKEY_API_CORS_ORIGINS"},
		}},
		{Title: "Server", Settings: []handlers.Setting{
			{Label: "Version", Value: version},
			{Label: "Database", Value: databaseWords(cfg.Database), Variable: "LATCHKEY_DATABASE_URL"},
			{Label: "Connections to PostgreSQL", Value: fmt.Sprintf("%d at most", cfg.DatabasePool), Variable: "LATCHKEY_DATABASE_POOL"},
			{Label: "Folder of backups", Value: cmp.Or(cfg.Backup.Dir, "None: the server makes no backups"), Variable: "LATCHKEY_BACKUP_DIR"},
			{Label: "Time between backups", Value: inWords(cfg.Backup.Every), Variable: "LATCHKEY_BACKUP_EVERY"},
			{Label: "Backups kept", Value: fmt.Sprint(cfg.Backup.Keep), Variable: "LATCHKEY_BACKUP_KEEP"},
			{Label: "Master secret", Value: secretWords(cfg), Variable: "LATCHKEY_SECRET"},
			{Label: "Previous master secret", Value: either(cfg.SecretPrevious.IsZero(), "None", "Set"), Variable: "LATCHKEY_SECRET_PREVIOUS"},
			{Label: "Serves after SIGTERM for", Value: inWords(cfg.Drain), Variable: "LATCHKEY_DRAIN"},
			{Label: "Metrics at", Value: cmp.Or(cfg.MetricsAddr, "No address: off"), Variable: "LATCHKEY_METRICS_ADDR"},
			{Label: "Log format", Value: string(cfg.LogFormat), Variable: "LATCHKEY_LOG_FORMAT"},
			{Label: "Log level", Value: strings.ToLower(cfg.LogLevel.String()), Variable: "LATCHKEY_LOG_LEVEL"},
		}},
	}
}

// databaseWords names the kind and the place of a database. It leaves out the
// user, the password and the parameters, which may hold another password.
func databaseWords(d config.Database) string {
	if d.Dialect == config.SQLite {
		return "SQLite, " + d.Path
	}
	u, err := url.Parse(string(d.URL.Bytes()))
	if err != nil {
		return "PostgreSQL"
	}
	return "PostgreSQL, " + strings.TrimPrefix(u.Host+u.Path, "/")
}

func signupWords(signup config.Signup) string {
	switch signup {
	case config.SignupOpen:
		return "Open to everyone"
	case config.SignupInvite:
		return "By invitation"
	}
	return "Closed: admins add users"
}

// mailWords says where mail goes. It leaves out the user and the password.
func mailWords(m config.Mail) string {
	switch {
	case m.Folder != "":
		return "Files in " + m.Folder
	case !m.SMTP():
		return "None"
	}
	return net.JoinHostPort(m.Host, strconv.Itoa(m.Port)) + either(m.ImplicitTLS, ", TLS", ", STARTTLS")
}

func stepWords(policy config.RequireTwoStep) string {
	switch policy {
	case config.TwoStepAdmins:
		return "Of admins"
	case config.TwoStepAll:
		return "Of everybody"
	case config.TwoStepOff:
	}
	return "Of nobody"
}

func verifyWords(policy config.VerifyEmail) string {
	switch policy {
	case config.VerifyOn:
		return "Yes"
	case config.VerifyRequired:
		return "Yes, before anything else"
	case config.VerifyOff:
	}
	return "No"
}

func secretWords(cfg *config.Config) string {
	if cfg.Secret.IsZero() {
		return "Generated, in the file " + filepath.Base(cfg.SecretPath()) + " beside the database"
	}
	return "Set"
}

// inWords writes a duration in the largest unit that fits: "7 days".
func inWords(d time.Duration) string {
	for _, unit := range []struct {
		length time.Duration
		name   string
	}{{24 * time.Hour, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}, {time.Second, "second"}} {
		if n := d / unit.length; d%unit.length == 0 && (n > 0 || unit.length == time.Second) {
			if n == 1 {
				return "1 " + unit.name
			}
			return fmt.Sprintf("%d %ss", n, unit.name)
		}
	}
	return d.String()
}

func either(condition bool, yes, no string) string {
	if condition {
		return yes
	}
	return no
}

// listed writes values with commas between them.
func listed[T any](values []T) string {
	var words []string
	for _, value := range values {
		words = append(words, fmt.Sprint(value))
	}
	return cmp.Or(strings.Join(words, ", "), "None")
}
