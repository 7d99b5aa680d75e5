package handlers

import (
	"errors"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"latchkey"
	"latchkey/internal/apperr"
	"latchkey/internal/auth"
	"latchkey/internal/middleware"
	"latchkey/models"
	"latchkey/views/layouts"
	"latchkey/views/pages"
)

// activeNow is how lately a session was used to be shown as in use.
const activeNow = 2 * time.Minute

// newFor is how long a session is marked whose device was unseen before.
const newFor = 7 * 24 * time.Hour

// sessions handles GET /profile/sessions.
func (h *Handlers) sessions(c echo.Context) error {
	live, err := h.auth.Sessions(c.Request().Context(), who(c).UserID, who(c).SessionID)
	if err != nil {
		return err
	}
	ended, err := h.auth.EndedSessions(c.Request().Context(), who(c).UserID)
	if err != nil {
		return err
	}
	var view pages.SessionsView
	for _, s := range live {
		if s.ThisDevice {
			view.Current = h.sessionRow(s, who(c).Admin)
			continue
		}
		view.Others = append(view.Others, h.sessionRow(s, who(c).Admin))
	}
	for _, s := range ended {
		view.Ended = append(view.Ended, pages.EndedSession{Device: sessionName(s), When: s.EndedAt, Reason: endedBecause(s.EndReason)})
	}
	return latchkey.Render(c, http.StatusOK, pages.Sessions(h.section(c, layouts.SectionSessions, "Sessions"), view))
}

// sessionRow describes a session of somebody with the role.
func (h *Handlers) sessionRow(s auth.SessionInfo, admin bool) pages.SessionRow {
	row := pages.SessionRow{
		ID: s.ID, Device: sessionName(s), Phone: isPhone(s.UserAgent),
		ActiveNow: h.now().Sub(s.LastSeen) < activeNow, LastActive: s.LastSeen, Address: s.IP,
		SignedIn: s.SignedIn, Method: methodWords(s.Method), Until: s.Until,
		New: s.NewDevice && h.now().Sub(s.SignedIn) < newFor,
	}
	if s.Kind == models.KindAPI {
		scopes, _ := auth.ParseScopes(s.Scope) // nothing, for a name of another version
		row.Scopes = scopeWords(scopes, admin)
	}
	return row
}

// sessionName tells a browser and its system, or a program that uses the API,
// by what it called itself.
func sessionName(s auth.SessionInfo) string {
	name := deviceName(s.UserAgent)
	switch {
	case s.Kind != models.KindAPI:
		return name
	case s.ClientID != "":
		return "API · " + s.ClientID
	case name != unknownBrowser:
		return "API · " + name
	}
	return "API · unnamed program"
}

// endSession handles POST /profile/sessions/{id}/end.
func (h *Handlers) endSession(c echo.Context) error {
	id, err := pathID(c)
	if err != nil {
		return err
	}
	if id == who(c).SessionID {
		return h.logout(c)
	}
	info, err := h.auth.EndSession(c.Request().Context(), who(c), id, middleware.Client(c))
	if errors.Is(err, apperr.NotFound) {
		return h.endedAlready(c, id, err)
	}
	if err != nil {
		return err
	}
	return h.see(c, "/profile/sessions", flashSession, sessionName(info))
}

// endedAlready tells a session of the person that is over, which is what they
// wanted, from one that they never had.
func (h *Handlers) endedAlready(c echo.Context, id string, missing error) error {
	session, err := h.store.Sessions.ByID(c.Request().Context(), id)
	if errors.Is(err, apperr.NotFound) || err == nil && session.UserID != who(c).UserID {
		return missing
	}
	if err != nil {
		return err
	}
	return h.see(c, "/profile/sessions", flashWasNoSession)
}

// confirmEndOthers handles GET /profile/sessions/end-others.
func (h *Handlers) confirmEndOthers(c echo.Context) error {
	live, err := h.auth.Sessions(c.Request().Context(), who(c).UserID, who(c).SessionID)
	if err != nil {
		return err
	}
	if len(live) <= 1 {
		return c.Redirect(http.StatusSeeOther, "/profile/sessions")
	}
	page := h.section(c, layouts.SectionSessions, "Sign out everywhere else")
	return latchkey.Render(c, http.StatusOK, pages.Confirm(page, pages.EndOthers(len(live)-1)))
}

// endOthers handles POST /profile/sessions/end-others.
func (h *Handlers) endOthers(c echo.Context) error {
	ended, err := h.auth.EndOtherSessions(c.Request().Context(), who(c), middleware.Client(c))
	if err != nil {
		return err
	}
	return h.see(c, "/profile/sessions", flashOthers, count(ended, "other device"))
}

// endedBecause says why a session in the list is over.
func endedBecause(reason models.Reason) string {
	switch reason {
	case models.ReasonLogout:
		return "Signed out on the device."
	case models.ReasonElse:
		return "Signed out from another device."
	case models.ReasonAdmin:
		return "Signed out by an admin."
	case models.ReasonDisabled:
		return "The account was disabled."
	case models.ReasonPassword:
		return "The password was changed."
	case models.ReasonEmail:
		return "The email address was changed."
	case models.ReasonReplaced:
		return "Signed in again in the same browser."
	case models.ReasonLimit:
		return "Too many devices were signed in."
	case models.ReasonReplay:
		return "Ended because a copy of its sign-in was used."
	case models.ReasonRestored:
		return "Ended when the server was restored from a backup."
	case models.ReasonIdle:
		return "Not used for a while."
	case models.ReasonExpired:
		return "It lasted as long as a session may."
	}
	return "Ended."
}
