package notice

import (
	"cmp"
	"strings"

	"latchkey/internal/audit"
	"latchkey/internal/device"
	"latchkey/models"
	"latchkey/views/letters"
)

// words are what a letter says about an event.
type words struct {
	subject string // says what happened in its first words
	text    []string
	to      string // the address; empty: that of the account
	story   string // the path of a page that tells more; empty: none
}

// ReplayPath is the page about a copied session, by the id of its event.
func ReplayPath(eventID string) string { return "/profile/activity/replay/" + eventID }

// wordsOf returns the words about an event, and whether it has a letter.
func wordsOf(e models.Event) (words, bool) {
	d := audit.DetailsOf(e)
	switch e.Action {
	case audit.Login:
		if d.Step == audit.StepRecovery {
			return recoveryUsed(d.NewDevice), true
		}
		if !d.NewDevice {
			return words{}, false
		}
		browser, with := device.Name(e.UserAgent), "your password"
		if d.Step == audit.StepPasskey {
			with = "a passkey"
		}
		return say("New sign-in on "+browser, "Someone signed in to your account with "+with+", in a browser that you had not used before."), true
	case audit.PasswordChange:
		return say("Your password was changed", "The password of your account was changed. Your other devices are signed out."), true
	case audit.PasswordReset:
		return say("Your password was changed with a reset link", "The password of your account was set with a reset link. Every device was signed out."), true
	case audit.AppOn:
		return say("Two-step sign-in was turned on", "Two-step sign-in was turned on for your account. To sign in, you now also need a code of your authenticator app. "+
			"Your other devices are signed out."), true
	case audit.AppReplace:
		return say("Your authenticator app was replaced", "Another authenticator app took the place of the one that you had. Only the codes of the new app work now. "+
			"Your other devices are signed out."), true
	case audit.AppOff:
		return say("Two-step sign-in was turned off", "Two-step sign-in was turned off for your account. Your password alone is enough to sign in. "+
			"Your authenticator app and your recovery codes have stopped working, and your other devices are signed out."), true
	case audit.CodesMade:
		return say("New recovery codes were made", "New recovery codes were made for your account. The old ones have stopped working."), true
	case audit.TokenCreate:
		return say("A new access token was created", "An access token with the name "+letters.Quoted(d.Token)+" was created for your account. "+
			"A program that has it can use your account."), true
	case audit.PasskeyAdd:
		return say("A passkey was added", "The passkey "+letters.Quoted(d.Passkey)+" was added to your account. Whoever has it can sign in without your password."), true
	case audit.PasskeyRemove:
		return say("A passkey was removed", "The passkey "+letters.Quoted(d.Passkey)+" was removed from your account. Your other devices are signed out."), true
	case audit.PasskeyCounter:
		return say("A passkey may have been copied", "Someone signed in with your passkey "+letters.Quoted(d.Passkey)+", and its counter did not go up.",
			"This happens when a passkey is copied. It can also happen when a security key is reset. If you do not know why, remove the passkey."), true
	case audit.PasskeyRefused:
		return say("A passkey was refused", "Someone tried to use your passkey "+letters.Quoted(d.Passkey)+", and we refused it.",
			"The passkey could be synced to other devices before, and its device says that it cannot be now. "+
				"Passkeys do not change like that. Remove the passkey and add a new one."), true
	case audit.Replay:
		w := say("A copied session was ended", "Someone used a copy of one of your sessions. We ended the session at once.",
			"This happens when the cookies of a browser are copied, for example by malware. It can also happen when a browser is restored from a backup.")
		w.story = ReplayPath(e.ID)
		return w, true
	case audit.UserDisable:
		return say("Your account was disabled", "Your account was disabled. Nobody can sign in to it, and every device is signed out.",
			"If you think that this is a mistake, ask an admin."), true
	case audit.UserEnable:
		return say("Your account is enabled again", "Your account was enabled again. You can sign in."), true
	case audit.UserResetStep:
		return say("Your two-step sign-in was reset", "An admin removed your authenticator app, your recovery codes and your passkeys, and signed you out everywhere.",
			"Your password alone signs in now. Sign in and add a second step again."), true
	case audit.UserVerify:
		return say("Your email address was confirmed by an admin", "The email address of your account counts as confirmed."), true
	case audit.UserRestore:
		return say("Your account was restored", "Your account was deleted and is restored. You can sign in again."), true
	case audit.EmailChange, audit.ProfileChange, audit.UserProfile:
		return renamed(d)
	}
	return words{}, false
}

// recoveryUsed returns the words about a sign-in with a recovery code.
func recoveryUsed(newDevice bool) words {
	text := "Someone signed in to your account with your password and one of your recovery codes"
	if newDevice {
		text += ", in a browser that you had not used before"
	}
	return say("A recovery code was used to sign in", text+". The code does not work again.")
}

func say(subject string, text ...string) words { return words{subject: subject, text: text} }

// renamed returns the words about a new address or username. A letter about a new
// address goes to the old one.
func renamed(d audit.Details) (words, bool) {
	if d.Email == nil && d.Username == nil {
		return words{}, false
	}
	var subjects, text []string
	w := words{}
	if d.Email != nil {
		w.to = d.Email.Old
		subjects = append(subjects, "email address")
		text = append(text, "The email address of your account was changed from "+cmp.Or(d.Email.Old, "none")+" to "+cmp.Or(d.Email.New, "none")+".")
	}
	if d.Username != nil {
		subjects = append(subjects, "username")
		text = append(text, "The username of your account was changed from "+letters.Quoted(d.Username.Old)+" to "+letters.Quoted(d.Username.New)+".")
	}
	verb := " was changed"
	if len(subjects) > 1 {
		verb = " were changed"
	}
	w.subject, w.text = "Your "+strings.Join(subjects, " and ")+verb, text
	return w, true
}
