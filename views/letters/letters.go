// Package letters writes the messages that the portal mails: each as text and as
// HTML, with the same words, without images and without anything to be loaded.
//
// A letter holds its words; the two forms are made from it here. Which letter is
// sent to whom is decided by the packages that send it.
package letters

import (
	"context"
	"strings"
	"time"
)

// Brand is the sender as people see it.
type Brand struct {
	Name         string
	URL          string // the portal's public URL
	SupportEmail string // may be empty
	Accent       string // of the button, "#rrggbb"
	OnAccent     string // of its label
}

// Letter is a message.
type Letter struct {
	Subject string
	Name    string   // of the person, for the greeting; empty: no greeting
	Text    []string // paragraphs
	Facts   []Fact
	Code    string // to be typed; may be empty
	Button  Link   // the zero Link: none
	Second  Link   // another way, after the button; the zero Link: none
	After   []string
	Alarm   Link // of "This wasn't me"; the zero Link: none
	ByAdmin bool // it is about something that an admin did
}

// Fact is a line of a letter about what happened.
type Fact struct{ Label, Value string }

// Link is a link with its label.
type Link struct{ Label, URL string }

// Forms are the two forms of a letter.
type Forms struct{ Text, HTML string }

// Write returns both forms of a letter.
func (b Brand) Write(ctx context.Context, l Letter) (Forms, error) {
	var html strings.Builder
	if err := document(b, l).Render(ctx, &html); err != nil {
		return Forms{}, err
	}
	return Forms{Text: b.text(l), HTML: html.String()}, nil
}

// Time writes an instant for a letter, whose reader's zone is not known.
func Time(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04 UTC") }

// alarm is the sentence before the link of "This wasn't me".
func (l Letter) alarm() string {
	if l.ByAdmin {
		return "If someone else may be using your account, secure it now:"
	}
	return "If this was not you, secure your account now:"
}

// about ends every letter.
func (b Brand) about() string {
	text := "This message is from " + b.Name + ", " + b.URL + "."
	if b.SupportEmail != "" {
		text += " For help, write to " + b.SupportEmail + "."
	}
	return text
}

func (l Letter) greeting() string {
	if l.Name == "" {
		return ""
	}
	return "Hello " + l.Name + ","
}

func (b Brand) text(l Letter) string {
	var parts []string
	add := func(part string) {
		if part != "" {
			parts = append(parts, part)
		}
	}
	add(l.greeting())
	for _, p := range l.Text {
		add(p)
	}
	var facts []string
	for _, f := range l.Facts {
		facts = append(facts, f.Label+": "+f.Value)
	}
	add(strings.Join(facts, "\n"))
	if l.Button.URL != "" {
		add(l.Button.Label + ":\n" + l.Button.URL)
	}
	if l.Code != "" {
		add("Or type this code:\n" + l.Code)
	}
	if l.Second.URL != "" {
		add(l.Second.Label + ":\n" + l.Second.URL)
	}
	for _, p := range l.After {
		add(p)
	}
	if l.Alarm.URL != "" {
		add(l.alarm() + "\n" + l.Alarm.URL)
	}
	add("-- \n" + b.about())
	return strings.Join(parts, "\n\n") + "\n"
}
