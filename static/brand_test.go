package static

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"regexp"
	"strings"
	"testing"
)

// TestGroundColors compares the background and text colours in color.go with the
// stylesheet.
func TestGroundColors(t *testing.T) {
	css, err := files.ReadFile("css/app.css")
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		token       string
		light, dark color
	}{
		{"paper", lightGrounds[0], darkGrounds[0]},
		{"surface", lightGrounds[1], darkGrounds[1]},
		{"sunken", lightGrounds[2], darkGrounds[2]},
		{"ink", lightInk, darkInk},
	}
	for _, test := range tests {
		light := strings.Replace(test.light.String(), "#ffffff", "#fff", 1)
		want := fmt.Sprintf("--%s: light-dark(%s, %s);", test.token, light, test.dark)
		if !bytes.Contains(css, []byte(want)) {
			t.Errorf("no %q in css/app.css", want)
		}
	}
}

// TestContrast checks a grid of 4,096 accents.
func TestContrast(t *testing.T) {
	for r := 0; r < 256; r += 17 {
		for g := 0; g < 256; g += 17 {
			for b := 0; b < 256; b += 17 {
				checkAccent(t, color{uint8(r), uint8(g), uint8(b)})
			}
		}
	}
}

// checkAccent checks the contrast of the label, links and focus ring in the
// stylesheet of an accent, in both schemes.
func checkAccent(t *testing.T, accent color) {
	t.Helper()
	const least = 4.5 // WCAG 2.2, 1.4.3
	css := string(accentCSS(accent))
	label, hover := token(t, css, "on-accent"), token(t, css, "accent-hover")
	if got := contrast(label, accent); got < least {
		t.Errorf("%s: label %s: contrast %.2f", accent, label, got)
	}
	if got := contrast(label, hover); got < least {
		t.Errorf("%s: label %s on hover %s: contrast %.2f", accent, label, hover, got)
	}
	for _, name := range []string{"accent-ink"} {
		light, dark := tokens(t, css, name)
		if got := lowest(light, lightGrounds[:]); got < least {
			t.Errorf("%s: %s in light %s: contrast %.2f", accent, name, light, got)
		}
		if got := lowest(dark, darkGrounds[:]); got < least {
			t.Errorf("%s: %s in dark %s: contrast %.2f", accent, name, dark, got)
		}
	}
}

// token reads a colour that is the same in both schemes.
func token(t *testing.T, css, name string) color {
	t.Helper()
	found := regexp.MustCompile(`--` + name + `: (#[0-9a-f]{6});`).FindStringSubmatch(css)
	if found == nil {
		t.Fatalf("no token %s in:\n%s", name, css)
	}
	c, err := parseColor(found[1])
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// tokens reads a colour that differs between the schemes.
func tokens(t *testing.T, css, name string) (light, dark color) {
	t.Helper()
	found := regexp.MustCompile(`--` + name + `: light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);`).FindStringSubmatch(css)
	if found == nil {
		t.Fatalf("no token %s in:\n%s", name, css)
	}
	light, err := parseColor(found[1])
	if err != nil {
		t.Fatal(err)
	}
	dark, err = parseColor(found[2])
	if err != nil {
		t.Fatal(err)
	}
	return light, dark
}

// TestContrastFormula compares with values published with WCAG 2.
func TestContrastFormula(t *testing.T) {
	tests := []struct {
		a, b string
		want string
	}{
		{"#000000", "#ffffff", "21.00"},
		{"#777777", "#ffffff", "4.48"},
		{"#767676", "#ffffff", "4.54"},
		{"#ff0000", "#ffffff", "4.00"},
		{"#3d4fd1", "#3d4fd1", "1.00"},
	}
	for _, test := range tests {
		a, _ := parseColor(test.a)
		b, _ := parseColor(test.b)
		if got := fmt.Sprintf("%.2f", contrast(a, b)); got != test.want {
			t.Errorf("contrast(%s, %s): got %s, want %s", test.a, test.b, got, test.want)
		}
	}
}

// TestButtonEdges checks that buttons have an edge in the schemes in which the
// accent has too little contrast with the background.
func TestButtonEdges(t *testing.T) {
	tests := []struct {
		accent      string
		light, dark bool
	}{
		{"#14523f", false, true},
		{"#ffee00", true, false},
		{"#ffffff", true, false},
		{"#000000", false, true},
	}
	for _, test := range tests {
		accent, err := parseColor(test.accent)
		if err != nil {
			t.Fatal(err)
		}
		edges := regexp.MustCompile(`--accent-edge: light-dark\(([^,]+), ([^)]+)\)`).FindStringSubmatch(string(accentCSS(accent)))
		if light, dark := edges[1] != "transparent", edges[2] != "transparent"; light != test.light || dark != test.dark {
			t.Errorf("%s: edges: got %t %t, want %t %t", test.accent, light, dark, test.light, test.dark)
		}
	}
}

func TestAccent(t *testing.T) {
	for _, accent := range []string{"red", "#fff", "#12345", "#1234567", "#12345g", "3d4fd1", "#+12345", "#12 456"} {
		if _, err := NewBrand(accent, nil); err == nil || !strings.Contains(err.Error(), accent) {
			t.Errorf("NewBrand(%q): got error %v, want one that names it", accent, err)
		}
	}
	brand, err := NewBrand("#FFCC00", nil)
	if err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`^/static/brand\.[0-9a-f]{16}\.css$`).MatchString(brand.CSSURL()) {
		t.Errorf("CSSURL: got %q", brand.CSSURL())
	}
	other := regexp.MustCompile(`[0-9a-f]{16}`).ReplaceAllString(brand.CSSURL(), "0123456789abcdef")
	tests := []struct {
		path    string
		status  int
		caching string
	}{
		{brand.CSSURL(), 200, cacheForever},
		{other, 200, cacheAsk},
		{brand.IconURL(), 200, cacheForever},
		{"/static/brand.css", 404, "no-store"},
		{"/static/brand..css", 404, "no-store"},
		{"/static/brand.a/b.css", 404, "no-store"},
		{"/static/brand/x/logo.svg", 404, "no-store"},
	}
	for _, test := range tests {
		w := ask(Handler(brand), "GET", test.path)
		if w.Code != test.status || w.Header().Get("Cache-Control") != test.caching {
			t.Errorf("GET %s: got %d %q, want %d %q", test.path, w.Code, w.Header().Get("Cache-Control"), test.status, test.caching)
		}
	}
	if icon := ask(Handler(brand), "GET", brand.IconURL()).Body.String(); !strings.Contains(icon, `fill="#ffcc00"`) || !strings.Contains(icon, `fill="#000000"`) {
		t.Errorf("icon: got %s", icon)
	}
}

// TestNoBrand checks every method of the default brand.
func TestNoBrand(t *testing.T) {
	empty, err := NewBrand("", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, brand := range []*Brand{nil, empty} {
		width, height := brand.LogoSize()
		if brand.CSSURL() != "" || brand.LogoURL() != "" || width != 0 || height != 0 || brand.Warnings() != nil {
			t.Errorf("got %q %q %d %d %q", brand.CSSURL(), brand.LogoURL(), width, height, brand.Warnings())
		}
		if got, want := brand.IconURL(), URL("img/icon.svg"); got != want {
			t.Errorf("IconURL: got %q, want %q", got, want)
		}
	}
}

func pngOf(t *testing.T, width, height int) []byte {
	t.Helper()
	var buf bytes.Buffer
	if err := png.Encode(&buf, image.NewGray(image.Rect(0, 0, width, height))); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func TestLogo(t *testing.T) {
	tests := []struct {
		name          string
		logo          []byte
		ext           string
		width, height int
	}{
		{"square SVG", []byte(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><path d="M0 0"/></svg>`), ".svg", 32, 32},
		{"wide SVG", []byte(`<?xml version="1.0"?><!-- made by hand --><svg viewBox="0,0,300,100"></svg>`), ".svg", 96, 32},
		{"very wide SVG", []byte(`<svg width="1000px" height="100px"></svg>`), ".svg", 160, 16},
		{"SVG without a size", []byte(`<svg></svg>`), ".svg", 32, 32},
		{"SVG with a doctype", []byte(`<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd"><svg></svg>`), ".svg", 32, 32},
		{"PNG", pngOf(t, 64, 128), ".png", 16, 32},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			brand, err := NewBrand("", test.logo)
			if err != nil {
				t.Fatal(err)
			}
			if !regexp.MustCompile(`^/static/brand/[0-9a-f]{16}/logo\` + test.ext + `$`).MatchString(brand.LogoURL()) {
				t.Errorf("LogoURL: got %q", brand.LogoURL())
			}
			if width, height := brand.LogoSize(); width != test.width || height != test.height {
				t.Errorf("LogoSize: got %d x %d, want %d x %d", width, height, test.width, test.height)
			}
			w := ask(Handler(brand), "GET", brand.LogoURL())
			if w.Code != 200 || !bytes.Equal(w.Body.Bytes(), test.logo) || w.Header().Get("Cache-Control") != cacheForever {
				t.Errorf("GET: got %d with %d bytes, %q", w.Code, w.Body.Len(), w.Header().Get("Cache-Control"))
			}
			if got := strings.Contains(w.Header().Get("Content-Security-Policy"), "sandbox"); got != (test.ext == ".svg") {
				t.Errorf("sandboxed: got %t", got)
			}
			if len(brand.Warnings()) > 0 {
				t.Errorf("warnings: got %q", brand.Warnings())
			}
		})
	}
}

func TestLogoRefused(t *testing.T) {
	tests := []struct {
		name, logo, want string
	}{
		{"script", `<svg><script>alert(1)</script></svg>`, "<script>"},
		{"script in capitals", `<svg><SCRIPT/></svg>`, "<SCRIPT>"},
		{"script in a namespace", `<svg xmlns:s="http://www.w3.org/2000/svg"><s:script/></svg>`, "<script>"},
		{"event", `<svg onload="alert(1)"></svg>`, "onload"},
		{"event in capitals", `<svg><g ONCLICK="x"/></svg>`, "ONCLICK"},
		{"HTML inside", `<svg><foreignObject/></svg>`, "<foreignObject>"},
		{"script link", `<svg><a href=" JavaScript:alert(1)"/></svg>`, "javascript:"},
		{"entities", `<!DOCTYPE svg [<!ENTITY a "b">]><svg></svg>`, "entities"},
		{"not closed", `<svg><g></svg>`, "cannot be read"},
		{"HTML page", `<html><svg></svg></html>`, "neither SVG nor PNG"},
		{"JPEG", "\xff\xd8\xff\xe0", "neither SVG nor PNG"},
		{"broken PNG", "\x89PNG\r\n\x1a\nxx", "cannot be read"},
	}
	for _, test := range tests {
		if _, err := NewBrand("", []byte(test.logo)); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got error %v, want %q in it", test.name, err, test.want)
		}
		if err := CheckLogo([]byte(test.logo)); err == nil || !strings.HasPrefix(err.Error(), "the ") || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: CheckLogo: got %v, want a sentence with %q in it", test.name, err, test.want)
		}
	}
}

func TestBigLogo(t *testing.T) {
	logo := "<svg><!--" + strings.Repeat("x", bigLogo) + "--></svg>"
	brand, err := NewBrand("", []byte(logo))
	if err != nil {
		t.Fatal(err)
	}
	if got := brand.Warnings(); len(got) != 1 || !strings.Contains(got[0], "100 KB") {
		t.Errorf("warnings: got %q, want one", got)
	}
}
