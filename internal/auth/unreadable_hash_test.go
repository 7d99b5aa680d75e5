package auth_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"latchkey/internal/apperr"
	"latchkey/internal/servicetest"
)

// TestUnreadableHash checks that a stored hash of an unknown kind looks like a wrong
// password to the visitor, is counted as one, and causes an error in the log that
// names the account and contains no secret.
func TestUnreadableHash(t *testing.T) {
	foreign := []string{
		"correct horse",
		"$5$rounds=535000$saltstring$O6bqhUzR8XlsPkLPR9mQJUMHTyjCSQhtqmPqgHcmpZ2",
		"$argon2id$v=19$m=99999999,t=2,p=1$AAECAwQFBgcICQoLDA0ODw$AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
	}
	each(t, limited, func(p *portal) {
		var log bytes.Buffer
		logged := newPortal(p.T, p.Store, p.Clock, func(o *servicetest.Options) {
			limited(o)
			o.Logger = slog.New(slog.NewTextHandler(&log, nil))
		})
		logged.Join("ada")
		id := p.User("ada").ID
		for i := range 5 {
			stored := foreign[i%len(foreign)]
			if err := p.Store.Users.SetPassword(p.T.Context(), id, stored, p.Clock.Now()); err != nil {
				p.T.Fatal(err)
			}
			log.Reset()
			wantKind(p.T, stored, logged.Try("ada", goodPassword, ""), apperr.Unauthorized)
			line := log.String()
			if strings.Count(line, "level=ERROR") != 1 || !strings.Contains(line, "user_id="+id) {
				p.T.Errorf("%q: logged %q, want one error that names the account", stored, line)
			}
			if strings.Contains(line, stored) || strings.Contains(line, goodPassword) {
				p.T.Errorf("the log holds a secret: %q", line)
			}
		}
		wantKind(p.T, "after five attempts", logged.Try("ada", goodPassword, ""), apperr.TooMany)
	})
}
