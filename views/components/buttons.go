package components

import "github.com/a-h/templ"

// Style is the look of a button. Its value is also its CSS class.
type Style string

// The styles: one primary button per view, danger for actions that are hard to undo,
// quiet for those that matter little.
const (
	Secondary Style = ""
	Primary   Style = "primary"
	Danger    Style = "danger"
	Quiet     Style = "quiet"
)

// Button describes a submit button.
type Button struct {
	Label string
	// More is hidden text after the label for screen readers, for buttons with
	// the same label on a page ("Sign out" + " Firefox on Windows").
	More string
	// Busy is the label while the form is being sent, such as "Signing in…".
	Busy  string
	Style Style
	Small bool
	Block bool // as wide as the form
	// Name and Value are sent with the form when Name is set.
	Name  string
	Value string
}

// attributes are those of the button element.
func (b Button) attributes() templ.OrderedAttributes {
	a := class(b.class())
	if b.Name != "" {
		a = append(a, templ.KV[string, any]("name", b.Name), templ.KV[string, any]("value", b.Value))
	}
	set(&a, "data-busy", b.Busy)
	return a
}

func (b Button) class() string {
	class := "btn"
	if b.Style != "" {
		class += " " + string(b.Style)
	}
	if b.Small {
		class += " sm"
	}
	if b.Block {
		class += " block"
	}
	return class
}

// Confirmation is the question before an action that is hard to undo. It has
// its own page; with script, a dialog shows the same.
type Confirmation struct {
	// Heading asks or names the action: "Sign out 2 other devices?".
	Heading string
	// Text describes the consequences, one paragraph each.
	Text []string
	// Action is the URL of the form, Button the label of its button.
	Action string
	Button string
	Busy   string
	// Style is the look of the button, Danger when empty.
	Style Style
	// Cancel is the page that "Cancel" leads back to.
	Cancel string
	Hidden []Hidden
	// Fields are between the text and the buttons, such as an address to type.
	// Their errors come from Errors.
	Fields []Input
	Errors Errors
}

// submit returns the button that carries out the action.
func (c Confirmation) submit() Button {
	b := Button{Label: c.Button, Busy: c.Busy, Style: c.Style}
	if b.Style == "" {
		b.Style = Danger
	}
	return b
}

// inputs returns the fields with their errors. In a dialog they get different
// ids, because the page may have a form with the same fields.
func (c Confirmation) inputs(dialog string) []Input {
	fields := make([]Input, len(c.Fields))
	for i, field := range c.Fields {
		if field.Error == "" {
			field.Error = c.Errors.For(field.Name)
		}
		if dialog != "" {
			field.ID = dialog + "-" + inputID(field.ID, field.Name)
		}
		fields[i] = field
	}
	return fields
}
