package e2e

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"
)

// appCode returns the code that an authenticator app with this key shows now.
func appCode(t *testing.T, key string) string {
	t.Helper()
	code, err := totp.GenerateCode(key, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// shownKey returns the key on the page that sets up an app.
func (b *tab) shownKey() string {
	b.Helper()
	return strings.ReplaceAll(ask[string](b, `document.getElementById("key").textContent`), " ", "")
}

// shownCodes returns the recovery codes on the page.
func (b *tab) shownCodes() []string {
	b.Helper()
	return ask[[]string](b, `[...document.querySelectorAll("#codes li")].map((e) => e.textContent.trim())`)
}

// TestTwoStep turns two-step sign-in on with the codes of a real app, saves the
// recovery codes, makes new ones, replaces the app and turns it off again.
func TestTwoStep(t *testing.T) {
	eachMode(t, func(t *testing.T, script bool) {
		p := startPortal(t)
		ana := p.signUp(newAccount("ana", "Ana Silva"))
		p.signInFrom(ana, iphone)
		b := open(t, p, script)
		look := func(name string) {
			if script {
				b.inspect(name)
			}
		}
		b.signIn(ana.username, ana.password)
		b.visit("/profile")
		b.press("Two-step sign-in")
		b.wantAt("/profile/security")
		look("security")

		b.press("Set up")
		key := b.shownKey()
		look("set up app")
		b.fill("Code", "000000")
		b.wantStatus(b.press("Turn on two-step sign-in"), 422)
		b.see("That code is not correct.", "It is ", " here.")
		look("set up app wrong")
		b.visit("/profile/security/app")
		if got := b.shownKey(); got != key {
			t.Fatalf("the key is %q after an error, want %q still", got, key)
		}
		b.fill("Code", appCode(t, key))
		b.wantStatus(b.press("Turn on two-step sign-in"), 200)
		b.see("Save your recovery codes", "Two-step sign-in is on.")
		codes := b.shownCodes()
		if len(codes) != 10 {
			t.Fatalf("got %d recovery codes, want 10", len(codes))
		}
		look("recovery codes")
		b.wantStatus(b.press("Go on"), 422)
		if got := b.shownCodes(); !slices.Equal(got, codes) {
			t.Errorf("after an error the codes are %q, want %q", got, codes)
		}
		look("recovery codes not saved")
		b.tick("I have saved these codes")
		b.wantStatus(b.press("Go on"), 200)
		b.wantAt("/profile/security")
		b.see("Two-step sign-in is on.", "Authenticator app", "10 of 10 left", "Not used yet")
		p.execute("UPDATE known_devices SET trusted_until = last_used_at + 2419200000000") // 28 days
		b.visit("/profile/security")
		b.see("Remembered devices", "This device", "Safari on iPhone")
		look("security on")
		b.press("Forget Safari on iPhone")
		b.see("Safari on iPhone asks for the second step again.")

		b.press("Make new codes")
		look("make codes")
		b.press("Make new codes")
		if fresh := b.shownCodes(); len(fresh) != 10 || fresh[0] == codes[0] {
			t.Errorf("got %q, want 10 new codes", fresh)
		}
		b.tick("I have saved these codes")
		b.press("Go on")
		b.see("You have new recovery codes.")

		b.press("Replace")
		if got := b.shownKey(); got == key {
			t.Error("the new app has the key of the old one")
		}
		b.fill("Code", appCode(t, b.shownKey()))
		b.press("Replace the app")
		b.see("Your authenticator app is replaced.", "10 of 10 left")

		b.press("Turn off")
		look("turn off app")
		b.press("Turn off two-step sign-in")
		b.see("Two-step sign-in is off.", "Set up")
	})
}

// TestPictureForTheApp checks that the QR code is black on white in both themes, with a
// border of four modules, and fits on the screen of a page at 400 % zoom.
func TestPictureForTheApp(t *testing.T) {
	t.Parallel()
	p := startPortal(t)
	ana := p.signUp(newAccount("ana", "Ana Silva"))
	b := open(t, p, true)
	b.signIn(ana.username, ana.password)
	b.visit("/profile/security/app")
	for _, dark := range []bool{false, true} {
		b.screen(320, 640, dark)
		got := ask[[]string](b, `[...document.querySelectorAll("svg[role=img] path")].map((e) => getComputedStyle(e).fill)`)
		if want := []string{"rgb(255, 255, 255)", "rgb(0, 0, 0)"}; !slices.Equal(got, want) {
			t.Errorf("dark %t: the picture has the colours %q, want %q", dark, got, want)
		}
	}
	for _, zoom := range zooms {
		b.zoom(zoom.width, zoom.height, zoom.scale)
		box := ask[[]float64](b, `(({ width, height }) => [width, height])(document.querySelector("svg[role=img]").getBoundingClientRect())`)
		if box[0] > float64(zoom.width) || box[1] > float64(zoom.height) || box[0] < 200 {
			t.Errorf("%s: the picture is %v large, the screen %d by %d", zoom.name, box, zoom.width, zoom.height)
		}
	}
	border := ask[[]float64](b, `(() => {
		const [all, black] = [...document.querySelectorAll("svg[role=img] path")].map((e) => e.getBBox());
		return [black.x - all.x, black.y - all.y, all.x + all.width - black.x - black.width, all.y + all.height - black.y - black.height];
	})()`)
	if want := []float64{4, 4, 4, 4}; !slices.Equal(border, want) {
		t.Errorf("the picture has a border of %v modules, want %v", border, want)
	}
}
