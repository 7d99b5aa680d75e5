package config

const (
	prefix     = "LATCHKEY_"
	fileSuffix = "_FILE"

	nameAddr                  = "LATCHKEY_ADDR"
	namePublicURL             = "LATCHKEY_PUBLIC_URL"
	nameInsecureHTTP          = "LATCHKEY_INSECURE_HTTP"
	nameHSTSIncludeSubdomains = "LATCHKEY_HSTS_INCLUDE_SUBDOMAINS"
	nameCookieDomain          = "LATCHKEY_COOKIE_DOMAIN"
	nameForwardAuthFile       = "LATCHKEY_FORWARD_AUTH_FILE"
	nameDatabaseURL           = "LATCHKEY_DATABASE_URL"
	nameDatabasePool          = "LATCHKEY_DATABASE_POOL"
	nameBackupDir             = "LATCHKEY_BACKUP_DIR"
	nameBackupEvery           = "LATCHKEY_BACKUP_EVERY"
	nameBackupKeep            = "LATCHKEY_BACKUP_KEEP"
	nameDrain                 = "LATCHKEY_DRAIN"
	nameMetricsAddr           = "LATCHKEY_METRICS_ADDR"
	nameSecret                = "LATCHKEY_SECRET"
	nameSecretPrevious        = "LATCHKEY_SECRET_PREVIOUS"
	nameAccessTTL             = "LATCHKEY_ACCESS_TTL"
	nameRefreshTTL            = "LATCHKEY_REFRESH_TTL"
	nameSessionTTL            = "LATCHKEY_SESSION_TTL"
	nameRefreshGrace          = "LATCHKEY_REFRESH_GRACE"
	nameSMTPURL               = "LATCHKEY_SMTP_URL"
	nameMailFrom              = "LATCHKEY_MAIL_FROM"
	nameVerifyEmail           = "LATCHKEY_VERIFY_EMAIL"
	nameSignup                = "LATCHKEY_SIGNUP"
	namePasswordMin           = "LATCHKEY_PASSWORD_MIN"
	namePasswordGrant         = "LATCHKEY_PASSWORD_GRANT"
	nameTokenRenewal          = "LATCHKEY_TOKEN_RENEWAL"
	nameAPICORSOrigins        = "LATCHKEY_API_CORS_ORIGINS"
	nameTrustedProxies        = "LATCHKEY_TRUSTED_PROXIES"
	nameRequireTwoStep        = "LATCHKEY_REQUIRE_TWO_STEP"
	nameLimits                = "LATCHKEY_LIMITS"
	nameLogFormat             = "LATCHKEY_LOG_FORMAT"
	nameLogLevel              = "LATCHKEY_LOG_LEVEL"
	nameBrandName             = "LATCHKEY_BRAND_NAME"
	nameBrandAccent           = "LATCHKEY_BRAND_ACCENT"
	nameBrandLogo             = "LATCHKEY_BRAND_LOGO"
	nameSupportEmail          = "LATCHKEY_SUPPORT_EMAIL"
)

// Variable documents one environment variable. Texts are Markdown.
type Variable struct {
	// Name is the full name of the variable.
	Name string
	// Default is the value used when the variable is unset, empty for none.
	Default string
	// Unset says in words what happens without a value; it is given only when
	// there is no fixed Default.
	Unset string
	// Meaning says what the variable does and what it accepts.
	Meaning string
	// Secret reports whether the value must not be shown, and whether it may
	// come from the file that NAME_FILE names.
	Secret bool
}

// Variables returns every variable that Load reads, in the order of the
// documentation. NAME_FILE of a secret is not listed on its own.
func Variables() []Variable {
	return []Variable{
		{Name: nameAddr, Default: "localhost:8080", Meaning: "The address to listen on, `host:port`. Without a host (`:8080`) it listens on every interface."},
		{Name: namePublicURL, Unset: "`http://localhost:PORT`, with the port of `LATCHKEY_ADDR`", Meaning: "The address people type: scheme and host, no path. Cookies, links and redirects are built from it, never from a request."},
		{Name: nameInsecureHTTP, Default: "0", Meaning: "`1` allows an `http` public URL on a host that is not loopback. Passwords then cross the network in the clear."},
		{Name: nameHSTSIncludeSubdomains, Default: "true", Meaning: "`false` leaves `includeSubDomains` out of `Strict-Transport-Security`, for a host that has subdomains without https."},
		{Name: nameCookieDomain, Unset: "only the public URL's host", Meaning: "The domain, such as `example.org`, whose hosts receive the session cookies. Apps behind [forward-auth](forward-auth.md) need it. Every host below the domain can read the cookies."},
		{Name: nameForwardAuthFile, Unset: "forward-auth is off", Meaning: "The path of the file that lists the apps behind [forward-auth](forward-auth.md) and who may open them."},
		{Name: nameDatabaseURL, Default: "sqlite:data/latchkey.db", Meaning: "`sqlite:PATH` or `postgres://…`.", Secret: true},
		{Name: nameDatabasePool, Default: "10", Meaning: "How many connections a process keeps to [PostgreSQL](operations.md#postgresql) at most, 2 to 1000."},
		{Name: nameBackupDir, Unset: "no backups by the server", Meaning: "The folder for the [backups](operations.md#backup-and-restore) that the server makes by itself. It holds copies of every password hash and of the master secret."},
		{Name: nameBackupEvery, Default: "24h", Meaning: "How often the server makes a backup in `LATCHKEY_BACKUP_DIR`, 1m or more."},
		{Name: nameBackupKeep, Default: "7", Meaning: "How many of its backups the server keeps, 1 or more. It removes the oldest."},
		{Name: nameSecret, Unset: "SQLite: generated; PostgreSQL: required", Meaning: "The master secret, 32 random bytes or more, in hex or base64. Every signing key derives from it.", Secret: true},
		{Name: nameSecretPrevious, Unset: "none", Meaning: "The previous master secret, set while you change it. It verifies and decrypts, and never signs.", Secret: true},
		{Name: nameAccessTTL, Default: "5m", Meaning: "The lifetime of an access token, 1s or more."},
		{Name: nameRefreshTTL, Default: "168h", Meaning: "How long a session lives without being used, 1s or more. Without “Stay signed in”, at most 12h."},
		{Name: nameSessionTTL, Default: "720h", Meaning: "How long a session may last in total, 1s or more. Without “Stay signed in”, at most 24h."},
		{Name: nameRefreshGrace, Default: "10s", Meaning: "How long the previous refresh token still works, for requests sent at the same time; 0s or more, preferably at most 60s."},
		{Name: nameSignup, Default: "open", Meaning: "`open`: anyone may create an account; `invite`: anyone with an [invitation](mail.md#invitations); `closed`: only admins add people."},
		{Name: nameSMTPURL, Unset: "loopback public URL: files in the folder `mail` beside the database (PostgreSQL: `data/mail`); else no mail", Meaning: "The [mail](mail.md) server: `smtps://USER:PASSWORD@HOST:465`, or `smtp://USER:PASSWORD@HOST:587` with STARTTLS. `file:FOLDER` writes each message to a file, for trying things out.", Secret: true},
		{Name: nameMailFrom, Unset: "the brand's name and `no-reply@` the public URL's host", Meaning: "The sender of mail: `Name <address>`."},
		{Name: nameVerifyEmail, Unset: "`on` with a mail server, else `off`", Meaning: "Whether people prove that their [address is theirs](mail.md#addresses): `on` asks them to, `required` lets them do nothing else before, `off` takes their word."},
		{Name: nameRequireTwoStep, Default: "off", Meaning: "Who has to have a [second step](two-step.md): `off` (nobody), `admins` or `all`. Those who lack it can do nothing else before they add one."},
		{Name: namePasswordMin, Default: "12", Meaning: "The shortest password accepted, in characters, 8 to 64."},
		{Name: namePasswordGrant, Default: "on", Meaning: "`off` refuses passwords at `POST /token`, so that API clients need a personal access token."},
		{Name: nameTokenRenewal, Default: "on", Meaning: "`off` removes `POST /refresh-token` and `GET /refresh_token`, so that API clients go on with their refresh token at `/token` only."},
		{Name: nameAPICORSOrigins, Unset: "none", Meaning: "Origins (`https://app.example.org`), separated by commas, whose scripts may call the API from a browser, never with cookies."},
		{Name: nameTrustedProxies, Unset: "none", Meaning: "Networks (`10.0.0.0/8`) or addresses, separated by commas, whose `X-Forwarded-For` is believed and that may call `/forward-auth`."},
		{Name: nameLimits, Default: "on", Meaning: "`off` removes the limits on sign-in attempts, for load tests. It needs a loopback public URL."},
		{Name: nameDrain, Unset: "`5s`; `0s` with a loopback public URL", Meaning: "How long the server goes on serving after SIGTERM while `/readyz` returns 503, so that a load balancer takes it out first; 0s to 5m."},
		{Name: nameMetricsAddr, Unset: "no metrics", Meaning: "The address, `host:port`, where `/metrics` answers with [metrics](metrics.md) for Prometheus. Whoever reaches it can read them: use an address that only your own network reaches."},
		{Name: nameLogFormat, Default: "text", Meaning: "`text` or `json`."},
		{Name: nameLogLevel, Default: "info", Meaning: "`debug`, `info`, `warn` or `error`."},
		{Name: nameBrandName, Default: "Latchkey", Meaning: "The name in titles and beside the logo, at most 40 characters."},
		{Name: nameBrandAccent, Unset: "the built-in green", Meaning: "The colour of buttons, as `#rrggbb`. The label, link and dark shades are derived from it."},
		{Name: nameBrandLogo, Unset: "the built-in mark", Meaning: "The path of an SVG or PNG file, at most 512 KB."},
		{Name: nameSupportEmail, Unset: "none", Meaning: "The address shown to people who need help."},
	}
}
