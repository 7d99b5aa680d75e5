package signin

import (
	"cmp"

	"github.com/labstack/echo/v4"

	"latchkey/handlers/site"
	"latchkey/internal/account"
	"latchkey/internal/middleware"
	"latchkey/views/pages"
)

// ShowReset handles GET /reset. Opening the link does not use it.
func (h *Handlers) ShowReset(c echo.Context) error {
	query, err := site.ReadQuery(c)
	if err != nil {
		return err
	}
	return h.resetPage(c, nil, account.Reset{Token: query.Get("token"), RemoveTokens: true}, site.SafeNext(query.Get("next")))
}

// Reset handles POST /reset.
func (h *Handlers) Reset(c echo.Context) error {
	in, err := site.ReadForm(c)
	if err != nil {
		return err
	}
	next := site.SafeNext(in.Get("next"))
	reset := account.Reset{
		Token: in.Get("token"), Password: in.Get("password"), RemoveTokens: in.Get(pages.RemoveTokensField) != "",
		Device: h.site.Cookies.Device(c.Request()), Presented: h.site.Presented(c), Client: middleware.Client(c),
	}
	signedIn, err := h.accounts.ResetPassword(c.Request().Context(), reset)
	if err != nil {
		return h.resetPage(c, err, reset, next)
	}
	if signedIn != nil {
		return h.welcome(c, signedIn, site.FlashAccountReady, cmp.Or(next, homePath))
	}
	return h.site.RedirectWithFlash(c, site.LoginPath(next), site.FlashPasswordReset)
}

// resetPage shows the form, or why the link does not work. failure is the
// reason for showing it again, or nil; next is where the person goes afterwards.
func (h *Handlers) resetPage(c echo.Context, failure error, in account.Reset, next string) error {
	problems, err := h.site.Problems(failure, site.TooManyAttempts)
	if err != nil {
		return err
	}
	link, err := h.accounts.SetPasswordLink(c.Request().Context(), in.Token)
	if err != nil {
		return err
	}
	page := h.site.Page(c, resetTitle(link))
	page.NoIndex = true
	if link.State != account.LinkGood {
		if failure == nil {
			failure = deadLink()
		}
		return site.Answer(c, failure, pages.ResetDeadLink(page, pages.DeadReset{
			State: linkState(link.State), Replaced: link.Replaced, Mailed: link.Mailed, Email: link.Email, MailOn: h.accounts.MailOn(), Next: next,
		}))
	}
	return site.Answer(c, failure, pages.Reset(page, pages.ResetForm{
		Token: in.Token, Next: next, Username: link.Username, Email: link.Email, Invited: link.Invited, PasswordMin: h.accounts.PasswordMin(), Errors: problems,
		Tokens: pages.RemoveTokens{Count: link.Tokens, Ticked: in.RemoveTokens},
	}))
}

// resetTitle is the title of the page behind a link.
func resetTitle(link account.Link) string {
	if link.Invited {
		return "Choose a password"
	}
	return "Choose a new password"
}
