package audit

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"latchkey/models"
)

// Details are the facts of an event besides the actor, the action and the
// subject. They are stored as JSON: never change the meaning of a name.
type Details struct {
	Username *Change `json:"username,omitempty"`
	FullName *Change `json:"full_name,omitempty"`
	Email    *Change `json:"email,omitempty"`
	Role     *Change `json:"role,omitempty"` // of a new account without an old one

	SessionsEnded int `json:"sessions_ended,omitempty"`
	TokensEnded   int `json:"tokens_ended,omitempty"` // personal access tokens

	Invitation           string `json:"invitation,omitempty"` // the start of its id
	Uses                 int    `json:"uses,omitempty"`       // how many accounts an invitation may create
	InvitationsWithdrawn int    `json:"invitations_withdrawn,omitempty"`

	Session  string `json:"session,omitempty"` // the start of the id of a session that was ended
	Token    string `json:"token,omitempty"`   // the name of a personal access token
	Scope    string `json:"scope,omitempty"`
	ClientID string `json:"client_id,omitempty"`
	Days     int    `json:"days,omitempty"`      // how long a personal access token works
	BySecret bool   `json:"by_secret,omitempty"` // it was removed by presenting it

	Recipient string `json:"recipient,omitempty"` // of a message

	Accounts  int    `json:"accounts,omitempty"`   // how many were imported
	NewAdmins int    `json:"new_admins,omitempty"` // how many of them are admins
	Source    string `json:"source,omitempty"`     // what kind of file they were imported from

	Step     string  `json:"step,omitempty"`     // how a sign-in or a confirmation was proved: one of the Step constants
	Passkey  string  `json:"passkey,omitempty"`  // the name of a passkey
	Renamed  *Change `json:"renamed,omitempty"`  // the name of a passkey
	Passkeys int     `json:"passkeys,omitempty"` // how many were removed

	Reason string `json:"reason,omitempty"` // a note for admins

	// Which refresh token was presented, and which one its session has: each a
	// generation and its delivery. A late delivery has only the second.
	Presented         int64 `json:"presented,omitempty"`
	PresentedDelivery int64 `json:"presented_delivery,omitempty"`
	Current           int64 `json:"current,omitempty"`
	CurrentDelivery   int64 `json:"current_delivery,omitempty"`

	// Held is where the tokens of a session were when a copy of it was used.
	Held *Use `json:"held,omitempty"`

	NewDevice bool `json:"new_device,omitempty"` // a sign-in that its owner is told of

	Cause string `json:"cause,omitempty"` // only for events in the server's log: the limit or token that was refused
}

// How a sign-in or a confirmation was proved besides the password. They are stored:
// never change one.
const (
	StepPassword = "password"
	StepCode     = "code"
	StepRecovery = "recovery code"
	StepTrusted  = "remembered device"
	StepPasskey  = "passkey"
)

// stepWords say how something was proved.
func stepWords(step string) string {
	switch step {
	case "":
		return ""
	case StepPassword:
		return "with the password"
	case StepTrusted:
		return "on a remembered device"
	}
	return "with a " + step
}

// Use is one use of a session.
type Use struct {
	IP        string      `json:"ip,omitempty"`
	UserAgent string      `json:"user_agent,omitempty"`
	At        models.Time `json:"at,omitempty"`
}

// Change is the change of a value.
type Change struct {
	Old string `json:"old,omitempty"`
	New string `json:"new,omitempty"`
}

// Changed returns the change of a value, nil when it is the same.
func Changed(before, after string) *Change {
	if before == after {
		return nil
	}
	return &Change{before, after}
}

// Encode returns the details as they are stored, "" for none.
func (d Details) Encode() string {
	if d == (Details{}) {
		return ""
	}
	text, err := json.Marshal(d)
	if err != nil { // strings, numbers and booleans: it does not fail
		return ""
	}
	return string(text)
}

// DetailsOf returns the details of an event: none for an old event, which has a
// text instead.
func DetailsOf(e models.Event) (d Details) {
	if json.Unmarshal([]byte(e.Details), &d) != nil {
		return Details{}
	}
	return d
}

// facts are the details as they follow the sentence of an event, without the
// reason: "username ana → bo, 2 sessions ended".
func (d Details) facts(event string) string {
	var list []string
	add := func(text string) {
		if text != "" {
			list = append(list, text)
		}
	}
	add(d.Username.words("username "))
	add(d.FullName.words("name "))
	if event == EmailChange || event == EmailChangeAsked || event == EmailChangeEnded || event == EmailVerify || event == UserVerify || event == UserRole { // the sentence says what changed
		add(d.Email.words(""))
		add(d.Role.words(""))
	} else {
		add(d.Email.words("email "))
		add(d.Role.words("role "))
	}
	add(prefixed("invitation ", d.Invitation))
	if d.Uses > 1 {
		add("for up to " + strconv.Itoa(d.Uses) + " accounts")
	}
	add(prefixed("session ", d.Session))
	add(d.Recipient)
	add(counted(d.Accounts, "account", ""))
	add(counted(d.NewAdmins, "admin", ""))
	add(d.Source)
	add(d.Token)
	add(prefixed("scope ", d.Scope))
	add(prefixed("client ", d.ClientID))
	add(counted(d.Days, "day", ""))
	add(stepWords(d.Step))
	add(d.Passkey)
	add(d.Renamed.words(""))
	add(counted(d.Passkeys, "passkey", " removed"))
	if d.NewDevice {
		add("on a new device")
	}
	if d.BySecret {
		add("by presenting it")
	}
	add(counted(d.SessionsEnded, "session", " ended"))
	add(counted(d.TokensEnded, "access token", " removed"))
	add(counted(d.InvitationsWithdrawn, "invitation", " withdrawn"))
	add(d.Cause)
	return strings.Join(list, ", ")
}

// delivery returns which refresh token was presented and which one its session
// has.
func (d Details) delivery() string {
	const text = "generation %d, delivery %d"
	switch {
	case d.Current == 0:
		return ""
	case d.Presented == 0:
		return fmt.Sprintf(text, d.Current, d.CurrentDelivery)
	}
	return fmt.Sprintf("presented "+text+"; current "+text, d.Presented, d.PresentedDelivery, d.Current, d.CurrentDelivery)
}

// aboutDelivery reports whether the details of an event are about the refresh
// token that was presented, which its sentence leaves out.
func aboutDelivery(e models.Event) bool {
	return e.Action == Replay || e.Action == Restored || e.Action == LateDelivery
}

func (c *Change) words(label string) string {
	switch {
	case c == nil:
		return ""
	case c.Old == "" && label == "role ":
		return label + c.New
	}
	return label + cmp.Or(c.Old, "(none)") + " → " + cmp.Or(c.New, "(none)")
}

func prefixed(prefix, text string) string {
	if text == "" {
		return ""
	}
	return prefix + text
}

func counted(n int, noun, after string) string {
	switch n {
	case 0:
		return ""
	case 1:
		return "1 " + noun + after
	}
	return strconv.Itoa(n) + " " + noun + "s" + after
}

// Detail returns the details of an event as a text: "2 sessions ended. Reason:
// left the team". For an old event it returns the stored text.
func Detail(e models.Event) string {
	if e.Details == "" {
		return e.Detail
	}
	d := DetailsOf(e)
	facts := d.facts(e.Action)
	switch {
	case aboutDelivery(e):
		return d.delivery()
	case d.Reason == "":
		return facts
	case facts == "":
		return "Reason: " + d.Reason
	}
	return facts + ". Reason: " + d.Reason
}
