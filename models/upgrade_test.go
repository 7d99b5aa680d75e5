package models_test

import (
	"encoding/hex"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	accounts "latchkey/internal/account"
	"latchkey/internal/apperr"
	"latchkey/internal/audit"
	"latchkey/internal/servicetest"
	"latchkey/internal/testdb"
	"latchkey/models"
)

// The tokens and cookies of the clients of the portal in testdata/portal-00003.sql,
// and the master secret of that portal.
const (
	oldSecret  = "8f1c5e0a97d34b26c0e2f7a1b9d86354e7120c4fa8b35d69917e2ac6f03b48d5"
	oldDevice  = "yomaiq4dk44yh3tyjh3c44mgzb"
	oldInvite  = "b3IWPSIh1rlKR5Y3hxxB6a9ugzHckZ8rawtG66xfVXs"
	oldToken   = "lk_el5hgrvkrbalhxpugwcazlrfzm3r6adn4ivpa7rvxk22p2njqkun"
	oldRefresh = "eyJhbGciOiJIUzI1NiIsImtpZCI6IjRPQmhzUkFEMUlJIiwidHlwIjoicnQrand0In0.eyJpc3MiOiJodHRwOi8vbG9jYWxob3N0OjgwODAiLC" +
		"JzdWIiOiJjMjZuNGhwNzNydmhmMzJqcXVxY2lqNTc0ayIsImF1ZCI6ImxhdGNoa2V5OnJlZnJlc2giLCJleHAiOjE3OTY2MzM0ODEsIm5iZiI6" +
		"MTc5NjAyODY4MSwiaWF0IjoxNzk2MDI4NjgxLCJqdGkiOiJvZ1dJdmhqRC1zaEpyT2lHZWdNbndBIiwic2lkIjoiZWtna3ptbXB2bWJrdWhwdG" +
		"lucnEydTd2amciLCJnZW4iOjF9.a16AQZuU4iEoR_DKXNs-TDH2UOzq6WYuKyXBHajqWiM"
	oldAPIRefresh = "eyJhbGciOiJIUzI1NiIsImtpZCI6IkU5M0V1bXdCTGVBIiwidHlwIjoicnQrand0In0.eyJpc3MiOiJodHRwOi8vbG9jYWxob3N0OjgwODAiLC" +
		"JzdWIiOiJjMjZuNGhwNzNydmhmMzJqcXVxY2lqNTc0ayIsImF1ZCI6ImxhdGNoa2V5OmFwaS1yZWZyZXNoIiwiZXhwIjoxNzk2NjMzNDg0LCJu" +
		"YmYiOjE3OTYwMjg2ODQsImlhdCI6MTc5NjAyODY4NCwianRpIjoiSnJOV01Xd1NwX1FnUzlQMzZpOEJIdyIsInNpZCI6InV3cDdram11Nzdsc2" +
		"9zeXN4cHFsa3R5eHppIiwiZ2VuIjoxLCJzY29wZSI6Im1lIiwiY2xpZW50X2lkIjoicmVwb3J0cyJ9.oMdZJa00Ebujh0he7WKOQKpleSj9h2E" +
		"ZhMb4yj_hNU0"
)

// TestUpgrade runs every later migration on rows that an earlier release wrote. Every
// row is kept, every account is found and can sign in, and the tokens of clients keep
// working.
func TestUpgrade(t *testing.T) {
	testdb.EachURL(t, func(t *testing.T, databaseURL string) {
		ctx := t.Context()
		store := openAt(t, databaseURL, nil)
		must(t, store.MigrateTo(ctx, 3))
		old, err := os.ReadFile("testdata/portal-00003.sql")
		must(t, err)
		_, err = store.SQL().ExecContext(ctx, string(old))
		must(t, err)
		must(t, store.MigrateTo(ctx, 4))
		before := cells(t, store)
		must(t, store.MigrateTo(ctx, 5))
		must(t, store.Migrate(ctx))

		// On separate connections, because PostgreSQL remembers the columns of a statement.
		changed, after := map[string]string{}, cells(t, openAt(t, databaseURL, nil))
		for cell, value := range before {
			if after[cell] != value {
				changed[cell] = after[cell]
			}
		}
		want := map[string]string{
			"users/6klkymr7qij3e7xm5hgwukemij/email_folded":           "jos\u00e9@example.org",
			"personal_access_tokens/4azpnc4t6u7j3lkeg227ahz6lj/scope": "me apps",
			"personal_access_tokens/k726pcz3z2cdughae4g2thh2kd/scope": "me apps",
		}
		if diff := cmp.Diff(want, changed); diff != "" || len(before) < 700 {
			t.Errorf("of %d values these changed (-want +got):\n%s", len(before), diff)
		}

		p := servicetest.NewPortal(t, store, servicetest.NewClock(time.UnixMicro(1796028745591715)), func(o *servicetest.Options) {
			o.PublicURL = "http://localhost:8080"
			o.Secret, err = hex.DecodeString(oldSecret)
			must(t, err)
		})
		checkOldAccounts(p)
		checkOldClients(p)
		checkOldEvents(p)
	})
}

// cells returns every value of the tables of testdata/portal-00003.sql, by
// table, first column and column.
func cells(t *testing.T, store *models.Store) map[string]string {
	t.Helper()
	found := map[string]string{}
	for table, key := range map[string]string{
		"users": "id", "sessions": "id", "denylist": "token_id", "login_attempts": "bucket", "known_devices": "device_hash",
		"one_time_tokens": "token_hash", "personal_access_tokens": "id", "audit_events": "id",
	} {
		rows, err := store.SQL().QueryContext(t.Context(), "SELECT "+key+", * FROM "+table)
		must(t, err)
		columns, err := rows.Columns()
		must(t, err)
		values := make([]any, len(columns))
		for i := range values {
			values[i] = new(any)
		}
		for rows.Next() {
			must(t, rows.Scan(values...))
			for i, column := range columns {
				found[fmt.Sprintf("%s/%v/%s", table, *values[0].(*any), column)] = fmt.Sprint(*values[i].(*any))
			}
		}
		must(t, rows.Err())
		must(t, rows.Close())
	}
	return found
}

// checkOldAccounts finds every account and signs in to those that had a password
// and were not disabled.
func checkOldAccounts(p *servicetest.Portal) {
	p.T.Helper()
	for search, want := range map[string]string{
		"lovelace": "ada", "muller zoe": "zoe", "strasse": "zoe", "nandu": "jose", "jos\u00e9@example.org": "jose", "okonkwo.example": "okonkwo",
		"aesir-ost": "karl", "KARL@EXAMPLE.ORG": "karl", "perez luis": "luis.perez", "sango": "ivy",
	} {
		page, err := p.Store.Users.List(p.T.Context(), models.UserQuery{Q: search, Now: p.Clock.Now()})
		if err != nil || page.Incomplete || len(page.Users) != 1 || page.Users[0].Username != want {
			p.T.Errorf("%q finds %+v (%v), want only %s", search, page, err, want)
		}
	}
	for name, want := range map[string]apperr.Kind{
		"ada": "", "ADA@example.com": "", "Zoe": "", "ZOE\u0308@example.org": "", "jose": "", "JOS\u00c9@example.org": "", "jose\u0301@example.org": "",
		"nnamdi@okonkwo.example": "", "luis.perez": "", "karl": apperr.Disabled, "ivy": apperr.Unauthorized, "luis": apperr.Unauthorized,
	} {
		servicetest.WantKind(p.T, "sign in as "+name, p.Try(name, servicetest.Password, ""), want)
	}
}

// checkOldClients uses the tokens and cookies of the clients.
func checkOldClients(p *servicetest.Portal) {
	p.T.Helper()
	zoe := p.User("zoe")
	if in := p.Identity(p.Rotated(oldRefresh)); in.UserID != zoe.ID {
		p.T.Errorf("the browser became %s", in.Username)
	}
	if in := p.Caller(p.Refreshed(oldAPIRefresh).Access); in.UserID != zoe.ID || in.ClientID != "reports" {
		p.T.Errorf("the API client became %+v", in)
	}
	if in := p.Caller(oldToken); in.UserID != zoe.ID || in.Scopes.String() != "me apps" {
		p.T.Errorf("the personal access token became %+v", in)
	}
	devices, err := p.Auth.Devices(p.T.Context(), zoe.ID, oldDevice)
	if err != nil || len(devices) == 0 || !devices[0].ThisDevice {
		p.T.Errorf("the device is not known: %+v (%v)", devices, err)
	}
	in, err := p.Accounts.ResetPassword(p.T.Context(), accounts.Reset{Token: oldInvite, Password: servicetest.Password, Client: p.Client})
	if err != nil || in == nil || p.Identity(in.Tokens).Username != "ivy" {
		p.T.Errorf("the invitation: %+v (%v)", in, err)
	}
}

// checkOldEvents reads events whose details are texts.
func checkOldEvents(p *servicetest.Portal) {
	p.T.Helper()
	page, err := p.Store.Audit.List(p.T.Context(), models.AuditQuery{Limit: 1000})
	must(p.T, err)
	var lines strings.Builder
	for _, e := range page.Events {
		lines.WriteString(audit.Sentence(e) + "\n")
	}
	for _, want := range []string{
		"ada disabled karl. 1 session ended. Reason: Left the company – Grüße.",
		"zoe changed their profile. name Zoë Müller → Zoë Müller-Straße.",
		"zoe created an access token. Sicherung täglich, scope me, 30 days.",
		"jose signed out.",
	} {
		if !strings.Contains(lines.String(), want+"\n") {
			p.T.Errorf("the audit log does not say %q:\n%s", want, &lines)
		}
	}
}
