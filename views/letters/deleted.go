package letters

import "time"

// Goodbye says that the person deleted their account.
func Goodbye(brand, support, name string) Letter {
	return Letter{
		Subject: "Your " + brand + " account is deleted", Name: name,
		Text: []string{
			"You deleted your account. Every device is signed out, and your access tokens have stopped working. This cannot be undone.",
			"This is the last message about it.",
		},
		After: []string{"If you did not do this, " + write(support, brand) + "."},
	}
}

// Deleted says that an admin deleted the account, and until when it can be
// restored.
func Deleted(brand, support, name string, until time.Time) Letter {
	return Letter{
		Subject: "Your " + brand + " account was deleted", Name: name,
		Text: []string{
			"An admin deleted your account. Every device is signed out, and your access tokens have stopped working.",
			"An admin can restore the account until " + Time(until) + ". After that it is erased for good.",
		},
		After: []string{"If you think this is a mistake, " + write(support, brand) + "."},
	}
}

// write says whom to ask.
func write(support, brand string) string {
	if support == "" {
		return "ask the operator of " + brand
	}
	return "write to " + support
}
