package audit

import (
	"cmp"
	"strings"

	"latchkey/models"
)

// Line is the sentence of an event for admins in parts, so that a page can link
// the people: the actor, Before, the subject if Named, After.
type Line struct {
	Before string
	Named  bool // the sentence names the subject
	After  string
	Detail string // follows the sentence; may be empty
	Apart  bool   // Detail is a separate sentence: only a reason, or the text of an old event
	Token  string // the token that was presented; not part of the sentence
}

// LineOf returns the line of an event. For an event of another version it has
// the stored name.
func LineOf(e models.Event) Line {
	text := cmp.Or(find(e.Action).admins, e.Action)
	other := e.SubjectID != "" && e.SubjectID != e.ActorID
	if start, rest, found := strings.Cut(text, "["); found {
		optional, end, _ := strings.Cut(rest, "]")
		if !other {
			optional, end = "", strings.TrimPrefix(end, " ")
		}
		text = start + optional + end
	}
	before, after, named := strings.Cut(text, "{subject}")
	line := Line{Before: strings.TrimSpace(before), Named: named && e.SubjectID != "", After: strings.TrimSpace(after)}
	if detail := Detail(e); aboutDelivery(e) {
		line.Token = detail
	} else {
		line.Detail = detail
		line.Apart = detail != "" && (e.Details == "" || DetailsOf(e).facts(e.Action) == "")
	}
	return line
}

// Sentence returns the line of an event as one text.
func Sentence(e models.Event) string {
	line := LineOf(e)
	words := []string{cmp.Or(e.ActorName, "Someone"), line.Before}
	if line.Named {
		words = append(words, e.SubjectName)
	}
	if line.After != "" {
		words = append(words, line.After)
	}
	text := strings.Join(words, " ")
	switch {
	case line.Apart:
		text += ". " + line.Detail
	case line.Detail != "":
		text += ": " + line.Detail
	}
	return strings.TrimSuffix(text, ".") + "."
}

// ToPerson returns the sentence of an event for the affected person.
func ToPerson(e models.Event) string {
	if step := stepWords(DetailsOf(e).Step); step != "" && e.Action == Login {
		return "You signed in " + step + "."
	}
	return cmp.Or(find(e.Action).person, "Your account was changed.")
}
