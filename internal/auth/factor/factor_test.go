package factor

import (
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// reference is the secret of the test vectors in RFC 4226 and RFC 6238.
var reference = []byte("12345678901234567890")

// TestHOTP checks the vectors of RFC 4226, appendix D.
func TestHOTP(t *testing.T) {
	for step, want := range []string{
		"755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489",
	} {
		if got := Code(reference, int64(step)); got != want {
			t.Errorf("step %d: got %s, want %s", step, got, want)
		}
	}
}

// TestTOTP checks the vectors of RFC 6238, appendix B, with SHA-1 and cut to 6 digits.
func TestTOTP(t *testing.T) {
	for seconds, want := range map[int64]string{
		59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037", 20000000000: "353130",
	} {
		at := time.Unix(seconds, 0)
		if got := Code(reference, StepAt(at)); got != want {
			t.Errorf("%d: got %s, want %s", seconds, got, want)
		}
		if step, ok := Match(reference, want, at); !ok || step != seconds/30 {
			t.Errorf("%d: got step %d (%t), want %d", seconds, step, ok, seconds/30)
		}
	}
}

// TestDrift checks that a phone may be one step ahead or behind, and no more.
func TestDrift(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 15, 0, time.UTC)
	for steps, want := range map[int64]bool{-10: false, -2: false, -1: true, 0: true, 1: true, 2: false, 10: false} {
		step, ok := Match(reference, Code(reference, StepAt(now)+steps), now)
		if ok != want || ok && step != StepAt(now)+steps {
			t.Errorf("%d steps from now: got step %d (%t), want it accepted: %t", steps, step-StepAt(now), ok, want)
		}
	}
	for _, code := range []string{"", "0", "28708", "2870820", "abcdef"} {
		if _, ok := Match(reference, code, now); ok {
			t.Errorf("%q is accepted", code)
		}
	}
}

// TestTidy checks the ways in which codes are written and copied.
func TestTidy(t *testing.T) {
	for _, test := range []struct {
		typed, want string
		code        bool
	}{
		{"123456", "123456", true},
		{" 123 456\r\n", "123456", true},
		{"123-456", "123456", true},
		{"123\u00a0456", "123456", true},               // no-break space
		{"123\u202f456\u2009", "123456", true},         // narrow spaces
		{"12\u201034\u20115\u20136\t", "123456", true}, // typographic hyphens
		{"12345", "12345", false},                      // short
		{"1234567", "1234567", false},                  // long
		{"12345a", "12345a", false},                    // a letter
		{"\u0661\u0662\u0663\u0664\u0665\u0666", "\u0661\u0662\u0663\u0664\u0665\u0666", false}, // digits of another script
		{"", "", false},
	} {
		if got := Tidy(test.typed); got != test.want || IsCode(got) != test.code {
			t.Errorf("%q: got %q, a code: %t; want %q, %t", test.typed, got, IsCode(got), test.want, test.code)
		}
	}
}

// TestRecovery checks the form of recovery codes, and that they can be typed in other
// ways than they are shown.
func TestRecovery(t *testing.T) {
	shown := regexp.MustCompile(`^[0-9a-hjkmnp-tv-z]{5}-[0-9a-hjkmnp-tv-z]{5}$`)
	seen := map[string]bool{}
	for range 20 {
		codes := NewRecoveryCodes()
		if len(codes) != RecoveryCodes {
			t.Fatalf("got %d codes, want %d", len(codes), RecoveryCodes)
		}
		for _, code := range codes {
			if seen[code] {
				t.Errorf("%s comes twice", code)
			}
			seen[code] = true
			if !IsRecovery(code) || !shown.MatchString(ShowRecovery(code)) {
				t.Errorf("%q is shown as %q", code, ShowRecovery(code))
			}
			for _, typed := range []string{
				ShowRecovery(code), strings.ToUpper(ShowRecovery(code)), code[:5] + " " + code[5:] + "\n", code[:5] + "\u2011" + code[5:],
				strings.NewReplacer("0", "O", "1", "I").Replace(code), strings.NewReplacer("0", "o", "1", "l").Replace(code),
			} {
				if got := TidyRecovery(typed); got != code {
					t.Errorf("%q: got %q, want %q", typed, got, code)
				}
			}
		}
	}
	for _, tidy := range []string{"", "abcde", "abcdefghjkm", "abcde-fghj", "abcdefghju"} {
		if IsRecovery(tidy) {
			t.Errorf("%q has the form of a recovery code", tidy)
		}
	}
}

// TestURL checks what a QR code carries.
func TestURL(t *testing.T) {
	for _, test := range []struct{ issuer, account, want string }{
		{"Latchkey", "ana@example.org", "otpauth://totp/Latchkey:ana@example.org?algorithm=SHA1&digits=6&issuer=Latchkey&period=30&secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"},
		{"Harbour & Söhne: Accounts", "a:b", "otpauth://totp/Harbour%20&%20S%C3%B6hne%20%20Accounts:a%20b?algorithm=SHA1&digits=6&issuer=Harbour%20%26%20S%C3%B6hne%3A%20Accounts&period=30&secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"},
	} {
		if got := URL(reference, test.issuer, test.account); got != test.want {
			t.Errorf("%s, %s: got %s", test.issuer, test.account, got)
		}
	}
	if got, again := NewSecret(), NewSecret(); len(got) != SecretSize || string(got) == string(again) {
		t.Errorf("got secrets of %d bytes, equal: %t", len(got), string(got) == string(again))
	}
}

// TestQR checks the picture: its border, the three marks in its corners, and that a
// long address fits.
func TestQR(t *testing.T) {
	for _, text := range []string{URL(reference, "Latchkey", "ana@example.org"), URL(reference, strings.Repeat("Brand ", 20), strings.Repeat("x", 254))} {
		path, size, err := QR(text)
		if err != nil {
			t.Fatal(err)
		}
		// The top row of a mark is 7 modules wide (ISO/IEC 18004 §6.3.3).
		for _, part := range []string{
			"M4 4h7v1H4z", "M" + strconv.Itoa(size-11) + " 4h7v1H" + strconv.Itoa(size-11) + "z", "M4 " + strconv.Itoa(size-11) + "h7v1H4z",
		} {
			if !strings.Contains(path, part) {
				t.Errorf("%d units: no %s in the picture", size, part)
			}
		}
		if (size-8-17)%4 != 0 {
			t.Errorf("%d units are no version of a QR code", size)
		}
	}
	if _, _, err := QR(strings.Repeat("x", 3000)); err == nil {
		t.Error("a text that is too long has a picture")
	}
}
