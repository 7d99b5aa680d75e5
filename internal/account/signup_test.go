package account_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"latchkey/internal/account"
	"latchkey/internal/apperr"
	"latchkey/internal/audit"
	"latchkey/internal/auth"
	"latchkey/internal/oauth"
	"latchkey/internal/servicetest"
	"latchkey/models"
)

var accountRules = []struct {
	name    string
	account account.Profile
	want    []string // wrong fields; none: the account can be made
}{
	{"plain", account.Profile{Username: "ada", Email: "ada@example.org", FullName: "Ada Lovelace"}, nil},
	{"shortest", account.Profile{Username: "a1", Email: "a@b", FullName: ""}, nil},
	{"longest", account.Profile{Username: strings.Repeat("a", 32), Email: "l@example.org", FullName: strings.Repeat("é", 128)}, nil},
	{"marks inside", account.Profile{Username: "a.b_c-d", Email: "marks@example.org"}, nil},
	{"folded and trimmed", account.Profile{Username: "  UPPER ", Email: " Upper@Example.org ", FullName: " U "}, nil},
	{"digits", account.Profile{Username: "007", Email: "o'brien+tag@sub.example.org"}, nil},
	{"joiners of a script", account.Profile{Username: "persian", Email: "p@example.org", FullName: "می\u200cخواهم"}, nil},
	{"address beyond ASCII", account.Profile{Username: "jorg", Email: "jörg@müller.example"}, nil},

	{"nothing", account.Profile{}, []string{"email", "username"}},
	{"too short", account.Profile{Username: "a", Email: "x@example.org"}, []string{"username"}},
	{"too long", account.Profile{Username: strings.Repeat("a", 33), Email: "x@example.org"}, []string{"username"}},
	{"space inside", account.Profile{Username: "a b", Email: "x@example.org"}, []string{"username"}},
	{"address as username", account.Profile{Username: "a@b.example", Email: "x@example.org"}, []string{"username"}},
	{"other letters", account.Profile{Username: "аda", Email: "x@example.org"}, []string{"username"}}, // a Cyrillic а
	{"mark first", account.Profile{Username: ".ada", Email: "x@example.org"}, []string{"username"}},
	{"mark last", account.Profile{Username: "ada-", Email: "x@example.org"}, []string{"username"}},
	{"NUL", account.Profile{Username: "ad\x00a", Email: "x\x00@example.org", FullName: "A\x00"}, []string{"email", "username", "full_name"}},
	{"reserved", account.Profile{Username: "admin", Email: "x@example.org"}, []string{"username"}},
	{"reserved, in capitals", account.Profile{Username: "Root", Email: "x@example.org"}, []string{"username"}},
	{"reserved, with a mark", account.Profile{Username: "no-reply", Email: "x@example.org"}, []string{"username"}},
	{"no at", account.Profile{Username: "ada2", Email: "example.org"}, []string{"email"}},
	{"two at", account.Profile{Username: "ada2", Email: "a@b@example.org"}, []string{"email"}},
	{"no local part", account.Profile{Username: "ada2", Email: "@example.org"}, []string{"email"}},
	{"no domain", account.Profile{Username: "ada2", Email: "a@"}, []string{"email"}},
	{"two addresses", account.Profile{Username: "ada2", Email: "a@example.org, b@example.org"}, []string{"email"}},
	{"a name before it", account.Profile{Username: "ada2", Email: "Ada <a@example.org>"}, []string{"email"}},
	{"a space inside", account.Profile{Username: "ada2", Email: "a b@example.org"}, []string{"email"}},
	{"quoted", account.Profile{Username: "ada2", Email: `"a b"@example.org`}, []string{"email"}},
	{"an address literal", account.Profile{Username: "ada2", Email: "a@[192.0.2.1]"}, []string{"email"}},
	{"a header", account.Profile{Username: "ada2", Email: "a@example.org\r\nBcc: b@example.org"}, []string{"email"}},
	{"an address of 255 bytes", account.Profile{Username: "ada2", Email: strings.Repeat("a", 243) + "@example.org"}, []string{"email"}},
	{"129 code points", account.Profile{Username: "ada2", Email: "x@example.org", FullName: strings.Repeat("é", 129)}, []string{"full_name"}},
	{"bidi override", account.Profile{Username: "ada2", Email: "x@example.org", FullName: "A\u202eda"}, []string{"full_name"}},
	{"bidi isolate", account.Profile{Username: "ada2", Email: "x@example.org", FullName: "A\u2066da"}, []string{"full_name"}},
	{"a line end", account.Profile{Username: "ada2", Email: "x@example.org", FullName: "A\nda"}, []string{"full_name"}},
	{"a line separator", account.Profile{Username: "ada2", Email: "x@example.org", FullName: "A\u2028da"}, []string{"full_name"}},
	{"not UTF-8", account.Profile{Username: "ad\xff", Email: "x\xff@example.org", FullName: "A\xff"}, []string{"email", "username", "full_name"}},
	{"all wrong", account.Profile{Username: "-", Email: "-", FullName: "\x01"}, []string{"email", "username", "full_name"}},
}

func TestSignUpRules(t *testing.T) {
	each(t, nil, func(p *portal) {
		for _, test := range accountRules {
			in, err := p.Accounts.SignUp(p.T.Context(), account.Signup{Account: test.account, Password: goodPassword, Client: p.Client})
			if got := fieldsOf(err); !slices.Equal(got, test.want) || err != nil && got == nil {
				p.T.Errorf("%s: %v, want wrong fields %v", test.name, err, test.want)
				continue
			}
			if len(test.want) > 0 {
				continue
			}
			identity := p.Identity(in.Tokens)
			if identity.Username != strings.ToLower(strings.TrimSpace(test.account.Username)) || identity.Email != strings.TrimSpace(test.account.Email) {
				p.T.Errorf("%s: became %q, %q", test.name, identity.Username, identity.Email)
			}
			if identity.Admin || !in.Tokens.Remember {
				p.T.Errorf("%s: admin %v, stays signed in %v; want false and true", test.name, identity.Admin, in.Tokens.Remember)
			}
			p.SignIn(test.account.Username)
			p.SignIn(strings.ToUpper(identity.Email))
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
			_, err := p.Accounts.SignUp(p.T.Context(), account.Signup{
				Account:  account.Profile{Username: "adalovelace", Email: "countess-of@example.org"},
				Password: password, Client: p.Client,
			})
			if got := fieldsOf(err); !slices.Equal(got, []string{"password"}) {
				p.T.Errorf("%s: %v, want the password wrong", name, err)
			}
		}
		// Passwords are not trimmed, folded or normalised.
		const odd = "  Ünïcode päss — with blanks  "
		_, err := p.Accounts.SignUp(p.T.Context(), account.Signup{Account: profile("ada"), Password: odd, Client: p.Client})
		wantKind(p.T, "an odd password", err, "")
		for _, other := range []string{strings.TrimSpace(odd), strings.ToLower(odd), odd + " ", odd[:len(odd)-1]} {
			wantKind(p.T, "almost the password", p.Try("ada", other, ""), apperr.Unauthorized)
		}
		wantKind(p.T, "the password", p.Try("ada", odd, ""), "")
	})
}

// TestNameOfOtherLetters checks that no function finds an account by a name whose
// letters only look like those of its username.
func TestNameOfOtherLetters(t *testing.T) {
	each(t, nil, func(p *portal) {
		p.Join("kate-i")
		for _, name := range []string{"kate-\u0131", "KATE-\u0130", "k\u0430te-i"} { // dotless i, dotted I, a Cyrillic a
			wantKind(p.T, "sign in", p.Try(name, goodPassword, ""), apperr.Unauthorized)
			_, err := p.OAuth.PasswordGrant(p.T.Context(), oauth.PasswordGrant{Username: name, Password: goodPassword}, p.Client)
			if !errors.Is(err, oauth.ErrInvalidGrant) {
				p.T.Errorf("password grant to %q: %v, want %v", name, err, oauth.ErrInvalidGrant)
			}
			_, err = p.Accounts.FindUser(p.T.Context(), name)
			wantKind(p.T, "find", err, apperr.NotFound)
			_, err = p.Accounts.SignUp(p.T.Context(), account.Signup{
				Account: account.Profile{Username: name, Email: "new@example.org"}, Password: goodPassword, Client: p.Client,
			})
			if got := fieldsOf(err); !slices.Equal(got, []string{"username"}) {
				p.T.Errorf("sign up as %q: %v, want the username wrong", name, err)
			}
		}
		wantKind(p.T, "sign in, in capitals", p.Try("KATE-I", goodPassword, ""), "")
	})
}

func TestTaken(t *testing.T) {
	each(t, nil, func(p *portal) {
		p.Join("ada")
		bob := p.Join("bob")
		for _, test := range []struct {
			name    string
			account account.Profile
			want    []string
		}{
			{"username", account.Profile{Username: "ada", Email: "new@example.org"}, []string{"username"}},
			{"username in capitals", account.Profile{Username: "ADA", Email: "new@example.org"}, []string{"username"}},
			{"email", account.Profile{Username: "new", Email: "ada@example.org"}, []string{"email"}},
			{"email in capitals", account.Profile{Username: "new", Email: "ADA@EXAMPLE.ORG"}, []string{"email"}},
			{"both", account.Profile{Username: "ada", Email: "ada@example.org"}, []string{"email", "username"}},
			{"both, of two people", account.Profile{Username: "ada", Email: "bob@example.org"}, []string{"email", "username"}},
		} {
			_, err := p.Accounts.SignUp(p.T.Context(), account.Signup{Account: test.account, Password: goodPassword, Client: p.Client})
			if got := fieldsOf(err); !slices.Equal(got, test.want) {
				p.T.Errorf("%s taken: %v, want wrong fields %v", test.name, err, test.want)
			}
		}
		identity := p.Identity(bob.Tokens)
		if got := fieldsOf(p.rename(identity, "Ada", "")); !slices.Equal(got, []string{"username"}) {
			p.T.Errorf("rename to a taken name: %v", got)
		}
		_, err := p.Accounts.ChangeEmail(p.T.Context(), p.Change(bob, "ADA@example.org"))
		if got := fieldsOf(err); !slices.Equal(got, []string{"email"}) {
			p.T.Errorf("change to a taken address: %v", err)
		}
		p.Identity(bob.Tokens)
	})
}

// TestSignUpRace checks that only one of many parallel sign-ups with the same name
// gets it, and that the others get an error for the field.
func TestSignUpRace(t *testing.T) {
	each(t, nil, func(p *portal) {
		for name, accounts := range map[string]func(i int) account.Profile{
			"username": func(i int) account.Profile {
				return account.Profile{Username: "ada", Email: string(rune('a'+i)) + "@example.org"}
			},
			"email": func(i int) account.Profile {
				return account.Profile{Username: "user" + string(rune('a'+i)), Email: "one@example.org"}
			},
		} {
			errs := make([]error, 8)
			parallel(len(errs), func(i int) {
				_, errs[i] = p.Accounts.SignUp(p.T.Context(), account.Signup{Account: accounts(i), Password: goodPassword, Client: p.Client})
			})
			made := 0
			for _, err := range errs {
				if err == nil {
					made++
				} else if got := fieldsOf(err); !slices.Equal(got, []string{name}) {
					p.T.Errorf("%s: %v, want it beside the field", name, err)
				}
			}
			if made != 1 {
				p.T.Errorf("%s: %d accounts made, want 1", name, made)
			}
		}
	})
}

func TestSignUpClosed(t *testing.T) {
	each(t, func(o *servicetest.Options) { o.SignupClosed = true }, func(p *portal) {
		if p.Accounts.SignupOpen() {
			p.T.Error("sign-up says it is open")
		}
		_, err := p.Accounts.SignUp(p.T.Context(), account.Signup{Account: profile("ada"), Password: goodPassword, Client: p.Client})
		wantKind(p.T, "sign up", err, apperr.Forbidden)
	})
}

func TestRename(t *testing.T) {
	each(t, nil, func(p *portal) {
		tokens := p.Join("ada").Tokens
		for _, test := range accountRules {
			identity := p.Identity(tokens)
			err := p.rename(identity, test.account.Username, test.account.FullName)
			want := slices.DeleteFunc(slices.Clone(test.want), func(field string) bool { return field == "email" })
			if got := fieldsOf(err); !slices.Equal(got, want) || err != nil && got == nil {
				p.T.Errorf("%s: %v, want wrong fields %v", test.name, err, want)
			}
			if after := p.Identity(tokens); err == nil && after.Username != models.FoldUsername(test.account.Username) {
				p.T.Errorf("%s: is called %q", test.name, after.Username)
			}
		}
		identity := p.Identity(tokens)
		events := p.Events(audit.ProfileChange)
		if err := p.rename(identity, identity.Username, identity.FullName); err != nil || p.Events(audit.ProfileChange) != events {
			p.T.Errorf("a change of nothing: %v, or it is in the audit log", err)
		}
		if _, _, err := p.Accounts.Disable(p.T.Context(), auth.Shell(), identity.UserID, ""); err != nil {
			p.T.Fatal(err)
		}
		err := p.rename(identity, "other", "")
		wantKind(p.T, "rename of an account that was disabled meanwhile", err, apperr.Unauthorized)
	})
}
