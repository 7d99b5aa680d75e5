package signin

import (
	"cmp"
	"errors"
	"net/mail"

	"github.com/labstack/echo/v4"

	"latchkey/handlers/site"
	"latchkey/internal/account"
	"latchkey/internal/apperr"
	"latchkey/internal/cookie"
	"latchkey/internal/middleware"
	"latchkey/views/components"
	"latchkey/views/pages"
)

const verifyPath = site.PathVerify

// beginSignup handles POST /signup while addresses are verified. Its response does
// not tell whether the address has an account. Like signing up, it ends the session
// that the browser had.
func (h *Handlers) beginSignup(c echo.Context, in site.Form, next string) error {
	signup := h.newAccount(c, in)
	joining, err := h.accounts.BeginSignUp(c.Request().Context(), signup)
	if err != nil {
		return h.signupPage(c, err, pages.SignupForm{
			Username: in.Get("username"), Email: in.Get("email"), FullName: in.Get("full_name"), Next: next,
		})
	}
	if signup.Presented.Access != "" || signup.Presented.Refresh != "" {
		if err := h.auth.Logout(c.Request().Context(), signup.Presented, middleware.Client(c)); err != nil {
			return err
		}
		h.site.Cookies.ClearTokens(c.Response().Header())
	}
	h.rememberSignup(c, joining, next)
	return site.Redirect(c, verifyPath)
}

// rememberSignup lets this browser continue a sign-up.
func (h *Handlers) rememberSignup(c echo.Context, joining account.Joining, next string) {
	h.site.Cookies.SetSignup(c.Response().Header(), cookie.Signup{ID: joining.ID, Email: joining.Email, Next: next})
}

// joining returns the sign-up that this browser can continue, and where the person
// wanted to go; the zero Joining for none. A signed-in person has none.
func (h *Handlers) joining(c echo.Context) (joining account.Joining, next string, err error) {
	kept := h.site.Cookies.Signup(c.Request())
	joining = account.Joining{ID: kept.ID, Email: kept.Email}
	if site.Identity(c) != nil {
		return account.Joining{}, "", nil
	}
	if joins, err := h.accounts.Joins(c.Request().Context(), joining); !joins {
		return account.Joining{}, "", err
	}
	return joining, site.SafeNext(kept.Next), nil
}

// ShowVerify handles GET /verify. Opening a link does not use it.
func (h *Handlers) ShowVerify(c echo.Context) error {
	query, err := site.ReadQuery(c)
	if err != nil {
		return err
	}
	if _, sent := query["token"]; sent {
		return h.verifyLinkPage(c, nil, query.Get("token"), nil)
	}
	return h.checkEmailPage(c, nil, pages.CheckEmailView{Next: site.SafeNext(query.Get("next"))})
}

// checkEmailPage shows which address waits to be confirmed; failure is the reason
// for showing it again, or nil. The view has what was sent.
func (h *Handlers) checkEmailPage(c echo.Context, failure error, view pages.CheckEmailView) error {
	problems, err := h.site.Problems(failure, site.TooManyAttempts)
	if err != nil {
		return err
	}
	view.Errors = problems
	if me := site.Identity(c); me != nil {
		waiting, err := h.accounts.PendingEmail(c.Request().Context(), me)
		if err != nil {
			return err
		}
		if waiting.Email == "" && h.site.VerifyRequired && !me.Verified { // the account has no address
			return site.Redirect(c, "/profile/email")
		}
		if waiting.Email == "" {
			return site.Redirect(c, cmp.Or(view.Next, homePath))
		}
		view.Email, view.Change, view.Sent, view.OtherURL = waiting.Email, waiting.Change, waiting.Sent, "/profile/email"
	} else {
		joining, _, err := h.joining(c)
		if err != nil {
			return err
		}
		if joining.ID == "" {
			return h.nothingToVerify(c)
		}
		view.Email, view.Sent, view.OtherURL = joining.Email, true, verifyPath+"/address"
	}
	if from, err := mail.ParseAddress(h.accounts.MailFrom()); err == nil {
		view.From = from.Address
	}
	title := "Check your email"
	if !view.Sent {
		title = "Confirm your email address"
	}
	return site.Answer(c, failure, pages.CheckEmail(h.site.Page(c, title), view))
}

// nothingToVerify sends a visitor to sign in, whose browser has no sign-up to
// continue.
func (h *Handlers) nothingToVerify(c echo.Context) error {
	kept := h.site.Cookies.Signup(c.Request())
	h.site.Cookies.ClearSignup(c.Response().Header(), c.Request())
	return site.Redirect(c, site.LoginPath(cmp.Or(site.SafeNext(kept.Next), h.site.ReturnTo(c))))
}

// Verify handles POST /verify.
func (h *Handlers) Verify(c echo.Context) error {
	in, err := site.ReadForm(c)
	if err != nil {
		return err
	}
	joining, next, err := h.joining(c)
	if err != nil {
		return err
	}
	next = cmp.Or(site.SafeNext(in.Get("next")), next)
	_, byLink := in["token"]
	if !byLink && joining.ID == "" && site.Identity(c) == nil {
		return h.nothingToVerify(c)
	}
	done, failure := h.accounts.Confirm(c.Request().Context(), account.Confirmation{
		Token: in.Get("token"), Code: in.Get("code"), ByLink: byLink, Identity: site.Identity(c), Joining: joining,
		Device: h.site.Cookies.Device(c.Request()), Presented: h.site.Presented(c), Client: middleware.Client(c),
	})
	switch {
	case failure != nil && byLink:
		return h.verifyLinkPage(c, failure, in.Get("token"), nil)
	case failure != nil:
		return h.checkEmailPage(c, failure, pages.CheckEmailView{Next: next, Code: in.Get("code")})
	}
	return h.confirmed(c, done, cmp.Or(next, homePath))
}

// confirmed redirects after a confirmation.
func (h *Handlers) confirmed(c echo.Context, done *account.Confirmed, next string) error {
	if done.SignedIn != nil {
		h.site.SignIn(c, done.SignedIn)
		h.site.Cookies.ClearSignup(c.Response().Header(), c.Request())
	}
	switch {
	case done.Change && done.SignedIn != nil:
		return h.site.RedirectWithFlash(c, next, site.FlashEmailChanged)
	case done.SignedIn != nil || done.Own:
		return h.site.RedirectWithFlash(c, next, site.FlashEmailConfirmed)
	case site.Identity(c) != nil && !done.Change: // another account's
		return h.site.RedirectWithFlash(c, homePath, site.FlashOtherConfirmed, done.Email)
	}
	return h.site.RedirectWithFlash(c, "/login", site.FlashConfirmedSignIn)
}

// verifyLinkPage shows the button of a link, or why the link does not work. failure
// is the reason for showing it again, or nil.
func (h *Handlers) verifyLinkPage(c echo.Context, failure error, token string, note *components.Message) error {
	link, err := h.accounts.VerifyLink(c.Request().Context(), token)
	if err != nil {
		return err
	}
	taken := errors.Is(failure, apperr.Conflict) && apperr.Details(failure).Message != ""
	page := h.site.Page(c, "Confirm your email address")
	page.NoIndex = true
	if link.State == account.LinkGood && !taken {
		problems, err := h.site.Problems(failure, site.TooManyAttempts)
		if err != nil {
			return err
		}
		return site.Answer(c, failure, pages.ConfirmEmail(page, pages.ConfirmEmailView{
			Token: token, Email: link.Email, Username: link.Username, Change: link.Change, Errors: problems,
		}))
	}
	if failure != nil && !errors.Is(failure, apperr.Conflict) {
		return failure
	}
	view := pages.VerifyDeadView{
		State: linkState(link.State), Email: link.Email, Replaced: link.Replaced, Done: link.Done, Taken: taken, Change: link.Change, Note: note,
	}
	if link.CanSend {
		view.Token = token
	}
	if failure == nil && !link.Done && note == nil {
		failure = deadLink()
	}
	return site.Answer(c, failure, pages.VerifyDead(page, view))
}
