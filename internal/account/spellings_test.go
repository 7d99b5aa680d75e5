package account_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"latchkey/internal/account"
	"latchkey/internal/apperr"
	"latchkey/internal/oauth"
	"latchkey/models"
)

// spelled are accounts, each with several spellings of its username and address.
var spelled = []struct {
	username, address    string
	usernames, addresses []string
}{
	{
		"zoe", "zo\u00eb@example.org",
		[]string{"zoe", "ZOE", " zoe ", "zoe\u00a0", "\u200bzoe", "zo\u200ee\ufeff", "\u2060zo\u00ade\u200f", "\uff5a\uff4f\uff45"},
		[]string{
			"zo\u00eb@example.org", "zoe\u0308@example.org", "ZO\u00cb@EXAMPLE.ORG", "ZOE\u0308@Example.org", " zo\u00eb@example.org\u3000",
			"\ufeffzo\u00eb@exam\u200bple.org", "zo\u00eb\u2060@example.org\u200e", "zo\u00ad\u00eb@example.org",
		},
	},
	{ // the Kelvin sign, the long s and a ligature, which become letters of ASCII
		"kasfi", "kasfi@example.org",
		[]string{"KASFI", "\u212aasfi", "ka\u017ffi", "kas\ufb01"},
		[]string{"\uff4basfi@example.org", "\u212aasfi@example.org", "KA\u017fFI@example.org", "kas\ufb01@example.org"},
	},
}

// TestSpellingsFindTheAccount checks that every function finds the account by each
// spelling of its username or address, and that no other account can have it.
func TestSpellingsFindTheAccount(t *testing.T) {
	for _, spellings := range spelled {
		for i, username := range spellings.usernames {
			address := spellings.addresses[i]
			t.Run(fmt.Sprintf("%+q", username), func(t *testing.T) {
				each(t, nil, func(p *portal) {
					ctx := p.T.Context()
					joined, err := p.Accounts.SignUp(ctx, account.Signup{
						Account: account.Profile{Username: username, Email: address, FullName: " Zoe\u0308\u200b "}, Password: goodPassword, Client: p.Client,
					})
					if err != nil {
						p.T.Fatal(err)
					}
					identity := p.Identity(joined.Tokens)
					if identity.Username != spellings.username || identity.Email != models.TidyName(address) || identity.FullName != "Zo\u00eb" {
						p.T.Errorf("became %+q, %+q, %+q", identity.Username, identity.Email, identity.FullName)
					}
					bob := p.Join("bob")
					boss := p.Admin("boss")
					for _, name := range slices.Concat(spellings.usernames, spellings.addresses, []string{strings.Replace(spellings.address, "@", "\uff20", 1)}) {
						wantKind(p.T, fmt.Sprintf("sign in as %+q", name), p.Try(name, goodPassword, ""), "")
						if _, err := p.OAuth.PasswordGrant(ctx, oauth.PasswordGrant{Username: name, Password: goodPassword}, p.Client); err != nil {
							p.T.Errorf("password grant to %+q: %v", name, err)
						}
						if user, err := p.Accounts.FindUser(ctx, name); err != nil || user.ID != identity.UserID {
							p.T.Errorf("find %+q: %v", name, err)
						}
					}
					taken := func(road, field string, err error) {
						p.T.Helper()
						if got := fieldsOf(err); !slices.Equal(got, []string{field}) {
							p.T.Errorf("%s: %v, want the %s taken", road, err, field)
						}
					}
					for j, name := range spellings.usernames {
						_, err := p.Accounts.SignUp(ctx, account.Signup{
							Account: account.Profile{Username: name, Email: "new@example.org"}, Password: goodPassword, Client: p.Client,
						})
						taken("sign up", "username", err)
						_, _, err = p.Accounts.CreateUser(ctx, boss, account.NewUser{
							Account: account.Profile{Username: "new", Email: spellings.addresses[j]}, Role: models.RoleUser,
						})
						taken("create", "email", err)
						taken("rename", "username", p.rename(p.Identity(bob.Tokens), name, ""))
						_, err = p.Accounts.ChangeEmail(ctx, p.Change(bob, spellings.addresses[j]))
						taken("change of address", "email", err)
					}
					if _, _, err := p.Accounts.Delete(ctx, boss, identity.UserID, spellings.addresses[len(spellings.addresses)-1-i]); err != nil {
						p.T.Errorf("delete, confirmed by another spelling: %v", err)
					}
				})
			})
		}
	}
}

// TestRefusedCharactersAreNamed checks that the error names the character that is
// not allowed, because the person may not see it.
func TestRefusedCharactersAreNamed(t *testing.T) {
	const (
		badName = "Use letters a to z and digits. Dots, hyphens and underscores may only stand between them."
		badMail = "Enter an email address like name@example.com."
		badFull = "A name cannot contain invisible or control characters."
	)
	tests := []struct{ field, value, want string }{
		{"username", "añа", badName + " It contains “ñ”."},
		{"username", "kas\u0131m", badName + " It contains “ı”."},
		{"username", "ana silva", badName + " It contains a space."},
		{"username", "ana\u200dsilva", badName + " It contains an invisible character (U+200D)."},
		{"username", "ana\u202esilva", badName + " It contains an invisible character (U+202E)."},
		{"username", "ana@example.org", badName + " It contains “@”."},
		{"username", ".ana", badName},
		{"username", "\u200bана\u200b\u200e", badName + " It contains “а”. Invisible characters were left out: U+200B, U+200E."},
		{"username", "a\u00ad", "Use 2 to 32 characters. Invisible characters were left out: U+00AD."},
		{"username", "\u200b", "Enter a username. Invisible characters were left out: U+200B."},
		{"email", "a b@example.org", badMail + " It contains a space."},
		{"email", "a\u200db@example.org", badMail + " It contains an invisible character (U+200D)."},
		{"email", "ana\uff20example.org", badMail + " It contains “＠”."},
		{"email", "\u200eana", badMail + " Invisible characters were left out: U+200E."},
		{"full_name", "Ana\u202eavliS", badFull + " It contains an invisible character (U+202E)."},
		{"full_name", "Ana\nSilva", badFull + " It contains an invisible character (U+000A)."},
		{"full_name", strings.Repeat("é", 129), "Use a name of at most 128 characters."},
	}
	each(t, nil, func(p *portal) {
		for _, test := range tests {
			profile := profile("fresh")
			switch test.field {
			case "username":
				profile.Username = test.value
			case "email":
				profile.Email = test.value
			case "full_name":
				profile.FullName = test.value
			}
			_, err := p.Accounts.SignUp(p.T.Context(), account.Signup{Account: profile, Password: goodPassword, Client: p.Client})
			var wrong apperr.Fields
			if !errors.As(err, &wrong) || len(wrong) != 1 || wrong[0].Field != test.field || wrong[0].Message != test.want {
				p.T.Errorf("%s %+q: %v, want %q", test.field, test.value, err, test.want)
			}
		}
	})
}
