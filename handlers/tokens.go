package handlers

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"latchkey"
	"latchkey/internal/apperr"
	"latchkey/internal/auth"
	"latchkey/internal/middleware"
	"latchkey/models"
	"latchkey/views/components"
	"latchkey/views/layouts"
	"latchkey/views/pages"
)

// expiresSoon is how long before its end an access token is marked.
const expiresSoon = 3 * 24 * time.Hour

// tokens handles GET /profile/tokens.
func (h *Handlers) tokens(c echo.Context) error {
	return h.tokensPage(c, http.StatusOK, pages.TokenForm{
		Scopes: scopeOptions(who(c).Admin, []string{string(auth.ScopeMe)}), Days: strconv.Itoa(auth.DefaultTokenDays),
	})
}

// createToken handles POST /profile/tokens.
func (h *Handlers) createToken(c echo.Context) error {
	in, err := readForm(c)
	if err != nil {
		return err
	}
	days := auth.DefaultTokenDays
	if _, sent := in["days"]; sent {
		if days, err = strconv.Atoi(in.Get("days")); err != nil {
			days = 0 // no life to choose from: the service says so
		}
	}
	scopes := tickedScopes(in)
	secret, token, err := h.auth.CreatePersonalToken(c.Request().Context(), auth.PersonalTokenDraft{
		Who: who(c), Name: in.Get("name"), Scopes: scopes, Days: days, Current: in.Get("current_password"),
		Device: h.cookies.Device(c.Request()), Client: middleware.Client(c),
	})
	status, wrong, err := h.refused(c, err, tooManyWrong)
	if err != nil {
		return err
	}
	if wrong.Any() {
		return h.tokensPage(c, status, pages.TokenForm{
			Name: in.Get("name"), Scopes: scopeOptions(who(c).Admin, scopes), Days: in.Get("days"), Errors: wrong,
		})
	}
	return h.showOnce(c, tokenPath(token.ID), onceToken, secret)
}

func (h *Handlers) tokensPage(c echo.Context, status int, form pages.TokenForm) error {
	live, ended, err := h.auth.PersonalTokens(c.Request().Context(), who(c).UserID)
	if err != nil {
		return err
	}
	view := pages.TokensView{Form: form}
	for _, token := range live {
		view.Tokens = append(view.Tokens, h.tokenRow(token, who(c).Admin, "/profile/tokens/"))
	}
	for _, token := range ended {
		view.Ended = append(view.Ended, h.tokenRow(token, who(c).Admin, ""))
	}
	return latchkey.Render(c, status, pages.Tokens(h.section(c, layouts.SectionTokens, "Access tokens"), view))
}

// tokenRow describes a token of somebody with the role. below is the page that
// its own pages lie under.
func (h *Handlers) tokenRow(token auth.PersonalToken, admin bool, below string) pages.TokenRow {
	row := pages.TokenRow{
		Name: token.Name, Hint: tokenHint(token), Scopes: scopeWords(token.Scopes, admin),
		Created: token.CreatedAt, Expires: token.ExpiresAt, Soon: token.ExpiresAt.Sub(h.now()) < expiresSoon,
		LastUsed: token.LastUsedAt, LastUsedFrom: token.LastUsedIP,
	}
	if below != "" {
		row.EndURL = below + token.ID + "/end"
	}
	if !token.EndedAt.IsZero() {
		row.Over, row.Why, row.When = "Ended", tokenEndedBecause(token.EndReason), token.EndedAt
		if token.EndReason == models.ReasonExpired {
			row.Over = "Expired"
		}
	}
	return row
}

// confirmEndToken handles GET /profile/tokens/{id}/end.
func (h *Handlers) confirmEndToken(c echo.Context) error {
	token, err := h.auth.PersonalToken(c.Request().Context(), who(c).UserID, c.Param("id"))
	if err != nil {
		return err
	}
	if !token.EndedAt.IsZero() {
		return h.see(c, "/profile/tokens", flashWasNoToken)
	}
	row := h.tokenRow(token, who(c).Admin, "/profile/tokens/")
	return latchkey.Render(c, http.StatusOK, pages.Confirm(h.section(c, layouts.SectionTokens, "End token"), pages.EndToken(row)))
}

// endToken handles POST /profile/tokens/{id}/end.
func (h *Handlers) endToken(c echo.Context) error {
	id, err := pathID(c)
	if err != nil {
		return err
	}
	token, err := h.auth.EndPersonalToken(c.Request().Context(), who(c), id, middleware.Client(c))
	if errors.Is(err, apperr.NotFound) {
		return h.tokenOver(c, who(c).UserID, id, "/profile/tokens")
	}
	if err != nil {
		return err
	}
	return h.see(c, "/profile/tokens", flashToken, token.Name)
}

// confirmEndUserToken handles GET /admin/users/{id}/tokens/{token}/end.
func (h *Handlers) confirmEndUserToken(c echo.Context) error {
	return h.ask(c, "End a token of", func(page layouts.Page, user *models.User, _ int) error {
		token, err := h.auth.PersonalToken(c.Request().Context(), user.ID, c.Param("token"))
		if err != nil {
			return err
		}
		if !token.EndedAt.IsZero() {
			return h.see(c, "/admin/users/"+user.ID, flashWasNoToken)
		}
		row := h.tokenRow(token, user.Role == models.RoleAdmin, "/admin/users/"+user.ID+"/tokens/")
		return latchkey.Render(c, http.StatusOK, pages.Confirm(page, pages.EndUserToken(target(user), row)))
	})
}

// endUserToken handles POST /admin/users/{id}/tokens/{token}/end.
func (h *Handlers) endUserToken(c echo.Context) error {
	_, id, err := h.readAct(c)
	if err != nil {
		return err
	}
	tokenID, err := pathIDNamed(c, "token")
	if err != nil {
		return err
	}
	user, token, err := h.auth.EndUserToken(c.Request().Context(), h.actor(c), id, tokenID)
	if errors.Is(err, apperr.NotFound) {
		return h.tokenOver(c, id, tokenID, "/admin/users/"+id)
	}
	if err != nil {
		return err
	}
	return h.see(c, "/admin/users/"+id, flashUserToken, token.Name, callName(user))
}

// tokenOver answers who wanted to end a token that does not work: it is over,
// which is what they wanted, or they never had it.
func (h *Handlers) tokenOver(c echo.Context, userID, id, back string) error {
	if _, err := h.auth.PersonalToken(c.Request().Context(), userID, id); err != nil {
		return err
	}
	return h.see(c, back, flashWasNoToken)
}

// tokenHint is what can be told of a token: how it begins and how it ends.
func tokenHint(token auth.PersonalToken) string { return auth.PersonalPrefix + "…" + token.Hint }

// tokenEndedBecause says why a token in the list was ended, "" when there is no
// more to say.
func tokenEndedBecause(reason models.Reason) string {
	switch reason {
	case models.ReasonElse:
		return "Ended by you"
	case models.ReasonLogout:
		return "Ended by the program that used it"
	case models.ReasonAdmin:
		return "Ended by an admin"
	case models.ReasonDisabled:
		return "The account was disabled"
	}
	return ""
}

// scopeWords say what a token with the scopes may do in the hands of somebody
// with the role.
func scopeWords(scopes auth.Scopes, admin bool) []string {
	words := []string{}
	for _, scope := range auth.AllowedScopes(admin) {
		if scopes.Has(scope) {
			label, _ := wordsOf(scope)
			words = append(words, label)
		}
	}
	return words
}

// wordsOf names a scope and explains it.
func wordsOf(scope auth.Scope) (label, hint string) {
	switch scope {
	case auth.ScopeMe:
		return "Read this account", "Your username, email and full name."
	case auth.ScopeMeWrite:
		return "Change this account", "Your username and full name."
	case auth.ScopeUsers:
		return "Read all accounts", "Everybody’s account and sessions."
	case auth.ScopeUsersWrite:
		return "Change all accounts", "Disable and enable accounts, change roles and names, sign people out."
	case auth.ScopeIntrospect:
		return "Check tokens", "For an app that is given tokens: ask whether one is good, and whose it is."
	}
	return string(scope), ""
}

// scopeOptions are the boxes for what the role allows now.
func scopeOptions(admin bool, ticked []string) []components.Option {
	var options []components.Option
	for _, scope := range auth.AllowedScopes(admin) {
		label, hint := wordsOf(scope)
		options = append(options, components.Option{Value: string(scope), Label: label, Hint: hint, Selected: slices.Contains(ticked, string(scope))})
	}
	return options
}

// tickedScopes are the boxes that came with the form, whatever the role
// allows: refusing is the service's.
func tickedScopes(in form) []string {
	var ticked []string
	for _, scope := range auth.AllScopes() {
		if in.Get("scope."+string(scope)) != "" {
			ticked = append(ticked, string(scope))
		}
	}
	return ticked
}
