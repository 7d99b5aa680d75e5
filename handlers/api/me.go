package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"latchkey/internal/account"
	"latchkey/internal/apperr"
)

// Me is the caller's own account.
type Me struct {
	ID       string `json:"id" doc:"Stays the same for as long as the account exists."`
	Sub      string `json:"sub" doc:"The same as id: the subject of the token."`
	Exp      int64  `json:"exp" doc:"The time at which the token expires, in seconds since 1970 (RFC 7519 §4.1.4)."`
	Username string `json:"username"`
	Email    string `json:"email" doc:"Empty if the account has none."`
	Verified bool   `json:"email_verified" doc:"Whether the person has proved that the email address is theirs."`
	FullName string `json:"full_name" doc:"Empty if the person gave none."`
	Disabled bool   `json:"disabled" doc:"Always false: tokens of a disabled account are refused."`
}

type meAnswer struct{ Body Me }

func readMeOperation() operation {
	return operation{Operation: huma.Operation{
		OperationID: "read-me", Method: http.MethodGet, Path: "/users/me", Tags: []string{tagMe},
		Summary: "Read your own account", Description: "Also at /users/me/, the path that some clients use.",
	}}
}

// readMe handles GET /users/me. The query that identified the caller has already
// read the account.
func (a *API) readMe(_ context.Context, in *as) (*meAnswer, error) {
	me := in.caller
	return &meAnswer{Me{
		ID: me.UserID, Sub: me.UserID, Exp: me.ExpiresAt.Unix(), Username: me.Username, Email: me.Email, Verified: me.Verified, FullName: me.FullName,
	}}, nil
}

// MeChange has the fields that a person can change on their own account.
type MeChange struct {
	Username *string `json:"username,omitempty" doc:"2 to 32 of a-z, 0-9, dot, underscore and hyphen."`
	// CurrentPassword is the password exactly as it was typed.
	CurrentPassword string  `json:"current_password,omitempty" doc:"Required to change the username: a token alone is not enough."`
	FullName        *string `json:"full_name,omitempty" doc:"At most 128 characters; an empty string removes the name."`
}

type changeMeInput struct {
	as
	Body MeChange
}

func changeMeOperation() operation {
	return operation{Operation: huma.Operation{
		OperationID: "change-me", Method: http.MethodPatch, Path: "/users/me", Tags: []string{tagMe},
		Summary: "Change your own account",
		Description: "Fields that you leave out stay unchanged. People change their email address and password on the pages: a token " +
			"alone is not enough.",
	}, failures: []int{413, 415, 422, 429}}
}

// changeMe handles PATCH /users/me.
func (a *API) changeMe(ctx context.Context, in *changeMeInput) (*meAnswer, error) {
	if in.Body == (MeChange{}) {
		return nil, apperr.New(apperr.Invalid, "Name at least one field to change: username or full_name.", nil)
	}
	me := &in.caller.Identity
	err := a.accounts.UpdateProfile(ctx, account.ProfileChange{
		Identity: me, Username: or(in.Body.Username, me.Username), FullName: or(in.Body.FullName, me.FullName),
		Current: in.Body.CurrentPassword, Client: in.client,
	})
	if err != nil {
		return nil, err
	}
	user, err := a.store.Users.ByID(ctx, me.UserID)
	if err != nil {
		return nil, err
	}
	return &meAnswer{Me{
		ID: user.ID, Sub: user.ID, Exp: in.caller.ExpiresAt.Unix(), Username: user.Username, Email: user.Email, FullName: user.FullName,
		Verified: !user.EmailVerifiedAt.IsZero(), Disabled: user.Disabled(),
	}}, nil
}

// or returns the value that the pointer points to, or the other if it is nil.
func or[T any](p *T, otherwise T) T {
	if p != nil {
		return *p
	}
	return otherwise
}
