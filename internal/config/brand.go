package config

import (
	"net/mail"
	"os"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"latchkey/static"
)

const (
	maxBrandName = 40        // code points
	maxLogo      = 512 << 10 // bytes
	maxEmail     = 254       // bytes, RFC 5321 §4.5.3.1.3 less the angle brackets
)

// Brand is the operator's name, colour, logo and support address.
type Brand struct {
	// Name is shown in titles and beside the logo.
	Name string
	// Accent is a colour as #rrggbb in lower case, empty for the built-in one.
	Accent string
	// Logo is the content of a checked SVG or PNG file of at most 512 KB, nil
	// for the built-in logo.
	Logo []byte
	// SupportEmail is the address that pages name for help, or empty.
	SupportEmail string
}

// brand reads the variables of the brand.
func (l *loader) brand() Brand {
	return Brand{
		Name:         l.brandName(nameBrandName),
		Accent:       l.accent(nameBrandAccent),
		Logo:         l.logo(nameBrandLogo),
		SupportEmail: l.email(nameSupportEmail),
	}
}

func (l *loader) brandName(name string) string {
	value := l.value(name)
	switch {
	case !utf8.ValidString(value):
		l.problem(name, "is not UTF-8 text; write it in UTF-8")
	case strings.ContainsFunc(value, unprintable):
		l.problem(name, "holds control characters; leave them out")
	case strings.TrimSpace(value) == "":
		l.problem(name, "is blank; set a name, or unset it")
	case utf8.RuneCountInString(value) > maxBrandName:
		l.problem(name, "is %d characters long; shorten it to %d or fewer", utf8.RuneCountInString(value), maxBrandName)
	}
	return value
}

// unprintable reports whether r is a control character, breaks a line or
// changes the direction of the text around it.
func unprintable(r rune) bool {
	return unicode.In(r, unicode.Cc, unicode.Zl, unicode.Zp, unicode.Bidi_Control)
}

func (l *loader) accent(name string) string {
	value := strings.ToLower(l.value(name))
	if value != "" && !regexp.MustCompile(`^#[0-9a-f]{6}$`).MatchString(value) {
		l.problem(name, "is %s; set it to a colour as #rrggbb, such as #14523f", quote(l.value(name)))
	}
	return value
}

func (l *loader) logo(name string) []byte {
	path := l.value(name)
	if path == "" {
		return nil
	}
	info, err := os.Stat(path)
	switch {
	case err != nil:
		l.problem(name, "names a file that cannot be read (%v); name an SVG or PNG file", err)
	case !info.Mode().IsRegular():
		l.problem(name, "names %s, which is not a file; name an SVG or PNG file", quote(path))
	case info.Size() == 0:
		l.problem(name, "names an empty file (%s); name an SVG or PNG file", quote(path))
	case info.Size() > maxLogo:
		l.problem(name, "names a file of %d KB; use one of %d KB or less", (info.Size()+1023)>>10, maxLogo>>10)
	default:
		return l.readLogo(name, path)
	}
	return nil
}

// readLogo reads and checks a logo file whose size is fine.
func (l *loader) readLogo(name, path string) []byte {
	content, err := os.ReadFile(path)
	if err != nil {
		l.problem(name, "names a file that cannot be read (%v); let this user read it", err)
		return nil
	}
	if err := static.CheckLogo(content); err != nil {
		l.problem(name, "names %s, which cannot be the logo: %v", quote(path), err)
	}
	return content
}

func (l *loader) email(name string) string {
	value := l.value(name)
	if value == "" {
		return ""
	}
	// ParseAddress also takes "Name <address>", comments and quoted parts.
	addr, err := mail.ParseAddress(value)
	if err != nil || addr.Address != value || len(value) > maxEmail || strings.ContainsAny(value, `"[`) {
		l.problem(name, "is %s; set it to one plain address, such as help@example.org", quote(value))
	}
	return value
}
