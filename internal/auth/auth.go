// Package auth decides who a request belongs to and changes that: it signs
// people in, refreshes, ends and expires their sessions. Package account changes
// the accounts themselves, package oauth gives out the tokens of the API.
//
// It knows nothing about HTTP. Cookies belong to package cookie, statuses to
// package handlers, rows to package models. Every failure a person can cause
// is an apperr kind; anything else is a fault of ours.
package auth

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"time"

	"latchkey/internal/audit"
	"latchkey/internal/auth/passkey"
	"latchkey/internal/auth/password"
	"latchkey/internal/limit"
	"latchkey/internal/seal"
	"latchkey/internal/token"
	"latchkey/models"
)

// maxSessions is how many live sessions a person may have. When there are more,
// the least recently used one ends.
const maxSessions = 20

// Limits of sessions that do not stay signed in.
const (
	shortIdle     = 12 * time.Hour
	shortLifetime = 24 * time.Hour
)

// seenParts keeps the idle clock exact where the idle limit is short: a session
// ends at most a 60th of the limit too early.
const seenParts = 60

// Options are what a Service needs. All durations are positive; RefreshGrace
// may be zero.
type Options struct {
	Store        *models.Store
	Logger       *slog.Logger
	Now          func() time.Time
	Keyring      *token.Keyring
	AccessTTL    time.Duration
	RefreshTTL   time.Duration // idle limit of a session that stays signed in
	SessionTTL   time.Duration // absolute limit of such a session
	RefreshGrace time.Duration
	Audit        *audit.Log
	Limits       *limit.Limiter
	Hasher       *password.Hasher
	DatabaseNow  func(context.Context) (time.Time, error) // the database's clock; nil: it is asked
	// Sealer seals what leaves memory: the secrets of authenticator apps, and the
	// tickets of half a sign-in.
	Sealer      seal.Sealer
	RequireStep StepPolicy // empty: nobody
	Passkeys    *passkey.Party
	Meter       Meter
}

// Service is the authority over accounts and sessions. It is safe for
// concurrent use; its state is in the database.
type Service struct {
	store        *models.Store
	audit        *audit.Log
	logger       *slog.Logger
	now          func() time.Time
	keyring      *token.Keyring
	accessTTL    time.Duration
	refreshTTL   time.Duration
	sessionTTL   time.Duration
	refreshGrace time.Duration
	seenEvery    time.Duration // how often last_seen_at is written for a busy session
	limits       *limit.Limiter
	hasher       *password.Hasher
	databaseNow  func(context.Context) (time.Time, error)
	sealer       seal.Sealer
	requireStep  StepPolicy
	passkeys     *passkey.Party
	meter        Meter
}

// New returns a Service, or an error when an option is missing or wrong.
func New(o Options) (*Service, error) {
	if o.Store == nil || o.Logger == nil || o.Now == nil || o.Keyring == nil || o.Audit == nil || o.Limits == nil || o.Hasher == nil ||
		len(o.Sealer) == 0 || o.Passkeys == nil {
		return nil, errors.New("auth: Store, Logger, Now, Keyring, Audit, Limits, Hasher, Sealer and Passkeys are required")
	}
	if o.AccessTTL <= 0 || o.RefreshTTL <= 0 || o.SessionTTL <= 0 || o.RefreshGrace < 0 {
		return nil, errors.New("auth: lifetimes must be positive")
	}
	if o.DatabaseNow == nil {
		o.DatabaseNow = o.Store.Now
	}
	return &Service{
		store: o.Store, audit: o.Audit, logger: o.Logger, now: o.Now, keyring: o.Keyring,
		accessTTL: o.AccessTTL, refreshTTL: o.RefreshTTL, sessionTTL: o.SessionTTL, refreshGrace: o.RefreshGrace,
		seenEvery: min(time.Minute, o.RefreshTTL/seenParts), limits: o.Limits, hasher: o.Hasher, databaseNow: o.DatabaseNow,
		sealer: o.Sealer, requireStep: o.RequireStep, passkeys: o.Passkeys, meter: o.Meter,
	}, nil
}

// Client is where a request came from.
type Client struct {
	IP        netip.Addr // the zero Addr: not known
	UserAgent string
	RequestID string
}

// Address returns the IP address as text, "" when it is not known.
func (c Client) Address() string {
	if !c.IP.IsValid() {
		return ""
	}
	return c.IP.Unmap().WithZone("").String()
}

// Caller identifies the client that asks for a password hash. known says that the
// person is on a known device of the account, or has proved their identity in
// another way.
func (c Client) Caller(known bool) password.Caller { return password.Caller{IP: c.IP, Known: known} }

// place returns the address and the browser in one text, to be compared.
func (c Client) place() string { return c.Address() + " " + c.UserAgent }

// Identity is the person that a request belongs to, as read from the database
// for this request.
type Identity struct {
	UserID    string
	Username  string
	Email     string
	Verified  bool // the person has proved that the address is theirs
	FullName  string
	Admin     bool
	SessionID string     // empty when the request came with a personal access token
	AuthTime  time.Time  // when the person last proved who they are; zero with a personal access token
	ACR       models.ACR // the highest level of the session; empty with a personal access token

	PersonalTokenID string // empty when the request came with a session
}

// Name is what to call the person: the full name, else the username.
func (i *Identity) Name() string { return cmp.Or(i.FullName, i.Username) }

// Actor is the origin of a change to an account: a person with the role, or a
// command in the server's shell.
type Actor struct {
	UserID    string // empty: the shell
	Name      string
	SessionID string
	Client    Client

	PersonalTokenID string // of the personal access token that was used instead of a session
}

// Shell is the actor behind commands on the server itself.
func Shell() Actor { return Actor{Name: "System"} }

// Actor returns the person as an actor.
func (i *Identity) Actor(client Client) Actor {
	return Actor{UserID: i.UserID, Name: i.Username, SessionID: i.SessionID, PersonalTokenID: i.PersonalTokenID, Client: client}
}
