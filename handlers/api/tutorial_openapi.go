package api

import (
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

// inBrowser describes a path that shows a page to browsers.
const inBrowser = "The way of the FastAPI tutorials, for programs. A request from a browser (which sends Sec-Fetch-* or Origin, or accepts " +
	"text/html) gets the page for people at the same address, so you cannot try this endpoint on this page. No cookie is read or set. " +
	"The body may also be a form, multipart or not."

// describeTutorial documents the paths that exist for the programs of the
// FastAPI tutorials.
func (a *API) describeTutorial() {
	if a.oauth.TakesPasswords() {
		login := &huma.Operation{
			OperationID: "login", Path: loginPath, Summary: "Get tokens with a password", Description: inBrowser, Security: noToken(),
			RequestBody: textObject(
				[2]string{"username*", "Username or email address."}, [2]string{"password*", "Exactly as the person types it."},
				[2]string{"scope", "As at /token."}, [2]string{"client_id", "As at /token."},
			),
		}
		a.describe(login, jsonBody[Token](a.huma, "The tokens, as at /token."), 400, 401, 413, 415, 429, 503)
		login.Responses["422"] = a.faults()
	}
	if a.accounts.SignupOpen() {
		signup := &huma.Operation{
			OperationID: "signup", Path: signupPath, Summary: "Create an account", Security: noToken(),
			Description: inBrowser + " The rules are those of the page. This does not sign the person in: use /login or /token next.",
			RequestBody: textObject(
				[2]string{"username*", "2 to 32 of a-z, 0-9, dot, underscore and hyphen."}, [2]string{"password*", "Exactly as the person types it."},
				[2]string{"email", "The email address. Without one, a forgotten password needs an admin."},
				[2]string{"full_name", "At most 128 characters."},
			),
		}
		a.describe(signup, jsonBody[Registered](a.huma, "The account."))
		for status, response := range failures(a.huma, []int{400, 413, 415, 429, 503}) {
			signup.Responses[status] = response
		}
		signup.Responses["422"] = a.faults()
	}
	if a.oauth.Renews() {
		refresh := &huma.Operation{
			OperationID: "refresh-access", Path: tutorialRefreshPath, Summary: "Get an access token with a refresh token that you keep",
			Description: "The way of the FastAPI tutorials: the bearer is a refresh token, which stays valid. It works for 10 hours after " +
				"the sign-in. After that, send the refresh token to /token, which also detects copied tokens.",
			Security: []map[string][]string{{schemeBearer: {}}},
		}
		refresh.Method, refresh.Tags, refresh.Responses = http.MethodGet, []string{tagTokens}, failures(a.huma, []int{400, 401, 503})
		refresh.Responses["200"] = jsonBody[Renewed](a.huma, "An access token of the same session.")
		a.huma.OpenAPI().AddOperation(refresh)
	}
}

// faults documents a 422 as FastAPI writes it.
func (a *API) faults() *huma.Response {
	return jsonBody[Unprocessable](a.huma, http.StatusText(http.StatusUnprocessableEntity))
}

// textObject documents a JSON object of text members. A name that ends with an
// asterisk is required.
func textObject(members ...[2]string) *huma.RequestBody {
	return &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/json": form(members...).Content["application/x-www-form-urlencoded"]}}
}
