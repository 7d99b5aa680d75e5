package config

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMail(t *testing.T) {
	const public = "https://id.example.org"
	portal := `"Latchkey" <no-reply@id.example.org>`
	tests := []struct {
		name   string
		vars   map[string]string
		want   Mail
		verify VerifyEmail
	}{
		{"nothing on a public URL", map[string]string{"LATCHKEY_PUBLIC_URL": public}, Mail{From: portal}, VerifyOff},
		{
			"nothing on loopback",
			map[string]string{"LATCHKEY_DATABASE_URL": "sqlite:/srv/x/portal.db", "LATCHKEY_PUBLIC_URL": "http://127.0.0.1:8080"},
			Mail{Folder: "/srv/x/mail", From: `"Latchkey" <no-reply@[127.0.0.1]>`},
			VerifyOff,
		},
		{
			"nothing on loopback, PostgreSQL",
			map[string]string{"LATCHKEY_DATABASE_URL": postgresIn, "LATCHKEY_SECRET": goodHex, "LATCHKEY_PUBLIC_URL": "http://[::1]:8080"},
			Mail{Folder: "data/mail", From: `"Latchkey" <no-reply@localhost>`},
			VerifyOff,
		},
		{"a folder", map[string]string{"LATCHKEY_PUBLIC_URL": public, "LATCHKEY_SMTP_URL": "file:/srv/mail/"}, Mail{Folder: "/srv/mail", From: portal}, VerifyOff},
		{
			"verification with a folder",
			map[string]string{"LATCHKEY_SMTP_URL": "file:x", "LATCHKEY_VERIFY_EMAIL": "required"},
			Mail{Folder: "x", From: `"Latchkey" <no-reply@localhost>`},
			VerifyRequired,
		},
		{
			"STARTTLS",
			map[string]string{"LATCHKEY_PUBLIC_URL": public, "LATCHKEY_SMTP_URL": "smtp://me%40example.org:p%2Fw%3A@mail.example.org"},
			Mail{Host: "mail.example.org", Port: 587, Username: "me@example.org", Password: NewSecret([]byte("p/w:")), From: portal},
			VerifyOn,
		},
		{
			"TLS",
			map[string]string{"LATCHKEY_PUBLIC_URL": public, "LATCHKEY_SMTP_URL": "smtps://mail.example.org:2465/", "LATCHKEY_VERIFY_EMAIL": "off"},
			Mail{Host: "mail.example.org", Port: 2465, ImplicitTLS: true, From: portal},
			VerifyOff,
		},
		{
			"IPv6, from a file",
			map[string]string{"LATCHKEY_PUBLIC_URL": public, "LATCHKEY_SMTP_URL_FILE": writeFile(t, "smtp://[::1]:25\n", 0o600)},
			Mail{Host: "::1", Port: 25, From: portal},
			VerifyOn,
		},
		{
			"a bare sender",
			map[string]string{"LATCHKEY_PUBLIC_URL": public, "LATCHKEY_MAIL_FROM": "accounts@example.org", "LATCHKEY_BRAND_NAME": "Harbour"},
			Mail{From: "<accounts@example.org>"},
			VerifyOff,
		},
		{
			"a brand with a comma",
			map[string]string{"LATCHKEY_PUBLIC_URL": public, "LATCHKEY_BRAND_NAME": `Doe, "J" & Co`},
			Mail{From: `"Doe, \"J\" & Co" <no-reply@id.example.org>`},
			VerifyOff,
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := mustLoad(t, test.vars)
			if diff := cmp.Diff(test.want, c.Mail); diff != "" {
				t.Errorf("Mail (-want +got):\n%s", diff)
			}
			if c.VerifyEmail != test.verify {
				t.Errorf("VerifyEmail: got %s, want %s", c.VerifyEmail, test.verify)
			}
		})
	}
}

// TestMailProblems checks that each wrong value is one problem that does not
// repeat the password.
func TestMailProblems(t *testing.T) {
	tests := []struct{ name, value, want string }{
		{"LATCHKEY_SMTP_URL", "mail.example.org:587", "does not begin with smtps://, smtp:// or file:"},
		{"LATCHKEY_SMTP_URL", "mail.example.org", "does not begin with smtps://, smtp:// or file:"},
		{"LATCHKEY_SMTP_URL", "https://me:hunter2@mail.example.org", "does not begin with smtps://, smtp:// or file:"},
		{"LATCHKEY_SMTP_URL", "smtp://me:hunter2@", "names no host"},
		{"LATCHKEY_SMTP_URL", "smtp://me:hunter2@:587", "names no host"},
		{"LATCHKEY_SMTP_URL", "smtp://me:hunter2#x@mail.example.org", "is not a URL; percent-encode special characters in the password"},
		{"LATCHKEY_SMTP_URL", "smtp://me:hunter2%zz@mail.example.org", "is not a URL; percent-encode"},
		{"LATCHKEY_SMTP_URL", "smtp://me:hunter2@mail.example.org:0", "from 1 to 65535"},
		{"LATCHKEY_SMTP_URL", "smtp://me:hunter2@mail.example.org:70000", "from 1 to 65535"},
		{"LATCHKEY_SMTP_URL", "smtp://me:hunter2@mail.example.org:smtp", "is not a URL"},
		{"LATCHKEY_SMTP_URL", "smtp://me:hunter2@mail.example.org/inbox", "after the host and the port"},
		{"LATCHKEY_SMTP_URL", "smtp://me:hunter2@mail.example.org?tls=no", "after the host and the port"},
		{"LATCHKEY_SMTP_URL", "smtp://hunter2@mail.example.org", "needs both a user and a password"},
		{"LATCHKEY_SMTP_URL", "smtp://:hunter2@mail.example.org", "needs both a user and a password"},
		{"LATCHKEY_SMTP_URL", "smtp://me:hunter2%0D%0A@mail.example.org", "without control characters"},
		{"LATCHKEY_SMTP_URL", "file:", "has no folder after file:"},
		{"LATCHKEY_MAIL_FROM", "Example Accounts", "set it to an address"},
		{"LATCHKEY_MAIL_FROM", "a@example.org, b@example.org", "set it to an address"},
		{"LATCHKEY_MAIL_FROM", "Example <no-reply@example.org>\r\nBcc: x@example.org", "set it to an address"},
		{"LATCHKEY_MAIL_FROM", "\"a\r\n b\" <no-reply@example.org>", "set it to an address"},
		{"LATCHKEY_MAIL_FROM", strings.Repeat("a", 250) + "@b.org", "set it to an address"},
	}
	for _, test := range tests {
		t.Run(test.name+"="+short(test.value), func(t *testing.T) {
			vars := map[string]string{test.name: test.value, "LATCHKEY_PUBLIC_URL": "https://id.example.org", "LATCHKEY_VERIFY_EMAIL": "on"}
			if test.name == "LATCHKEY_MAIL_FROM" {
				vars["LATCHKEY_VERIFY_EMAIL"] = "off"
			}
			wantProblem(t, vars, test.name, test.want)
			if _, _, err := load(t, vars); err != nil && strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the password is in the problem: %v", err)
			}
		})
	}
}

// TestVerifyWithoutMail checks that nobody can be asked to verify an address while
// no mail can be sent.
func TestVerifyWithoutMail(t *testing.T) {
	for _, policy := range []string{"on", "required"} {
		wantProblem(t, map[string]string{"LATCHKEY_PUBLIC_URL": "https://id.example.org", "LATCHKEY_VERIFY_EMAIL": policy},
			"LATCHKEY_VERIFY_EMAIL", "is "+policy+", but no mail can be sent; set LATCHKEY_SMTP_URL, or set it to off")
	}
}
