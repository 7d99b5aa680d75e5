package audit

import "latchkey/models"

// Tone is the look of a message.
type Tone int

// The tones.
const (
	Neutral Tone = iota
	Warning      // something may be wrong
	Refusal      // the person cannot continue
)

// Ending has the texts for the end of a session or token.
type Ending struct {
	Login string // on the sign-in page, to the person whose session it was
	Tone  Tone   // of that message
	List  string // in the list of sessions

	// Activity is the sentence for the person, for a reason that has an event.
	Activity string
	Token    string // in the list of access tokens
}

// signInAgain ends the sentences of the sign-in page.
const signInAgain = " Sign in to continue."

// endings has all reasons. A new reason needs a constant in package models and
// a row.
var endings = map[models.Reason]Ending{
	models.ReasonLogout: {
		Login: "You signed out." + signInAgain, List: "Signed out on the device.", Token: "Removed by the program that used it",
	},
	models.ReasonEndedElsewhere: {
		Login: "You signed this device out from another device." + signInAgain, List: "Signed out from another device.", Token: "Removed by you",
	},
	models.ReasonAdmin: {
		Login: "An admin signed you out." + signInAgain, List: "Signed out by an admin.", Token: "Removed by an admin",
	},
	models.ReasonDisabled: {
		Login: "This account is disabled.", Tone: Refusal, List: "The account was disabled.", Token: "The account was disabled",
	},
	models.ReasonDeleted: {Login: "You were signed out." + signInAgain, List: "The account was deleted."},
	models.ReasonPassword: {
		Login: "Your password was changed, and every device was signed out. Sign in with the new password.",
		List:  "The password was changed.", Token: "Removed with the password",
	},
	models.ReasonEmail: {
		Login: "Your email address was changed, and every device was signed out." + signInAgain, List: "The email address was changed.",
	},
	models.ReasonSecured: {
		Login: "Your account was secured, and every device was signed out. Choose a new password with the link that we mailed to you.",
		List:  "The account was secured.", Token: "Removed when the account was secured",
	},
	models.ReasonTwoStep: {
		Login: "Your two-step sign-in was changed, and every device was signed out." + signInAgain, List: "Two-step sign-in was changed.",
	},
	models.ReasonPasskey: {
		Login: "A passkey was removed from your account, and this device was signed out." + signInAgain, List: "A passkey was removed.",
	},
	models.ReasonReplaced: {
		Login: "You signed in again in this browser, so the earlier session ended." + signInAgain, List: "Signed in again in the same browser.",
	},
	models.ReasonLimit: {
		Login: "You signed in on too many devices, so the least recently used one, this device, was signed out." + signInAgain,
		List:  "Too many devices were signed in.",
	},
	models.ReasonReplay: {
		Login: "To protect your account, we ended this session: someone may have used a copy of it. Sign in again. " +
			"If you do not recognise this, change your password.",
		Tone: Warning, List: "Ended because a copy of the session was used.",
		Activity: "A session was ended because a copy of it was used.",
	},
	models.ReasonRestored: {
		Login: "You were signed out." + signInAgain, List: "Ended when the server was restored from a backup.",
		Activity: "A session was ended when the server was restored from a backup.",
	},
	models.ReasonIdle: {
		Login: "You were signed out because this device was not used for a while." + signInAgain, List: "It was not used for a while.",
	},
	models.ReasonExpired: {
		Login: "You were signed out because you last signed in too long ago." + signInAgain, List: "It reached the longest time a session can last.",
	},
}

// EndingOf returns the texts for a reason, with general ones for a reason of
// another version.
func EndingOf(reason models.Reason) Ending {
	ending, known := endings[reason]
	if !known {
		return Ending{Login: "You were signed out." + signInAgain, List: "Ended."}
	}
	return ending
}
