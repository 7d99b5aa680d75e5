package api

import (
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/labstack/echo/v4"

	"latchkey/internal/oauth"
)

// metadataPath is the path at which programs look for the endpoints of an
// authorization server whose issuer has no path (RFC 8414 §3).
const metadataPath = "/.well-known/oauth-authorization-server"

// Metadata describes the endpoints of OAuth (RFC 8414 §2). There is no
// authorization endpoint.
type Metadata struct {
	Issuer            string   `json:"issuer" doc:"The public URL, which is also the claim iss of every token."`
	Token             string   `json:"token_endpoint"`
	Revocation        string   `json:"revocation_endpoint"`
	Introspection     string   `json:"introspection_endpoint"`
	Documentation     string   `json:"service_documentation" doc:"A page for people who write clients."`
	Scopes            []string `json:"scopes_supported" nullable:"false"`
	Grants            []string `json:"grant_types_supported" nullable:"false" doc:"Without password if the operator disabled it."`
	Responses         []string `json:"response_types_supported" nullable:"false" doc:"none: there is no authorization endpoint."`
	TokenAuth         []string `json:"token_endpoint_auth_methods_supported" nullable:"false" doc:"none: clients have no secrets."`
	RevocationAuth    []string `json:"revocation_endpoint_auth_methods_supported" nullable:"false" doc:"none: anyone who has a token can revoke it."`
	IntrospectionAuth []string `json:"introspection_endpoint_auth_methods_supported" nullable:"false" doc:"HTTP Basic with a personal access token as the secret, or a bearer token."`
}

// metadata returns the description of this portal.
func (a *API) metadata() Metadata {
	m := Metadata{
		Issuer: a.publicURL, Token: a.publicURL + tokenPath, Revocation: a.publicURL + revokePath, Introspection: a.publicURL + introspectPath,
		Documentation: a.publicURL + "/docs", Grants: []string{"refresh_token"},
		// RFC 8414 requires the member and forbids an empty list. This is the
		// registered response type that returns nothing.
		Responses: []string{"none"},
		TokenAuth: []string{"none"}, RevocationAuth: []string{"none"}, IntrospectionAuth: []string{"client_secret_basic", "Bearer"},
	}
	if a.oauth.TakesPasswords() {
		m.Grants = append([]string{"password"}, m.Grants...)
	}
	for _, scope := range oauth.AllScopes() {
		m.Scopes = append(m.Scopes, string(scope))
	}
	return m
}

// showMetadata handles GET /.well-known/oauth-authorization-server.
func (a *API) showMetadata(c echo.Context) error { return c.JSON(http.StatusOK, a.metadata()) }

// describeMetadata documents it.
func (a *API) describeMetadata() {
	a.huma.OpenAPI().AddOperation(&huma.Operation{
		OperationID: "metadata", Method: http.MethodGet, Path: metadataPath, Tags: []string{tagAbout}, Summary: "List the OAuth endpoints",
		Description: "RFC 8414. Libraries read it to find the endpoints. Scripts of any origin can read it.", Security: noToken(),
		Responses: map[string]*huma.Response{"200": jsonBody[Metadata](a.huma, "The endpoints and what they accept.")},
	})
}
