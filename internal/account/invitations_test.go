package account_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"latchkey/internal/account"
	"latchkey/internal/apperr"
	"latchkey/internal/audit"
	"latchkey/internal/auth"
	"latchkey/internal/servicetest"
	"latchkey/models"
)

func mailed(o *servicetest.Options)  { o.Mail = true }
func invites(o *servicetest.Options) { o.Mail, o.Signup = true, account.SignupInvite }

// invite creates an invitation of the shell and returns the token that is shown.
func (p *portal) invite(draft account.InvitationDraft) (*models.Invitation, string) {
	p.T.Helper()
	if draft.Role == "" {
		draft.Role = models.RoleUser
	}
	if draft.Hours == 0 {
		draft.Hours = account.DefaultInvitationHours
	}
	if draft.Uses == 0 {
		draft.Uses = 1
	}
	row, token, err := p.Accounts.CreateInvitation(p.T.Context(), auth.Shell(), draft)
	if err != nil {
		p.T.Fatalf("invite: %v", err)
	}
	return row, token
}

// accept signs up with an invitation.
func (p *portal) accept(token, name string) (*auth.SignedIn, error) {
	return p.Accounts.SignUpInvited(p.T.Context(), token, account.Signup{Account: profile(name), Password: goodPassword, Client: p.Client})
}

func (p *portal) invitationState(token string) account.InvitationState {
	p.T.Helper()
	in, err := p.Accounts.Invitation(p.T.Context(), token)
	if err != nil {
		p.T.Fatal(err)
	}
	return in.State
}

// TestInvitationUses checks that of many people who use an invitation at the same
// time only as many get an account as it has uses.
func TestInvitationUses(t *testing.T) {
	each(t, invites, func(p *portal) {
		row, token := p.invite(account.InvitationDraft{Uses: 5})
		var in, out atomic.Int32
		parallel(20, func(i int) {
			_, err := p.accept(token, fmt.Sprintf("guest%d", i))
			switch {
			case err == nil:
				in.Add(1)
			case errors.Is(err, apperr.Conflict):
				out.Add(1)
			default:
				p.T.Errorf("accept: %v", err)
			}
		})
		if in.Load() != 5 || out.Load() != 15 {
			p.T.Errorf("%d accounts, %d refused; want 5 and 15", in.Load(), out.Load())
		}
		if figures, err := p.Store.Users.Figures(p.T.Context()); err != nil || figures.Total != 5 {
			p.T.Errorf("%d accounts (%v), want 5", figures.Total, err)
		}
		if got := p.invitationState(token); got != account.InvitationUsed {
			p.T.Errorf("state %d, want used", got)
		}
		page, err := p.Store.Audit.List(p.T.Context(), models.AuditQuery{Actions: []string{audit.SignUp}, Limit: 100})
		if err != nil || len(page.Events) != 5 {
			p.T.Fatalf("%d sign-ups in the audit log (%v), want 5", len(page.Events), err)
		}
		for _, e := range page.Events {
			if got, want := audit.DetailsOf(e).Invitation, audit.ShortID(row.ID); got != want {
				p.T.Errorf("the sign-up names invitation %q, want %q", got, want)
			}
		}
	})
}

// TestInvitationStates checks the state of an invitation through its life, that
// looking at it uses nothing, and that a dead one creates no account.
func TestInvitationStates(t *testing.T) {
	each(t, invites, func(p *portal) {
		ctx := p.T.Context()
		_, over := p.invite(account.InvitationDraft{Hours: 24})
		withdrawn, gone := p.invite(account.InvitationDraft{Uses: 3})
		_, used := p.invite(account.InvitationDraft{})
		for range 3 {
			if got := p.invitationState(used); got != account.InvitationOpen {
				p.T.Errorf("state %d, want open", got)
			}
		}
		if _, err := p.accept(used, "ana"); err != nil {
			p.T.Fatal(err)
		}
		if _, done, err := p.Accounts.WithdrawInvitation(ctx, auth.Shell(), withdrawn.ID); err != nil || !done {
			p.T.Fatalf("withdraw: %v, %v", done, err)
		}
		if _, done, err := p.Accounts.WithdrawInvitation(ctx, auth.Shell(), withdrawn.ID); err != nil || done {
			p.T.Errorf("withdraw again: %v, %v; want nothing done", done, err)
		}
		_, _, err := p.Accounts.WithdrawInvitation(ctx, auth.Shell(), models.NewID())
		wantKind(p.T, "withdraw an unknown one", err, apperr.NotFound)
		p.Clock.Advance(24*time.Hour - time.Second)
		if got := p.invitationState(over); got != account.InvitationOpen {
			p.T.Errorf("a second before its end: state %d, want open", got)
		}
		p.Clock.Advance(time.Second)
		for token, want := range map[string]account.InvitationState{
			over: account.InvitationOver, gone: account.InvitationWithdrawn, used: account.InvitationUsed,
			"": account.InvitationUnknown, "x": account.InvitationUnknown, strings.Repeat("x", 10<<10): account.InvitationUnknown,
			models.HashToken(over): account.InvitationUnknown,
		} {
			if got := p.invitationState(token); got != want {
				p.T.Errorf("%.20q: state %d, want %d", token, got, want)
			}
			_, err := p.accept(token, "bob")
			wantKind(p.T, fmt.Sprintf("accept %.20q", token), err, apperr.Conflict)
		}
	})
}

// TestInvitationsArePurged checks that an invitation is removed some time after it is
// over, and not before.
func TestInvitationsArePurged(t *testing.T) {
	each(t, nil, func(p *portal) {
		_, token := p.invite(account.InvitationDraft{Hours: 24})
		end := p.Clock.Now().Add(24 * time.Hour)
		if n, err := p.Store.Invitations.Purge(p.T.Context(), end, 10); n != 0 || err != nil {
			p.T.Errorf("purged %d (%v) at its end, want none", n, err)
		}
		if n, err := p.Store.Invitations.Purge(p.T.Context(), end.Add(time.Second), 10); n != 1 || err != nil {
			p.T.Errorf("purged %d (%v), want 1", n, err)
		}
		if got := p.invitationState(token); got != account.InvitationUnknown {
			p.T.Errorf("state %d, want none", got)
		}
	})
}

// TestInvitationForAddress checks that an invitation for an address is mailed there,
// serves no other address, and that only the link of the letter proves that the
// address is the person's own.
func TestInvitationForAddress(t *testing.T) {
	each(t, invites, func(p *portal) {
		row, shown := p.invite(account.InvitationDraft{Email: "Ana@example.org"})
		p.Deliver(p.T)
		letters := p.Mailbox.To("Ana@example.org")
		if len(letters) != 1 {
			p.T.Fatalf("%d letters, want 1", len(letters))
		}
		mailed := inviteIn(p.T, letters[0].Text)
		if mailed == shown {
			p.T.Error("the letter has the link that the admin was shown")
		}
		for _, token := range []string{shown, mailed} {
			if _, err := p.accept(token, "bob"); strings.Join(fieldsOf(err), " ") != "email" {
				p.T.Errorf("another address: %v, want an error of the address", err)
			}
		}
		if _, err := p.accept(mailed, "ANA"); err != nil {
			p.T.Fatal(err)
		}
		if user := p.User("ana"); user.EmailVerifiedAt.IsZero() {
			p.T.Error("the address that the letter reached is not verified")
		}
		for _, token := range []string{shown, mailed} { // one use, whichever link
			if got := p.invitationState(token); got != account.InvitationUsed {
				p.T.Errorf("state %d, want used", got)
			}
		}
		// Used by the link that the admin was shown, the address is not proven. An
		// earlier invitation for an address does not work beside a newer one.
		_, old := p.invite(account.InvitationDraft{Email: "carl@example.org"})
		_, shown = p.invite(account.InvitationDraft{Email: "CARL@example.org", Role: models.RoleAdmin})
		if got := p.invitationState(old); got != account.InvitationWithdrawn {
			p.T.Errorf("the older of two: state %d, want withdrawn", got)
		}
		if _, err := p.accept(shown, "carl"); err != nil {
			p.T.Fatal(err)
		}
		if user := p.User("carl"); !user.EmailVerifiedAt.IsZero() || user.Role != models.RoleAdmin {
			p.T.Errorf("carl: verified at %v, role %s; want not verified, an admin", user.EmailVerifiedAt, user.Role)
		}
		// The log names nobody who has no account.
		for _, e := range p.events(audit.InviteCreate) {
			if strings.Contains(e.Details+e.SubjectName, "example") {
				p.T.Errorf("the audit log has %+v", e)
			}
		}
		if e := p.events(audit.InviteCreate); len(e) != 3 || !slices.ContainsFunc(e, func(e models.Event) bool {
			return audit.DetailsOf(e).Invitation == audit.ShortID(row.ID)
		}) {
			p.T.Errorf("invitations in the log: %+v", e)
		}
	})
}

// TestInvitationAgain checks that sending an invitation again makes a new link for
// the same invitation, and only while it is open.
func TestInvitationAgain(t *testing.T) {
	each(t, invites, func(p *portal) {
		row, shown := p.invite(account.InvitationDraft{Email: "ana@example.org"})
		p.Deliver(p.T)
		first := inviteIn(p.T, p.Mailbox.All()[0].Text)
		letter, err := p.Accounts.InvitationLetter(p.T.Context(), p.Store, row.ID)
		if err != nil {
			p.T.Fatal(err)
		}
		second := inviteIn(p.T, letter.Button.URL)
		for token, want := range map[string]account.InvitationState{
			shown: account.InvitationOpen, first: account.InvitationUnknown, second: account.InvitationOpen,
		} {
			if got := p.invitationState(token); got != want {
				p.T.Errorf("state %d, want %d", got, want)
			}
		}
		if _, err := p.accept(second, "ana"); err != nil {
			p.T.Fatal(err)
		}
		_, err = p.Accounts.InvitationLetter(p.T.Context(), p.Store, row.ID)
		wantKind(p.T, "again, when it is used", err, apperr.NotFound)
	})
}

func TestInvitationRules(t *testing.T) {
	each(t, mailed, func(p *portal) {
		p.Join("ana")
		good := account.InvitationDraft{Role: models.RoleUser, Hours: 24, Uses: 1}
		for _, test := range []struct {
			field string
			draft func(*account.InvitationDraft)
		}{
			{"email", func(d *account.InvitationDraft) { d.Email = "x" }},
			{"email", func(d *account.InvitationDraft) { d.Email = "a@example.org\r\nBcc: b@example.org" }},
			{"email", func(d *account.InvitationDraft) { d.Email = "ANA@example.org" }}, // has an account
			{"role", func(d *account.InvitationDraft) { d.Role = "owner" }},
			{"hours", func(d *account.InvitationDraft) { d.Hours = 25 }},
			{"hours", func(d *account.InvitationDraft) { d.Hours = 0 }},
			{"uses", func(d *account.InvitationDraft) { d.Uses = 0 }},
			{"uses", func(d *account.InvitationDraft) { d.Uses = 101 }},
			{"uses", func(d *account.InvitationDraft) { d.Email, d.Uses = "new@example.org", 2 }},
			{"note", func(d *account.InvitationDraft) { d.Note = strings.Repeat("é", 501) }},
			{"note", func(d *account.InvitationDraft) { d.Note = "a\u202eb" }},
		} {
			draft := good
			test.draft(&draft)
			if _, _, err := p.Accounts.CreateInvitation(p.T.Context(), auth.Shell(), draft); strings.Join(fieldsOf(err), " ") != test.field {
				p.T.Errorf("%+v: %v, want an error of %s", draft, err, test.field)
			}
		}
		ana := p.Identity(p.SignIn("ana").Tokens).Actor(p.Client)
		_, _, err := p.Accounts.CreateInvitation(p.T.Context(), ana, good)
		wantKind(p.T, "by someone who is no admin", err, apperr.Forbidden)
		if page, err := p.Store.Invitations.List(p.T.Context(), models.NewestFirst{Limit: 10}); err != nil || len(page.Invitations) != 0 {
			p.T.Errorf("%d invitations (%v), want none", len(page.Invitations), err)
		}
		p.Deliver(p.T)
		for _, m := range p.Mailbox.All() {
			if strings.Contains(m.Text, "invite=") {
				p.T.Errorf("an invitation was mailed: %s", m.Subject)
			}
		}
	})
}

// TestInvitationsOfFormerAdmin checks that the open invitations of an admin who is
// disabled, demoted or deleted stop working.
func TestInvitationsOfFormerAdmin(t *testing.T) {
	each(t, nil, func(p *portal) {
		ctx := p.T.Context()
		p.Admin("boss")
		for name, act := range map[string]func(id, email string) error{
			"disabled": func(id, _ string) error { _, _, err := p.Accounts.Disable(ctx, auth.Shell(), id, ""); return err },
			"demoted": func(id, _ string) error {
				_, err := p.Accounts.SetRole(ctx, auth.Shell(), id, models.RoleUser)
				return err
			},
			"deleted": func(id, email string) error { _, _, err := p.Accounts.Delete(ctx, auth.Shell(), id, email); return err },
		} {
			admin := p.Admin(name)
			_, token, err := p.Accounts.CreateInvitation(ctx, admin, account.InvitationDraft{Role: models.RoleAdmin, Hours: 24, Uses: 2})
			if err != nil {
				p.T.Fatal(err)
			}
			if err := act(admin.UserID, profile(name).Email); err != nil {
				p.T.Fatal(err)
			}
			if got := p.invitationState(token); got != account.InvitationWithdrawn {
				p.T.Errorf("%s: state %d, want withdrawn", name, got)
			}
		}
	})
}

// TestInvitedTakenAddresses checks that an invitation cannot be used to find out who
// has an account.
func TestInvitedTakenAddresses(t *testing.T) {
	each(t, limited, func(p *portal) {
		p.Join("ana")
		_, token := p.invite(account.InvitationDraft{Uses: 5})
		probe := func() error {
			_, err := p.Accounts.SignUpInvited(p.T.Context(), token, account.Signup{
				Account: account.Profile{Username: "probe", Email: "ana@example.org"}, Password: goodPassword, Client: p.Client,
			})
			return err
		}
		for range 10 {
			wantKind(p.T, "a taken address", probe(), apperr.Invalid)
		}
		wantKind(p.T, "the eleventh", probe(), apperr.TooMany)
	})
}

// inviteIn returns the token of the link to sign-up in a text.
func inviteIn(t *testing.T, text string) string {
	t.Helper()
	_, rest, found := strings.Cut(text, "/signup?invite=")
	if !found {
		t.Fatalf("no invitation in %q", text)
	}
	token, _, _ := strings.Cut(rest, "\n")
	return token
}

// events returns the events of an action, newest first.
func (p *portal) events(action string) []models.Event {
	p.T.Helper()
	page, err := p.Store.Audit.List(p.T.Context(), models.AuditQuery{Actions: []string{action}, Limit: 100})
	if err != nil {
		p.T.Fatal(err)
	}
	return page.Events
}
