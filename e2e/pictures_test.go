package e2e

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// maxPicture is the maximum size of a picture of the README in bytes.
const maxPicture = 120 << 10

// TestReadmePictures takes the pictures of the README, on a portal with made-up
// people: the sign-in page, the overview and the page of a user, light and dark.
// With LATCHKEY_E2E_PICTURES=DIR it saves them there (scripts/screenshots).
// Otherwise it only checks that it can take them, that they are small, and that
// the README shows the same files.
func TestReadmePictures(t *testing.T) {
	t.Parallel()
	p := startPortal(t)
	ana := p.sampleHistory()
	dir := cmp.Or(os.Getenv("LATCHKEY_E2E_PICTURES"), t.TempDir())
	stranger, b := open(t, p, true), open(t, p, true)
	stranger.wantStatus(stranger.visit("/login"), 200)
	stranger.save(dir, "sign-in", 720)
	b.signIn(ana.username, ana.password)
	b.findUser("bo", "Bo Chen")
	b.save(dir, "user", 1000)
	b.press("Overview")
	b.see("Next steps") // only because the portal is on localhost
	ask[bool](b, `(document.querySelector("#next-steps").closest("section").remove(), true)`)
	b.save(dir, "overview", 800)

	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	var shown []string
	for _, found := range regexp.MustCompile(`"docs/pictures/([\w-]+\.png)"`).FindAllSubmatch(readme, -1) {
		shown = append(shown, string(found[1]))
	}
	for place, where := range map[string]string{"taken": dir, "in docs/pictures": "../docs/pictures"} {
		files, err := filepath.Glob(filepath.Join(where, "*.png"))
		if err != nil {
			t.Fatal(err)
		}
		for i, file := range files {
			files[i] = filepath.Base(file)
		}
		if slices.Sort(shown); !slices.Equal(files, shown) {
			t.Errorf("the pictures %s are %q, the README shows %q", place, files, shown)
		}
	}
}

// sampleHistory fills the portal with people and a month of sign-ins, and returns
// an admin. Names and numbers are always the same.
func (p *portal) sampleHistory() account {
	p.t.Helper()
	ana := p.admin(newAccount("ana", "Ana Silva"))
	p.admin(newAccount("carol", "Carol Jones"))
	bo := p.signUp(newAccount("bo", "Bo Chen"))
	p.people(24)
	p.signInFrom(bo, iphone)
	p.tokens(bo, "backup script", "me")
	p.command("user", "disable", "person05", "--reason", "Left the team.")

	// The accounts get different creation times and an address for documentation
	// (RFC 5737).
	p.execute(`UPDATE users SET created_at = created_at - (seq * 17 % 90) * 86400000000`)
	p.execute(`UPDATE users SET password_changed_at = created_at`)
	p.execute(`UPDATE audit_events SET at = (SELECT created_at FROM users WHERE id = subject_id)
		WHERE action = 'sign-up' AND subject_id IN (SELECT id FROM users)`)
	p.execute(`UPDATE sessions SET ip = '203.0.113.7', created_at = created_at - rowid % 5 * 90000000000,
		last_seen_at = last_seen_at - rowid % 3 * 8000000000`)
	p.execute(`UPDATE audit_events SET ip = '203.0.113.7' WHERE ip <> ''`)
	p.execute(`UPDATE audit_events SET at = at - 15000000000 WHERE action = 'login'`)
	var rows []string
	now := time.Now()
	for day := range 30 {
		at := now.AddDate(0, 0, -day)
		signIns, failed := 18+day*7%11, (day*5+4)%7/2
		if weekday := at.UTC().Weekday(); weekday == time.Saturday || weekday == time.Sunday {
			signIns /= 3
		}
		for i := range signIns + failed {
			action := "login"
			if i >= signIns {
				action = "login-failed"
			}
			rows = append(rows, fmt.Sprintf("('sample %d %d', %d, '%s')", day, i, at.UnixMicro(), action))
		}
	}
	p.execute(`INSERT INTO audit_events (id, at, action) VALUES ` + strings.Join(rows, ", "))
	return ana
}

// save saves the top of the page as a picture 1280 wide, in light and dark.
func (b *tab) save(dir, name string, height int64) {
	b.Helper()
	for _, theme := range []string{"", "-dark"} {
		b.screen(1280, height, theme != "")
		ctx, cancel := context.WithTimeout(b.ctx, patience)
		defer cancel()
		shot, err := chromedp.Call(ctx, page.CaptureScreenshot, page.CaptureScreenshotParams{})
		b.must("take a picture", err)
		small, err := inPalette(shot.Data)
		b.must("write a picture", err)
		if len(small) > maxPicture {
			b.Errorf("%s%s: the picture has %d bytes, want at most %d", name, theme, len(small), maxPicture)
		}
		b.must("save a picture", os.WriteFile(filepath.Join(dir, name+theme+".png"), small, 0o644))
	}
}

// inPalette reduces a PNG picture to its 256 most frequent colours, which takes a
// fraction of the bytes. Other colours occur only at the edges of letters.
func inPalette(data []byte) ([]byte, error) {
	picture, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	area := picture.Bounds()
	counts := map[color.Color]int{}
	for y := area.Min.Y; y < area.Max.Y; y++ {
		for x := area.Min.X; x < area.Max.X; x++ {
			counts[picture.At(x, y)]++
		}
	}
	palette := color.Palette(slices.SortedFunc(maps.Keys(counts), func(a, b color.Color) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(fmt.Sprint(a), fmt.Sprint(b)))
	}))
	palette = palette[:min(256, len(palette))]
	nearest := map[color.Color]uint8{}
	for c := range counts {
		nearest[c] = uint8(palette.Index(c))
	}
	small := image.NewPaletted(area, palette)
	for y := area.Min.Y; y < area.Max.Y; y++ {
		for x := area.Min.X; x < area.Max.X; x++ {
			small.SetColorIndex(x, y, nearest[picture.At(x, y)])
		}
	}
	var out bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestCompression}
	err = encoder.Encode(&out, small)
	return out.Bytes(), err
}
