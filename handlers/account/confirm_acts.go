package account

import (
	"strings"

	"latchkey/handlers/site"
	"latchkey/models"
)

// acts says what a page is for, as it completes "You are about to". A * stands for an
// id.
var acts = map[string]string{
	"/profile/email":                      "change your email address",
	"/profile/username":                   "change your username",
	"/profile/tokens":                     "create an access token",
	"/profile/export":                     "download your data",
	"/profile/delete":                     "delete your account",
	"/profile/security/app":               "change your authenticator app",
	"/profile/security/app/off":           "turn off two-step sign-in",
	"/profile/security/codes":             "make new recovery codes",
	"/profile/security/passkeys/new":      "add a passkey",
	"/profile/security/passkeys/*":        "change a passkey",
	"/profile/security/passkeys/*/remove": "remove a passkey",
	"/admin/users/bulk":                   "change several accounts",
	"/admin/users/new":                    "add a user",
	"/admin/users/*":                      "change another person’s account",
	"/admin/users/*/edit":                 "edit another person’s account",
	"/admin/users/*/disable":              "disable an account",
	"/admin/users/*/sign-out":             "sign another person out",
	"/admin/users/*/role":                 "change another person’s role",
	"/admin/users/*/reset-link":           "create a reset link",
	"/admin/users/*/reset-two-step":       "remove another person’s second step",
	"/admin/users/*/delete":               "delete an account",
	"/admin/users/*/tokens/*/end":         "remove another person’s access token",
	"/admin/invitations/new":              "invite someone",
	"/admin/invitations/*/withdraw":       "withdraw an invitation",
	"/admin/mail":                         "send a message",
	"/admin/mail/*":                       "send a message again",
}

// actOf says what a page is for, "" if it is not known.
func actOf(next string) string {
	page, _, _ := strings.Cut(next, "?")
	parts := strings.Split(page, "/")
	for i, part := range parts {
		if models.IsID(part) {
			parts[i] = "*"
		}
	}
	return acts[strings.Join(parts, "/")]
}

// cancelOf returns the page above the page of an act: the page of an act itself would
// only ask again.
func cancelOf(next string) string {
	page, _, _ := strings.Cut(next, "?")
	switch {
	case strings.HasPrefix(page, site.PathSecurity):
		return site.PathSecurity
	case page == "/profile/tokens" || strings.HasPrefix(page, "/admin/mail"):
		return page
	case strings.HasPrefix(page, "/admin/users/"):
		if id := strings.Split(page, "/")[3]; models.IsID(id) {
			return "/admin/users/" + id
		}
		return "/admin/users"
	case strings.HasPrefix(page, "/admin/"):
		return strings.Join(strings.Split(page, "/")[:3], "/")
	}
	return "/profile"
}
