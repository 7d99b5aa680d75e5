package auth

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/netip"
	"strings"
	"time"

	"latchkey/internal/apperr"
	"latchkey/internal/audit"
	"latchkey/models"
)

// The limits of docs/security.md. "n free, then waits" counts attempts before
// they are made; a success gives an account's attempts back.
var (
	accountRule = models.Rule{Free: 5, Window: 24 * time.Hour, Streak: 100, Waits: []time.Duration{
		30 * time.Second, time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 15 * time.Minute,
	}}
	deviceRule   = perWindow(10, 15*time.Minute)
	failuresRule = perWindow(20, 10*time.Minute)
	attemptsRule = perWindow(60, time.Minute)
	signupRule   = perWindow(10, time.Hour)
	adminRule    = perWindow(60, time.Minute)
	renameRule   = perWindow(10, time.Hour)
	addressRule  = perWindow(10, time.Hour)
)

// accountBuckets start the names of buckets that outlive their window, because
// they count consecutive failures.
const accountBuckets = "account:"

func perWindow(n int, window time.Duration) models.Rule {
	return models.Rule{Free: n, Window: window, Waits: []time.Duration{window}}
}

// networkOf is the unit in which addresses are counted: one IPv4 address, or
// the /64 that one IPv6 customer has.
func networkOf(addr netip.Addr) string {
	if !addr.IsValid() {
		return "unknown"
	}
	addr = addr.Unmap().WithZone("")
	if addr.Is4() {
		return addr.String()
	}
	prefix, err := addr.Prefix(64)
	if err != nil {
		return addr.String()
	}
	return prefix.Masked().String()
}

// unknownBucket names the bucket of an identifier that nobody has, without
// keeping what was typed: it may be a password in the wrong field. Spellings
// that would find the same account are one.
func (s *Service) unknownBucket(identifier string) string {
	mac := hmac.New(sha256.New, s.limiterKey)
	mac.Write([]byte(models.FoldName(identifier)))
	return "unknown:" + hex.EncodeToString(mac.Sum(nil)[:16])
}

// limit counts one attempt at something and returns apperr.TooMany, with what
// to say about it, when there were too many.
func (s *Service) limit(ctx context.Context, actor Actor, bucket string, rule models.Rule, words string) error {
	if !s.limits {
		return nil
	}
	_, refused, err := s.take(ctx, s.store, models.Take{Bucket: bucket, Rule: rule})
	if err != nil {
		return err
	}
	if refused != nil {
		s.audit.Note(ctx, actor.Event(audit.Limited, nil, apperr.Details(refused).Error()))
		apperr.Details(refused).Message = words
	}
	return refused
}

// SignInPaused is said of an account whose failed sign-ins were so many that no
// time ends the pause: an error of kind apperr.TooMany with the field "locked".
const SignInPaused = "Sign-in to this account is paused because of too many failed attempts."

func (s *Service) tooMany(verdict models.Verdict, bucket string) error {
	if verdict.Allowed {
		return nil
	}
	kind, _, _ := strings.Cut(bucket, ":")
	failure := apperr.Wait(apperr.TooMany, 24*time.Hour, "", errors.New("limit of "+kind+" attempts"))
	if verdict.Until.IsZero() {
		failure.Field = "locked"
		return failure
	}
	failure.RetryAfter = verdict.Until.Sub(s.now())
	return failure
}

// takeAll counts an attempt in a bucket for knocking, and in those for trying
// when it lets the attempt through. When one of these refuses, the others are
// given back; knocking counts.
func (s *Service) takeAll(ctx context.Context, knock models.Take, tries ...models.Take) error {
	if !s.limits {
		return nil
	}
	var refused error
	err := s.store.InTx(ctx, func(tx *models.Store) (err error) {
		if _, refused, err = s.take(ctx, tx, knock); refused != nil || err != nil {
			return err
		}
		var counted []string
		if counted, refused, err = s.take(ctx, tx, tries...); refused == nil || err != nil {
			return err
		}
		return tx.Attempts.Refund(ctx, counted...)
	})
	if err != nil {
		return err
	}
	return refused
}

// take counts an attempt in several buckets, and returns those that let it
// through and the first refusal.
func (s *Service) take(ctx context.Context, store *models.Store, takes ...models.Take) (counted []string, refused, err error) {
	verdicts, err := store.Attempts.Take(ctx, s.now(), takes...)
	if err != nil {
		return nil, nil, err
	}
	for i, take := range takes {
		switch failure := s.tooMany(verdicts[i], take.Bucket); {
		case failure == nil:
			counted = append(counted, take.Bucket)
		case refused == nil:
			refused = failure
		}
	}
	return counted, refused, nil
}
