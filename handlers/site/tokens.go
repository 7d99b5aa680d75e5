package site

import (
	"time"

	"latchkey/internal/account"
	"latchkey/internal/audit"
	"latchkey/internal/oauth"
	"latchkey/models"
	"latchkey/views/pages"
)

// expiresSoon is how long before its end an access token is marked.
const expiresSoon = 3 * 24 * time.Hour

// TokenRow describes a personal access token for the lists of its owner and of
// admins. admin is the owner's role, which bounds the scopes. below is the path
// of the list if the token can be removed there, else "".
func (s *Site) TokenRow(token account.PersonalToken, admin bool, below string) pages.TokenRow {
	row := pages.TokenRow{
		Name: token.Name, Hint: oauth.PersonalPrefix + "…" + token.Hint, Scopes: scopeLabels(token.Scopes, admin),
		Created: token.CreatedAt, Expires: token.ExpiresAt, Soon: token.ExpiresAt.Sub(s.Now()) < expiresSoon,
		LastUsed: token.LastUsedAt, LastUsedFrom: token.LastUsedIP,
	}
	if below != "" {
		row.EndURL = below + token.ID + "/end"
	}
	if !token.EndedAt.IsZero() {
		row.Over, row.Why, row.When = "Removed", audit.EndingOf(token.EndReason).Token, token.EndedAt
		if token.EndReason == models.ReasonExpired {
			row.Over = "Expired"
		}
	}
	return row
}

// scopeLabels name the scopes that a token has and its owner's role allows.
func scopeLabels(scopes oauth.Scopes, admin bool) []string {
	labels := []string{}
	for _, scope := range oauth.AllowedScopes(admin) {
		if scopes.Has(scope) {
			label, _ := ScopeWords(scope)
			labels = append(labels, label)
		}
	}
	return labels
}

// ScopeWords name a scope and explain it.
func ScopeWords(scope oauth.Scope) (label, hint string) {
	switch scope {
	case oauth.ScopeMe:
		return "Read this account", "Your username, email and full name."
	case oauth.ScopeMeWrite:
		return "Change this account", "Your username and full name."
	case oauth.ScopeApps:
		return "Open apps", "The apps behind this portal, as you: for a calendar, file sync or any other program that cannot use the sign-in page."
	case oauth.ScopeUsers:
		return "Read all accounts", "Everyone’s accounts and sessions."
	case oauth.ScopeUsersWrite:
		return "Change all accounts", "Disable and enable accounts, change roles and names, sign people out."
	case oauth.ScopeIntrospect:
		return "Check tokens", "For an app that receives tokens: check whether a token is valid and whose it is."
	}
	return string(scope), ""
}
