package letters

import "time"

// Confirmation is what a letter says that asks to confirm an address.
type Confirmation struct {
	Name     string // the full name; may be empty
	Username string
	Email    string
	Link     string
	Code     string // as it is read: two groups
	Until    time.Time
}

// ConfirmEmail asks the person of a new account to confirm its address.
func ConfirmEmail(c Confirmation) Letter {
	return Letter{
		Subject: "Confirm your email address", Name: c.Name,
		Text: []string{
			"The account “" + c.Username + "” uses the address " + c.Email + ". Confirm that it is yours:",
		},
		Button: Link{Label: "Confirm this address", URL: c.Link}, Code: c.Code,
		After: []string{
			"Link and code work until " + Time(c.Until) + ". Nobody else needs the code: do not pass it on.",
			"If you did not create this account, ignore this message. The address then stays unconfirmed.",
		},
	}
}

// ConfirmNewEmail asks to confirm the new address of an account.
func ConfirmNewEmail(c Confirmation) Letter {
	return Letter{
		Subject: "Confirm your new email address", Name: c.Name,
		Text: []string{
			"Someone who is signed in to the account “" + c.Username + "” asked to change its address to " + c.Email + ". It changes as soon as you confirm it:",
		},
		Button: Link{Label: "Confirm this address", URL: c.Link}, Code: c.Code,
		After: []string{
			"Link and code work until " + Time(c.Until) + ". When the address changes, all other devices are signed out.",
			"If you did not ask for this, do nothing. The account keeps its address.",
		},
	}
}

// TakenLinks are the ways in for a person who has an account already.
type TakenLinks struct{ Login, Forgot string }

// AddressTaken tells the owner of an account that someone typed its address for
// another one.
func AddressTaken(name, username string, links TakenLinks) Letter {
	return Letter{
		Subject: "You already have an account", Name: name,
		Text: []string{
			"Someone entered this address to create an account, or to change the address of another account. If it was you: you already have an account with it, “" +
				username + "”. Nothing was created or changed.",
		},
		Button: Link{Label: "Sign in", URL: links.Login}, Second: Link{Label: "Choose a new password", URL: links.Forgot},
		After: []string{"If it was not you, do nothing. Nobody was told that you have an account."},
	}
}

// AddressKept says that an address cannot be used yet, because the account that had
// it until lately can still get it back.
func AddressKept(email string, links TakenLinks) Letter {
	return Letter{
		Subject: "Your address cannot be used for a new account yet",
		Text: []string{
			"Someone entered " + email + " to create an account, or to change the address of another account. Until recently it was the address of an account, which can get " +
				"it back within 7 days of the change. So nothing was created or changed.",
			"If it was you, try again in a few days, or sign in to your account.",
		},
		Button: Link{Label: "Sign in", URL: links.Login},
		After:  []string{"If it was not you, do nothing."},
	}
}
