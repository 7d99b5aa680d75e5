package e2e

import (
	"net/http"
	"testing"
)

// useCopy uses the session of a browser twice with a copy of its refresh token, as a
// thief does.
func (b *tab) useCopy() {
	b.Helper()
	refresh := b.cookies()["refresh"].Value
	for range 2 {
		request, err := http.NewRequestWithContext(b.Context(), http.MethodGet, b.portal.url+"/profile", http.NoBody)
		b.must("copy a session", err)
		request.Header.Set("User-Agent", firefox)
		request.AddCookie(&http.Cookie{Name: "refresh", Value: refresh})
		response, err := http.DefaultClient.Do(request)
		b.must("use a copy of a session", err)
		_ = response.Body.Close()
		for _, cookie := range response.Cookies() {
			if cookie.Name == "refresh" {
				refresh = cookie.Value
			}
		}
	}
}

// TestReplayStory reads what happened to a copied session and secures the account.
func TestReplayStory(t *testing.T) {
	eachMode(t, func(t *testing.T, script bool) {
		p := startPortal(t, shortLived)
		ana := p.signUp(newAccount("ana", "Ana Silva"))
		b := open(t, p, script)
		b.signIn(ana.username, ana.password)
		b.useCopy()
		b.untilExpired()
		b.visit("/profile")
		b.wantAt("/login?next=%2Fprofile")
		b.see("someone may have used a copy of it")
		b.fill("Email or username", ana.username)
		b.fill("Password", ana.password)
		b.press("Sign in")
		b.see("We ended one of your sessions because a copy of it was used.")
		look(b, script, "account after a replay")
		b.press("See what happened")
		b.see("First use", "Firefox on Windows", "Second use, which ended the session", "Chrome on Linux")
		look(b, script, "replay")
		b.press("Secure my account")
		b.wantAt("/login")
		b.see("Your account was secured, and every device was signed out. Choose a new password with the link that we mailed to you.")
	})
}
