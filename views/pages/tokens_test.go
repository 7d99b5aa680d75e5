package pages

import (
	"testing"

	"latchkey/views/components"
	"latchkey/views/layouts"
)

func sampleTokens() []TokenRow {
	return []TokenRow{
		{
			Name: "Nightly backup", Hint: "lk_…a2b3", Scopes: []string{"Read this account"}, Created: sampleTime, Expires: sampleTime,
			Soon: true, LastUsed: sampleTime, LastUsedFrom: "203.0.113.7", EndURL: "/profile/tokens/t/end",
		},
		{Name: "<b>Photos</b>", Hint: "lk_…c4d5", Created: sampleTime, Expires: sampleTime, EndURL: "/profile/tokens/u/end"},
	}
}

func tokenSamples() []sample {
	form := TokenForm{Days: "90", Scopes: []components.Option{
		{Value: "me", Label: "Read this account", Hint: "Your username.", Selected: true}, {Value: "users:write", Label: "Change all accounts"},
	}}
	wrong := form
	wrong.Errors = errorsOf("name", "scope", "current_password")
	ended := TokenRow{Name: "Old script", Hint: "lk_…e6f7", Over: "Removed", Why: "Removed by an admin", When: sampleTime}
	page := signedIn("Access tokens", layouts.SectionNone)
	return []sample{
		{"tokens", Tokens(page, TokensView{Tokens: sampleTokens(), Ended: []TokenRow{ended}, Form: form})},
		{"tokens empty", Tokens(page, TokensView{Form: form})},
		{"tokens errors", Tokens(page, TokensView{Tokens: sampleTokens(), Form: wrong})},
		{"token created", TokenCreated(page, TokenCreatedView{TokenRow: sampleTokens()[0], Secret: "lk_secret"})},
		{"token end", Confirm(page, RemoveToken(sampleTokens()[0]))},
		{"user token end", Confirm(page, RemoveUserToken(sampleTarget, sampleTokens()[0]))},
		{"docs", Docs(signedOut("API"), DocsView{PublicURL: "https://id.example.org", DocumentURL: "/openapi.json", Groups: []EndpointGroup{
			{Name: "Tokens", Text: "Get tokens.", Endpoints: []Endpoint{{Method: "POST", Path: "/token", Summary: "Get tokens"}}},
			{Name: "Users", Endpoints: []Endpoint{
				{Method: "GET", Path: "/users/me", Summary: "Read", Token: true, Scopes: []string{"me"}},
				{Method: "DELETE", Path: "/users/{id}", Summary: "Delete", Token: true},
			}},
		}})},
	}
}

// TestTokenRows checks that tokens can be told apart, in the list and by the names of
// their buttons.
func TestTokenRows(t *testing.T) {
	doc := parse(t, sampleNamed(t, "tokens"))
	var got []string
	for _, li := range doc.all("li") {
		for _, p := range doc.inside(li, "p") {
			if p.attrs["class"] != "name" {
				continue
			}
			text := p.text + "|"
			for _, a := range doc.inside(li, "a") {
				text += a.text + "|" + a.attrs["href"] + "|" + doc.inside(doc.byID(a.attrs["data-dialog"]), "h2")[0].text
			}
			got = append(got, text)
		}
	}
	want := []string{
		"Nightly backup Expires soon|Remove Nightly backup, lk_…a2b3|/profile/tokens/t/end|Remove the token “Nightly backup”?",
		"<b>Photos</b>|Remove <b>Photos</b>, lk_…c4d5|/profile/tokens/u/end|Remove the token “<b>Photos</b>”?",
		"Old script Removed|",
	}
	for i := range want {
		if i >= len(got) || got[i] != want[i] {
			t.Errorf("got %q, want %q", got, want)
			break
		}
	}
}
