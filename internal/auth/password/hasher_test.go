package password

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"latchkey/internal/apperr"
)

// cheap keeps tests quick. They do not depend on the costs.
var cheap = Params{Memory: 64, Time: 1, Threads: 1}

func cheapHasher() *Hasher {
	return NewHasher(HasherOptions{Params: cheap, Wait: time.Minute})
}

func TestHashDefaultForm(t *testing.T) {
	h := NewHasher(HasherOptions{})
	got, err := h.Hash(t.Context(), "correct horse battery staple")
	if err != nil {
		t.Fatal(err)
	}
	if want := "$argon2id$v=19$m=19456,t=2,p=1$"; !strings.HasPrefix(got, want) {
		t.Errorf("Hash = %q, want the prefix %q", got, want)
	}
	// 16 and 32 bytes are 22 and 43 characters of base64.
	if got, want := len(got), len("$argon2id$v=19$m=19456,t=2,p=1$")+22+1+43; got != want {
		t.Errorf("len(Hash) = %d, want %d", got, want)
	}
	ok, outdated, err := h.Verify(t.Context(), got, "correct horse battery staple")
	if !ok || outdated || err != nil {
		t.Errorf("Verify = %v, %v, %v; want true, false, nil", ok, outdated, err)
	}
}

func TestHashesOfOnePasswordDiffer(t *testing.T) {
	h := cheapHasher()
	first, err1 := h.Hash(t.Context(), "correct horse")
	second, err2 := h.Hash(t.Context(), "correct horse")
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	if first == second {
		t.Error("two hashes share a salt")
	}
}

func TestVerifyTakesPasswordsAsTyped(t *testing.T) {
	h := cheapHasher()
	tests := []struct{ name, set, typed string }{
		{"case", "Correct Horse", "correct horse"},
		{"trailing space", "correct horse ", "correct horse"},
		{"leading space", " correct horse", "correct horse"},
		{"unicode form", "caf\u00e9 caf\u00e9 caf\u00e9", "cafe\u0301 cafe\u0301 cafe\u0301"},
		{"compatibility form", "\uff41bcdefghijkl", "abcdefghijkl"},
		{"empty", "correct horse", ""},
		{"past 72 bytes", strings.Repeat("a", 72) + "b", strings.Repeat("a", 72) + "c"},
		{"past 1023 bytes", strings.Repeat("a", 1023) + "b", strings.Repeat("a", 1023) + "c"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			encoded, err := h.Hash(t.Context(), test.set)
			if err != nil {
				t.Fatal(err)
			}
			if ok, _, err := h.Verify(t.Context(), encoded, test.set); !ok || err != nil {
				t.Errorf("as set: %v, %v; want true, nil", ok, err)
			}
			if ok, _, err := h.Verify(t.Context(), encoded, test.typed); ok || err != nil {
				t.Errorf("as typed: %v, %v; want false, nil", ok, err)
			}
		})
	}
}

func TestVerifyForeignHashes(t *testing.T) {
	const (
		// From the tests of the reference implementation of Argon2.
		reference = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"
		// From the tests of crypt_blowfish.
		blowfish = "$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"
	)
	tests := []struct {
		name, encoded, password string
		ok, outdated            bool
	}{
		{"argon2id reference", reference, "password", true, true},
		{"argon2id wrong", reference, "passwore", false, false},
		{"bcrypt 2a", "$2a" + blowfish, "U*U", true, true},
		{"bcrypt 2b", "$2b" + blowfish, "U*U", true, true},
		{"bcrypt 2y", "$2y" + blowfish, "U*U", true, true},
		{"bcrypt wrong", "$2y" + blowfish, "U*V", false, false},
	}
	h := cheapHasher()
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			ok, outdated, err := h.Verify(t.Context(), test.encoded, test.password)
			if ok != test.ok || outdated != test.outdated || err != nil {
				t.Errorf("Verify = %v, %v, %v; want %v, %v, nil", ok, outdated, err, test.ok, test.outdated)
			}
		})
	}
}

func TestVerifyOutdated(t *testing.T) {
	now := Params{Memory: 128, Time: 2, Threads: 1}
	tests := []struct {
		name string
		old  phc
		want bool
	}{
		{"same", phc{params: now, salt: random(16), tag: random(32)}, false},
		{"stronger", phc{params: Params{256, 3, 1}, salt: random(16), tag: random(32)}, true},
		{"more lanes", phc{params: Params{128, 2, 4}, salt: random(16), tag: random(32)}, true},
		{"less memory", phc{params: Params{64, 2, 1}, salt: random(16), tag: random(32)}, true},
		{"fewer passes", phc{params: Params{128, 1, 1}, salt: random(16), tag: random(32)}, true},
		{"short salt", phc{params: now, salt: random(8), tag: random(32)}, true},
		{"short tag", phc{params: now, salt: random(16), tag: random(16)}, true},
	}
	h := NewHasher(HasherOptions{Params: now})
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			test.old.tag = test.old.params.derive("correct horse", test.old.salt, len(test.old.tag))
			ok, got, err := h.Verify(t.Context(), test.old.String(), "correct horse")
			if !ok || err != nil {
				t.Fatalf("Verify = %v, %v", ok, err)
			}
			if got != test.want {
				t.Errorf("outdated = %v, want %v", got, test.want)
			}
			if _, got, _ := h.Verify(t.Context(), test.old.String(), "wrong horse"); got {
				t.Error("a hash that does not match is called outdated")
			}
		})
	}
}

func TestVerifyBcryptReadsNoMoreThanBcryptDoes(t *testing.T) {
	long := strings.Repeat("a", 72)
	encoded, err := bcrypt.GenerateFromPassword([]byte(long), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	h := cheapHasher()
	if ok, _, err := h.Verify(t.Context(), string(encoded), long); !ok || err != nil {
		t.Errorf("72 bytes: %v, %v; want true, nil", ok, err)
	}
	if ok, _, err := h.Verify(t.Context(), string(encoded), long+"b"); ok || err != nil {
		t.Errorf("73 bytes: %v, %v; want false, nil", ok, err)
	}
}

func TestVerifyWithoutPassword(t *testing.T) {
	h := cheapHasher()
	for _, password := range []string{"", "correct horse"} {
		if ok, outdated, err := h.Verify(t.Context(), "", password); ok || outdated || err != nil {
			t.Errorf("Verify(%q) = %v, %v, %v; want false, false, nil", password, ok, outdated, err)
		}
	}
}

// TestVerifyUnreadable checks that a stored hash of an unknown kind counts as a
// wrong password and takes a slot, but returns an error of its own.
func TestVerifyUnreadable(t *testing.T) {
	tests := []struct{ name, encoded string }{
		{"plain text", "correct horse"},
		{"argon2i", "$argon2i$v=19$m=64,t=1,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"},
		{"pbkdf2 with SHA-1", "$pbkdf2$29000$N2YMIWQsBWBMae09x1jrPQ$1t8iyB2A.WF/Z5JZv.lfCIhXXN33N23OSgQYThBYRfk"},
		{"bcrypt 2x", "$2x$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"},
		{"bcrypt short", "$2a$05$CCCCCCCCCCCCCCCCCCCCC"},
		{"bcrypt long", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW="},
		{"bcrypt absurd cost", "$2a$31$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"},
		{"bcrypt no cost", "$2a$xx$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"},
	}
	h := cheapHasher()
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			ok, _, err := h.Verify(t.Context(), test.encoded, "correct horse")
			if ok || !errors.Is(err, ErrUnreadable) {
				t.Fatalf("Verify = %v, %v; want false, %v", ok, err, ErrUnreadable)
			}
			if strings.Contains(err.Error(), test.encoded) {
				t.Errorf("the error holds the stored text: %v", err)
			}
		})
	}
}

func TestOverlongPasswordsAreNotHashed(t *testing.T) {
	h := NewHasher(HasherOptions{Slots: 1, Params: cheap})
	long := strings.Repeat("a", MaxBytes+1)
	release := occupy(t, h.gate) // a hash would have to wait
	defer release()

	if _, err := h.Hash(t.Context(), long); !errors.Is(err, apperr.Invalid) {
		t.Errorf("Hash = %v, want kind %q", err, apperr.Invalid)
	}
	for _, encoded := range []string{"", h.dummy, "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"} {
		if ok, _, err := h.Verify(t.Context(), encoded, long); ok || err != nil {
			t.Errorf("Verify(%q) = %v, %v; want false, nil", encoded, ok, err)
		}
	}
}

// TestEveryCallTakesASlot checks that neither the queue nor the errors reveal
// whether an account exists, has a password, or has a readable hash.
func TestEveryCallTakesASlot(t *testing.T) {
	h := NewHasher(HasherOptions{Slots: 1, Queue: 1, Wait: time.Nanosecond, Params: cheap})
	encoded, err := h.Hash(t.Context(), "correct horse")
	if err != nil {
		t.Fatal(err)
	}
	calls := map[string]func(context.Context) error{
		"hash":          func(ctx context.Context) error { _, err := h.Hash(ctx, "x"); return err },
		"verify":        func(ctx context.Context) error { _, _, err := h.Verify(ctx, encoded, "x"); return err },
		"no password":   func(ctx context.Context) error { _, _, err := h.Verify(ctx, "", "x"); return err },
		"unknown user":  func(ctx context.Context) error { return h.VerifyDummy(ctx, "x") },
		"imported hash": func(ctx context.Context) error { _, _, err := h.Verify(ctx, bcryptSample, "x"); return err },
		"unreadable":    func(ctx context.Context) error { _, _, err := h.Verify(ctx, "$argon2i$x", "x"); return err },
	}
	release := occupy(t, h.gate)
	defer release()
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for name, call := range calls {
		t.Run(name, func(t *testing.T) {
			checkBusy(t, call(t.Context()))
			if err := call(cancelled); !errors.Is(err, apperr.Canceled) {
				t.Errorf("cancelled: %v, want kind %q", err, apperr.Canceled)
			}
		})
	}
}

const bcryptSample = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"

// The dummy must take as long as a new hash: the same scheme, costs and sizes.
func TestDummyIsLikeANewHash(t *testing.T) {
	h := cheapHasher()
	dummy, err := parsePHC(h.dummy)
	if err != nil {
		t.Fatal(err)
	}
	if dummy.params != h.params || len(dummy.salt) != saltSize || len(dummy.tag) != tagSize {
		t.Errorf("dummy is %+v", dummy)
	}
	if err := h.VerifyDummy(t.Context(), "correct horse"); err != nil {
		t.Error(err)
	}
}

func TestSelfTestTakesTime(t *testing.T) {
	if got := cheapHasher().SelfTest(); got <= 0 {
		t.Errorf("SelfTest = %v", got)
	}
}
