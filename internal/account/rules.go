package account

import (
	"fmt"
	"net/mail"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"latchkey/internal/apperr"
	"latchkey/models"
)

// Limits of the fields of an account (docs/security.md, "Input rules").
const (
	minUsername = 2
	maxUsername = 32
	maxEmail    = 254 // bytes, RFC 5321 §4.5.3.1.3 less the brackets
	maxFullName = 128 // code points
	maxReason   = 500 // code points
)

// reservedUsernames could be mistaken for the portal, its operator or its
// paths. Admins and commands can assign them; people cannot choose them
// themselves.
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

// checkUsername returns a sentence when a folded username breaks the rules.
func checkUsername(username string) string {
	if username == "" {
		return "Enter a username."
	}
	if len(username) < minUsername || len(username) > maxUsername {
		return "Use 2 to 32 characters."
	}
	for i, c := range []byte(username) {
		letter := c >= 'a' && c <= 'z' || c >= '0' && c <= '9'
		inner := (c == '.' || c == '_' || c == '-') && i > 0 && i < len(username)-1
		if !letter && !inner {
			return "Use letters a to z and digits. Dots, hyphens and underscores may only stand between them." + containing(username, notInUsernames)
		}
	}
	return ""
}

// notInUsernames reports a character that no username has.
func notInUsernames(r rune) bool {
	return (r < 'a' || r > 'z') && (r < '0' || r > '9') && !strings.ContainsRune("._-", r)
}

// checkOwnUsername is checkUsername for a username that people choose
// themselves.
func (s *Service) checkOwnUsername(username string) string {
	if reservedUsernames[username] || slices.Contains(s.reserved, username) {
		return "This username is reserved. Choose another."
	}
	return checkUsername(username)
}

// checkEmail returns a sentence when text is not one plain address.
func checkEmail(text string) string {
	const example = "Enter an email address like name@example.com."
	if text == "" {
		return "Enter an email address."
	}
	if len(text) > maxEmail {
		return "Use an email address of at most 254 characters."
	}
	address, err := mail.ParseAddress(text)
	if err != nil || address.Address != text || address.Name != "" || strings.ContainsFunc(text, hidden) || strings.ContainsRune(text, ' ') {
		return example + containing(text, func(r rune) bool { return unicode.IsSpace(r) || hidden(r) || r == '\uff20' || r == '\ufe6b' })
	}
	local, domain, _ := strings.Cut(text, "@")
	if local == "" || strings.Contains(domain, "@") || strings.HasPrefix(domain, "[") || strings.ContainsAny(local, `"<>`) {
		return example
	}
	return ""
}

// checkFullName returns a sentence when a name cannot be shown as it is.
func checkFullName(name string) string {
	if utf8.RuneCountInString(name) > maxFullName {
		return "Use a name of at most 128 characters."
	}
	if hasControl(name) {
		return "A name cannot contain invisible or control characters." + containing(name, unreadable)
	}
	return ""
}

// checkReason returns a sentence when a note for the audit log, a line without
// breaks, is too long or cannot be shown as it is.
func checkReason(reason string) string {
	if utf8.RuneCountInString(reason) > maxReason {
		return "Use a reason of at most 500 characters."
	}
	if hasControl(reason) {
		return "The reason cannot contain invisible or control characters."
	}
	return ""
}

// hasControl reports whether text has characters that cannot be seen or change
// how the text around them is shown.
func hasControl(text string) bool { return strings.ContainsFunc(text, unreadable) }

// unreadable reports controls, bidirectional and other invisible formats, line
// separators. Zero-width joiners are allowed, because several scripts need
// them.
func unreadable(r rune) bool { return hidden(r) && r != '\u200c' && r != '\u200d' }

// hidden reports a character that cannot be seen.
func hidden(r rune) bool {
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Co, unicode.Cs) || r == utf8.RuneError
}

// containing returns a sentence that names the first refused character of text,
// or "" when there is none.
func containing(text string, refused func(rune) bool) string {
	i := strings.IndexFunc(text, refused)
	if i < 0 {
		return ""
	}
	r, _ := utf8.DecodeRuneInString(text[i:])
	switch {
	case r == ' ':
		return " It contains a space."
	case hidden(r) || unicode.IsSpace(r):
		return fmt.Sprintf(" It contains an invisible character (%U).", r)
	}
	return " It contains “" + string(r) + "”."
}

// withLeftOut adds to the problem of a field which invisible characters were
// left out of the typed text.
func withLeftOut(problem, typed string) string {
	left := models.Pasted(typed)
	if problem == "" || len(left) == 0 {
		return problem
	}
	var names []string
	for _, r := range left {
		names = append(names, fmt.Sprintf("%U", r))
	}
	return problem + " Invisible characters were left out: " + strings.Join(names, ", ") + "."
}

// localPart returns the part of an email address before the @. A password must
// not be based on it.
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

// tidy returns the fields as they are stored.
func (p Profile) tidy() Profile {
	return Profile{Username: models.FoldUsername(p.Username), Email: models.TidyName(p.Email), FullName: models.TidyName(p.FullName)}
}

// check returns the problems of the fields as they were typed, in the order of the
// forms; username checks
// the username.
func (p Profile) check(username func(string) string) apperr.Fields {
	tidy := p.tidy()
	var wrong apperr.Fields
	wrong.Add("email", withLeftOut(checkEmail(tidy.Email), p.Email))
	wrong.Add("username", withLeftOut(username(tidy.Username), p.Username))
	wrong.Add("full_name", withLeftOut(checkFullName(tidy.FullName), p.FullName))
	return wrong
}
