package account_test

import (
	"errors"
	"fmt"
	"iter"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/internal/account"
	"latchkey/internal/apperr"
	"latchkey/internal/audit"
	"latchkey/internal/auth"
	"latchkey/internal/servicetest"
	"latchkey/internal/userfile"
	"latchkey/models"
)

// someHash is a hash that an import accepts.
const someHash = "$2b$04$5saCYaM0l4ISAkY/E42R/.EiWlWuDydUAwAS5uraltnjC1wJKEVyy"

// listed are accounts as a file has them, one a line.
func listed(accounts ...userfile.Account) iter.Seq2[userfile.Account, error] {
	return func(yield func(userfile.Account, error) bool) {
		for i, a := range accounts {
			if a.Unit, a.Number = "line", i+1; !yield(a, nil) {
				return
			}
		}
	}
}

// bring imports accounts that have to be right.
func (p *portal) bring(source userfile.Format, accounts iter.Seq2[userfile.Account, error], rules account.ImportRules) *account.ImportReport {
	p.T.Helper()
	report, err := p.Accounts.CheckImport(p.T.Context(), accounts, rules, nil)
	if err != nil || report.ProblemCount != 0 {
		p.T.Fatalf("check: %v, %+v", err, report.Problems)
	}
	done, err := p.Accounts.Import(p.T.Context(), auth.Shell(), source, accounts, rules, nil)
	if err != nil {
		p.T.Fatalf("import: %v", err)
	}
	if diff := cmp.Diff(report, done); diff != "" {
		p.T.Errorf("the check and the import differ (-check +import):\n%s", diff)
	}
	return report
}

func (p *portal) total() int64 {
	p.T.Helper()
	figures, err := p.Store.Users.Figures(p.T.Context())
	if err != nil {
		p.T.Fatal(err)
	}
	return figures.Total
}

// TestImportFormats imports a file of each format. Everyone signs in with the
// password that they had, twice, and has one of our hashes then.
func TestImportFormats(t *testing.T) {
	for file, disabled := range map[string]string{
		"users.csv": "cy", "users.jsonl": "cy", "authelia.yml": "cy", "keycloak.json": "cy", "pocketbase.json": "", "django.json": "cy", "fastapi.json": "alice",
	} {
		t.Run(file, func(t *testing.T) {
			each(t, nil, func(p *portal) {
				f, err := userfile.Open(filepath.Join("..", "userfile", "testdata", file), nil, "")
				if err != nil {
					p.T.Fatal(err)
				}
				defer func() { _ = f.Close() }()
				report := p.bring(f.Format(), f.Accounts(), account.ImportRules{AdminGroups: []string{"admin", "admins", "superuser"}})
				people := 0
				for a := range f.Accounts() {
					people++
					user := p.User(a.Username)
					if user.FullName != a.FullName || user.Email != a.Email || user.Disabled() != a.Disabled || user.EmailVerifiedAt.IsZero() == a.Verified {
						p.T.Errorf("got %+v, want %+v", user, a)
					}
					if !a.Created.IsZero() && !user.CreatedAt.Time().Equal(a.Created) || user.Status() == models.StatusInvited {
						p.T.Errorf("%s: created %v, want %v; %s", user.Username, user.CreatedAt.Time(), a.Created, user.Status())
					}
					if want := map[bool]models.Role{true: models.RoleAdmin, false: models.RoleUser}[len(a.Groups) > 0]; user.Role != want {
						p.T.Errorf("%s is %s, want %s", user.Username, user.Role, want)
					}
					if a.Disabled {
						if _, err := p.Login(p.T.Context(), p.Credentials(user.Username)); user.Username != disabled || !errors.Is(err, apperr.Disabled) {
							p.T.Errorf("%s: got %v, want that it is disabled", user.Username, err)
						}
						continue
					}
					if err := p.Try(user.Username, goodPassword+"x", ""); !errors.Is(err, apperr.Unauthorized) {
						p.T.Errorf("%s with a wrong password: got %v", user.Username, err)
					}
					p.SignIn(user.Username)
					replaced := p.User(user.Username).PasswordHash
					if !strings.HasPrefix(replaced, "$argon2id$") || replaced == user.PasswordHash {
						p.T.Errorf("%s: the hash is still %s", user.Username, replaced)
					}
					p.SignIn(user.Username)
				}
				if report.Accounts != people || p.total() != int64(people) {
					p.T.Errorf("got %d accounts and %d rows, want %d", report.Accounts, p.total(), people)
				}
			})
		})
	}
}

// TestImportedRow checks that an imported account is found as one that signed up, and
// what the audit log says.
func TestImportedRow(t *testing.T) {
	each(t, nil, func(p *portal) {
		ctx := p.T.Context()
		report := p.bring(userfile.CSV, listed(
			userfile.Account{Username: " ANA ", Email: "Zo\u00cb@Example.org", FullName: "Ana  Zoë", PasswordHash: someHash, Groups: []string{"dev", "admins"}},
			userfile.Account{Username: "bo", FullName: "Bo", Groups: []string{"dev", strings.Repeat("é", 64) + "x"}, MustChange: true},
			userfile.Account{Username: "cy@example.org", Email: "Cy.D+x@example.org", PasswordHash: "md5"},
			userfile.Account{Username: "root", PasswordHash: "{CRYPT}" + someHash, SecondStep: true},
		), account.ImportRules{AdminGroups: []string{"admins"}, Reserved: true, WithoutPassword: true, UsernameFromEmail: true})
		want := &account.ImportReport{
			Accounts: 4, Admins: 1, NoEmail: 2, NoPassword: 2, Unverifiable: 1, MustChange: 1, SecondStep: 1,
			Schemes: map[string]int{"bcrypt": 2}, Groups: map[string]int{"dev": 1, strings.Repeat("é", 64): 1},
		}
		if diff := cmp.Diff(want, report); diff != "" {
			p.T.Errorf("report (-want +got):\n%s", diff)
		}
		if page, err := p.Store.Users.List(ctx, models.UserQuery{Q: "zoe", Now: p.Clock.Now()}); err != nil || len(page.Users) != 1 {
			p.T.Errorf("search: %d users, %v, want 1", len(page.Users), err)
		}
		if user := p.User("zo\u00eb@example.org"); user.Username != "ana" || user.Role != models.RoleAdmin {
			p.T.Errorf("by the address: got %+v", user)
		}
		if user := p.User("cy.d"); user.Status() != models.StatusInvited || user.PasswordHash != "" {
			p.T.Errorf("without a password: got %+v", user)
		}
		if user := p.User("root"); user.PasswordHash != someHash {
			p.T.Errorf("got hash %s", user.PasswordHash)
		}
		events, err := p.Store.Audit.List(ctx, models.AuditQuery{Actions: []string{audit.UsersImport, audit.UserCreate}, Limit: 10})
		if err != nil {
			p.T.Fatal(err)
		}
		var said []string
		for _, e := range events.Events {
			said = append(said, audit.Sentence(e))
		}
		for _, sentence := range []string{"System imported accounts: 4 accounts, 1 admin, CSV.", "System created the account of ana: role admin."} {
			if !strings.Contains(strings.Join(said, "\n"), sentence) {
				p.T.Errorf("the audit log says %q, want %q", said, sentence)
			}
		}
		if len(said) != 2 {
			p.T.Errorf("got %d events, want 2", len(said))
		}
	})
}

// TestImportProblems checks that everything that is wrong is named with its line.
func TestImportProblems(t *testing.T) {
	each(t, func(o *servicetest.Options) { o.Reserved = []string{"grafana"} }, func(p *portal) {
		ctx := p.T.Context()
		p.Join("taken")
		p.Join("gone")
		gone := p.User("gone").ID
		if err := p.Store.InTx(ctx, func(tx *models.Store) error { return tx.Users.Delete(ctx, gone) }); err != nil {
			p.T.Fatal(err)
		}
		good := func(username string) userfile.Account {
			return userfile.Account{Username: username, Email: username + "@example.net", PasswordHash: someHash}
		}
		with := func(username string, change func(*userfile.Account)) userfile.Account {
			a := good(username)
			change(&a)
			return a
		}
		tests := []struct {
			account userfile.Account
			want    string
		}{
			{good("first"), ""},
			{good("FIRST"), "email: This address is in line 1 already.|username: This username is in line 1 already."},
			{with("second", func(a *userfile.Account) { a.Email = "First@Example.NET" }), "email: This address is in line 1 already."},
			{good("x"), "username: Use 2 to 32 characters."},
			{good(""), "email: Enter an email address like name@example.com.|username: Enter a username."},
			{good("a b"), "email: Enter an email address like name@example.com. It contains a space.|username: Use letters a to z and digits. Dots, hyphens and underscores may only stand between them. It contains a space."},
			{good("admin"), "username: This username is reserved. Choose another."},
			{good("grafana"), "username: This username is reserved. Choose another."},
			{with("mail", func(a *userfile.Account) { a.Email = "[email\u00a0protected]" }), "username: This username is reserved. Choose another."},
			{with("tutorial", func(a *userfile.Account) { a.Email = "[email protected]" }), "email: Enter an email address like name@example.com. It contains a space."},
			{with("named", func(a *userfile.Account) { a.FullName = "a\u202eb" }), "full_name: A name cannot contain invisible or control characters. It contains an invisible character (U+202E)."},
			{with("plain", func(a *userfile.Account) { a.PasswordHash = "hunter2" }), "password_hash: This hash cannot be verified: its format is not known. Import such accounts without a password with --without-password."},
			{with("costly", func(a *userfile.Account) {
				a.PasswordHash = "$scrypt$ln=30,r=8,p=1$fq/V+l/rPef8v3cuRSgFoA$v4iNVzfSibJuSYvLHjp+wcFWitP77gttZ3yhQ3nkkBc"
			}), "password_hash: This hash cannot be verified: scrypt: its cost is above what is accepted. Import such accounts without a password with --without-password."},
			{with("none", func(a *userfile.Account) { a.PasswordHash = "" }), "password_hash: There is no password hash. Allow accounts without a password with --without-password."},
			{with("late", func(a *userfile.Account) { a.Created = p.Clock.Now().Add(48 * time.Hour) }), "created_at: Use a time between 1971 and now."},
			{with("early", func(a *userfile.Account) { a.Created = time.Unix(0, 0) }), "created_at: Use a time between 1971 and now."},
			{with("unread", func(a *userfile.Account) {
				a.Wrong = []userfile.Wrong{{Field: "disabled", Message: "Use true or false."}}
			}), "disabled: Use true or false."},
			{good("taken"), "username: This username is taken. Choose another."},
			{with("other", func(a *userfile.Account) { a.Email = "TAKEN@example.org" }), "email: There is already an account with this email address."},
			{good("gone"), "username: This username used to belong to another account and cannot be used again. Choose another."},
		}
		var accounts []userfile.Account
		for _, test := range tests {
			accounts = append(accounts, test.account)
		}
		for i, test := range tests { // alone, because a report names only the first 20 problems
			alone := accounts[i : i+1]
			if i == 1 || i == 2 {
				alone = []userfile.Account{accounts[0], accounts[i]}
			}
			report, err := p.Accounts.CheckImport(ctx, listed(alone...), account.ImportRules{}, nil)
			if err != nil {
				p.T.Fatal(err)
			}
			var got []string
			for _, problem := range report.Problems {
				got = append(got, problem.Field+": "+problem.Message)
				if problem.Number != len(alone) || problem.Unit != "line" || problem.Username != test.account.Username {
					p.T.Errorf("got %+v, want line %d", problem, len(alone))
				}
			}
			if strings.HasPrefix(test.want, "username: This username is reserved") && len(got) > 1 {
				got = got[len(got)-1:]
			}
			if diff := cmp.Diff(test.want, strings.Join(got, "|")); diff != "" {
				p.T.Errorf("%s (-want +got):\n%s", test.account.Username, diff)
			}
		}
		report, err := p.Accounts.CheckImport(ctx, listed(accounts...), account.ImportRules{}, nil)
		if err != nil || report.Accounts != len(tests) || report.ProblemCount < len(tests) || len(report.Problems) != 20 {
			p.T.Errorf("all of them: %v, %d accounts, %d problems, %d named", err, report.Accounts, report.ProblemCount, len(report.Problems))
		}
		if _, err := p.Accounts.Import(ctx, auth.Shell(), userfile.CSV, listed(accounts...), account.ImportRules{}, nil); err == nil {
			p.T.Error("an import with problems succeeded")
		}
		if p.total() != 1 {
			p.T.Errorf("got %d accounts, want 1", p.total())
		}
		costly := with("costly", func(a *userfile.Account) {
			a.PasswordHash = "$scrypt$ln=16,r=8,p=1$fq/V+l/rPef8v3cuRSgFoA$v4iNVzfSibJuSYvLHjp+wcFWitP77gttZ3yhQ3nkkBc"
		})
		for memory, want := range map[int64]int{0: 0, 48 << 20: 1} {
			report, err := p.Accounts.CheckImport(ctx, listed(costly), account.ImportRules{HashMemory: memory}, nil)
			if err != nil || report.ProblemCount != want {
				p.T.Errorf("a hash of 64 MiB with a limit of %d: %v, %+v, want %d problems", memory, err, report.Problems, want)
			}
		}
	})
}

// TestImportAllOrNothing checks that a fault in the last account, which comes up
// only while the others are written, leaves no account and no event.
func TestImportAllOrNothing(t *testing.T) {
	var many []userfile.Account
	for i := range 2*models.ImportBatch + 7 {
		many = append(many, userfile.Account{Username: fmt.Sprintf("user%d", i), PasswordHash: someHash})
	}
	last := many[len(many)-1].Username
	faults := map[string]func(p *portal, report iter.Seq2[userfile.Account, error]) iter.Seq2[userfile.Account, error]{
		"a username that was taken": func(p *portal, same iter.Seq2[userfile.Account, error]) iter.Seq2[userfile.Account, error] {
			p.Join(last)
			return same
		},
		"a file that was changed": func(_ *portal, _ iter.Seq2[userfile.Account, error]) iter.Seq2[userfile.Account, error] {
			return listed(append(many[:len(many)-1:len(many)-1], userfile.Account{Username: "x"})...)
		},
		"a file that breaks off": func(_ *portal, same iter.Seq2[userfile.Account, error]) iter.Seq2[userfile.Account, error] {
			return func(yield func(userfile.Account, error) bool) {
				same(yield)
				yield(userfile.Account{}, errors.New("the disk is gone"))
			}
		},
	}
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			each(t, nil, func(p *portal) {
				ctx := p.T.Context()
				accounts := listed(many...)
				if report, err := p.Accounts.CheckImport(ctx, accounts, account.ImportRules{}, nil); err != nil || report.ProblemCount != 0 {
					p.T.Fatalf("check: %v, %+v", err, report)
				}
				accounts = fault(p, accounts)
				before := p.total()
				_, err := p.Accounts.Import(ctx, auth.Shell(), userfile.CSV, accounts, account.ImportRules{}, nil)
				if err == nil || name != "a file that breaks off" && !errors.Is(err, account.ErrImportChanged) {
					p.T.Errorf("got %v, want an error", err)
				}
				if p.total() != before {
					p.T.Errorf("got %d accounts, want %d as before", p.total(), before)
				}
				events, err := p.Store.Audit.List(ctx, models.AuditQuery{Actions: []string{audit.UsersImport}, Limit: 10})
				if err != nil || len(events.Events) != 0 {
					p.T.Errorf("got %d events, %v, want none", len(events.Events), err)
				}
			})
		})
	}
}
