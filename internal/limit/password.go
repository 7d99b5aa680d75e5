package limit

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"latchkey/models"
)

// The limits of attempts at a password. Their names are those of buckets in the
// database: accounts are kept for longer than their window.
var (
	accounts = Limit{name: "account", rule: accountRule}
	unknowns = Limit{name: "unknown", rule: accountRule}
	devices  = perWindow("device", 10, 15*time.Minute, "")
	failures = perWindow("failures", 20, 10*time.Minute, "")
)

// accountRule lets a few attempts through, and then each only after a wait. It
// counts consecutive failures too: after 100 no time ends the pause.
var accountRule = models.Rule{Free: 5, Window: 24 * time.Hour, Streak: 100, Waits: []time.Duration{
	30 * time.Second, time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 15 * time.Minute,
}}

// Try is an attempt at the password of an account.
type Try struct {
	UserID     string // empty: nobody has the identifier
	Identifier string // as it was typed
	Device     string // the hash of a device that the person is known on; else empty
	IP         netip.Addr
}

// Taken is an attempt that was counted: to be settled when the password was
// right, given back when nothing came of it, and left when it was wrong.
type Taken struct {
	account string // the bucket of the account, the device or the identifier
	network string // the bucket of the network's failures
}

// TakePassword counts an attempt at a password. It returns apperr.TooMany when
// there were too many, and apperr.Locked when no time ends the pause.
//
// It counts against the account; or the device, when the person is known on it,
// so that strangers cannot lock the owner out; or the identifier that nobody
// has, by the same rule as an account.
func (l *Limiter) TakePassword(ctx context.Context, try Try) (Taken, error) {
	if l.off {
		return Taken{}, nil
	}
	network := Network(try.IP)
	account, failed := l.account(try), failures.of(network)
	var refused error
	err := l.store.InTx(ctx, func(tx *models.Store) (err error) {
		// Knocking counts, also when another limit refuses.
		if _, refused, err = l.take(ctx, tx, Links.of(network)); refused != nil || err != nil {
			return err
		}
		var counted []string
		if counted, refused, err = l.take(ctx, tx, account, failed); refused == nil || err != nil {
			return err
		}
		return tx.Attempts.Refund(ctx, counted...)
	})
	if err == nil {
		err = refused
	}
	if err != nil {
		return Taken{}, err
	}
	return Taken{account: account.bucket(), network: failed.bucket()}, nil
}

func (l *Limiter) account(try Try) take {
	switch {
	case try.UserID == "":
		return unknowns.of(l.unknown(try.Identifier))
	case try.Device != "":
		return devices.of(try.UserID + ":" + try.Device[:16])
	}
	return accounts.of(try.UserID)
}

// Settle gives back the attempt of a right password, and clears the earlier
// failures of its account or device. The network keeps its other failures: an
// account of one's own must not clear them.
func (l *Limiter) Settle(ctx context.Context, tx *models.Store, taken Taken) error {
	if l.off {
		return nil
	}
	if err := tx.Attempts.Clear(ctx, taken.account); err != nil {
		return err
	}
	return tx.Attempts.Refund(ctx, taken.network)
}

// GiveBack gives back an attempt whose password was not compared, or was right
// and changed nothing, and returns cause, the reason. When giving back fails, it
// returns that error: it decides the answer.
func (l *Limiter) GiveBack(ctx context.Context, taken Taken, cause error) error {
	if l.off {
		return cause
	}
	// The caller may be gone: the attempt is given back all the same.
	err := l.store.Attempts.Refund(context.WithoutCancel(ctx), taken.account, taken.network)
	if err != nil {
		return fmt.Errorf("%w (after: %v)", err, cause) //nolint:errorlint // of the two, one decides the answer
	}
	return cause
}

// ClearAccount forgets the failures of an account, on every device.
func (l *Limiter) ClearAccount(ctx context.Context, tx *models.Store, userID string) error {
	if err := tx.Attempts.Clear(ctx, accounts.of(userID).bucket()); err != nil {
		return err
	}
	return tx.Attempts.ClearPrefix(ctx, devices.of(userID).bucket()+":")
}

// Paused returns those of some accounts to which strangers' sign-ins are
// refused, by their ids.
func (l *Limiter) Paused(ctx context.Context, userIDs ...string) (map[string]models.Pause, error) {
	buckets := make([]string, len(userIDs))
	for i, id := range userIDs {
		buckets[i] = accounts.of(id).bucket()
	}
	found, err := l.store.Attempts.Paused(ctx, buckets, accountRule.Streak, l.now())
	paused := make(map[string]models.Pause, len(found))
	for bucket, pause := range found {
		paused[strings.TrimPrefix(bucket, accounts.of("").bucket())] = pause
	}
	return paused, err
}

// Purge removes at most limit buckets that were not touched since before, and
// returns how many. Those of accounts stay: consecutive failures have no window.
func (l *Limiter) Purge(ctx context.Context, before time.Time, limit int) (int64, error) {
	return l.store.Attempts.Purge(ctx, accounts.of("").bucket(), before, limit)
}
