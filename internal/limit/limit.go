// Package limit counts attempts and refuses those that are too many
// (docs/security.md, "Limits").
//
// An attempt is counted before it is made; a password that was right gives its
// attempt back. The counts are in the database, shared by replicas: package
// models has the statements, this package the rules. Package auth knows who
// makes an attempt, and checks the password.
package limit

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/netip"
	"time"

	"latchkey/internal/apperr"
	"latchkey/internal/token"
	"latchkey/models"
)

// Limit is a rule with the name of its buckets and the message of a refusal.
type Limit struct {
	name  string // starts the names of its buckets, and stands in the log
	rule  models.Rule
	words string // may be empty: then the page has its own
}

// The limits of docs/security.md for everything but passwords. The key of the
// first four is a network, that of the others an account. The two of reset links
// refuse without a message.
var (
	Links      = perWindow("attempts", 60, time.Minute, "") // shared with attempts at a password
	Signups    = perWindow("signup", 10, time.Hour, "Too many accounts were created from your network.")
	Grants     = perWindow("token", 30, time.Minute, "Too many sign-ins came from this address.")
	ResetAsks  = perWindow("reset-ask", 10, time.Hour, "")
	AdminActs  = perWindow("admin", 60, time.Minute, "You made too many changes in a short time.")
	BulkActs   = perWindow("bulk", 6, time.Minute, "You changed many accounts in a short time.")
	Usernames  = perWindow("rename", 10, time.Hour, "You tried too many usernames in a short time.")
	ResetMails = perWindow("reset-mail", 3, time.Hour, "")
	Addresses  = perWindow("address", 10, time.Hour, "You tried too many email addresses in a short time.")
	Exports    = perWindow("export", 10, time.Hour, "You downloaded your data many times in a short time.")
	Letters    = perWindow("letter", 3, time.Hour, "A message was sent a moment ago.")
	Mailings   = perWindow("mailing", 10, time.Hour, "Too many messages were asked for from your network.")
	// Inbox limits how often the owner of an address is told that someone else typed
	// it. Its key is Hidden.
	Inbox = perWindow("inbox", 5, time.Hour, "")
	// Codes limits the tries at the code of one message. Only a new code gives more
	// (Clear), so it also holds while limits are off (Try).
	Codes = perWindow("code", 5, 24*time.Hour, "There were too many wrong codes, so this one no longer works. Ask for a new one.")
)

// The limits of codes of a second step. Both are also there while limits are off for
// load tests: six digits are nothing without them.
var (
	// TicketCodes limits the tries of one half sign-in. Its key is the ticket.
	TicketCodes = perWindow("ticket", 5, 24*time.Hour, "")
	// StepCodes limits the wrong codes of an account, whoever tries them.
	StepCodes = perWindow("step", 10, time.Hour, "Too many wrong codes were entered for this account.")
)

func perWindow(name string, n int, window time.Duration, words string) Limit {
	return Limit{name: name, rule: models.Rule{Free: n, Window: window, Waits: []time.Duration{window}}, words: words}
}

// of is the attempt to be counted for a key.
func (l Limit) of(key string) take { return take{l, key} }

type take struct {
	limit Limit
	key   string
}

func (t take) bucket() string { return t.limit.name + ":" + t.key }

// Options are what a Limiter needs.
type Options struct {
	Store  *models.Store
	Now    func() time.Time
	Secret []byte // the master secret: hides identifiers without an account in bucket names
	Off    bool   // nothing is counted and nothing refused
}

// Limiter counts attempts. It is safe for concurrent use; its state is in the
// database.
type Limiter struct {
	store *models.Store
	now   func() time.Time
	key   []byte
	off   bool
}

// New returns a Limiter, or an error when an option is missing or wrong.
func New(o Options) (*Limiter, error) {
	if o.Store == nil || o.Now == nil {
		return nil, errors.New("limit: Store and Now are required")
	}
	key, err := token.DeriveKey(o.Secret, "latchkey/limiter/v1")
	if err != nil {
		return nil, err
	}
	return &Limiter{store: o.Store, now: o.Now, key: key, off: o.Off}, nil
}

// Enabled reports whether attempts are counted at all.
func (l *Limiter) Enabled() bool { return !l.off }

// Take counts one attempt. It returns apperr.TooMany when there were too many.
func (l *Limiter) Take(ctx context.Context, limit Limit, key string) error {
	if l.off {
		return nil
	}
	return l.Try(ctx, limit, key)
}

// Try is Take, also while limits are off.
func (l *Limiter) Try(ctx context.Context, limit Limit, key string) error {
	_, refused, err := l.take(ctx, l.store, limit.of(key))
	if err != nil {
		return err
	}
	return refused
}

// Refund gives an attempt back that was not one: what was tried was right.
func (l *Limiter) Refund(ctx context.Context, tx *models.Store, limit Limit, key string) error {
	return tx.Attempts.Refund(ctx, limit.of(key).bucket())
}

// Clear forgets the attempts at something.
func (l *Limiter) Clear(ctx context.Context, tx *models.Store, limit Limit, key string) error {
	return tx.Attempts.Clear(ctx, limit.of(key).bucket())
}

// take counts an attempt in several buckets. It returns those that let it
// through, and the first refusal.
func (l *Limiter) take(ctx context.Context, store *models.Store, takes ...take) (counted []string, refused, err error) {
	rows := make([]models.Take, len(takes))
	for i, t := range takes {
		rows[i] = models.Take{Bucket: t.bucket(), Rule: t.limit.rule}
	}
	verdicts, err := store.Attempts.Take(ctx, l.now(), rows...)
	if err != nil {
		return nil, nil, err
	}
	for i, t := range takes {
		switch {
		case verdicts[i].Allowed:
			counted = append(counted, rows[i].Bucket)
		case refused == nil:
			refused = l.refusal(t.limit, verdicts[i])
		}
	}
	return counted, refused, nil
}

// lockedFor is how long a client is told to wait when no time ends the pause.
const lockedFor = 24 * time.Hour

func (l *Limiter) refusal(limit Limit, verdict models.Verdict) error {
	cause := errors.New("limit of " + limit.name + " attempts")
	if verdict.Until.IsZero() {
		return apperr.Wait(apperr.Locked, lockedFor, "Sign-in to this account is paused because of too many failed attempts.", cause)
	}
	return apperr.Wait(apperr.TooMany, verdict.Until.Sub(l.now()), limit.words, cause)
}

// Refused reports whether err says that a limit refused something.
func Refused(err error) bool {
	return errors.Is(err, apperr.TooMany) || errors.Is(err, apperr.Locked)
}

// Network returns the name under which an address is counted: one IPv4 address,
// or an IPv6 /64, which belongs to one customer.
func Network(addr netip.Addr) string {
	if !addr.IsValid() {
		return "unknown"
	}
	addr = addr.Unmap().WithZone("")
	if addr.Is4() {
		return addr.String()
	}
	return prefixOf(addr, 64)
}

func prefixOf(addr netip.Addr, bits int) string {
	prefix, err := addr.Prefix(bits)
	if err != nil {
		return addr.String()
	}
	return prefix.String()
}

// Hidden returns the key of a name or an address that somebody typed: it does not
// show the text, and is the same for all its spellings.
func (l *Limiter) Hidden(text string) string { return l.unknown(text) }

// unknown returns the key of an identifier that no account has. The key hides
// the typed text, which may be a password in the wrong field. Spellings that
// would find the same account share a key.
func (l *Limiter) unknown(identifier string) string {
	mac := hmac.New(sha256.New, l.key)
	mac.Write([]byte(models.FoldName(identifier)))
	return hex.EncodeToString(mac.Sum(nil)[:16])
}
