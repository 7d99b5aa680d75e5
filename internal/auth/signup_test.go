package auth_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"latchkey/internal/apperr"
	"latchkey/internal/audit"
	"latchkey/internal/auth"
)

var accountRules = []struct {
	name    string
	account auth.Account
	want    []string // wrong fields; none: the account can be made
}{
	{"plain", auth.Account{Username: "ada", Email: "ada@example.org", FullName: "Ada Lovelace"}, nil},
	{"shortest", auth.Account{Username: "a1", Email: "a@b", FullName: ""}, nil},
	{"longest", auth.Account{Username: strings.Repeat("a", 32), Email: "l@example.org", FullName: strings.Repeat("é", 64)}, nil},
	{"marks inside", auth.Account{Username: "a.b_c-d", Email: "marks@example.org"}, nil},
	{"folded and trimmed", auth.Account{Username: "  UPPER ", Email: " Upper@Example.org ", FullName: " U "}, nil},
	{"digits", auth.Account{Username: "007", Email: "o'brien+tag@sub.example.org"}, nil},
	{"joiners of a script", auth.Account{Username: "persian", Email: "p@example.org", FullName: "می\u200cخواهم"}, nil},
	{"address beyond ASCII", auth.Account{Username: "jorg", Email: "jörg@müller.example"}, nil},

	{"nothing", auth.Account{}, []string{"username", "email"}},
	{"too short", auth.Account{Username: "a", Email: "x@example.org"}, []string{"username"}},
	{"too long", auth.Account{Username: strings.Repeat("a", 33), Email: "x@example.org"}, []string{"username"}},
	{"space inside", auth.Account{Username: "a b", Email: "x@example.org"}, []string{"username"}},
	{"address as username", auth.Account{Username: "a@b.example", Email: "x@example.org"}, []string{"username"}},
	{"other letters", auth.Account{Username: "аda", Email: "x@example.org"}, []string{"username"}}, // a Cyrillic а
	{"mark first", auth.Account{Username: ".ada", Email: "x@example.org"}, []string{"username"}},
	{"mark last", auth.Account{Username: "ada-", Email: "x@example.org"}, []string{"username"}},
	{"NUL", auth.Account{Username: "ad\x00a", Email: "x\x00@example.org", FullName: "A\x00"}, []string{"username", "email", "full_name"}},
	{"reserved", auth.Account{Username: "admin", Email: "x@example.org"}, []string{"username"}},
	{"reserved, in capitals", auth.Account{Username: "Root", Email: "x@example.org"}, []string{"username"}},
	{"reserved, with a mark", auth.Account{Username: "no-reply", Email: "x@example.org"}, []string{"username"}},
	{"no at", auth.Account{Username: "ada2", Email: "example.org"}, []string{"email"}},
	{"two at", auth.Account{Username: "ada2", Email: "a@b@example.org"}, []string{"email"}},
	{"no local part", auth.Account{Username: "ada2", Email: "@example.org"}, []string{"email"}},
	{"no domain", auth.Account{Username: "ada2", Email: "a@"}, []string{"email"}},
	{"two addresses", auth.Account{Username: "ada2", Email: "a@example.org, b@example.org"}, []string{"email"}},
	{"a name before it", auth.Account{Username: "ada2", Email: "Ada <a@example.org>"}, []string{"email"}},
	{"a space inside", auth.Account{Username: "ada2", Email: "a b@example.org"}, []string{"email"}},
	{"quoted", auth.Account{Username: "ada2", Email: `"a b"@example.org`}, []string{"email"}},
	{"an address literal", auth.Account{Username: "ada2", Email: "a@[192.0.2.1]"}, []string{"email"}},
	{"a header", auth.Account{Username: "ada2", Email: "a@example.org\r\nBcc: b@example.org"}, []string{"email"}},
	{"an address of 255 bytes", auth.Account{Username: "ada2", Email: strings.Repeat("a", 243) + "@example.org"}, []string{"email"}},
	{"65 code points", auth.Account{Username: "ada2", Email: "x@example.org", FullName: strings.Repeat("é", 65)}, []string{"full_name"}},
	{"bidi override", auth.Account{Username: "ada2", Email: "x@example.org", FullName: "A\u202eda"}, []string{"full_name"}},
	{"bidi isolate", auth.Account{Username: "ada2", Email: "x@example.org", FullName: "A\u2066da"}, []string{"full_name"}},
	{"zero-width space", auth.Account{Username: "ada2", Email: "x@example.org", FullName: "A\u200bda"}, []string{"full_name"}},
	{"a line end", auth.Account{Username: "ada2", Email: "x@example.org", FullName: "A\nda"}, []string{"full_name"}},
	{"a line separator", auth.Account{Username: "ada2", Email: "x@example.org", FullName: "A\u2028da"}, []string{"full_name"}},
	{"not UTF-8", auth.Account{Username: "ad\xff", Email: "x\xff@example.org", FullName: "A\xff"}, []string{"username", "email", "full_name"}},
	{"all wrong", auth.Account{Username: "-", Email: "-", FullName: "\x01"}, []string{"username", "email", "full_name"}},
}

func TestSignUpRules(t *testing.T) {
	each(t, nil, func(p *portal) {
		for _, test := range accountRules {
			in, err := p.SignUp(p.t.Context(), auth.Signup{Account: test.account, Password: goodPassword, Client: p.client})
			if got := fieldsOf(err); !slices.Equal(got, test.want) || err != nil && got == nil {
				p.t.Errorf("%s: %v, want wrong fields %v", test.name, err, test.want)
				continue
			}
			if len(test.want) > 0 {
				continue
			}
			who := p.identity(in.Tokens)
			if who.Username != strings.ToLower(strings.TrimSpace(test.account.Username)) || who.Email != strings.TrimSpace(test.account.Email) {
				p.t.Errorf("%s: became %q, %q", test.name, who.Username, who.Email)
			}
			if who.Admin || !in.Tokens.Remember {
				p.t.Errorf("%s: admin %v, stays signed in %v; want false and true", test.name, who.Admin, in.Tokens.Remember)
			}
			p.login(test.account.Username)
			p.login(strings.ToUpper(who.Email))
		}
	})
}

func TestSignUpPassword(t *testing.T) {
	tests := map[string]string{
		"empty":                      "",
		"short":                      "elevenchars",
		"common":                     "password1234",
		"the username":               "adalovelace-1815",
		"the email's local part":     "countess-of-1815!",
		"1025 bytes":                 strings.Repeat("paB3-", 205),
		"NUL":                        "violet-harbour\x00mosaic",
		"blanks do not make it long": "short      ",
	}
	each(t, nil, func(p *portal) {
		for name, password := range tests {
			_, err := p.SignUp(p.t.Context(), auth.Signup{
				Account:  auth.Account{Username: "adalovelace", Email: "countess-of@example.org"},
				Password: password, Client: p.client,
			})
			if got := fieldsOf(err); !slices.Equal(got, []string{"password"}) {
				p.t.Errorf("%s: %v, want the password wrong", name, err)
			}
		}
		// Nothing is trimmed, folded or normalised.
		const odd = "  Ünïcode päss — with blanks  "
		_, err := p.SignUp(p.t.Context(), auth.Signup{Account: account("ada"), Password: odd, Client: p.client})
		wantKind(p.t, "an odd password", err, "")
		for _, other := range []string{strings.TrimSpace(odd), strings.ToLower(odd), odd + " ", odd[:len(odd)-1]} {
			wantKind(p.t, "almost the password", p.try("ada", other, ""), apperr.Unauthorized)
		}
		wantKind(p.t, "the password", p.try("ada", odd, ""), "")
	})
}

// TestNameOfOtherLetters: no road leads to an account by a name whose letters
// only look like those of its username, or are folded into them by Unicode.
func TestNameOfOtherLetters(t *testing.T) {
	each(t, nil, func(p *portal) {
		p.signUp("kate")
		for _, name := range []string{"\u212aate", "\u212aATE", " \u212aate "} {
			wantKind(p.t, "sign in", p.try(name, goodPassword, ""), apperr.Unauthorized)
			_, err := p.PasswordGrant(p.t.Context(), auth.PasswordGrant{Username: name, Password: goodPassword}, p.client)
			if !errors.Is(err, auth.ErrInvalidGrant) {
				p.t.Errorf("password grant to %q: %v, want %v", name, err, auth.ErrInvalidGrant)
			}
			_, err = p.FindUser(p.t.Context(), name)
			wantKind(p.t, "find", err, apperr.NotFound)
			_, err = p.SignUp(p.t.Context(), auth.Signup{
				Account: auth.Account{Username: name, Email: "new@example.org"}, Password: goodPassword, Client: p.client,
			})
			if got := fieldsOf(err); !slices.Equal(got, []string{"username"}) {
				p.t.Errorf("sign up as %q: %v, want the username wrong", name, err)
			}
		}
		wantKind(p.t, "sign in, in capitals", p.try("KATE", goodPassword, ""), "")
	})
}

func TestTaken(t *testing.T) {
	each(t, nil, func(p *portal) {
		p.signUp("ada")
		bob := p.signUp("bob")
		for _, test := range []struct {
			name    string
			account auth.Account
			want    []string
		}{
			{"username", auth.Account{Username: "ada", Email: "new@example.org"}, []string{"username"}},
			{"username in capitals", auth.Account{Username: "ADA", Email: "new@example.org"}, []string{"username"}},
			{"email", auth.Account{Username: "new", Email: "ada@example.org"}, []string{"email"}},
			{"email in capitals", auth.Account{Username: "new", Email: "ADA@EXAMPLE.ORG"}, []string{"email"}},
			{"both", auth.Account{Username: "ada", Email: "ada@example.org"}, []string{"username", "email"}},
			{"both, of two people", auth.Account{Username: "ada", Email: "bob@example.org"}, []string{"username", "email"}},
		} {
			_, err := p.SignUp(p.t.Context(), auth.Signup{Account: test.account, Password: goodPassword, Client: p.client})
			if got := fieldsOf(err); !slices.Equal(got, test.want) {
				p.t.Errorf("%s taken: %v, want wrong fields %v", test.name, err, test.want)
			}
		}
		who := p.identity(bob.Tokens)
		if got := fieldsOf(p.UpdateProfile(p.t.Context(), who, "Ada", "", p.client)); !slices.Equal(got, []string{"username"}) {
			p.t.Errorf("rename to a taken name: %v", got)
		}
		_, err := p.ChangeEmail(p.t.Context(), p.change(bob, "ADA@example.org"))
		if got := fieldsOf(err); !slices.Equal(got, []string{"email"}) {
			p.t.Errorf("change to a taken address: %v", err)
		}
		p.identity(bob.Tokens)
	})
}

// TestSignUpRace: of many sign-ups with one name, one gets it and the others
// are told beside the field.
func TestSignUpRace(t *testing.T) {
	each(t, nil, func(p *portal) {
		for name, accounts := range map[string]func(i int) auth.Account{
			"username": func(i int) auth.Account {
				return auth.Account{Username: "ada", Email: string(rune('a'+i)) + "@example.org"}
			},
			"email": func(i int) auth.Account {
				return auth.Account{Username: "user" + string(rune('a'+i)), Email: "one@example.org"}
			},
		} {
			errs := make([]error, 8)
			parallel(len(errs), func(i int) {
				_, errs[i] = p.SignUp(p.t.Context(), auth.Signup{Account: accounts(i), Password: goodPassword, Client: p.client})
			})
			made := 0
			for _, err := range errs {
				if err == nil {
					made++
				} else if got := fieldsOf(err); !slices.Equal(got, []string{name}) {
					p.t.Errorf("%s: %v, want it beside the field", name, err)
				}
			}
			if made != 1 {
				p.t.Errorf("%s: %d accounts made, want 1", name, made)
			}
		}
	})
}

func TestSignUpClosed(t *testing.T) {
	each(t, func(o *auth.Options) { o.SignupOpen = false }, func(p *portal) {
		if p.SignupOpen() {
			p.t.Error("sign-up says it is open")
		}
		_, err := p.SignUp(p.t.Context(), auth.Signup{Account: account("ada"), Password: goodPassword, Client: p.client})
		wantKind(p.t, "sign up", err, apperr.Forbidden)
	})
}

func TestRename(t *testing.T) {
	each(t, nil, func(p *portal) {
		tokens := p.signUp("ada").Tokens
		for _, test := range accountRules {
			who := p.identity(tokens)
			err := p.UpdateProfile(p.t.Context(), who, test.account.Username, test.account.FullName, p.client)
			want := slices.DeleteFunc(slices.Clone(test.want), func(field string) bool { return field == "email" })
			if got := fieldsOf(err); !slices.Equal(got, want) || err != nil && got == nil {
				p.t.Errorf("%s: %v, want wrong fields %v", test.name, err, want)
			}
			if after := p.identity(tokens); err == nil && after.Username != auth.FoldUsername(test.account.Username) {
				p.t.Errorf("%s: is called %q", test.name, after.Username)
			}
		}
		who := p.identity(tokens)
		events := p.events(audit.ProfileChange)
		if err := p.UpdateProfile(p.t.Context(), who, who.Username, who.FullName, p.client); err != nil || p.events(audit.ProfileChange) != events {
			p.t.Errorf("a change of nothing: %v, or it is in the audit log", err)
		}
		if _, _, err := p.Disable(p.t.Context(), auth.Shell(), who.UserID, ""); err != nil {
			p.t.Fatal(err)
		}
		err := p.UpdateProfile(p.t.Context(), who, "other", "", p.client)
		wantKind(p.t, "rename of an account that was disabled meanwhile", err, apperr.Unauthorized)
	})
}
