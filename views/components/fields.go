package components

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/a-h/templ"
)

// Input describes a one-line text field. Its id is its name unless ID is set.
type Input struct {
	Name  string
	ID    string // only where two forms on a page share a name
	Label string
	Hint  string // always visible, between label and field
	Error string // the error of the value, or ""
	Value string
	// Type is the type attribute, "text" when empty.
	Type string
	// Autocomplete is the purpose of the field for browsers and password
	// managers (WCAG 2.2, 1.3.5).
	Autocomplete string
	InputMode    string
	EnterKeyHint string
	Required     bool
	ReadOnly     bool
	Autofocus    bool
	// Literal switches off capital letters and spell checking, for names and
	// addresses that are not words.
	Literal bool
	// DescribedBy is the id of a text elsewhere that also explains the field,
	// such as an error that two fields share. It marks the field as wrong.
	DescribedBy string
	// Optional adds "(optional)" to the label.
	Optional bool
}

// Password describes a password field with its Show button.
type Password struct {
	Name  string
	Label string
	Hint  string
	Error string
	// Autocomplete is the purpose: CurrentPassword or NewPassword. It is the id
	// too.
	Autocomplete string
	// Min is the minimum length of a new password, 0 for none. It sets minlength
	// and passwordrules, which password generators read.
	Min int
	// Link is shown beside the label.
	Link        *Link
	DescribedBy string
	Autofocus   bool
}

// Option is one choice of a Select, of Radios or of Checkboxes.
type Option struct {
	Value    string
	Label    string
	Hint     string // radios and checkboxes only
	Selected bool
}

// Choice describes a Select, Radios or Checkboxes.
type Choice struct {
	Name    string
	ID      string
	Label   string
	Hint    string
	Error   string
	Options []Option
	// Inline puts radios side by side, for short labels without hints.
	Inline bool
}

// Check describes a checkbox.
type Check struct {
	Name    string
	Label   string
	Hint    string
	Value   string // the value that is sent when it is checked; empty: "on"
	Checked bool
	// DescribedBy is the id of the error of its group. It marks the box as
	// invalid.
	DescribedBy string
}

// The purposes of passwords, in the words of the autocomplete attribute.
const (
	CurrentPassword = "current-password"
	NewPassword     = "new-password"
)

// fieldID is the id of the field of an error. A password's id is its purpose, which
// follows from its name: "password" is a new one, because the sign-in form calls
// its error CurrentPassword.
func fieldID(name string) string {
	switch name {
	case "current_password":
		return CurrentPassword
	case "new_password", "password":
		return NewPassword
	}
	return name
}

// inputID is the id of a field: id if the page chose one, else its name.
func inputID(id, name string) string {
	if id != "" {
		return id
	}
	return name
}

// describedBy lists the ids of the texts that explain a field.
func describedBy(id, hint, problem, other string) string {
	var ids []string
	if hint != "" {
		ids = append(ids, id+"-hint")
	}
	if problem != "" {
		ids = append(ids, id+"-error")
	}
	if other != "" {
		ids = append(ids, other)
	}
	return strings.Join(ids, " ")
}

// usualAttributes is the usual number of attributes besides the constant ones.
const usualAttributes = 4

// attributes are the optional attributes of the input.
func (in Input) attributes() templ.OrderedAttributes {
	a := make(templ.OrderedAttributes, 0, usualAttributes)
	set(&a, "autocomplete", in.Autocomplete)
	set(&a, "inputmode", in.InputMode)
	set(&a, "enterkeyhint", in.EnterKeyHint)
	set(&a, "aria-describedby", describedBy(inputID(in.ID, in.Name), in.Hint, in.Error, in.DescribedBy))
	if in.Literal {
		set(&a, "autocapitalize", "none")
		set(&a, "spellcheck", "false")
	}
	if in.Error != "" || in.DescribedBy != "" {
		set(&a, "aria-invalid", "true")
	}
	return a
}

// attributes are the optional attributes of the password field.
func (p Password) attributes() templ.OrderedAttributes {
	a := make(templ.OrderedAttributes, 0, usualAttributes)
	set(&a, "aria-describedby", describedBy(p.Autocomplete, p.Hint, p.Error, p.DescribedBy))
	if p.Min > 0 {
		set(&a, "minlength", strconv.Itoa(p.Min))
		set(&a, "passwordrules", "minlength: "+strconv.Itoa(p.Min)+"; allowed: ascii-printable;")
	}
	if p.Error != "" || p.DescribedBy != "" {
		set(&a, "aria-invalid", "true")
	}
	return a
}

// spoken returns the label for use within a sentence: "current password".
func (p Password) spoken() string {
	first, size := utf8.DecodeRuneInString(p.Label)
	return string(unicode.ToLower(first)) + p.Label[size:]
}

// attributes are the optional attributes of the choice.
func (c Choice) attributes() templ.OrderedAttributes {
	a := make(templ.OrderedAttributes, 0, usualAttributes)
	set(&a, "aria-describedby", describedBy(inputID(c.ID, c.Name), c.Hint, c.Error, ""))
	if c.Error != "" {
		set(&a, "aria-invalid", "true")
	}
	return a
}

// attributes are the optional attributes of the checkbox.
func (c Check) attributes(id string) templ.OrderedAttributes {
	a := make(templ.OrderedAttributes, 0, usualAttributes)
	set(&a, "aria-describedby", describedBy(id, c.Hint, "", c.DescribedBy))
	if c.DescribedBy != "" {
		set(&a, "aria-invalid", "true")
	}
	return a
}

// box is one choice of Checkboxes. id is that of the group.
func (c Choice) box(id string, option Option) Check {
	check := Check{Name: c.Name + "." + option.Value, Label: option.Label, Hint: option.Hint, Checked: option.Selected}
	if c.Error != "" {
		check.DescribedBy = id + "-error"
	}
	return check
}

// layout is the class of the box around the choices.
func (c Choice) layout() string {
	if c.Inline {
		return "choices inline"
	}
	return "choices"
}

// class is the class attribute with the names that are not empty. Pages have many of
// them, and templ's own class expressions build two maps for each.
func class(names ...string) templ.OrderedAttributes {
	value := names[0]
	for _, name := range names[1:] {
		if name != "" {
			value += " " + name
		}
	}
	return templ.OrderedAttributes{templ.KV[string, any]("class", value)}
}

// set adds the attribute unless its value is empty.
func set(a *templ.OrderedAttributes, name, value string) {
	if value != "" {
		*a = append(*a, templ.KV[string, any](name, value))
	}
}

func orDefault(value, other string) string {
	if value == "" {
		return other
	}
	return value
}

// radioID is the id of the i-th choice: the group's own for the first.
func radioID(group string, i int) string {
	if i == 0 {
		return group
	}
	return group + "-" + strconv.Itoa(i+1)
}
