package portaltest

import (
	"context"
	"sync"

	"latchkey/internal/servicetest"
	"latchkey/models"
)

// Password is the password of every account that Person creates.
const Password = "violet harbour 42 lanterns"

var passwordHash = sync.OnceValue(func() string {
	hash, err := servicetest.FastHasher().Hash(context.Background(), Password)
	if err != nil {
		return err.Error() // no sign-in works with it
	}
	return hash
})

// Person creates an account with the address name@example.org.
func (p *Portal) Person(name string, role models.Role) *models.User {
	p.T.Helper()
	now := models.At(p.Clock.Now())
	return p.create(&models.User{Username: name, Role: role, PasswordHash: passwordHash(), PasswordChangedAt: now})
}

// Invited creates an account that has no password yet.
func (p *Portal) Invited(name string) *models.User {
	p.T.Helper()
	return p.create(&models.User{Username: name, Role: models.RoleUser})
}

func (p *Portal) create(user *models.User) *models.User {
	p.T.Helper()
	user.ID, user.Email = models.NewID(), user.Username+"@example.org"
	user.CreatedAt = models.At(p.Clock.Now())
	user.UpdatedAt = user.CreatedAt
	if err := p.Store.Users.Create(p.T.Context(), user); err != nil {
		p.T.Fatal(err)
	}
	return user
}

// Reload reads an account again.
func (p *Portal) Reload(user *models.User) *models.User {
	p.T.Helper()
	fresh, err := p.Store.Users.ByID(p.T.Context(), user.ID)
	if err != nil {
		p.T.Fatal(err)
	}
	return fresh
}

// LiveSessions returns the live sessions of an account.
func (p *Portal) LiveSessions(userID string) []models.Session {
	p.T.Helper()
	list, err := p.Store.Sessions.Live(p.T.Context(), userID, p.Clock.Now())
	if err != nil {
		p.T.Fatal(err)
	}
	return list
}

// Events returns the audit log, newest first.
func (p *Portal) Events() []models.Event {
	p.T.Helper()
	page, err := p.Store.Audit.List(p.T.Context(), models.AuditQuery{Limit: 1000})
	if err != nil {
		p.T.Fatal(err)
	}
	return page.Events
}

// LastEvent returns the newest event of an action.
func (p *Portal) LastEvent(action string) models.Event {
	p.T.Helper()
	for _, e := range p.Events() {
		if e.Action == action {
			return e
		}
	}
	p.T.Errorf("the audit log has no %s", action)
	return models.Event{}
}
