package static

import (
	"fmt"
	"math"
	"strconv"
)

// color is a colour of the sRGB space, one byte a channel.
type color struct{ r, g, b uint8 }

// The background and text colours of the stylesheet, against which contrast is
// measured. They repeat the tokens of css/app.css; a test compares them.
var (
	black = color{0, 0, 0}
	white = color{255, 255, 255}

	lightGrounds = [...]color{{0xfa, 0xf9, 0xf7}, {0xff, 0xff, 0xff}, {0xf3, 0xf1, 0xed}}
	darkGrounds  = [...]color{{0x12, 0x12, 0x11}, {0x1a, 0x19, 0x18}, {0x1e, 0x1d, 0x1b}}
	lightInk     = color{0x1b, 0x1a, 0x17}
	darkInk      = color{0xf0, 0xee, 0xe9}
)

// The minimum contrast of text and of the edges of controls (WCAG 2.2, 1.4.3 and
// 1.4.11).
const (
	textContrast = 4.5
	edgeContrast = 3
)

// parseColor reads "#rrggbb".
func parseColor(s string) (color, error) {
	if len(s) != 7 || s[0] != '#' {
		return color{}, fmt.Errorf("colour %q is not of the form #rrggbb", s)
	}
	n, err := strconv.ParseUint(s[1:], 16, 24)
	if err != nil {
		return color{}, fmt.Errorf("colour %q is not of the form #rrggbb", s)
	}
	return color{uint8(n >> 16), uint8(n >> 8), uint8(n)}, nil
}

// String writes the colour as "#rrggbb".
func (c color) String() string {
	return fmt.Sprintf("#%02x%02x%02x", c.r, c.g, c.b)
}

// luminance returns the relative luminance (WCAG 2.2).
func (c color) luminance() float64 {
	return 0.2126*linear(c.r) + 0.7152*linear(c.g) + 0.0722*linear(c.b)
}

// linear undoes the transfer curve of sRGB.
func linear(channel uint8) float64 {
	v := float64(channel) / 255
	if v <= 0.04045 {
		return v / 12.92
	}
	return math.Pow((v+0.055)/1.055, 2.4)
}

// contrast returns the contrast ratio (WCAG 2.2), from 1 to 21.
func contrast(a, b color) float64 {
	light, dark := a.luminance(), b.luminance()
	if light < dark {
		light, dark = dark, light
	}
	return (light + 0.05) / (dark + 0.05)
}

// mix returns the colour that is percent of the way from c to other.
func (c color) mix(other color, percent int) color {
	channel := func(from, to uint8) uint8 {
		return uint8((int(from)*(100-percent) + int(to)*percent + 50) / 100)
	}
	return color{channel(c.r, other.r), channel(c.g, other.g), channel(c.b, other.b)}
}

// label returns black or white, whichever has more contrast with c. The contrast
// is at least 4.58 for every colour.
func (c color) label() color {
	if contrast(c, black) > contrast(c, white) {
		return black
	}
	return white
}

// readable returns the shade between c and ink that is nearest to c and has at
// least the contrast least with every ground. The ink itself always has.
func (c color) readable(ink color, grounds []color, least float64) color {
	for percent := range 100 {
		shade := c.mix(ink, percent)
		if lowest(shade, grounds) >= least {
			return shade
		}
	}
	return ink
}

// lowest returns the lowest contrast of c with any of the grounds.
func lowest(c color, grounds []color) float64 {
	worst := math.Inf(1)
	for _, ground := range grounds {
		worst = min(worst, contrast(c, ground))
	}
	return worst
}
