package portaltest

import (
	"context"
	"sync"

	"latchkey/internal/auth/factor"
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

// GiveApp gives an account an authenticator app with the recovery codes, and returns
// its secret.
func (p *Portal) GiveApp(user *models.User, recovery ...string) []byte {
	p.T.Helper()
	secret, id, now := factor.NewSecret(), models.NewID(), models.At(p.Clock.Now())
	err := p.Store.Apps.Create(p.T.Context(), &models.AuthenticatorApp{
		ID: id, UserID: user.ID, Secret: p.Auth.SealSecret(id, secret), CreatedAt: now,
	})
	if err != nil {
		p.T.Fatal(err)
	}
	if len(recovery) == 0 {
		return secret
	}
	hashes, err := servicetest.FastHasher().HashSet(p.T.Context(), recovery)
	if err != nil {
		p.T.Fatal(err)
	}
	codes := make([]models.RecoveryCode, len(hashes))
	for i, hash := range hashes {
		codes[i] = models.RecoveryCode{ID: models.NewID(), UserID: user.ID, CodeHash: hash, CreatedAt: now}
	}
	if err := p.Store.RecoveryCodes.Replace(p.T.Context(), user.ID, codes, p.Clock.Now()); err != nil {
		p.T.Fatal(err)
	}
	return secret
}

// GivePasskey gives an account a passkey that no authenticator has.
func (p *Portal) GivePasskey(user *models.User, name string) *models.Passkey {
	p.T.Helper()
	key := &models.Passkey{
		ID: models.NewID(), UserID: user.ID, CredentialID: models.NewID(), RPID: "localhost", Name: name, PublicKey: "no key of any authenticator",
		AAGUID: "00000000000000000000000000000000", CreatedAt: models.At(p.Clock.Now()),
	}
	if err := p.Store.Passkeys.Create(p.T.Context(), key); err != nil {
		p.T.Fatal(err)
	}
	return key
}

// Named returns the account with a username.
func (p *Portal) Named(username string) *models.User {
	p.T.Helper()
	user, err := p.Store.Users.ByName(p.T.Context(), username)
	if err != nil {
		p.T.Fatal(err)
	}
	return user
}

// Code returns the code that an app with the secret shows now.
func (p *Portal) Code(secret []byte) string { return factor.Code(secret, factor.StepAt(p.Clock.Now())) }

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
