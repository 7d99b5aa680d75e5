package letters

import (
	"strings"
	"time"
)

// Notice is a letter about something that happened to an account.
type Notice struct {
	Subject string
	Name    string
	Text    []string
	When    time.Time
	By      string // who did it, if not the person: "an admin"; may be empty
	Device  string // may be empty
	Address string // an IP address; may be empty
	Story   Link   // of a page that tells more; the zero Link: none
	Secure  string // the link of "This wasn't me"; empty: none
}

// Letter returns the letter.
func (n Notice) Letter() Letter {
	l := Letter{Subject: n.Subject, Name: n.Name, Text: n.Text, Button: n.Story}
	for _, fact := range []Fact{{"When", Time(n.When)}, {"By", n.By}, {"Device", n.Device}, {"IP address", n.Address}} {
		if fact.Value != "" {
			l.Facts = append(l.Facts, fact)
		}
	}
	if n.Secure != "" {
		l.After = []string{"If this was you, you need not do anything."}
		l.Alarm = Link{"This wasn’t me", n.Secure}
		if n.By != "" {
			l.After = []string{"If you expected this, you need not do anything."}
			l.Alarm.Label, l.ByAdmin = "Secure my account", true
		}
	}
	return l
}

// Quoted puts a name into quotation marks, for the middle of a sentence. Line
// breaks become spaces.
func Quoted(name string) string { return "“" + strings.Join(strings.Fields(name), " ") + "”" }
