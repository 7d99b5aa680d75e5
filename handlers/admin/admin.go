// Package admin has the pages of the admin area: the overview, all accounts
// with the actions on them, the audit log and the settings.
//
// Every page needs the admin role. Package account decides what an admin may
// do.
package admin

import (
	"github.com/labstack/echo/v4"

	"latchkey/handlers/site"
	"latchkey/internal/account"
	"latchkey/internal/apperr"
	"latchkey/internal/auth"
	"latchkey/internal/backup"
	"latchkey/internal/middleware"
	"latchkey/models"
	"latchkey/views/layouts"
	"latchkey/views/pages"
)

// Handlers are the pages of the group. They are safe for concurrent use.
type Handlers struct {
	site     *site.Site
	auth     *auth.Service
	accounts *account.Service
	store    *models.Store // for plain reads
	settings []pages.SettingsGroup
	backups  func() backup.Status // nil: the server makes none
}

// New returns the pages.
func New(s *site.Site, service *auth.Service, accounts *account.Service, store *models.Store, settings []pages.SettingsGroup, backups func() backup.Status) *Handlers {
	return &Handlers{site: s, auth: service, accounts: accounts, store: store, settings: settings, backups: backups}
}

// pathUser returns the account in the route's path, or apperr.NotFound.
func (h *Handlers) pathUser(c echo.Context) (*models.User, error) {
	id, err := site.PathID(c, "id")
	if err != nil {
		return nil, err
	}
	return h.store.Users.ByID(c.Request().Context(), id)
}

func userPath(id string) string { return "/admin/users/" + id }

// target names an account for the pages about it.
func target(user *models.User) pages.AdminTarget {
	return pages.AdminTarget{
		Name: user.Name(), Username: user.Username, Email: user.Email,
		Invited: user.PasswordChangedAt.IsZero(), URL: userPath(user.ID),
	}
}

// subject returns the account in the path of an action, or apperr.Conflict if it
// is the admin's own.
func (h *Handlers) subject(c echo.Context) (*models.User, error) {
	user, err := h.pathUser(c)
	if err == nil && user.ID == site.Identity(c).UserID {
		return nil, apperr.New(apperr.Conflict, account.NotYourself, nil)
	}
	return user, err
}

// actPage returns the frame of the page that confirms an action. Its title is
// the action and the person's name.
func (h *Handlers) actPage(c echo.Context, act string, user *models.User) layouts.Page {
	return h.site.Section(c, layouts.SectionUsers, act+" "+user.Name())
}

// changedMeanwhile responds to an action that changed nothing because another
// admin was faster: it redirects to the account.
func (h *Handlers) changedMeanwhile(c echo.Context, id string) error {
	return h.site.RedirectWithFlash(c, userPath(id), site.FlashUserChanged)
}

// actor returns the admin who makes the request.
func (h *Handlers) actor(c echo.Context) auth.Actor {
	return site.Identity(c).Actor(middleware.Client(c))
}

// readAct reads the form of an action on the account in the path.
func (h *Handlers) readAct(c echo.Context) (site.Form, string, error) {
	id, err := site.PathID(c, "id")
	if err != nil {
		return nil, "", err
	}
	in, err := site.ReadForm(c)
	return in, id, err
}
