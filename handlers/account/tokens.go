package account

import (
	"errors"
	"slices"
	"strconv"

	"github.com/labstack/echo/v4"

	"latchkey/handlers/site"
	"latchkey/internal/account"
	"latchkey/internal/apperr"
	"latchkey/internal/middleware"
	"latchkey/internal/oauth"
	"latchkey/views/components"
	"latchkey/views/layouts"
	"latchkey/views/pages"
)

const tokensPath = "/profile/tokens"

// Tokens handles GET /profile/tokens.
func (h *Handlers) Tokens(c echo.Context) error {
	ticked, form := []string{string(oauth.ScopeMe)}, pages.TokenForm{Days: strconv.Itoa(account.DefaultTokenDays)}
	if draft := h.site.Draft(c); len(draft) > 0 {
		ticked, form = tickedScopes(draft), pages.TokenForm{Name: draft.Get("name"), Days: draft.Or("days", form.Days)}
	}
	return h.tokensPage(c, nil, ticked, form)
}

// CreateToken handles POST /profile/tokens.
func (h *Handlers) CreateToken(c echo.Context) error {
	in, err := site.ReadForm(c)
	if err != nil {
		return err
	}
	days := account.DefaultTokenDays
	if _, sent := in["days"]; sent {
		if days, err = strconv.Atoi(in.Get("days")); err != nil {
			days = 0 // not one of the choices: the service refuses it
		}
	}
	scopes := tickedScopes(in)
	secret, token, err := h.accounts.CreatePersonalToken(c.Request().Context(), account.PersonalTokenDraft{
		Identity: site.Identity(c), Name: in.Get("name"), Scopes: scopes, Days: days, Current: in.Get(site.CurrentPassword), Confirmed: site.ByConfirmation(in),
		Device: h.site.Cookies.Device(c.Request()), Client: middleware.Client(c),
	})
	if err != nil {
		return h.tokensPage(c, err, scopes, pages.TokenForm{Name: in.Get("name"), Days: in.Get("days")})
	}
	return h.site.ShowOnce(c, tokenPath(token.ID), "token", secret)
}

// tokensPage shows the tokens and the form to create one, with some scopes
// ticked; failure is the reason for showing it again, or nil.
func (h *Handlers) tokensPage(c echo.Context, failure error, ticked []string, form pages.TokenForm) error {
	problems, err := h.site.Problems(failure, site.TooManyWrong)
	if err != nil {
		return err
	}
	me := site.Identity(c)
	live, ended, err := h.accounts.PersonalTokens(c.Request().Context(), me.UserID)
	if err != nil {
		return err
	}
	form.Errors, form.Scopes = problems, scopeOptions(me.Admin, ticked)
	view := pages.TokensView{Form: form}
	for _, token := range live {
		view.Tokens = append(view.Tokens, h.site.TokenRow(token, me.Admin, tokensPath+"/"))
	}
	for _, token := range ended {
		view.Ended = append(view.Ended, h.site.TokenRow(token, me.Admin, ""))
	}
	return site.Answer(c, failure, pages.Tokens(h.site.Page(c, "Access tokens"), view))
}

// ShowToken handles GET /profile/tokens/{id}: the page with a new access token.
func (h *Handlers) ShowToken(c echo.Context) error {
	token, err := h.ownToken(c)
	if err != nil {
		return err
	}
	if !token.EndedAt.IsZero() {
		return h.site.RedirectWithFlash(c, tokensPath, site.FlashTokenAlreadyEnded)
	}
	_, secret := h.site.TakeOnce(c, tokenPath(token.ID))
	if secret == "" {
		return h.site.RedirectWithFlash(c, tokensPath, site.FlashTokenShown)
	}
	page := h.site.OncePage(c, layouts.SectionNone, "Token created")
	return site.Show(c, pages.TokenCreated(page, pages.TokenCreatedView{
		TokenRow: h.site.TokenRow(token, site.Identity(c).Admin, ""), Secret: secret,
	}))
}

// ConfirmRemoveToken handles GET /profile/tokens/{id}/end.
func (h *Handlers) ConfirmRemoveToken(c echo.Context) error {
	token, err := h.ownToken(c)
	if err != nil {
		return err
	}
	if !token.EndedAt.IsZero() {
		return h.site.RedirectWithFlash(c, tokensPath, site.FlashTokenAlreadyEnded)
	}
	row := h.site.TokenRow(token, site.Identity(c).Admin, tokensPath+"/")
	return site.Show(c, pages.Confirm(h.site.Page(c, "Remove token"), pages.RemoveToken(row)))
}

// RemoveToken handles POST /profile/tokens/{id}/end.
func (h *Handlers) RemoveToken(c echo.Context) error {
	id, err := site.PathID(c, "id")
	if err != nil {
		return err
	}
	token, err := h.accounts.RemovePersonalToken(c.Request().Context(), site.Identity(c), id, middleware.Client(c))
	if errors.Is(err, apperr.NotFound) { // already removed, or another person's
		if _, err := h.ownToken(c); err != nil {
			return err
		}
		return h.site.RedirectWithFlash(c, tokensPath, site.FlashTokenAlreadyEnded)
	}
	if err != nil {
		return err
	}
	return h.site.RedirectWithFlash(c, tokensPath, site.FlashTokenRemoved, token.Name)
}

// ownToken returns the person's token in the route's path, working or not, or
// apperr.NotFound.
func (h *Handlers) ownToken(c echo.Context) (account.PersonalToken, error) {
	id, err := site.PathID(c, "id")
	if err != nil {
		return account.PersonalToken{}, err
	}
	return h.accounts.PersonalToken(c.Request().Context(), site.Identity(c).UserID, id)
}

func tokenPath(id string) string { return tokensPath + "/" + id }

// scopeOptions are the checkboxes for the scopes that the role allows.
func scopeOptions(admin bool, ticked []string) []components.Option {
	var options []components.Option
	for _, scope := range oauth.AllowedScopes(admin) {
		label, hint := site.ScopeWords(scope)
		options = append(options, components.Option{Value: string(scope), Label: label, Hint: hint, Selected: slices.Contains(ticked, string(scope))})
	}
	return options
}

// tickedScopes returns the scopes that were ticked in the form. Whether the role
// allows them is checked by the service.
func tickedScopes(in site.Form) []string {
	var ticked []string
	for _, scope := range oauth.AllScopes() {
		if in.Get("scope."+string(scope)) != "" {
			ticked = append(ticked, string(scope))
		}
	}
	return ticked
}
