package account_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"latchkey/internal/account"
	"latchkey/internal/apperr"
	"latchkey/internal/audit"
	"latchkey/internal/auth"
	"latchkey/internal/testdb"
	"latchkey/models"
)

// departure is the form of someone who deletes their account.
func (p *portal) departure(in *auth.SignedIn) account.Departure {
	person := p.Identity(in.Tokens)
	return account.Departure{Identity: person, Confirm: person.Email, Current: goodPassword, Client: p.Client}
}

// wantTraces checks in which columns of the whole database a text is left.
func (p *portal) wantTraces(text string, want ...string) {
	p.T.Helper()
	if got := testdb.Find(p.T, p.Store, text); strings.Join(got, " ") != strings.Join(want, " ") {
		p.T.Errorf("%q is in %v, want it in %v", text, got, want)
	}
}

// history makes an account with a history: names that changed, tokens, sessions,
// notes of admins, an invitation and letters.
func (p *portal) history(name string) *auth.SignedIn {
	p.T.Helper()
	ctx := p.T.Context()
	in := p.Join("first." + name)
	if err := p.rename(p.Identity(in.Tokens), name, "Full "+name); err != nil {
		p.T.Fatal(err)
	}
	p.Personal(in.Tokens, "me", 30)
	user := p.User(name)
	if _, _, err := p.Accounts.Disable(ctx, auth.Shell(), user.ID, "note on "+name); err != nil {
		p.T.Fatal(err)
	}
	if _, err := p.Accounts.Enable(ctx, auth.Shell(), user.ID); err != nil {
		p.T.Fatal(err)
	}
	_ = p.Try(name, "wrong-"+goodPassword, "")
	return p.SignIn(name)
}

// TestDeleteOwn checks that a person who deletes their account is signed out on every
// road at once, and that only their pseudonym and their usernames are left.
func TestDeleteOwn(t *testing.T) {
	each(t, mailed, func(p *portal) {
		ctx := p.T.Context()
		boss := p.Admin("boss")
		in := p.history("zoe")
		other := p.SignIn("zoe")
		secret, _ := p.Personal(in.Tokens, "me", 30)
		user := p.User("zoe")
		if _, err := p.OAuth.AuthenticateBearer(ctx, secret, p.Client); err != nil {
			p.T.Fatalf("the token does not work before: %v", err)
		}
		if err := p.Accounts.DeleteOwn(ctx, p.departure(in)); err != nil {
			p.T.Fatal(err)
		}
		for _, tokens := range []*auth.Tokens{in.Tokens, other.Tokens} {
			if got := p.Present(tokens.Access, ""); got.Identity != nil {
				p.T.Error("an access token still works")
			}
			if got := p.Present("", tokens.Refresh); got.Identity != nil {
				p.T.Error("a refresh token still works")
			}
		}
		_, err := p.OAuth.AuthenticateBearer(ctx, secret, p.Client)
		wantKind(p.T, "the access token", err, apperr.Unauthorized)
		wantKind(p.T, "sign in", p.Try("zoe", goodPassword, ""), apperr.Unauthorized)
		_, err = p.Accounts.Restore(ctx, boss, user.ID)
		wantKind(p.T, "restore", err, apperr.NotFound)

		p.Deliver(p.T)
		letters := p.Mailbox.To(profile("first.zoe").Email)
		if len(letters) != 1 || letters[0].Subject != "Your Latchkey account is deleted" {
			p.T.Fatalf("letters: %+v, want one goodbye", letters)
		}
		p.wantTraces("zoe", "deliveries.recipient", "retired_usernames.username") // the letter is purged later
		p.wantTraces(user.ID, "audit_events.actor_id", "audit_events.subject_id", "denylist.user_id")
		names := map[string]bool{}
		for _, e := range p.about(user.ID) {
			if e.ActorID == user.ID {
				names[e.ActorName] = true
			}
			if e.SubjectID == user.ID {
				names[e.SubjectName] = true
			}
		}
		if len(names) != 1 || names["zoe"] {
			p.T.Errorf("names in the audit log: %v, want one pseudonym", names)
		}
		if e := p.events(audit.AccountDelete); len(e) != 1 || !strings.HasPrefix(e[0].ActorName, "deleted-") || audit.DetailsOf(e[0]).SessionsEnded != 2 {
			p.T.Errorf("the event: %+v", e)
		}
		for _, name := range []string{"zoe", "first.zoe"} { // its former name too, for its 90 days
			_, err := p.Accounts.SignUp(ctx, account.Signup{
				Account: account.Profile{Username: name, Email: "zoe@example.net"}, Password: goodPassword, Client: p.Client,
			})
			wantKind(p.T, "the username "+name, err, apperr.Invalid)
		}
		if _, err := p.Accounts.SignUp(ctx, account.Signup{
			Account: account.Profile{Username: "zoe2", Email: profile("first.zoe").Email}, Password: goodPassword, Client: p.Client,
		}); err != nil {
			p.T.Errorf("the address can be used again: %v", err)
		}
	})
}

// about returns every event about or by a person.
func (p *portal) about(userID string) []models.Event {
	p.T.Helper()
	events, err := p.Store.Audit.About(p.T.Context(), userID, 1000)
	if err != nil {
		p.T.Fatal(err)
	}
	return events
}

func TestDeleteOwnRefused(t *testing.T) {
	each(t, nil, func(p *portal) {
		ctx := p.T.Context()
		p.Admin("boss")
		in := p.Join("ana")
		refused := func(what, fields string, change func(*account.Departure)) {
			p.T.Helper()
			form := p.departure(in)
			change(&form)
			if err := p.Accounts.DeleteOwn(ctx, form); strings.Join(fieldsOf(err), " ") != fields {
				p.T.Errorf("%s: %v, want errors of %q", what, err, fields)
			}
		}
		refused("nothing typed", "confirm current_password", func(d *account.Departure) { d.Confirm, d.Current = "", "" })
		refused("the username", "confirm", func(d *account.Departure) { d.Confirm = "ana" })
		refused("a wrong password", "current_password", func(d *account.Departure) { d.Current = "wrong" })
		boss := p.SignIn("boss")
		wantKind(p.T, "the last admin", p.Accounts.DeleteOwn(ctx, p.departure(boss)), apperr.Conflict)
		p.Admin("second")
		if err := p.Accounts.DeleteOwn(ctx, p.departure(boss)); err != nil {
			p.T.Errorf("one of two admins: %v", err)
		}
		form := p.departure(in)
		form.Confirm = " ANA@Example.ORG "
		if err := p.Accounts.DeleteOwn(ctx, form); err != nil {
			p.T.Errorf("the address in other letters: %v", err)
		}
		wantKind(p.T, "again", p.Accounts.DeleteOwn(ctx, form), apperr.Unauthorized)
	})
}

// TestLastAdminsLeaveTogether checks that of two admins who delete their accounts at
// the same time one stays.
func TestLastAdminsLeaveTogether(t *testing.T) {
	each(t, nil, func(p *portal) {
		var forms [2]account.Departure
		for i := range forms {
			name := fmt.Sprint("boss", i)
			p.Admin(name)
			forms[i] = p.departure(p.SignIn(name))
		}
		parallel(2, func(i int) { _ = p.Accounts.DeleteOwn(p.T.Context(), forms[i]) })
		if n, err := p.Store.Users.CountActiveAdmins(p.T.Context()); err != nil || n != 1 {
			p.T.Errorf("%d admins are left (%v), want 1", n, err)
		}
	})
}

// TestRestore checks that a deleted account comes back as it was, without anything
// that lets someone in, and that sign-in meanwhile is that of an unknown account.
func TestRestore(t *testing.T) {
	each(t, mailed, func(p *portal) {
		ctx := p.T.Context()
		boss := p.Admin("boss")
		in := p.history("zoe")
		secret, _ := p.Personal(in.Tokens, "me", 30)
		if err := p.Store.Users.MarkReplayed(ctx, p.User("zoe").ID, p.Clock.Now()); err != nil {
			p.T.Fatal(err)
		}
		before := *p.User("zoe")
		if _, ended, err := p.Accounts.Delete(ctx, boss, before.ID, before.Email); err != nil || ended == 0 {
			p.T.Fatalf("delete: %d sessions, %v", ended, err)
		}
		p.Clock.Advance(time.Second)
		wantKind(p.T, "sign in", p.Try("zoe", goodPassword, ""), apperr.Unauthorized)
		if e := p.events(audit.LoginFailed)[0]; e.SubjectID != "" {
			p.T.Errorf("the failed sign-in names %q", e.SubjectName)
		}
		p.Deliver(p.T)
		told := 0
		for _, m := range p.Mailbox.To(before.Email) {
			if m.Subject == "Your Latchkey account was deleted" && strings.Contains(m.Text, "An admin can restore the account until 31 March 2026") {
				told++
			}
		}
		if told != 1 {
			p.T.Errorf("%d letters about the deletion, want 1", told)
		}
		for _, name := range []string{"ZOE", before.Email, before.ID} {
			if row, err := p.Accounts.FindDeleted(ctx, name); err != nil || row.ID != before.ID {
				p.T.Errorf("%s finds %v (%v)", name, row, err)
			}
		}
		p.Pass(29 * 24 * time.Hour)
		if n, err := p.Accounts.EraseDeleted(ctx); n != 0 || err != nil {
			p.T.Errorf("erased %d (%v), want none", n, err)
		}
		after, err := p.Accounts.Restore(ctx, p.Identity(p.SignIn("boss").Tokens).Actor(p.Client), before.ID)
		if err != nil {
			p.T.Fatal(err)
		}
		if *after != before {
			p.T.Errorf("restored %+v, want %+v", *after, before)
		}
		if got := p.Present("", in.Tokens.Refresh); got.Identity != nil {
			p.T.Error("a session came back")
		}
		_, err = p.OAuth.AuthenticateBearer(ctx, secret, p.Client)
		wantKind(p.T, "the access token", err, apperr.Unauthorized)
		p.SignIn("zoe")
		if e := p.events(audit.UserRestore); len(e) != 1 || e[0].SubjectName != "zoe" || e[0].ActorName != "boss" {
			p.T.Errorf("the event: %+v", e)
		}
		if list, err := p.Store.Users.List(ctx, models.UserQuery{Q: "full zoe", Now: p.Clock.Now()}); err != nil || list.Count != 1 {
			p.T.Errorf("the search finds %d (%v), want the restored account", list.Count, err)
		}
		_, err = p.Accounts.Restore(ctx, auth.Shell(), before.ID)
		wantKind(p.T, "restore again", err, apperr.NotFound)
	})
}

// TestRestoreTakenAddress checks that an account whose address another account has
// now comes back only once the address is free.
func TestRestoreTakenAddress(t *testing.T) {
	each(t, nil, func(p *portal) {
		ctx := p.T.Context()
		p.Join("ana")
		old := p.User("ana")
		if _, _, err := p.Accounts.Delete(ctx, auth.Shell(), old.ID, old.Email); err != nil {
			p.T.Fatal(err)
		}
		if _, err := p.Accounts.SignUp(ctx, account.Signup{
			Account: account.Profile{Username: "ana2", Email: "ANA@example.org"}, Password: goodPassword, Client: p.Client,
		}); err != nil {
			p.T.Fatal(err)
		}
		_, err := p.Accounts.Restore(ctx, auth.Shell(), old.ID)
		if wantKind(p.T, "restore", err, apperr.Conflict); !strings.HasPrefix(apperr.Details(err).Message, "Another account has the email address ana@example.org now.") {
			p.T.Errorf("message %q", apperr.Details(err).Message)
		}
		newer := p.User("ana2")
		if _, _, err := p.Accounts.Delete(ctx, auth.Shell(), newer.ID, newer.Email); err != nil {
			p.T.Fatal(err)
		}
		_, err = p.Accounts.FindDeleted(ctx, "ana@example.org")
		wantKind(p.T, "two deleted accounts had the address", err, apperr.Conflict)
		if _, err := p.Accounts.Restore(ctx, auth.Shell(), old.ID); err != nil {
			p.T.Errorf("restore, when the address is free: %v", err)
		}
	})
}

// TestErase checks that nothing of a deleted account is left after its time, except
// its username and its lines in the audit log under a pseudonym.
func TestErase(t *testing.T) {
	each(t, mailed, func(p *portal) {
		ctx := p.T.Context()
		_, stale := p.invite(account.InvitationDraft{Email: "first.zoe@example.org"})
		p.history("zoe")
		user := p.User("zoe")
		if _, _, err := p.Accounts.Delete(ctx, auth.Shell(), user.ID, user.Email); err != nil {
			p.T.Fatal(err)
		}
		p.Deliver(p.T)
		p.Pass(account.RestoreTime)
		_, err := p.Accounts.Restore(ctx, auth.Shell(), user.ID)
		wantKind(p.T, "restore at the last moment", err, apperr.NotFound)
		var erased [3]int
		parallel(3, func(i int) {
			n, err := p.Accounts.EraseDeleted(ctx)
			if err != nil {
				p.T.Error(err)
			}
			erased[i] = n
		})
		if erased[0]+erased[1]+erased[2] != 1 {
			p.T.Errorf("erased %v, want one", erased)
		}
		p.wantTraces("zoe", "retired_usernames.username")
		p.wantTraces(user.ID, "audit_events.actor_id", "audit_events.subject_id", "denylist.user_id")
		if got := p.invitationState(stale); got != account.InvitationUnknown {
			p.T.Errorf("the invitation for the address: state %d, want none", got)
		}
		e := p.events(audit.UserErase)
		if len(e) != 1 || !strings.HasPrefix(e[0].SubjectName, "deleted-") {
			p.T.Fatalf("the event: %+v", e)
		}
		for _, other := range p.about(user.ID) {
			if other.SubjectID == user.ID && other.SubjectName != e[0].SubjectName {
				p.T.Errorf("%s names %q, want %q", other.Action, other.SubjectName, e[0].SubjectName)
			}
		}
		_, err = p.Accounts.SignUp(ctx, account.Signup{Account: account.Profile{Username: "zoe", Email: "z@example.org"}, Password: goodPassword, Client: p.Client})
		wantKind(p.T, "the username", err, apperr.Invalid)
	})
}
