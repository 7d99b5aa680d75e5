package mail

// The topics of letters. They are stored: never change one.
const (
	TopicReset      = "reset"      // a link to choose a new password
	TopicDisabled   = "disabled"   // a reset was asked for a disabled account
	TopicVerify     = "verify"     // a link to verify an address
	TopicTaken      = "taken"      // someone signed up with the address of an account
	TopicInvitation = "invitation" // a link to create an account
	TopicNotice     = "notice"     // something happened to an account
	TopicDeleted    = "deleted"    // the account was deleted
	TopicTest       = "test"
)
