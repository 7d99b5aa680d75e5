package static

import (
	"fmt"
	"strings"
)

// bigLogo is the size in bytes above which a logo slows down the first page.
const bigLogo = 100 << 10

// Brand holds the operator's files: a stylesheet with colours derived from the
// accent, the logo and the icon. A nil Brand is the default look; all its methods
// work.
type Brand struct {
	files    map[string]brandFile // by the path below /static/, with %s for the hash
	css      string
	icon     string
	logo     string
	width    int
	height   int
	warnings []string
}

// brandFile is a file with the hash in its address.
type brandFile struct {
	*file
	hash string
}

// NewBrand creates the files of a brand. accent is "#rrggbb", or "" for the
// default; logo is the content of an SVG or PNG file, or empty for none. The error
// tells the operator what is wrong with the accent or the logo.
func NewBrand(accent string, logo []byte) (*Brand, error) {
	b := &Brand{files: map[string]brandFile{}}
	if accent != "" {
		c, err := parseColor(accent)
		if err != nil {
			return nil, fmt.Errorf("brand accent: %w", err)
		}
		b.css = b.add("brand.%s.css", newFile(contentType(".css"), accentCSS(c)))
		b.icon = b.add("brand/%s/icon.svg", newFile(typeSVG, iconSVG(c)))
	}
	if len(logo) > 0 {
		picture, err := parseLogo(logo)
		if err != nil {
			return nil, fmt.Errorf("brand logo: %w", err)
		}
		b.logo = b.add("brand/%s/logo"+picture.ext, newFile(contentType(picture.ext), logo))
		b.icon = b.logo
		b.width, b.height = picture.size()
		if len(logo) > bigLogo {
			b.warnings = append(b.warnings, fmt.Sprintf(
				"the brand logo has %d KB; every first visit waits for it, 100 KB or less is better", len(logo)>>10))
		}
	}
	return b, nil
}

// add stores the file and returns its address: format with the hash in place of
// %s.
func (b *Brand) add(format string, f *file) string {
	b.files[format] = brandFile{file: f, hash: f.hash}
	return root + fmt.Sprintf(format, f.hash)
}

// CSSURL returns the address of the stylesheet with the brand's colours, or "" for
// the default colours.
func (b *Brand) CSSURL() string {
	if b == nil {
		return ""
	}
	return b.css
}

// LogoURL returns the address of the logo, or "" if there is none.
func (b *Brand) LogoURL() string {
	if b == nil {
		return ""
	}
	return b.logo
}

// LogoSize returns the width and height of the logo on a page in CSS pixels, or
// zeros if there is none.
func (b *Brand) LogoSize() (width, height int) {
	if b == nil {
		return 0, 0
	}
	return b.width, b.height
}

// IconURL returns the address of the icon: the logo, the default icon in the accent
// colour, or the default icon.
func (b *Brand) IconURL() string {
	if b == nil || b.icon == "" {
		return URL("img/icon.svg")
	}
	return b.icon
}

// Warnings returns warnings for the operator, one sentence each.
func (b *Brand) Warnings() []string {
	if b == nil {
		return nil
	}
	return b.warnings
}

// find returns the file at a path below /static/, under its own hash or any
// other, and its Cache-Control.
func (b *Brand) find(path string) (*file, string) {
	if b == nil {
		return nil, ""
	}
	for format, f := range b.files {
		before, after, _ := strings.Cut(format, "%s")
		hash, ok := strings.CutPrefix(path, before)
		if !ok {
			continue
		}
		hash, ok = strings.CutSuffix(hash, after)
		switch {
		case !ok || hash == "" || strings.Contains(hash, "/"):
		case hash == f.hash:
			return f.file, cacheForever
		default:
			return f.file, cacheAsk
		}
	}
	return nil, ""
}

// defaultAccent is the accent of app.css.
var defaultAccent = color{0x14, 0x52, 0x3f}

// AccentColors returns the colours of a button and of its label: those of an accent,
// "#rrggbb", or the default ones.
func AccentColors(accent string) (button, label string) {
	c, err := parseColor(accent)
	if err != nil {
		c = defaultAccent
	}
	return c.String(), c.label().String()
}

// accentCSS returns the stylesheet that replaces the default accent.
//
// Buttons have exactly the accent as background and a label in black or white.
// Links and focus rings use a shade of the accent that is readable on every
// background of either scheme. If the accent has too little contrast with a
// background, buttons get an edge that has enough.
func accentCSS(accent color) []byte {
	label := accent.label()
	// Away from the label's colour, so that the label stays readable on hover.
	hover := accent.mix(white, 15)
	if label == white {
		hover = accent.mix(black, 15)
	}
	light := accent.readable(lightInk, lightGrounds[:], textContrast)
	dark := accent.readable(darkInk, darkGrounds[:], textContrast)
	edge := func(derived color, grounds []color) string {
		if lowest(accent, grounds) < edgeContrast {
			return derived.String()
		}
		return "transparent"
	}
	lightEdge, darkEdge := edge(light, lightGrounds[:]), edge(dark, darkGrounds[:])

	var css strings.Builder
	fmt.Fprintf(&css, "@layer tokens {\n\t:root {\n\t\t--accent: %s;\n\t\t--accent-hover: %s;\n\t\t--on-accent: %s;\n", accent, hover, label)
	fmt.Fprintf(&css, "\t\t--accent-edge: %s;\n\t\t--accent-ink: %s;\n\t}\n", lightEdge, light)
	fmt.Fprintf(&css, "\t@supports (color: light-dark(#000, #fff)) {\n\t\t:root {\n")
	fmt.Fprintf(&css, "\t\t\t--accent-edge: light-dark(%s, %s);\n", lightEdge, darkEdge)
	fmt.Fprintf(&css, "\t\t\t--accent-ink: light-dark(%s, %s);\n", light, dark)
	// app.css sets these per scheme, so they are set again here.
	fmt.Fprintf(&css, "\t\t\t--accent: %s;\n\t\t\t--accent-hover: %s;\n\t\t\t--on-accent: %s;\n\t\t}\n\t}\n}\n", accent, hover, label)
	return []byte(css.String())
}

// iconSVG returns the default icon in the accent colour.
func iconSVG(accent color) []byte {
	icon, ok := tree().files["img/icon.svg"]
	if !ok {
		return nil
	}
	// The label first: the accent may be its default colour, white.
	drawn := strings.Replace(string(icon.plain), `fill="#fff"`, `fill="`+accent.label().String()+`"`, 1)
	return []byte(strings.Replace(drawn, `fill="#14523f"`, `fill="`+accent.String()+`"`, 1))
}
