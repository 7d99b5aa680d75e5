// Package password checks and stores passwords, and decides which new ones are
// accepted.
//
// A [Hasher] makes and compares hashes. It computes only as many at a time as
// there are cores, for pages and API together. A [Policy] refuses passwords
// that are short, known or easy to guess and says why in a sentence for the
// person who typed it.
//
// Package auth finds the account, limits the attempts and replaces stored
// hashes. Nothing here trims, folds, normalises or truncates a password before
// it is hashed.
package password

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"time"

	"latchkey/internal/apperr"
)

// MaxBytes is the length in bytes of the longest password that is ever hashed.
const MaxBytes = 1024

// HasherOptions configure a [Hasher]. A zero field takes its default.
type HasherOptions struct {
	Slots  int           // hashes computed at a time; default GOMAXPROCS
	Queue  int           // callers that may wait for a slot in each lane; default 50
	Wait   time.Duration // longest wait for a slot; default 2 s
	Params Params        // cost of new hashes; default [DefaultParams]

	Waited func(time.Duration) // gets each caller's wait for a slot, also when it got none; may be nil
}

// ErrUnreadable is returned by [Hasher.Verify] for a stored hash that it cannot
// read: of another scheme, damaged, or with costs above the accepted bounds.
var ErrUnreadable = errors.New("stored password hash cannot be read")

// Hasher makes and verifies password hashes. It may be used by many goroutines
// at once.
//
// Every method that takes a context waits for a free slot first. With none in
// time it returns an error of kind apperr.Busy, and when the caller went away
// one of kind apperr.Canceled. After such an error nothing was compared: it is
// neither a success nor a failed attempt, and a limiter is to be refunded.
type Hasher struct {
	params Params
	gate   *gate
	dummy  string
	caller Caller
}

// NewHasher returns a Hasher. It computes no hash.
func NewHasher(o HasherOptions) *Hasher {
	if o.Slots <= 0 {
		o.Slots = runtime.GOMAXPROCS(0)
	}
	if o.Queue <= 0 {
		o.Queue = 50
	}
	if o.Wait <= 0 {
		o.Wait = 2 * time.Second
	}
	o.Params = o.Params.orDefault()
	// A random tag is as good as a computed one: no password is known to fit.
	dummy := phc{params: o.Params, salt: random(saltSize), tag: random(tagSize)}
	h := &Hasher{
		params: o.Params,
		gate:   newGate(o.Slots, o.Queue, o.Wait),
		dummy:  dummy.String(),
	}
	h.gate.waited = o.Waited
	return h
}

// For returns a Hasher that works for a caller, in the same queue. One network has
// a quarter of the places, and known callers wait in a lane of their own.
func (h *Hasher) For(caller Caller) *Hasher {
	its := *h
	its.caller = caller
	return &its
}

// Hash returns the Argon2id hash of password under a fresh salt, as a PHC
// string. A password longer than [MaxBytes] is an error of kind apperr.Invalid.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	if len(password) > MaxBytes {
		return "", apperr.New(apperr.Invalid, "This password is too long. Choose a shorter one.", nil)
	}
	made := phc{params: h.params, salt: random(saltSize)}
	err := h.gate.do(ctx, h.caller, func() {
		made.tag = made.params.derive(password, made.salt, tagSize)
	})
	if err != nil {
		return "", fmt.Errorf("hash password: %w", err)
	}
	return made.String(), nil
}

// HashSet is Hash for a set of one-time codes: all under one salt, so that MatchSet
// compares a code with all of them at the cost of one hash.
func (h *Hasher) HashSet(ctx context.Context, codes []string) ([]string, error) {
	salt, list := random(saltSize), make([]string, len(codes))
	err := h.gate.do(ctx, h.caller, func() {
		for i, code := range codes {
			made := phc{params: h.params, salt: salt}
			made.tag = made.params.derive(code, salt, tagSize)
			list[i] = made.String()
		}
	})
	if err != nil {
		return nil, fmt.Errorf("hash codes: %w", err)
	}
	return list, nil
}

// MatchSet returns the index of the hash in a set of HashSet that code matches, -1
// for none. Hashes of another salt than the first match nothing. An empty set takes
// as long as another.
func (h *Hasher) MatchSet(ctx context.Context, set []string, code string) (int, error) {
	if len(code) > MaxBytes {
		return -1, nil
	}
	if len(set) == 0 {
		return -1, h.VerifyDummy(ctx, code)
	}
	first, err := parsePHC(set[0])
	if err != nil {
		return -1, fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	typed := first
	if err := h.gate.do(ctx, h.caller, func() { typed.tag = first.params.derive(code, first.salt, len(first.tag)) }); err != nil {
		return -1, fmt.Errorf("verify a code: %w", err)
	}
	found := -1
	for i, encoded := range set { // all of them: the time does not tell which
		if subtle.ConstantTimeCompare([]byte(encoded), []byte(typed.String())) == 1 {
			found = i
		}
	}
	return found, nil
}

// Verify reports whether password matches encoded and, if it does, whether
// encoded should be replaced, because Hash makes hashes of another scheme or cost.
// It understands Argon2id PHC strings and the hashes that Import accepts. For any
// other text it returns ErrUnreadable after the work of a real comparison: the
// password is wrong, and the stored hash is an operator's concern.
//
// Of the hashes that take more memory than those of Hash, one is computed at a time.
//
// The empty string stands for an account without a password: nothing matches
// it, and that takes as long as a real hash does. A password longer than
// [MaxBytes] matches nothing either, whatever the account, and is not hashed.
func (h *Hasher) Verify(ctx context.Context, encoded, password string) (ok, outdated bool, err error) {
	if encoded == "" {
		return false, false, h.VerifyDummy(ctx, password)
	}
	if len(password) > MaxBytes {
		return false, false, nil
	}
	stored, outdated, err := h.parse(encoded)
	if err != nil {
		if busy := h.VerifyDummy(ctx, password); busy != nil {
			return false, false, busy
		}
		return false, false, fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	do := h.gate.do
	if stored.memory > int64(h.params.Memory)<<10 {
		do = h.gate.doHeavy
	}
	if err := do(ctx, h.caller, func() { ok = stored.match(password) }); err != nil {
		return false, false, fmt.Errorf("verify password: %w", err)
	}
	return ok, ok && outdated, nil
}

// VerifyDummy does the work of Verify for a user who does not exist, so that the
// response takes the same time, and fails in the same ways, as for an existing
// user.
func (h *Hasher) VerifyDummy(ctx context.Context, password string) error {
	_, _, err := h.Verify(ctx, h.dummy, password)
	return err
}

// SelfTest returns about how long one hash takes now, for the operator's log.
// Up to 250 ms is healthy. It takes no slot: call it at the start.
//
// It computes as many blocks as a hash in a quarter of the memory: an idle
// server would keep the 19 MiB of a real one for minutes.
func (h *Hasher) SelfTest() time.Duration {
	p := h.params
	p.Memory, p.Time = p.Memory/4, p.Time*4
	salt := random(saltSize)
	start := time.Now()
	p.derive("correct horse battery staple", salt, tagSize)
	return time.Since(start)
}

// parse returns the comparison for a stored hash, chosen by its prefix.
func (h *Hasher) parse(encoded string) (c comparison, outdated bool, err error) {
	if strings.HasPrefix(encoded, argonPrefix) {
		stored, err := parsePHC(encoded)
		return stored.comparison(), stored.outdated(h.params), err
	}
	c, _, err = parseForeign(encoded)
	return c, true, err
}

// random returns n unpredictable bytes.
func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b) // never fails
	return b
}
