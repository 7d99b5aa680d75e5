package signin

import (
	"errors"
	"net/url"

	"github.com/labstack/echo/v4"

	"latchkey/handlers/site"
	"latchkey/internal/account"
	"latchkey/internal/apperr"
	"latchkey/views/pages"
)

// showInvited handles GET /signup with an invitation. Opening the link does not use
// it.
func (h *Handlers) showInvited(c echo.Context, token string) error {
	if site.Identity(c) != nil {
		return h.site.RedirectWithFlash(c, homePath, site.FlashSignedInAlready)
	}
	return h.invitedPage(c, nil, pages.InvitedForm{Token: token})
}

// signupInvited handles POST /signup with an invitation. The person is signed in.
func (h *Handlers) signupInvited(c echo.Context, in site.Form) error {
	form := pages.InvitedForm{
		Token: in.Get("invite"), Username: in.Get("username"), Email: in.Get("email"), FullName: in.Get("full_name"),
	}
	site.SetReturn(c, "/signup?invite="+url.QueryEscape(form.Token[:min(len(form.Token), maxInvite)]))
	signedIn, err := h.accounts.SignUpInvited(c.Request().Context(), form.Token, h.newAccount(c, in))
	if err != nil {
		return h.invitedPage(c, err, form)
	}
	return h.welcome(c, signedIn, site.FlashAccountReady, homePath)
}

// maxInvite bounds the token in the URL of a page; ours have 43 characters.
const maxInvite = 128

// invitedPage shows the form, or why the invitation does not work. failure is the
// reason for showing it again, or nil.
func (h *Handlers) invitedPage(c echo.Context, failure error, form pages.InvitedForm) error {
	invitation, err := h.accounts.Invitation(c.Request().Context(), form.Token)
	if err != nil {
		return err
	}
	page := h.site.Page(c, "Create account")
	page.NoIndex = true
	if invitation.State != account.InvitationOpen {
		if !errors.Is(failure, apperr.Conflict) {
			failure = deadLink()
		}
		return site.Answer(c, failure, pages.InvitationDead(page, pages.DeadInvitation{
			State: invitationState(invitation.State), Uses: invitation.Uses, Ended: invitation.Until,
		}))
	}
	if form.Errors, err = h.site.Problems(failure, site.TooManyAttempts); err != nil {
		return err
	}
	form.Admin, form.PasswordMin = invitation.Admin, h.accounts.PasswordMin()
	if form.Only = invitation.Email != ""; form.Only {
		form.Email = invitation.Email
	}
	return site.Answer(c, failure, pages.Invited(page, form))
}

// invitationState says why an invitation does not work.
func invitationState(state account.InvitationState) pages.LinkState {
	switch state {
	case account.InvitationOver:
		return pages.LinkExpired
	case account.InvitationUsed:
		return pages.LinkUsed
	case account.InvitationWithdrawn:
		return pages.LinkReplaced
	}
	return pages.LinkBroken
}
