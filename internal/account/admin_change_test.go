package account_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"latchkey/internal/account"
	"latchkey/internal/apperr"
	"latchkey/internal/audit"
	"latchkey/internal/auth"
	"latchkey/models"
)

func TestChangeUser(t *testing.T) {
	each(t, nil, func(p *portal) {
		boss := p.Admin("boss")
		p.Join("ada")
		id := p.User("ada").ID
		yes, no, name, admin, user := true, false, " Ada Lovelace ", models.RoleAdmin, models.RoleUser
		got, err := p.Accounts.ChangeUser(t.Context(), boss, id, account.UserChange{FullName: &name, Role: &admin, Disabled: &yes, Reason: " left  us "})
		if err != nil || got.FullName != "Ada Lovelace" || got.Role != admin || !got.Disabled() || got.DisabledReason != "left us" {
			t.Errorf("all at once: %+v (%v)", got, err)
		}
		for action, want := range map[string]int64{audit.UserProfile: 1, audit.UserRole: 1, audit.UserDisable: 1} {
			if n := p.Events(action); n != want {
				t.Errorf("%d events %s, want %d", n, action, want)
			}
		}
		p.WantDetail(audit.UserProfile, "name (none) → Ada Lovelace")
		p.WantDetail(audit.UserRole, "user → admin")
		got, err = p.Accounts.ChangeUser(t.Context(), boss, id, account.UserChange{Disabled: &no, Role: &user})
		if err != nil || got.Disabled() || got.Role != user || got.FullName != "Ada Lovelace" {
			t.Errorf("back: %+v (%v)", got, err)
		}
		if _, err := p.Accounts.ChangeUser(t.Context(), boss, id, account.UserChange{Disabled: &no, Role: &user, FullName: &name}); err != nil {
			t.Errorf("nothing to change: %v", err)
		}
		if n := p.Events(audit.UserEnable) + p.Events(audit.UserRole) + p.Events(audit.UserProfile); n != 4 {
			t.Errorf("%d events, want 4: a change to the current value is no action", n)
		}
		odd, control := models.Role("king"), "a\u202eb"
		_, err = p.Accounts.ChangeUser(t.Context(), boss, id, account.UserChange{FullName: &control, Role: &odd, Reason: control})
		if diff := cmp.Diff([]string{"full_name", "role", "reason"}, fieldsOf(err)); diff != "" {
			t.Errorf("fields (-want +got):\n%s", diff)
		}
		_, err = p.Accounts.ChangeUser(t.Context(), boss, boss.UserID, account.UserChange{FullName: &name})
		wantKind(t, "on oneself", err, apperr.Conflict)
		_, err = p.Accounts.ChangeUser(t.Context(), boss, models.NewID(), account.UserChange{FullName: &name})
		wantKind(t, "on an unknown account", err, apperr.NotFound)
		ada := auth.Actor{UserID: id, Name: "ada", Client: p.Client}
		_, err = p.Accounts.ChangeUser(t.Context(), ada, boss.UserID, account.UserChange{FullName: &name})
		wantKind(t, "by no admin", err, apperr.Forbidden)
		other := "Not kept"
		_, err = p.Accounts.ChangeUser(t.Context(), auth.Shell(), boss.UserID, account.UserChange{FullName: &other, Role: &user})
		wantKind(t, "on the last admin", err, apperr.Conflict)
		if user := p.User("boss"); user.FullName != "" {
			t.Errorf("half of a refused change was kept: %q", user.FullName)
		}
	})
}
