package mail

// The topics of letters. They are stored: never change one. A new topic needs a
// constant and a row in Topics.
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

// Topic is a topic in words, for admins.
type Topic struct{ Value, Label string }

// Topics returns every topic.
func Topics() []Topic {
	return []Topic{
		{TopicReset, "Reset link"},
		{TopicDisabled, "Reset of a disabled account"},
		{TopicVerify, "Address to confirm"},
		{TopicTaken, "Sign-up with a taken address"},
		{TopicInvitation, "Invitation"},
		{TopicNotice, "Notice"},
		{TopicDeleted, "Account deleted"},
		{TopicTest, "Test message"},
	}
}

// Label returns a topic in words; the topic itself if another version of Latchkey
// knows it.
func Label(topic string) string {
	for _, t := range Topics() {
		if t.Value == topic {
			return t.Label
		}
	}
	return topic
}
