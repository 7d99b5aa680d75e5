// Package api is the portal's JSON API: tokens by OAuth 2.0 (RFC 6749, 6750,
// 7009, 7662), the caller's own account and, for admins, all accounts.
//
// Handlers are typed, and the OpenAPI document is generated from their types. The
// OAuth endpoints, which read forms, are written and described by hand. A
// bearer token is the only way to identify a caller: no cookie is read here.
// Package auth decides the kind of a failure and package handlers its status;
// this package has its message.
package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"
	"github.com/labstack/echo/v4"

	"latchkey/internal/account"
	"latchkey/internal/auth"
	"latchkey/internal/oauth"
	"latchkey/models"
)

// Options are what the API needs.
type Options struct {
	Auth      *auth.Service
	OAuth     *oauth.Service
	Accounts  *account.Service
	Store     *models.Store // for plain reads
	Now       func() time.Time
	PublicURL string
	Name      string   // the name of the portal
	Origins   []string // origins whose scripts may call the API from a browser; none: only the portal's own
	// Fail responds to a failure with its status and the body that Answer writes.
	Fail    func(error, echo.Context)
	Roughly func(time.Duration) string // writes a duration in words
}

// API handles the requests whose paths it owns. It is safe for concurrent use.
type API struct {
	auth      *auth.Service
	oauth     *oauth.Service
	accounts  *account.Service
	store     *models.Store
	now       func() time.Time
	publicURL string
	name      string
	origins   map[string]bool
	fail      func(error, echo.Context)
	roughly   func(time.Duration) string
	huma      huma.API
	document  []byte
}

// New returns the API, or an error if its options are incomplete.
func New(o Options) (*API, error) {
	if o.Auth == nil || o.OAuth == nil || o.Accounts == nil || o.Store == nil || o.Now == nil || o.Fail == nil || o.Roughly == nil {
		return nil, errors.New("api: Auth, OAuth, Accounts, Store, Now, Fail and Roughly are required")
	}
	a := &API{
		auth: o.Auth, oauth: o.OAuth, accounts: o.Accounts, store: o.Store, now: o.Now,
		publicURL: o.PublicURL, name: o.Name, fail: o.Fail, roughly: o.Roughly,
		origins: map[string]bool{},
	}
	for _, origin := range o.Origins {
		a.origins[origin] = true
	}
	return a, nil
}

// Owns reports whether a path belongs to the API, even if no route has it.
func Owns(path string) bool {
	if path == metadataPath {
		return true
	}
	first, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	switch first {
	case "users", "token", "refresh-token", "refresh_token", "revoke", "revoke-token", "introspect", "openapi.json":
		return true
	}
	return false
}

// Mount declares every route of the API. Each typed route has its scope beside
// it; the OAuth endpoints check the credentials in their forms.
func (a *API) Mount(e *echo.Echo) error {
	a.huma = humaecho.New(e, a.config())

	e.POST(tokenPath, a.token)
	e.POST(tokenPathSlash, a.token)
	e.POST(revokePath, a.revoke)
	e.POST(introspectPath, a.introspect)
	a.describeOAuth()
	a.describeTutorial()
	a.describeMetadata()
	if a.oauth.Renews() {
		e.GET(tutorialRefreshPath, a.refreshedAccess)
		e.HEAD(tutorialRefreshPath, a.refreshedAccess)
		register(a, "", refreshTokenOperation(), a.refreshToken)
	}
	register(a, "", revokeTokenOperation(), a.revokeToken)

	register(a, oauth.ScopeMe, readMeOperation(), a.readMe)
	register(a, oauth.ScopeMe, again(readMeOperation(), "/users/me/"), a.readMe)
	register(a, oauth.ScopeMeWrite, changeMeOperation(), a.changeMe)
	register(a, oauth.ScopeMeWrite, again(changeMeOperation(), "/users/me/"), a.changeMe)
	register(a, oauth.ScopeUsers, listUsersOperation(), a.listUsers)
	register(a, oauth.ScopeUsers, readUserOperation(), a.readUser)
	register(a, oauth.ScopeUsersWrite, changeUserOperation(), a.changeUser)
	register(a, oauth.ScopeUsers, listSessionsOperation(), a.listSessions)
	register(a, oauth.ScopeUsersWrite, endSessionsOperation(), a.endSessions)

	for _, unused := range []string{"ErrorModel", "ErrorDetail"} { // Huma's own failures
		delete(a.huma.OpenAPI().Components.Schemas.Map(), unused)
	}
	var err error
	if a.document, err = json.Marshal(a.huma.OpenAPI()); err != nil {
		return fmt.Errorf("write the OpenAPI document: %w", err)
	}
	e.GET(metadataPath, a.showMetadata)
	e.HEAD(metadataPath, a.showMetadata)
	e.GET(documentPath, a.openAPI)
	e.HEAD(documentPath, a.openAPI)
	return nil
}

// OpenAPI returns the description of the API. Call it after Mount; do not
// change the result.
func (a *API) OpenAPI() *huma.OpenAPI { return a.huma.OpenAPI() }

// openAPI handles GET /openapi.json.
func (a *API) openAPI(c echo.Context) error {
	return c.JSONBlob(http.StatusOK, a.document)
}
