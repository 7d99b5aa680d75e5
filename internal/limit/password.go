package limit

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"latchkey/models"
)

// The limits of attempts at a password. Their names are those of buckets in the
// database: accounts are kept for longer than their window.
var (
	accounts = Limit{name: "account", rule: accountRule}
	unknowns = Limit{name: "unknown", rule: accountRule}
	devices  = perWindow("device", 10, 15*time.Minute, "")

	// Passwords sent to the API are counted by the same rule in buckets of their
	// own: guessing there does not pause the pages.
	apiAccounts = Limit{name: "account-api", rule: accountRule}
	apiUnknowns = Limit{name: "unknown-api", rule: accountRule}

	failures = perWindow("failures", 20, 10*time.Minute, "")
)

// wider are the limits of failures from the larger networks that an IPv6 address
// is in. Providers give one customer a /64 up to a /48: one who moves through a
// whole /48 gets ten times what one /64 gets, and not 65,536 times.
var wider = []struct {
	bits     int
	failures Limit
}{
	{56, perWindow("failures", 60, 10*time.Minute, "")},
	{48, perWindow("failures", 200, 10*time.Minute, "")},
}

// keptBuckets start the names of buckets that outlive their window: those of
// accounts, on the pages and over the API.
const keptBuckets = "account"

// accountRule lets a few attempts through, and then each only after a wait. It
// counts consecutive failures too: after 100 no time ends the pause.
var accountRule = models.Rule{Free: 5, Window: 24 * time.Hour, Streak: 100, Waits: []time.Duration{
	30 * time.Second, time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 15 * time.Minute,
}}

// Try is an attempt at the password of an account.
type Try struct {
	UserID     string // empty: no account has the identifier
	Identifier string // as it was typed
	Device     string // the hash of a device that the person is known on; else empty
	API        bool   // the password was sent to the API, not to a page
	IP         netip.Addr
}

// Taken is an attempt that was counted. Settle it when the password was right,
// give it back when it was not compared or changed nothing, and leave it
// counted when it was wrong.
type Taken struct {
	account  string   // the bucket of the account, the device or the identifier
	others   string   // of a known device: the bucket that everyone else is counted in
	networks []string // the buckets of the networks' failures
}

// TakePassword counts an attempt at a password. It returns apperr.TooMany when
// there were too many, and apperr.Locked when no time ends the pause.
//
// It counts against the account; or the device, when the person is known on it,
// so that strangers cannot lock the owner out; or the identifier, when no
// account has it, by the same rule.
func (l *Limiter) TakePassword(ctx context.Context, try Try) (Taken, error) {
	if l.off {
		return Taken{}, nil
	}
	account, failed := l.account(try), networks(try.IP)
	var refused error
	err := l.store.InTx(ctx, func(tx *models.Store) (err error) {
		// The attempt counts even when another limit refuses it.
		if _, refused, err = l.take(ctx, tx, Links.of(Network(try.IP))); refused != nil || err != nil {
			return err
		}
		var counted []string
		if counted, refused, err = l.take(ctx, tx, append([]take{account}, failed...)...); refused == nil || err != nil {
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
	taken := Taken{account: account.bucket()}
	if try.UserID != "" && try.Device != "" {
		taken.others = accounts.of(try.UserID).bucket()
	}
	for _, network := range failed {
		taken.networks = append(taken.networks, network.bucket())
	}
	return taken, nil
}

// networks returns the attempts to count for an address: in its own network,
// and for IPv6 in the larger ones.
func networks(addr netip.Addr) []take {
	list := []take{failures.of(Network(addr))}
	if addr = addr.Unmap().WithZone(""); addr.Is6() {
		for _, network := range wider {
			list = append(list, network.failures.of(prefixOf(addr, network.bits)))
		}
	}
	return list
}

func (l *Limiter) account(try Try) take {
	switch {
	case try.UserID == "" && try.API:
		return apiUnknowns.of(l.unknown(try.Identifier))
	case try.UserID == "":
		return unknowns.of(l.unknown(try.Identifier))
	case try.Device != "":
		return devices.of(try.UserID + ":" + try.Device[:16])
	case try.API:
		return apiAccounts.of(try.UserID)
	}
	return accounts.of(try.UserID)
}

// Settle gives back the attempt of a right password, and clears the earlier
// failures of its account or device. A success on a known device also halves
// the pause of everyone else: the owner is there. The networks keep their other
// failures: signing in to the attacker's own account must not clear them.
func (l *Limiter) Settle(ctx context.Context, tx *models.Store, taken Taken) error {
	if l.off {
		return nil
	}
	if err := tx.Attempts.Clear(ctx, taken.account); err != nil {
		return err
	}
	if taken.others != "" {
		if err := tx.Attempts.HalvePause(ctx, taken.others, l.now()); err != nil {
			return err
		}
	}
	return tx.Attempts.Refund(ctx, taken.networks...)
}

// GiveBack gives back an attempt whose password was not compared, or was right
// and changed nothing, and returns cause. When giving back fails, it returns
// that error instead.
func (l *Limiter) GiveBack(ctx context.Context, taken Taken, cause error) error {
	if l.off {
		return cause
	}
	// Without the cancellation: the attempt is given back even when the caller
	// is gone.
	err := l.store.Attempts.Refund(context.WithoutCancel(ctx), append([]string{taken.account}, taken.networks...)...)
	if err != nil {
		return fmt.Errorf("%w (after: %v)", err, cause) //nolint:errorlint // only the first decides the response
	}
	return cause
}

// ClearAccount forgets the failures of an account: on the pages, over the API and on
// every device, and its wrong codes.
func (l *Limiter) ClearAccount(ctx context.Context, tx *models.Store, userID string) error {
	// Devices first, as Settle: two that lock rows in different orders would wait
	// for each other.
	if err := tx.Attempts.ClearPrefix(ctx, devices.of(userID).bucket()+":"); err != nil {
		return err
	}
	return tx.Attempts.Clear(ctx, accounts.of(userID).bucket(), apiAccounts.of(userID).bucket(), StepCodes.of(userID).bucket())
}

// Pauses are those of sign-in to one account; the zero value is none.
type Pauses struct {
	Pages models.Pause // on devices that are not known
	API   models.Pause // with the password, at /token
}

// Paused returns, by account id, the pauses of those accounts whose sign-in is
// paused.
func (l *Limiter) Paused(ctx context.Context, userIDs ...string) (map[string]Pauses, error) {
	var buckets []string
	for _, id := range userIDs {
		buckets = append(buckets, accounts.of(id).bucket(), apiAccounts.of(id).bucket())
	}
	found, err := l.store.Attempts.Paused(ctx, buckets, accountRule.Streak, l.now())
	paused := map[string]Pauses{}
	for _, id := range userIDs {
		pauses := Pauses{Pages: found[accounts.of(id).bucket()], API: found[apiAccounts.of(id).bucket()]}
		if pauses != (Pauses{}) {
			paused[id] = pauses
		}
	}
	return paused, err
}

// Purge removes at most limit buckets that were not touched since before, and
// returns how many. Those of accounts stay: consecutive failures have no window.
func (l *Limiter) Purge(ctx context.Context, before time.Time, limit int) (int64, error) {
	return l.store.Attempts.Purge(ctx, keptBuckets, before, limit)
}
