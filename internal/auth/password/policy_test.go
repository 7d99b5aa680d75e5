package password

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestPolicyCheck(t *testing.T) {
	policy := NewPolicy(PolicyOptions{Context: []string{"Latchkey", "accounts.example.org", "Acme Corp", "HQ"}})
	about := []string{"wendy.moira", "bo", "Tinkerbell@example.org"}
	tests := []struct{ name, password, want string }{
		{"words", "three tangerine lamps", ""},
		{"twelve", "kM4!pz7vQx2b", ""},
		{"spaces kept", "  tangerine lamp  ", ""},
		{"emoji", "🦊🍊🏮🎷🧭🪁🧩🌵🚲🍄🐚🎈", ""},
		{"not Latin", "καλημέρα ήλιε μου", ""},
		{"longest", strings.Repeat("kM4!pz7v", 32), ""},
		{"longest in bytes", strings.Repeat("🦊🍊🏮🎷🧭🪁🧩🌵", 32), ""},

		{"empty", "", "Enter a password."},
		{"short", "kM4!pz7vQ", "Password must be at least 12 characters. Yours has 9."},
		{"one", "x", "Password must be at least 12 characters. Yours has 1."},
		{"code points count, not bytes", "🦊🍊🏮", "Password must be at least 12 characters. Yours has 3."},
		{"long", strings.Repeat("kM4!pz7v", 32) + "x", "Password must be at most 256 characters. Yours has 257."},
		{"NUL", "three\x00tangerines", msgCharacter},
		{"not UTF-8", "three\xfftangerines", msgCharacter},

		{"listed", "qwertyuiop123", "This password is on a list of known passwords. Choose another."},
		{"listed, upper case", "AdminIstrator", msgCommon},
		{"listed, full width", "\uff41dministrator", msgCommon},
		{"listed, a year added", "Sunshine2024", msgCommon},
		{"listed, marks added", "sunshine!!!!", msgCommon},
		{"listed, much added", "sunshine8203917", ""},
		{"listed words in a phrase", "sunshine on tangerines", ""},

		{"one character", "aaaaaaaaaaaaaa", msgEasy},
		{"one emoji", strings.Repeat("🦊", 12), msgEasy},
		{"pair repeated", "xkxkxkxkxkxkxk", msgEasy},
		{"four repeated", "xkvgxkvgxkvgxkvg", msgEasy},
		{"digits", "234567890123", msgEasy},
		{"digits backwards", "43210987654321", msgEasy},
		{"alphabet", "abcdefghijkl", msgEasy},
		{"alphabet backwards", "zyxwvutsrqponm", msgEasy},
		{"keyboard row", "qwertyuiopasdfg", msgEasy},
		{"keyboard backwards", "poiuytrewqlkjhg", msgEasy},
		{"runs joined", "abcdefgh123456", msgEasy},
		{"stretched", "aaabbbcccdddeeefff", msgEasy},

		{"username", "wendy.moira", "Password must be at least 12 characters. Yours has 11."},
		{"username and more", "xx-Wendy.Moira-2", "Password must not contain your username or email address. Choose another."},
		{"local part", "tinkerbell 4711 lamp", msgAbout},
		{"address", "TINKERBELL@example.org", msgAbout},
		{"short username", "bobsleigh tangerine", ""},
		{"brand", "my latchkey lamp", "Password must not contain the name of this site. Choose another."},
		{"brand with a space", "at acme corp today", msgContext},
		{"host", "x accounts.example.org", msgContext},
		{"short brand", "hq tangerine lamp", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := policy.Check(test.password, about...); got != test.want {
				t.Errorf("Check(%q) = %q, want %q", test.password, got, test.want)
			}
		})
	}
}

func TestPolicyMin(t *testing.T) {
	policy := NewPolicy(PolicyOptions{Min: 15})
	if got, want := policy.Check("kM4!pz7vQx2b"), "Password must be at least 15 characters. Yours has 12."; got != want {
		t.Errorf("Check = %q, want %q", got, want)
	}
	if got, want := policy.Min(), 15; got != want {
		t.Errorf("Min = %d, want %d", got, want)
	}
}

// A word too short to look for inside a password is still refused as the whole.
func TestPolicyRefusesShortWordsAsTheWhole(t *testing.T) {
	policy := NewPolicy(PolicyOptions{Min: 2, Context: []string{"HQ"}})
	if got := policy.Check("hq"); got != msgContext {
		t.Errorf("site: %q, want %q", got, msgContext)
	}
	if got := policy.Check("Bo", "bo"); got != msgAbout {
		t.Errorf("person: %q, want %q", got, msgAbout)
	}
}

func TestCommonList(t *testing.T) {
	list := strings.Split(strings.TrimSuffix(common, "\n"), "\n")
	if got, want := len(list), 10_000; got < want {
		t.Errorf("%d entries, want at least %d", got, want)
	}
	policy := NewPolicy(PolicyOptions{Min: 8})
	for i, word := range list {
		if i > 0 && list[i-1] >= word {
			t.Errorf("line %d: %q does not sort after %q", i+1, word, list[i-1])
		}
		if fold(word) != word || utf8.RuneCountInString(word) < 8 {
			t.Errorf("line %d: %q is not folded or too short to be of use", i+1, word)
		}
		if !isCommon(word) {
			t.Errorf("isCommon(%q) = false", word)
		}
		if policy.Check(word) != msgCommon || policy.Check(strings.ToUpper(word)) != msgCommon {
			t.Errorf("%q may be chosen", word)
		}
	}
	absent := []string{
		"", "\n", "!", "~~~~~~~~~", "\xff", "passwor", "passwordd-", "password\n",
		list[0][1:], list[0] + "\n" + list[1], list[len(list)-1] + "z",
	}
	for _, word := range absent {
		if _, found := slices.BinarySearch(list, word); found {
			t.Fatalf("%q is on the list", word)
		}
		if isCommon(word) {
			t.Errorf("isCommon(%q) = true", word)
		}
	}
}

func TestCommonLookupAllocatesNothing(t *testing.T) {
	got := testing.AllocsPerRun(100, func() {
		_ = isCommon("administrator")
		_ = isCommon("three tangerine lamps")
	})
	if got != 0 {
		t.Errorf("%v allocations", got)
	}
}
