package account

import (
	"cmp"
	"encoding/base64"
	"errors"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"latchkey/handlers/site"
	"latchkey/internal/account"
	"latchkey/internal/apperr"
	"latchkey/internal/device"
	"latchkey/internal/middleware"
	"latchkey/models"
	"latchkey/views/pages"
)

const passkeysPath = site.PathSecurity + "/passkeys"

// passkeys returns the section of the security page about passkeys. next is where the
// person goes once they have one.
func (h *Handlers) passkeys(c echo.Context, next string) (pages.PasskeysView, error) {
	me := site.Identity(c)
	view := pages.PasskeysView{
		Unavailable: h.auth.Passkeys().Unavailable(), AddURL: site.WithNext(passkeysPath+"/new", next),
		Signal: pages.PasskeySignal{
			RPID: h.auth.Passkeys().RPID(), UserID: base64.RawURLEncoding.EncodeToString([]byte(me.UserID)), IDs: []string{},
			Name: cmp.Or(me.Email, me.Username), DisplayName: me.Name(),
		},
	}
	rows, err := h.accounts.PasskeyList(c.Request().Context(), me.UserID)
	for _, row := range rows {
		view.Passkeys = append(view.Passkeys, h.passkeyRow(row, len(rows)-1))
		view.Signal.IDs = append(view.Signal.IDs, row.CredentialID)
	}
	return view, err
}

func (h *Handlers) passkeyRow(row models.Passkey, others int) pages.PasskeyRow {
	view := pages.PasskeyRow{
		ID: row.ID, Name: row.Name, Synced: row.BackupEligible, Added: row.CreatedAt.Time(), LastUsed: row.LastUsedAt.Time(), Others: others,
	}
	if row.LastUsedAgent != "" {
		view.LastUsedOn = device.Name(row.LastUsedAgent)
	}
	if row.RPID != h.auth.Passkeys().RPID() {
		view.Host = row.RPID
	}
	return view
}

// ShowNewPasskey handles GET /profile/security/passkeys/new.
func (h *Handlers) ShowNewPasskey(c echo.Context) error {
	query, err := site.ReadQuery(c)
	if err != nil {
		return err
	}
	view := pages.NewPasskeyView{Next: site.SafeNext(query.Get("next"))}
	err = h.accounts.MayAddPasskey(c.Request().Context(), site.Identity(c))
	switch {
	case errors.Is(err, account.ErrNotFully):
		return site.Redirect(c, fullConfirmPath(h.site.ReturnTo(c)))
	case errors.Is(err, apperr.Conflict):
		view.Unavailable = apperr.Details(err).Message
	case err != nil:
		return err
	}
	return site.Show(c, pages.NewPasskey(h.site.Page(c, "Add a passkey"), view))
}

// fullConfirmPath is the page that asks for everything that the account has, and then
// leads to next.
func fullConfirmPath(next string) string { return site.WithNext(site.PathConfirm, next) + "&full=1" }

// PasskeyOptions handles POST /profile/security/passkeys/options.
func (h *Handlers) PasskeyOptions(c echo.Context) error {
	options, err := h.accounts.PasskeyOptions(c.Request().Context(), site.Identity(c))
	if err != nil {
		return err
	}
	return c.JSONBlob(http.StatusOK, options)
}

// AddPasskey handles POST /profile/security/passkeys.
func (h *Handlers) AddPasskey(c echo.Context) error {
	in, err := site.ReadScript(c)
	if err != nil {
		return err
	}
	row, err := h.accounts.AddPasskey(c.Request().Context(), site.Identity(c), in.Credential, middleware.Client(c))
	if err != nil {
		return err
	}
	page := site.WithNext(passkeysPath+"/"+row.ID, in.Next)
	if strings.Contains(page, "?") {
		return site.AnswerNext(c, page+"&created=1")
	}
	return site.AnswerNext(c, page+"?created=1")
}

// ShowPasskey handles GET /profile/security/passkeys/{id}.
func (h *Handlers) ShowPasskey(c echo.Context) error {
	query, err := site.ReadQuery(c)
	if err != nil {
		return err
	}
	row, err := h.ownPasskey(c)
	if err != nil {
		return err
	}
	return h.passkeyPage(c, nil, row, query, row.Name)
}

// RenamePasskey handles POST /profile/security/passkeys/{id}.
func (h *Handlers) RenamePasskey(c echo.Context) error {
	in, err := site.ReadForm(c)
	if err != nil {
		return err
	}
	row, err := h.ownPasskey(c)
	if err != nil {
		return err
	}
	me, client := site.Identity(c), middleware.Client(c)
	if err := h.accounts.RenamePasskey(c.Request().Context(), me, row.ID, in.Get("name"), client); err != nil {
		return h.passkeyPage(c, err, row, in, in.Get("name"))
	}
	key, ended := site.FlashPasskeyRenamed, 0
	if in.Get("created") != "" {
		key = site.FlashPasskeyAdded
	}
	if in.Get("others") != "" {
		if ended, err = h.auth.EndOtherSessions(c.Request().Context(), me, client); err != nil {
			return err
		}
	}
	return h.site.RedirectWithFlash(c, cmp.Or(site.SafeNext(in.Get("next")), site.PathSecurity), key, site.CountAny(ended, "other device"))
}

// passkeyPage shows the page that names a passkey; failure is the reason for showing it
// again, or nil.
func (h *Handlers) passkeyPage(c echo.Context, failure error, row *models.Passkey, in site.Form, typed string) error {
	problems, err := site.FieldErrors(failure)
	if err != nil {
		return err
	}
	view := pages.PasskeyView{
		PasskeyRow: h.passkeyRow(*row, 0), Created: in.Get("created") != "", Next: site.SafeNext(in.Get("next")), Typed: typed, Errors: problems,
	}
	if view.Created {
		live, err := h.auth.Sessions(c.Request().Context(), row.UserID, site.Identity(c).SessionID)
		if err != nil {
			return err
		}
		view.OtherSessions = len(live) - 1
	}
	title := "Rename passkey"
	if view.Created {
		title = "Passkey created"
	}
	return site.Answer(c, failure, pages.Passkey(h.site.Page(c, title), view))
}

// ConfirmRemovePasskey handles GET /profile/security/passkeys/{id}/remove.
func (h *Handlers) ConfirmRemovePasskey(c echo.Context) error {
	row, err := h.ownPasskey(c)
	if err != nil {
		return err
	}
	why, err := h.accounts.KeepsPasskey(c.Request().Context(), site.Identity(c), row.ID)
	if err != nil {
		return err
	}
	if why != "" {
		return h.keptPasskey(c, nil, row, why)
	}
	rows, err := h.accounts.PasskeyList(c.Request().Context(), row.UserID)
	if err != nil {
		return err
	}
	question := pages.RemovePasskey(h.passkeyRow(*row, len(rows)-1))
	return site.Show(c, pages.Confirm(h.site.Page(c, "Remove passkey"), question))
}

// RemovePasskey handles POST /profile/security/passkeys/{id}/remove.
func (h *Handlers) RemovePasskey(c echo.Context) error {
	id, err := site.PathID(c, "id")
	if err != nil {
		return err
	}
	name, ended, err := h.accounts.RemovePasskey(c.Request().Context(), site.Identity(c), id, middleware.Client(c))
	if errors.Is(err, apperr.Conflict) {
		row, rowErr := h.ownPasskey(c)
		if rowErr != nil {
			return rowErr
		}
		return h.keptPasskey(c, err, row, apperr.Details(err).Message)
	}
	if err != nil {
		return err
	}
	return h.site.RedirectWithFlash(c, site.PathSecurity, site.FlashPasskeyRemoved, name, site.CountAny(ended, "other device"))
}

func (h *Handlers) keptPasskey(c echo.Context, failure error, row *models.Passkey, why string) error {
	return site.Answer(c, failure, pages.PasskeyKept(h.site.Page(c, "You cannot remove this passkey"), h.passkeyRow(*row, 0), why))
}

// ownPasskey returns the person's passkey in the route's path, or apperr.NotFound.
func (h *Handlers) ownPasskey(c echo.Context) (*models.Passkey, error) {
	id, err := site.PathID(c, "id")
	if err != nil {
		return nil, err
	}
	return h.accounts.Passkey(c.Request().Context(), site.Identity(c).UserID, id)
}

// ConfirmPasskeyOptions handles POST /confirm/passkey/options.
func (h *Handlers) ConfirmPasskeyOptions(c echo.Context) error {
	options, err := h.auth.ConfirmOptions(c.Request().Context(), site.Identity(c))
	if err != nil {
		return err
	}
	return c.JSONBlob(http.StatusOK, options)
}

// ConfirmPasskey handles POST /confirm/passkey.
func (h *Handlers) ConfirmPasskey(c echo.Context) error {
	in, err := site.ReadScript(c)
	if err != nil {
		return err
	}
	if err := h.auth.ConfirmPasskey(c.Request().Context(), site.Identity(c), in.Credential, middleware.Client(c)); err != nil {
		return err
	}
	return site.AnswerNext(c, cmp.Or(site.SafeNext(in.Next), site.PathSecurity))
}

// offerPasskey reports whether the account page offers a passkey: once, after sign-up
// and after the first sign-in with a new password, to people who have none.
func (h *Handlers) offerPasskey(c echo.Context) (bool, error) {
	switch h.site.Cookies.PeekFlash(c.Request()).Key {
	case site.FlashAccountReady, site.FlashEmailConfirmed, site.FlashNewPassword:
		if h.auth.Passkeys().Unavailable() != "" {
			return false, nil
		}
		rows, err := h.accounts.PasskeyList(c.Request().Context(), site.Identity(c).UserID)
		return len(rows) == 0, err
	}
	return false, nil
}
