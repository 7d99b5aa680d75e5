package e2e

import (
	"net/http"
	"net/url"
	"testing"
)

// bearer requests /users/me with a token and returns the status.
func (p *portal) bearer(token string) int {
	p.t.Helper()
	request, err := http.NewRequest(http.MethodGet, p.url+"/users/me", nil)
	if err != nil {
		p.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		p.t.Fatal(err)
	}
	_ = response.Body.Close()
	return response.StatusCode
}

// createToken fills in the form for an access token and sends it.
func (b *tab) createToken(name string) int {
	b.Helper()
	b.fill("Name", name)
	b.tick("30 days")
	return b.press("Create token")
}

// shownToken returns the access token that the page shows once.
func (b *tab) shownToken() string {
	b.Helper()
	return ask[string](b, `document.getElementById("token").innerText`)
}

func TestAccessToken(t *testing.T) {
	eachMode(t, func(t *testing.T, script bool) {
		p := startPortal(t)
		ana := p.signUp(newAccount("ana", "Ana Silva"))
		b := open(t, p, script)
		b.signIn(ana.username, ana.password)
		b.press("Access tokens")
		b.wantAt("/profile/tokens")
		b.see("No access tokens yet.")

		b.tick("Change this account")
		b.wantStatus(b.createToken(""), 422)
		b.see("There is a problem", "Enter a name that reminds you what the token is for.") // the ticks stay
		b.wantStatus(b.createToken("Nightly backup"), 200)
		b.see("Token created", "You will not see it again.", "Permissions: read this account, change this account.")
		token := b.shownToken()
		if got := p.bearer(token); got != http.StatusOK {
			t.Errorf("the token that was shown: got status %d, want 200", got)
		}

		b.press("I have copied it")
		b.wantAt("/profile/tokens")
		b.wantNot(token)
		b.see("Nightly backup", "lk_…"+token[len(token)-4:], "Last used", "127.0.0.1")
		b.visit("/profile")
		b.see("You created an access token.")

		b.visit("/profile/tokens")
		b.question("Remove Nightly backup")
		b.see("Remove the token “Nightly backup”?")
		b.press("Remove token")
		b.wantAt("/profile/tokens")
		b.see("The access token “Nightly backup” is removed.", "No longer working")
		if got := p.bearer(token); got != http.StatusUnauthorized {
			t.Errorf("the removed token: got status %d, want 401", got)
		}
	})
}

// TestTokenPages inspects the pages about access tokens in their states.
func TestTokenPages(t *testing.T) {
	t.Parallel()
	p := startPortal(t)
	ana := p.signUp(newAccount("ana", "Ana Silva"))
	boss := p.admin(newAccount("boss", "The Boss"))
	b := open(t, p, true)
	b.signIn(ana.username, ana.password)
	b.visit("/profile/tokens")
	b.inspect("tokens empty")
	b.tick("Read this account") // clears the box, so that no permission is chosen
	b.wantStatus(b.press("Create token"), 422)
	b.see("Choose what the token may do.")
	b.inspect("tokens wrong")
	b.tick("Read this account")
	b.wantStatus(b.createToken("The server in the cellar that makes a copy of everything"), 200)
	b.inspect("token created")
	p.bearer(b.shownToken())
	b.press("I have copied it")
	b.createToken("Photos")
	b.back() // by mistake, before the token was copied
	b.wantAt("/profile/tokens")
	b.see("Photos", "Never used", "A token is shown only once, when you create it.")
	b.question("Remove Photos")
	b.inspect("token end dialog")
	page := ask[string](b, `document.querySelector('a[data-dialog][href$="/end"]').getAttribute("href")`)
	b.visit(page)
	b.inspect("token end")
	b.press("Remove token")
	b.inspect("tokens")
	b.visit("/profile")
	b.inspect("profile with tokens")

	p.tokens(ana, "backup script", "me")
	b.visit("/profile/sessions")
	b.see("API · backup script", "Permissions: read this account.")
	b.inspect("sessions with a program")

	admin := open(t, p, true)
	admin.signIn(boss.username, boss.password)
	admin.findUser("ana", "Ana Silva")
	admin.see("API · backup script", "The server in the cellar")
	admin.inspect("user with tokens")
	admin.question("Remove The server")
	admin.inspect("user token end dialog")
	admin.press("Remove token")
	admin.see("is removed.")
}

// tokens signs an API client in to an account.
func (p *portal) tokens(a account, client, scope string) {
	p.t.Helper()
	response, err := http.PostForm(p.url+"/token", url.Values{
		"username": {a.username}, "password": {a.password}, "client_id": {client}, "scope": {scope},
	})
	if err != nil {
		p.t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusOK {
		p.t.Fatalf("POST /token: got %s", response.Status)
	}
}
