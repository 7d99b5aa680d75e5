package handlers

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"latchkey"
	"latchkey/internal/cookie"
	"latchkey/views/layouts"
	"latchkey/views/pages"
)

// Keys of the secrets that a redirect carries to the page that shows them.
const (
	onceNewUser   = "new-user"
	onceResetLink = "reset-link"
	onceToken     = "token"
)

// showOnce answers a form that made a secret: 303 to the page that shows it.
// The secret is stored nowhere; it travels sealed in a cookie, for this page of
// this session alone.
func (h *Handlers) showOnce(c echo.Context, path, key, secret string) error {
	h.cookies.SetOnce(c.Response().Header(), place(c, path), cookie.Flash{Key: key, Args: []string{secret}})
	return c.Redirect(http.StatusSeeOther, path)
}

// takeOnce returns what showOnce sent to the page at path, for that page to
// show; "" when there is nothing, or no more.
func (h *Handlers) takeOnce(c echo.Context, path string) (key, secret string) {
	sent := h.cookies.TakeOnce(c.Response().Header(), c.Request(), place(c, path))
	if len(sent.Args) == 0 {
		return "", ""
	}
	return sent.Key, sent.Args[0]
}

// oncePage is the page that shows a secret. It leaves a message without words
// for the next page to clear: Chromium brings a page back from memory on Back,
// no-store or not, unless a cookie changed after it.
func (h *Handlers) oncePage(c echo.Context, section layouts.Section, title string) layouts.Page {
	page := h.section(c, section, title)
	h.cookies.SetFlash(c.Response().Header(), cookie.Flash{Key: flashShown})
	return page
}

// place is a page as the present session sees it. Rotations leave the
// session's id as it is, so that a refresh in between loses nothing.
func place(c echo.Context, path string) cookie.Place {
	return cookie.Place{SessionID: who(c).SessionID, Path: path}
}

func linkPath(userID string) string   { return "/admin/users/" + userID + "/link" }
func tokenPath(tokenID string) string { return "/profile/tokens/" + tokenID }

// showLink handles GET /admin/users/{id}/link: the page with a reset link that
// was made just now.
func (h *Handlers) showLink(c echo.Context) error {
	user, err := h.pathUser(c)
	if err != nil {
		return err
	}
	key, token := h.takeOnce(c, linkPath(user.ID))
	if token == "" {
		return h.see(c, "/admin/users/"+user.ID, flashLinkShown)
	}
	page := h.oncePage(c, layouts.SectionUsers, "Reset link")
	return latchkey.Render(c, http.StatusOK, pages.AdminLink(page, pages.AdminLinkView{
		User: target(user), Link: h.publicURL + "/reset?token=" + token, NewAccount: key == onceNewUser,
	}))
}

// showToken handles GET /profile/tokens/{id}: the page with an access token
// that was made just now.
func (h *Handlers) showToken(c echo.Context) error {
	token, err := h.auth.PersonalToken(c.Request().Context(), who(c).UserID, c.Param("id"))
	if err != nil {
		return err
	}
	if !token.EndedAt.IsZero() {
		return h.see(c, "/profile/tokens", flashWasNoToken)
	}
	_, secret := h.takeOnce(c, tokenPath(token.ID))
	if secret == "" {
		return h.see(c, "/profile/tokens", flashTokenShown)
	}
	page := h.oncePage(c, layouts.SectionTokens, "Token created")
	return latchkey.Render(c, http.StatusOK, pages.TokenCreated(page, pages.TokenCreatedView{
		TokenRow: h.tokenRow(token, who(c).Admin, ""), Secret: secret,
	}))
}
