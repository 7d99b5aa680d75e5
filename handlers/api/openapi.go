package api

import (
	"net/http"
	"reflect"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"latchkey/internal/oauth"
)

// documentPath is the path of the OpenAPI document.
const documentPath = "/openapi.json"

// The groups of the document.
const (
	tagTokens = "Tokens"
	tagMe     = "Your account"
	tagUsers  = "Accounts"
	tagAbout  = "About"
)

// The names of the security schemes.
const (
	schemeOAuth  = "oauth2"
	schemeBearer = "bearer"
	schemeBasic  = "basic"
)

// scopeWords say what each scope allows.
var scopeWords = map[oauth.Scope]string{
	oauth.ScopeMe:         "Read your own account.",
	oauth.ScopeMeWrite:    "Change your own account.",
	oauth.ScopeApps:       "Open the apps that the portal protects, as you.",
	oauth.ScopeUsers:      "Read every account. For admins.",
	oauth.ScopeUsersWrite: "Change every account but your own. For admins.",
	oauth.ScopeIntrospect: "Check whether a token is valid. For admins.",
}

// stepUpWords document the routes that need a fresh sign-in.
const stepUpWords = "401 with insufficient_user_authentication and max_age=900 (RFC 9470) when the sign-in of the token is older than " +
	"15 minutes; a refresh does not make it newer. Personal access tokens always pass."

// config is Huma's default without two additions: pages that load scripts from
// other sites, and links to schemas in every response.
func (a *API) config() huma.Config {
	c := huma.DefaultConfig(a.name, "1")
	c.DocsPath, c.OpenAPIPath, c.SchemasPath = "", "", ""
	c.CreateHooks = nil
	c.Formats = map[string]huma.Format{"application/json": jsonFormat(), "json": jsonFormat()} // the second is any +json
	c.Transformers = []huma.Transformer{keepFailure}
	c.Info.Description = "Tokens, your own account and, for admins, all accounts. Errors are problem documents (RFC 9457) whose detail is a " +
		"sentence; /token, /revoke and /introspect return OAuth errors (RFC 6749) with the same detail. Besides the responses listed " +
		"here, any request may get a 413 (too large), 421 (wrong host), 500, or 503 with Retry-After. Cookies are not read."
	c.Servers = []*huma.Server{{URL: "/"}}
	c.Tags = []*huma.Tag{
		{Name: tagTokens, Description: "Get, refresh, end and check tokens."},
		{Name: tagMe, Description: "The account of the person that the token belongs to."},
		{Name: tagUsers, Description: "All accounts and their sessions, for admins."},
		{Name: tagAbout, Description: "The API itself."},
	}
	scopes := map[string]string{}
	for scope, words := range scopeWords {
		scopes[string(scope)] = words
	}
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		schemeBearer: {Type: "http", Scheme: "bearer", Description: "An access token, or a personal access token (lk_…)."},
		schemeBasic:  {Type: "http", Scheme: "basic", Description: "Any name, and a personal access token as the password."},
	}
	if a.oauth.TakesPasswords() {
		c.Components.SecuritySchemes[schemeOAuth] = &huma.SecurityScheme{
			Type: "oauth2", Description: "Username and password, for programs that you trust with them.",
			Flows: &huma.OAuthFlows{Password: &huma.OAuthFlow{TokenURL: tokenPath, RefreshURL: tokenPath, Scopes: scopes}},
		}
	}
	return c
}

// security documents who may use a route.
func (a *API) security(scope oauth.Scope) []map[string][]string {
	scopes := []string{}
	if scope != "" {
		scopes = append(scopes, string(scope))
	}
	if !a.oauth.TakesPasswords() {
		return []map[string][]string{{schemeBearer: scopes}}
	}
	return []map[string][]string{{schemeOAuth: scopes}, {schemeBearer: scopes}}
}

// noToken documents that a route needs no bearer token.
func noToken() []map[string][]string { return []map[string][]string{} }

// failures documents statuses whose body is a problem document.
func failures(h huma.API, statuses []int) map[string]*huma.Response {
	responses := map[string]*huma.Response{}
	for _, status := range statuses {
		responses[strconv.Itoa(status)] = failure(h, status)
	}
	return responses
}

// failure documents a status whose body is a problem document.
func failure(h huma.API, status int) *huma.Response {
	return withHeaders(status, &huma.Response{
		Description: http.StatusText(status),
		Content:     map[string]*huma.MediaType{problemType: {Schema: schemaOf[Problem](h)}},
	})
}

// oauthFailed documents a status whose body is an OAuth error.
func oauthFailed(h huma.API, status int) *huma.Response {
	return withHeaders(status, &huma.Response{
		Description: http.StatusText(status),
		Content:     map[string]*huma.MediaType{"application/json": {Schema: schemaOf[OAuthError](h)}},
	})
}

// withHeaders documents the headers that go with a status.
func withHeaders(status int, r *huma.Response) *huma.Response {
	switch status {
	case http.StatusUnauthorized:
		r.Headers = map[string]*huma.Param{"WWW-Authenticate": {
			Description: "The credentials that the endpoint accepts (RFC 6750 §3).", Schema: &huma.Schema{Type: huma.TypeString},
		}}
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		r.Headers = map[string]*huma.Param{"Retry-After": {
			Description: "The time to wait before the next attempt, in seconds.", Schema: &huma.Schema{Type: huma.TypeInteger},
		}}
	}
	return r
}

func schemaOf[T any](h huma.API) *huma.Schema {
	return h.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[T](), true, "")
}

func jsonBody[T any](h huma.API, description string) *huma.Response {
	return &huma.Response{Description: description, Content: map[string]*huma.MediaType{"application/json": {Schema: schemaOf[T](h)}}}
}

// anyObject documents an object whose members are not listed.
func anyObject(description string) *huma.Response {
	return &huma.Response{Description: description, Content: map[string]*huma.MediaType{
		"application/json": {Schema: &huma.Schema{Type: huma.TypeObject}},
	}}
}

// form documents a body of parameters, each a string. A name that ends with an
// asterisk is required.
func form(parameters ...[2]string) *huma.RequestBody {
	schema := &huma.Schema{Type: huma.TypeObject, Properties: map[string]*huma.Schema{}}
	for _, p := range parameters {
		name, required := strings.CutSuffix(p[0], "*")
		if required {
			schema.Required = append(schema.Required, name)
		}
		schema.Properties[name] = &huma.Schema{Type: huma.TypeString, Description: p[1]}
		if strings.Contains(name, "password") {
			schema.Properties[name].Format = "password"
		}
	}
	return &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/x-www-form-urlencoded": {Schema: schema}}}
}

// describeOAuth documents the endpoints that are written by hand.
func (a *API) describeOAuth() {
	clientID := [2]string{"client_id", "The name that the client gives itself. It can also be the username of HTTP Basic, without a password."}
	token := a.tokenOperation(clientID)
	a.describe(token, jsonBody[Token](a.huma, "The tokens."), 400, 401, 413, 415, 429, 503)
	token.Responses["422"] = a.faults()
	a.describe(&huma.Operation{
		OperationID: "revoke", Path: revokePath, Summary: "End the session of any token",
		Description: "RFC 7009. An access or refresh token ends its session; a personal access token is removed. The response is the same for " +
			"a value that is not a token.",
		RequestBody: form([2]string{"token*", "The token."}, [2]string{"token_type_hint", "Not needed."}, clientID), Security: noToken(),
	}, anyObject("An empty object. If the value was a token, it no longer works."), 400, 401, 413, 415, 503)
	introspect := &huma.Operation{
		OperationID: "introspect", Path: introspectPath, Summary: "Check whether a token is valid",
		Description: "RFC 7662. For services that receive Latchkey tokens.",
		RequestBody: form([2]string{"token*", "The token."}, [2]string{"token_type_hint", "refresh_token to check a refresh token, which is inactive otherwise."}),
		Security:    append(a.security(oauth.ScopeIntrospect), map[string][]string{schemeBasic: {}}),
	}
	a.describe(introspect, jsonBody[Introspection](a.huma, "The state of the token now."), 400, 401, 403, 413, 415, 503)
	for _, status := range []string{"400", "401", "403"} { // about the bearer token of the caller
		introspect.Responses[status].Content[problemType] = &huma.MediaType{Schema: schemaOf[Problem](a.huma)}
	}
	a.huma.OpenAPI().AddOperation(&huma.Operation{
		OperationID: "openapi", Method: http.MethodGet, Path: documentPath, Tags: []string{tagAbout}, Summary: "This document",
		Security:  noToken(),
		Responses: map[string]*huma.Response{"200": anyObject("OpenAPI 3.1.")},
	})
}

// tokenOperation documents POST /token, without passwords if the operator has
// disabled them.
func (a *API) tokenOperation(clientID [2]string) *huma.Operation {
	op := &huma.Operation{OperationID: "token", Path: tokenPath, Summary: "Get tokens", Security: noToken()}
	if !a.oauth.TakesPasswords() {
		op.Description = "With a refresh token. Each one works once; using it again ends its session. Passwords are not accepted here."
		op.RequestBody = form(
			[2]string{"grant_type*", "refresh_token."}, [2]string{"refresh_token*", "The newest one of the session."},
			[2]string{"scope", "The scopes of the access token, separated by spaces; at most those of the session."}, clientID,
		)
		return op
	}
	op.Description = "With a password or a refresh token. Each refresh token works once; using it again ends its session. " +
		"The form may be multipart. Without grant_type, a wrong password gets a 401 and a missing field a 422, as in FastAPI; with it, " +
		"both get a 400 (RFC 6749 §5.2)."
	op.RequestBody = form(
		[2]string{"grant_type", "password (the default) or refresh_token."},
		[2]string{"username", "Username or email address."}, [2]string{"password", "Exactly as the person types it."},
		[2]string{"refresh_token", "For grant_type=refresh_token."},
		[2]string{"scope", "The scopes of the access token, separated by spaces; by default me. With a refresh token, at most those of the session."},
		clientID,
	)
	return op
}

func (a *API) describe(op *huma.Operation, success *huma.Response, failed ...int) {
	op.Method, op.Tags = http.MethodPost, []string{tagTokens}
	op.Responses = map[string]*huma.Response{"200": success}
	for _, status := range failed {
		op.Responses[strconv.Itoa(status)] = oauthFailed(a.huma, status)
	}
	a.huma.OpenAPI().AddOperation(op)
}
