// Package layouts draws what all pages share: the head, the brand, the
// navigation, the message after a redirect, the footer.
//
// It renders only the frame. Page has the person, their permissions and the current
// page as plain values.
package layouts

import (
	"strconv"

	"latchkey/views/components"
)

// Section is the part of the admin area that a page belongs to.
type Section string

// The sections. SectionNone is for pages outside the admin area.
const (
	SectionNone        Section = ""
	SectionOverview    Section = "overview"
	SectionUsers       Section = "users"
	SectionInvitations Section = "invitations"
	SectionMail        Section = "mail"
	SectionAudit       Section = "audit"
	SectionSettings    Section = "settings"
)

// admin reports whether the section belongs to the admin area.
func (s Section) admin() bool {
	return s != SectionNone
}

// navItem is a link of the navigation.
type navItem struct {
	url, label string
	current    bool
}

// adminNavigation are the links of the rail.
func (p Page) adminNavigation() []navItem {
	return []navItem{
		{"/admin", "Overview", p.Section == SectionOverview},
		{"/admin/users", "Users", p.Section == SectionUsers},
		{"/admin/invitations", "Invitations", p.Section == SectionInvitations},
		{"/admin/mail", "Mail", p.Section == SectionMail},
		{"/admin/audit", "Audit log", p.Section == SectionAudit},
		{"/admin/settings", "Settings", p.Section == SectionSettings},
	}
}

// Theme is the colour scheme a person chose.
type Theme string

// The themes. System follows the device.
const (
	ThemeSystem Theme = ""
	ThemeLight  Theme = "light"
	ThemeDark   Theme = "dark"
)

// Brand is the operator's look.
type Brand struct {
	Name string
	// IconURL is the icon of the browser tab, LogoURL the picture beside the
	// name. Without a logo, the portal's own mark is shown.
	IconURL string
	LogoURL string
	// LogoWidth and LogoHeight are the pixels the logo takes; zero is 32.
	LogoWidth  int
	LogoHeight int
	// CSSURL is the stylesheet with the operator's accent, "" for the default.
	CSSURL string
	// SupportEmail is the address to ask for help, or "".
	SupportEmail string
}

// User is the signed-in person, as far as the frame shows them.
type User struct {
	Name     string
	Username string
	IsAdmin  bool
}

// Undo is the button that undoes the action of a Flash.
type Undo struct {
	Action string              // where it posts to
	Label  string              // "Undo"
	More   string              // read out after it: " disabling Bo Chen"
	Fields []components.Hidden // sent along
}

// Flash is the message that a redirect carried to this page.
type Flash struct {
	Kind components.Tone
	Text string
	// Email is an email address that occurs in Text, "" for none.
	Email string
	// Link follows the text; the zero Link: none.
	Link components.Link
	Undo *Undo
}

// Page has the data that every page needs besides its own view model.
type Page struct {
	// Title is the name of the page without the brand.
	Title string
	// Description is for search engines; empty: the default description.
	Description string
	Brand       Brand
	Theme       Theme
	// Path is the URL of this page with its query, to which the theme switch
	// returns.
	Path    string
	Section Section
	// NamedBrand says that the heading of a signed-out page names the brand, so
	// that its name is not shown twice.
	NamedBrand bool
	// User is nil on signed-out pages.
	User  *User
	Flash *Flash
	// SignupOpen says that the page may link to sign-up.
	SignupOpen bool
	// SignupInvite says that accounts are created only with an invitation.
	SignupInvite bool
	// NoIndex keeps search engines away, for pages with a token in their URL.
	NoIndex bool
	// Refresh is the URL that the page redirects to after RefreshAfter seconds, or "".
	Refresh      string
	RefreshAfter int
	// Results is the id of the results of a search, "" on other pages. The skip
	// link leads to them.
	Results string
	// HasError puts "Error: " before the title. The pages of forms set it.
	HasError bool
}

// Failed returns the page with HasError set when failed is true.
func (p Page) Failed(failed bool) Page {
	p.HasError = p.HasError || failed
	return p
}

// Found returns the page with Results set as given.
func (p Page) Found(results string) Page {
	p.Results = results
	return p
}

// Naming returns the page with NamedBrand set as given.
func (p Page) Naming(brand bool) Page {
	p.NamedBrand = brand
	return p
}

// documentTitle is the text of the title element.
func (p Page) documentTitle() string {
	title := p.Title + " – " + p.Brand.Name
	if p.HasError {
		return "Error: " + title
	}
	return title
}

func (p Page) description() string {
	if p.Description != "" {
		return p.Description
	}
	return "Sign in and manage your " + p.Brand.Name + " account."
}

// colorScheme returns the colour schemes for the browser before the stylesheet
// has loaded.
func (p Page) colorScheme() string {
	if p.Theme == ThemeSystem {
		return "light dark"
	}
	return string(p.Theme)
}

// Colours of the browser's own frame, the page ground of each scheme.
const (
	groundLight = "#faf9f7"
	groundDark  = "#121211"
)

// themeColor is the colour of the browser's frame on a device in the given
// scheme: a chosen theme wins over the device.
func (p Page) themeColor(device Theme) string {
	if p.Theme != ThemeSystem {
		device = p.Theme
	}
	if device == ThemeDark {
		return groundDark
	}
	return groundLight
}

// refresh returns the value of the meta element that redirects (HTML §4.2.5.3).
func (p Page) refresh() string { return strconv.Itoa(p.RefreshAfter) + "; url=" + p.Refresh }

// home returns the link of the brand.
func (p Page) home() string {
	switch {
	case p.User == nil:
		return "/login"
	case p.Section.admin():
		return "/admin"
	}
	return "/profile"
}

func (b Brand) width() int {
	if b.LogoWidth > 0 {
		return b.LogoWidth
	}
	return 32
}

func (b Brand) height() int {
	if b.LogoHeight > 0 {
		return b.LogoHeight
	}
	return 32
}
