package admin

import (
	"fmt"
	"strconv"

	"github.com/labstack/echo/v4"

	"latchkey/handlers/site"
	"latchkey/internal/account"
	"latchkey/internal/apperr"
	"latchkey/models"
	"latchkey/views/components"
	"latchkey/views/layouts"
	"latchkey/views/pages"
)

const invitationsPath = "/admin/invitations"

// invitationsPerPage is how many invitations a page of the list has.
const invitationsPerPage = 25

func invitationPath(id, page string) string { return invitationsPath + "/" + id + "/" + page }

// Invitations handles GET /admin/invitations.
func (h *Handlers) Invitations(c echo.Context) error {
	in, err := site.ReadQuery(c)
	if err != nil {
		return err
	}
	query, err := readNewest(in, invitationsPerPage)
	if err != nil {
		return err
	}
	list, err := h.store.Invitations.List(c.Request().Context(), query)
	if err != nil {
		return err
	}
	var view pages.AdminInvitationsView
	for _, row := range list.Invitations {
		view.Rows = append(view.Rows, h.invitationRow(&row))
	}
	if list.Prev != "" {
		view.Previous = invitationsPath + "?before=" + list.Prev
	}
	if list.Next != "" {
		view.Next = invitationsPath + "?after=" + list.Next
	}
	return site.Show(c, pages.AdminInvitations(h.site.Section(c, layouts.SectionInvitations, "Invitations"), view))
}

// readNewest reads the cursors in the query of a list whose newest rows come
// first.
func readNewest(in site.Form, limit int) (models.NewestFirst, error) {
	query := models.NewestFirst{After: in.Get("after"), Before: in.Get("before"), Limit: limit}
	if query.After != "" && query.Before != "" {
		return query, apperr.New(apperr.Malformed, "This page of the list does not exist.", nil)
	}
	return query, nil
}

func (h *Handlers) invitationRow(invitation *models.Invitation) pages.InvitationRow {
	row := pages.InvitationRow{
		Email: invitation.Email, Admin: invitation.Role == models.RoleAdmin, Note: invitation.Note, Creator: invitation.Creator,
		Created: invitation.CreatedAt.Time(), Until: invitation.ExpiresAt.Time(), Uses: invitation.Uses,
	}
	used := fmt.Sprintf("Used %d of %d", invitation.Used, invitation.Uses)
	switch account.InvitationStateOf(invitation, h.site.Now()) {
	case account.InvitationOpen:
		row.State, row.Tone, row.WithdrawURL = "Open", components.OK, invitationPath(invitation.ID, "withdraw")
		if invitation.Used > 0 {
			row.State = used
		}
	case account.InvitationUsed:
		if row.State = used; invitation.Uses == 1 {
			row.State = "Used"
		}
	case account.InvitationWithdrawn:
		row.State = "Withdrawn"
	default:
		row.State = "Over"
	}
	return row
}

// ShowNewInvitation handles GET /admin/invitations/new.
func (h *Handlers) ShowNewInvitation(c echo.Context) error {
	return h.newInvitationPage(c, nil, invitationForm(h.site.Draft(c)))
}

// NewInvitation handles POST /admin/invitations/new.
func (h *Handlers) NewInvitation(c echo.Context) error {
	in, err := site.ReadForm(c)
	if err != nil {
		return err
	}
	form := invitationForm(in)
	draft := account.InvitationDraft{Email: form.Email, Role: models.Role(form.Role), Note: form.Note}
	// Text that is no number is none of the choices: the service refuses it.
	draft.Hours, _ = strconv.Atoi(models.Tidy(form.Hours))
	draft.Uses, _ = strconv.Atoi(models.Tidy(form.Uses))
	row, token, err := h.accounts.CreateInvitation(c.Request().Context(), h.actor(c), draft)
	if err != nil {
		return h.newInvitationPage(c, err, form)
	}
	return h.site.ShowOnce(c, invitationPath(row.ID, "link"), "invitation", token)
}

// invitationForm returns the form with the fields that were typed.
func invitationForm(in site.Form) pages.AdminInvitationForm {
	return pages.AdminInvitationForm{
		Email: in.Get("email"), Role: in.Or("role", string(models.RoleUser)), Hours: in.Or("hours", strconv.Itoa(account.DefaultInvitationHours)),
		Uses: in.Or("uses", "1"), Note: in.Get("note"),
	}
}

// newInvitationPage shows the form; failure is the reason for showing it again, or
// nil.
func (h *Handlers) newInvitationPage(c echo.Context, failure error, form pages.AdminInvitationForm) error {
	problems, err := site.FieldErrors(failure)
	if err != nil {
		return err
	}
	form.Errors, form.MailOn = problems, h.accounts.MailOn()
	return site.Answer(c, failure, pages.AdminInvitationNew(h.site.Section(c, layouts.SectionInvitations, "Invite someone"), form))
}

// pathInvitation returns the invitation in the route's path, or apperr.NotFound.
func (h *Handlers) pathInvitation(c echo.Context) (*models.Invitation, error) {
	id, err := site.PathID(c, "id")
	if err != nil {
		return nil, err
	}
	return h.store.Invitations.ByID(c.Request().Context(), id)
}

// ShowInvitationLink handles GET /admin/invitations/{id}/link: the page with the
// link of a new invitation.
func (h *Handlers) ShowInvitationLink(c echo.Context) error {
	row, err := h.pathInvitation(c)
	if err != nil {
		return err
	}
	_, token := h.site.TakeOnce(c, invitationPath(row.ID, "link"))
	if token == "" {
		return h.site.RedirectWithFlash(c, invitationsPath, site.FlashInvitationShown)
	}
	page := h.site.OncePage(c, layouts.SectionInvitations, "Invitation created")
	return site.Show(c, pages.AdminInvitationLink(page, pages.AdminInvitationLinkView{
		Link: h.site.PublicURL + "/signup?invite=" + token, Email: row.Email, Mailed: row.MailedHash != "",
		Uses: row.Uses, Until: row.ExpiresAt.Time(),
	}))
}

// ConfirmWithdraw handles GET /admin/invitations/{id}/withdraw.
func (h *Handlers) ConfirmWithdraw(c echo.Context) error {
	invitation, err := h.pathInvitation(c)
	if err != nil {
		return err
	}
	row := h.invitationRow(invitation)
	if row.WithdrawURL == "" {
		return h.site.RedirectWithFlash(c, invitationsPath, site.FlashInvitationNotOpen)
	}
	page := h.site.Section(c, layouts.SectionInvitations, "Withdraw invitation")
	return site.Show(c, pages.Confirm(page, pages.WithdrawInvitation(row)))
}

// Withdraw handles POST /admin/invitations/{id}/withdraw.
func (h *Handlers) Withdraw(c echo.Context) error {
	_, id, err := h.readAct(c)
	if err != nil {
		return err
	}
	_, withdrawn, err := h.accounts.WithdrawInvitation(c.Request().Context(), h.actor(c), id)
	if err != nil {
		return err
	}
	if !withdrawn {
		return h.site.RedirectWithFlash(c, invitationsPath, site.FlashInvitationNotOpen)
	}
	return h.site.RedirectWithFlash(c, invitationsPath, site.FlashInvitationWithdrawn)
}
