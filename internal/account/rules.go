package account

import (
	"net/mail"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"latchkey/internal/apperr"
	"latchkey/models"
)

// What accounts may be called (docs/security.md, "Input rules").
const (
	minUsername = 2
	maxUsername = 32
	maxEmail    = 254 // bytes, RFC 5321 §4.5.3.1.3 less the brackets
	maxFullName = 64  // code points
	maxReason   = 500 // code points
)

// reservedUsernames would be taken for the portal, its operator or its paths.
// Who runs the portal may have them; who comes along may not.
var reservedUsernames = map[string]bool{
	"abuse": true, "account": true, "admin": true, "administrator": true, "anonymous": true, "api": true, "auth": true,
	"billing": true, "contact": true, "daemon": true, "docs": true, "everyone": true, "guest": true, "help": true,
	"hostmaster": true, "info": true, "latchkey": true, "legal": true, "login": true, "logout": true, "mail": true,
	"me": true, "moderator": true, "nobody": true, "noreply": true, "no-reply": true, "null": true, "official": true,
	"operator": true, "owner": true, "portal": true, "postmaster": true, "privacy": true, "profile": true, "root": true,
	"security": true, "setup": true, "signin": true, "signup": true, "somebody": true, "staff": true, "static": true,
	"status": true, "superuser": true, "support": true, "sysadmin": true, "system": true, "terms": true, "test": true,
	"undefined": true, "user": true, "username": true, "users": true, "webmaster": true, "well-known": true,
}

// FoldUsername returns the form of a typed username that is stored and
// compared.
func FoldUsername(username string) string { return models.FoldUsername(strings.TrimSpace(username)) }

// checkUsername returns a sentence when a folded username breaks the rules.
func checkUsername(username string) string {
	if username == "" {
		return "Enter a username."
	}
	if len(username) < minUsername || len(username) > maxUsername {
		return "A username has 2 to 32 characters."
	}
	for i, c := range []byte(username) {
		letter := c >= 'a' && c <= 'z' || c >= '0' && c <= '9'
		inner := (c == '.' || c == '_' || c == '-') && i > 0 && i < len(username)-1
		if !letter && !inner {
			return "Use letters a to z and digits, with dots, hyphens or underscores only in between."
		}
	}
	return ""
}

// checkOwnUsername is checkUsername for one that people choose for themselves.
func checkOwnUsername(username string) string {
	if reservedUsernames[username] {
		return "This username is reserved. Choose another."
	}
	return checkUsername(username)
}

// checkEmail returns a sentence when text is not one plain address.
func checkEmail(text string) string {
	const example = "Enter an email address like name@example.com."
	if text == "" {
		return "Enter your email address."
	}
	if len(text) > maxEmail {
		return "An email address has at most 254 characters."
	}
	address, err := mail.ParseAddress(text)
	if err != nil || address.Address != text || address.Name != "" || hasControl(text) || strings.ContainsRune(text, ' ') {
		return example
	}
	local, domain, _ := strings.Cut(text, "@")
	if local == "" || strings.Contains(domain, "@") || strings.HasPrefix(domain, "[") || strings.ContainsAny(local, `"<>`) {
		return example
	}
	return ""
}

// tidyFullName returns a name in NFC without space around it.
func tidyFullName(name string) string { return norm.NFC.String(strings.TrimSpace(name)) }

// checkFullName returns a sentence when a name cannot be shown as it is.
func checkFullName(name string) string {
	if utf8.RuneCountInString(name) > maxFullName {
		return "A name has at most 64 characters."
	}
	if hasControl(name) {
		return "A name cannot contain invisible or control characters."
	}
	return ""
}

// checkReason returns a sentence when a note for the audit log, a line without
// breaks, is too long or cannot be shown as it is.
func checkReason(reason string) string {
	if utf8.RuneCountInString(reason) > maxReason {
		return "The reason has at most 500 characters."
	}
	if hasControl(reason) {
		return "The reason cannot contain invisible or control characters."
	}
	return ""
}

// hasControl reports characters that would change how a text around them
// reads: controls, bidirectional and other invisible formats, line separators.
// The zero-width joiners are letters' business in several scripts.
func hasControl(text string) bool {
	return strings.ContainsFunc(text, func(r rune) bool {
		if r == '\u200c' || r == '\u200d' {
			return false
		}
		return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Co, unicode.Cs) || r == utf8.RuneError
	})
}

// localPart is what a password must not be built on.
func localPart(email string) string {
	local, _, _ := strings.Cut(email, "@")
	return local
}

// Profile has the fields of an account that a person fills in.
type Profile struct {
	Username string
	Email    string
	FullName string
}

// tidy folds and trims what may be folded and trimmed.
func (p Profile) tidy() Profile {
	return Profile{Username: FoldUsername(p.Username), Email: strings.TrimSpace(p.Email), FullName: tidyFullName(p.FullName)}
}

// check returns what is wrong with each field; username has the rules of that.
func (p Profile) check(username func(string) string) apperr.Fields {
	var wrong apperr.Fields
	wrong.Add("username", username(p.Username))
	wrong.Add("email", checkEmail(p.Email))
	wrong.Add("full_name", checkFullName(p.FullName))
	return wrong
}
