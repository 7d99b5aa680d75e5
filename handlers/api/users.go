package api

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"latchkey/internal/account"
	"latchkey/internal/apperr"
	"latchkey/models"
)

// User is an account as admins see it.
type User struct {
	ID             string     `json:"id" doc:"Stays the same for as long as the account exists."`
	Username       string     `json:"username"`
	Email          string     `json:"email"`
	EmailVerified  bool       `json:"email_verified" doc:"Whether the person has proved that the email address is theirs, or an admin has vouched for it."`
	FullName       string     `json:"full_name" doc:"Empty if the person gave none."`
	Disabled       bool       `json:"disabled" example:"true"`
	DisabledAt     *time.Time `json:"disabled_at" doc:"null while the account is active."`
	DisabledReason string     `json:"disabled_reason,omitempty" doc:"The note for admins. Absent in lists and if there is none."`
	Role           string     `json:"role" enum:"user,admin"`
	CreatedAt      time.Time  `json:"created_at"`
	LastSignInAt   *time.Time `json:"last_sign_in_at" doc:"null: never."`
}

func userOf(u *models.User) User {
	return User{
		ID: u.ID, Username: u.Username, Email: u.Email, EmailVerified: !u.EmailVerifiedAt.IsZero(), FullName: u.FullName, Disabled: u.Disabled(), DisabledAt: instant(u.DisabledAt),
		DisabledReason: u.DisabledReason, Role: string(u.Role), CreatedAt: u.CreatedAt.Time().UTC(), LastSignInAt: instant(u.LastSignInAt),
	}
}

// instant is a time for JSON; nil stands for never.
func instant(t models.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	at := t.Time().UTC()
	return &at
}

// Users is a page of the list.
type Users struct {
	Items    []User  `json:"items" nullable:"false"`
	Next     *string `json:"next" doc:"The cursor of the next page, for the parameter after; null if there is none."`
	Previous *string `json:"previous" doc:"The cursor of the previous page, for the parameter before; null if there is none."`
}

// usersInput is the query of the list.
type usersInput struct {
	as
	Q      string `query:"q" maxLength:"200" doc:"Words in any order, without regard to case and accents. The username, the email address or the full name contains each word; a word of one or two characters begins one of them. An id finds its user."`
	Status string `query:"status" enum:"active,disabled,invited" doc:"Only active, only disabled or only invited accounts; by default all. An invited account has no password yet and is not disabled; an active one has a password and is not disabled."`
	Role   string `query:"role" enum:"user,admin" doc:"Only users or only admins; by default both."`
	Sort   string `query:"sort" enum:"username,-username,email,-email,created,-created,last_sign_in,-last_sign_in" doc:"The order; a leading hyphen reverses it. By default, the best match comes first with q, otherwise the order is by username."`
	Limit  int    `query:"limit" minimum:"1" maximum:"100" default:"25" doc:"How many users a page has."`
	After  string `query:"after" maxLength:"1024" doc:"A cursor: returns the page after it."`
	Before string `query:"before" maxLength:"1024" doc:"A cursor: returns the page before it. Cannot be combined with after."`
	query  url.Values
}

// Resolve keeps the query for links to other pages.
func (in *usersInput) Resolve(ctx huma.Context) []error {
	address := ctx.URL()
	in.query = address.Query()
	return in.as.Resolve(ctx)
}

type usersAnswer struct {
	Link string `header:"Link" doc:"The next and the previous page, as rel=\"next\" and rel=\"prev\" (RFC 8288)."`
	Body Users
}

func listUsersOperation() operation {
	return operation{Operation: huma.Operation{
		OperationID: "list-users", Method: http.MethodGet, Path: "/users", Tags: []string{tagUsers},
		Summary:                      "List accounts",
		Description:                  "In pages: follow next, or the Link header, until there is none. A cursor is valid only with the sort it came from.",
		RejectUnknownQueryParameters: true,
	}, failures: []int{422}}
}

// listUsers handles GET /users.
func (a *API) listUsers(ctx context.Context, in *usersInput) (*usersAnswer, error) {
	column, descending := strings.CutPrefix(in.Sort, "-")
	page, err := a.store.Users.List(ctx, models.UserQuery{
		Q: in.Q, Status: models.UserStatus(in.Status), Role: models.Role(in.Role), Sort: models.UserSort(column), Desc: descending,
		After: in.After, Before: in.Before, Limit: in.Limit, Now: a.now(),
	})
	if errors.Is(err, apperr.Malformed) {
		return nil, apperr.New(apperr.Invalid, "Send either after or before, with a cursor of this list in this order.", err)
	}
	if err != nil {
		return nil, err
	}
	answer := &usersAnswer{Body: Users{Items: make([]User, 0, len(page.Users)), Next: cursor(page.Next), Previous: cursor(page.Prev)}}
	for _, row := range page.Users {
		answer.Body.Items = append(answer.Body.Items, userOf(&models.User{
			ID: row.ID, Username: row.Username, Email: row.Email, EmailVerifiedAt: row.EmailVerifiedAt, FullName: row.FullName, Role: row.Role,
			DisabledAt: row.DisabledAt, CreatedAt: row.CreatedAt, LastSignInAt: row.LastSignInAt,
		}))
	}
	answer.Link = a.links(in.query, page)
	return answer, nil
}

func cursor(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// links is the Link header of a page: the same query with another cursor.
func (a *API) links(query url.Values, page models.UserPage) string {
	var links []string
	add := func(name, value, relation string) {
		if value == "" {
			return
		}
		values := url.Values{}
		for key := range query {
			if key != "after" && key != "before" {
				values.Set(key, query.Get(key))
			}
		}
		values.Set(name, value)
		links = append(links, "<"+a.publicURL+"/users?"+values.Encode()+`>; rel="`+relation+`"`)
	}
	add("after", page.Next, "next")
	add("before", page.Prev, "prev")
	return strings.Join(links, ", ")
}

// oneUser is the input of a route about one account.
type oneUser struct {
	as
	ID string `path:"id" doc:"The id of the account."`
}

// Resolve satisfies huma.Resolver.
func (in *oneUser) Resolve(ctx huma.Context) []error {
	return append(in.as.Resolve(ctx), checkID(in.ID)...)
}

// checkID refuses a malformed id before it reaches a query.
func checkID(id string) []error {
	if models.IsID(id) {
		return nil
	}
	return []error{&huma.ErrorDetail{Location: "path.id", Message: "not an id"}}
}

type userAnswer struct{ Body User }

func readUserOperation() operation {
	return operation{Operation: huma.Operation{
		OperationID: "read-user", Method: http.MethodGet, Path: "/users/{id}", Tags: []string{tagUsers}, Summary: "Read an account",
	}, failures: []int{404}}
}

// readUser handles GET /users/{id}.
func (a *API) readUser(ctx context.Context, in *oneUser) (*userAnswer, error) {
	user, err := a.store.Users.ByID(ctx, in.ID)
	if err != nil {
		return nil, noUser(err)
	}
	return &userAnswer{userOf(user)}, nil
}

const noSuchUser = "There is no account with this id."

// noUser gives the failure of an unknown id its message.
func noUser(err error) error {
	if errors.Is(err, apperr.NotFound) {
		return apperr.New(apperr.NotFound, noSuchUser, err)
	}
	return err
}

// UserChange has the fields of an account that an admin can change.
type UserChange struct {
	Disabled *bool   `json:"disabled,omitempty" example:"true" doc:"true disables the account and ends all its sessions and tokens at once."`
	Reason   string  `json:"reason,omitempty" doc:"A note for admins and the audit log, only with disabled: true. At most 500 characters."`
	Role     *string `json:"role,omitempty" enum:"user,admin" doc:"Takes effect at the next request."`
	FullName *string `json:"full_name,omitempty" doc:"At most 128 characters; an empty string removes the name."`
}

type changeUserInput struct {
	as
	ID   string `path:"id" doc:"The id of the account."`
	Body UserChange
}

// Resolve satisfies huma.Resolver.
func (in *changeUserInput) Resolve(ctx huma.Context) []error {
	return append(in.as.Resolve(ctx), checkID(in.ID)...)
}

func changeUserOperation() operation {
	return operation{Operation: huma.Operation{
		OperationID: "change-user", Method: http.MethodPatch, Path: "/users/{id}", Tags: []string{tagUsers},
		Summary: "Change an account",
		Description: "Either all changes are made or none. Fields that you leave out stay unchanged. 409 for your own account, for the last " +
			"active admin, and for another reason for an account that is already disabled.",
	}, failures: []int{404, 409, 413, 415, 422, 429}}
}

// changeUser handles PATCH /users/{id}.
func (a *API) changeUser(ctx context.Context, in *changeUserInput) (*userAnswer, error) {
	body := in.Body
	if body == (UserChange{}) {
		return nil, apperr.New(apperr.Invalid, "Name at least one field to change: disabled, role or full_name.", nil)
	}
	if body.Reason != "" && !or(body.Disabled, false) {
		return nil, apperr.Fields{{Field: "reason", Message: "Send a reason only with disabled: true."}}
	}
	user, err := a.accounts.ChangeUser(ctx, in.actor(), in.ID, account.UserChange{
		FullName: body.FullName, Role: (*models.Role)(body.Role), Disabled: body.Disabled, Reason: body.Reason,
	})
	if err != nil {
		return nil, noUser(err)
	}
	return &userAnswer{userOf(user)}, nil
}
