package account

import (
	"context"
	"slices"
	"strings"
	"time"

	"latchkey/handlers/site"
	"latchkey/internal/audit"
	"latchkey/internal/device"
	"latchkey/internal/oauth"
	"latchkey/models"
)

// exportFormat names the format of the file and its version. docs/export.md has
// its schema: a field may be added, but a change of what one means needs another
// version.
const exportFormat = "latchkey-export-1"

// The rows of the file. Each names its fields, so that a column of a table is in
// the file only if it is meant to be.
type (
	exportProfile struct {
		ID                string     `json:"id"`
		Username          string     `json:"username"`
		FullName          string     `json:"full_name"`
		Role              string     `json:"role"`
		CreatedAt         *time.Time `json:"created_at"`
		LastSignInAt      *time.Time `json:"last_sign_in_at"`
		PasswordChangedAt *time.Time `json:"password_changed_at"`
	}
	exportAddress struct {
		Email      string     `json:"email"`
		Current    bool       `json:"current"`
		VerifiedAt *time.Time `json:"verified_at"`
		Until      *time.Time `json:"until"` // when it was replaced
	}
	exportSession struct {
		Kind          string     `json:"kind"`
		Device        string     `json:"device"`
		UserAgent     string     `json:"user_agent"`
		Program       string     `json:"program,omitempty"`
		Scopes        []string   `json:"scopes,omitempty"`
		Method        string     `json:"method"`
		StaysSignedIn bool       `json:"stays_signed_in"`
		Address       string     `json:"address"`
		SignedInAt    *time.Time `json:"signed_in_at"`
		LastActiveAt  *time.Time `json:"last_active_at"`
		EndedAt       *time.Time `json:"ended_at"`
		Ended         string     `json:"ended,omitempty"` // why, as a sentence
	}
	exportDevice struct {
		Device     string     `json:"device"`
		UserAgent  string     `json:"user_agent"`
		KnownSince *time.Time `json:"known_since"`
		LastUsedAt *time.Time `json:"last_used_at"`
		SkipsUntil *time.Time `json:"skips_second_step_until"`
	}
	exportApp struct {
		SetUpAt    *time.Time `json:"set_up_at"`
		LastUsedAt *time.Time `json:"last_used_at"`
		RemovedAt  *time.Time `json:"removed_at"`
	}
	exportRecoveryCode struct {
		MadeAt    *time.Time `json:"made_at"`
		UsedAt    *time.Time `json:"used_at"`
		RemovedAt *time.Time `json:"removed_at"`
	}
	exportPasskey struct {
		Name       string     `json:"name"`
		Synced     bool       `json:"synced"`
		AddedAt    *time.Time `json:"added_at"`
		LastUsedAt *time.Time `json:"last_used_at"`
		LastUsedIn string     `json:"last_used_in"` // the browser
		RemovedAt  *time.Time `json:"removed_at"`
	}
	exportToken struct {
		Name         string     `json:"name"`
		Hint         string     `json:"hint"`
		Scopes       []string   `json:"scopes"`
		CreatedAt    *time.Time `json:"created_at"`
		ExpiresAt    *time.Time `json:"expires_at"`
		LastUsedAt   *time.Time `json:"last_used_at"`
		LastUsedFrom string     `json:"last_used_from"`
		EndedAt      *time.Time `json:"ended_at"`
		Ended        string     `json:"ended,omitempty"` // why
	}
	exportMessage struct {
		Topic     string     `json:"topic"`
		Recipient string     `json:"recipient"`
		State     string     `json:"state"`
		CreatedAt *time.Time `json:"created_at"`
		OverAt    *time.Time `json:"over_at"`
	}
	exportEvent struct {
		At        *time.Time     `json:"at"`
		Event     string         `json:"event"`
		Text      string         `json:"text"`
		Device    string         `json:"device,omitempty"`
		UserAgent string         `json:"user_agent,omitempty"`
		Address   string         `json:"address,omitempty"`
		Username  *audit.Change  `json:"username,omitempty"`
		FullName  *audit.Change  `json:"full_name,omitempty"`
		Email     *audit.Change  `json:"email,omitempty"`
		Role      *audit.Change  `json:"role,omitempty"`
		Token     string         `json:"token,omitempty"`
		Ended     *exportNumbers `json:"ended,omitempty"`
	}
	exportNumbers struct {
		Sessions int `json:"sessions"`
		Tokens   int `json:"tokens"`
	}
)

// when is an instant, nil for never.
func when(t models.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	at := t.Time()
	return &at
}

func ownProfile(user *models.User) exportProfile {
	return exportProfile{
		ID: user.ID, Username: user.Username, FullName: user.FullName, Role: string(user.Role),
		CreatedAt: when(user.CreatedAt), LastSignInAt: when(user.LastSignInAt), PasswordChangedAt: when(user.PasswordChangedAt),
	}
}

// ownAddresses returns the address of an account and those before it, the latest
// first.
func (h *Handlers) ownAddresses(ctx context.Context, user *models.User) ([]exportAddress, error) {
	list := []exportAddress{}
	if user.Email != "" {
		list = append(list, exportAddress{Email: user.Email, Current: true, VerifiedAt: when(user.EmailVerifiedAt)})
	}
	changes, err := h.store.EmailChanges.Since(ctx, user.ID, h.site.Now().Add(-models.KeepEmail))
	for _, change := range slices.Backward(changes) {
		list = append(list, exportAddress{Email: change.OldEmail, VerifiedAt: when(change.Verified), Until: when(change.At)})
	}
	return list, err
}

func ownSession(s models.Session, now time.Time) any {
	row := exportSession{
		Kind: string(s.Kind), Device: device.Name(s.UserAgent), UserAgent: s.UserAgent, Program: s.ClientID, Scopes: strings.Fields(s.Scope),
		Method: s.Method, StaysSignedIn: s.Remember, Address: s.IP, SignedInAt: when(s.CreatedAt), LastActiveAt: when(s.LastSeenAt),
	}
	if at, reason := s.Over(); at <= models.At(now) {
		row.EndedAt, row.Ended = when(at), audit.EndingOf(reason).List
	}
	return row
}

func ownDevice(d models.Device) any {
	return exportDevice{Device: device.Name(d.UserAgent), UserAgent: d.UserAgent, KnownSince: when(d.CreatedAt), LastUsedAt: when(d.LastUsedAt), SkipsUntil: when(d.TrustedUntil)}
}

func ownApp(a models.AuthenticatorApp) any {
	return exportApp{SetUpAt: when(a.CreatedAt), LastUsedAt: when(a.LastUsedAt), RemovedAt: when(a.RemovedAt)}
}

func ownRecoveryCode(c models.RecoveryCode) any {
	return exportRecoveryCode{MadeAt: when(c.CreatedAt), UsedAt: when(c.UsedAt), RemovedAt: when(c.RemovedAt)}
}

func ownPasskey(k models.Passkey) any {
	row := exportPasskey{Name: k.Name, Synced: k.BackedUp, AddedAt: when(k.CreatedAt), LastUsedAt: when(k.LastUsedAt), RemovedAt: when(k.RemovedAt)}
	if k.LastUsedAgent != "" {
		row.LastUsedIn = device.Name(k.LastUsedAgent)
	}
	return row
}

func ownToken(p models.PersonalToken, now time.Time) any {
	row := exportToken{
		Name: p.Name, Hint: oauth.PersonalPrefix + "…" + p.Hint, Scopes: strings.Fields(p.Scope), CreatedAt: when(p.CreatedAt), ExpiresAt: when(p.ExpiresAt),
		LastUsedAt: when(p.LastUsedAt), LastUsedFrom: p.LastUsedIP, EndedAt: when(p.EndedAt),
	}
	if !p.EndedAt.IsZero() {
		row.Ended = audit.EndingOf(p.EndReason).Token
	} else if p.ExpiresAt <= models.At(now) {
		row.EndedAt, row.Ended = when(p.ExpiresAt), "Expired"
	}
	return row
}

func ownMessage(d models.Delivery) any {
	return exportMessage{Topic: d.Topic, Recipient: d.Recipient, State: string(d.State), CreatedAt: when(d.CreatedAt), OverAt: when(d.OverAt)}
}

// ownEvents returns the list of the events about a person: those of signing in, or
// all others.
func (h *Handlers) ownEvents(userID string, signIns bool) func(ctx context.Context, after string) ([]any, string, error) {
	history := slices.Concat(audit.Chosen(audit.SignInEvents), []string{audit.LoginFailed, audit.LoginDisabled})
	return func(ctx context.Context, after string) ([]any, string, error) {
		page, err := h.store.Audit.List(ctx, models.AuditQuery{Subject: models.AuditPerson{IDs: []string{userID}}, After: after, Limit: exportBatch})
		rows := []any{}
		for _, e := range page.Events {
			if slices.Contains(history, e.Action) == signIns {
				rows = append(rows, ownEvent(e))
			}
		}
		return rows, page.Next, err
	}
}

// ownEvent writes an event for the person it is about, as activityItem does: without
// an admin's name, note, device and address.
func ownEvent(e models.Event) any {
	d := audit.DetailsOf(e)
	row := exportEvent{
		At: when(e.At), Event: e.Action, Text: audit.ToPerson(e), Username: d.Username, FullName: d.FullName, Email: d.Email, Role: d.Role, Token: d.Token,
	}
	if d.SessionsEnded > 0 || d.TokensEnded > 0 {
		row.Ended = &exportNumbers{Sessions: d.SessionsEnded, Tokens: d.TokensEnded}
	}
	if e.ActorID == "" || e.ActorID == e.SubjectID {
		row.Device, row.UserAgent, row.Address = site.EventDevice(e), e.UserAgent, e.IP
	}
	return row
}
