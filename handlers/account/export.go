package account

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"latchkey/handlers/site"
	"latchkey/internal/apperr"
	"latchkey/internal/middleware"
	"latchkey/models"
	"latchkey/views/pages"
)

const (
	exportDeadline = 5 * time.Minute  // for the whole file
	exportStall    = 30 * time.Second // for one batch to reach the client
	exportBatch    = 500              // rows that are read at a time
)

// ShowExport handles GET /profile/export: what the file will hold.
func (h *Handlers) ShowExport(c echo.Context) error { return h.exportPage(c, nil) }

// exportPage shows the page; failure is the reason for showing it again, or nil.
func (h *Handlers) exportPage(c echo.Context, failure error) error {
	problems, err := h.site.Problems(failure, site.TooManyAttempts)
	if err != nil {
		return err
	}
	return site.Answer(c, failure, pages.Export(h.site.Page(c, "Download your data"), pages.ExportView{Errors: problems}))
}

// Export handles POST /profile/export: one file with the person's data, in the
// format of docs/export.md. It writes in batches, and may take longer than a page:
// each batch has its own deadline, so that a client that stops reading is
// disconnected.
func (h *Handlers) Export(c echo.Context) error {
	if _, err := site.ReadForm(c); err != nil { // it has no fields
		return err
	}
	me := site.Identity(c)
	err := h.accounts.CountExport(c.Request().Context(), me, middleware.Client(c))
	if errors.Is(err, apperr.TooMany) {
		return h.exportPage(c, err)
	}
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.Request().Context()), exportDeadline)
	defer cancel()
	user, err := h.store.Users.ByID(ctx, me.UserID)
	if err != nil {
		return err
	}
	addresses, err := h.ownAddresses(ctx, user)
	if err != nil {
		return err
	}
	now := h.site.Now().UTC()
	header := c.Response().Header()
	header.Set("Content-Type", "application/json; charset=utf-8")
	header.Set("Content-Disposition", `attachment; filename="`+user.Username+"-"+now.Format("2006-01-02")+`.json"`)
	out := &jsonObject{w: c.Response(), flush: extend(c)}
	out.field("format", exportFormat)
	out.field("portal", h.site.PublicURL)
	out.field("exported_at", now)
	out.field("profile", ownProfile(user))
	out.field("addresses", addresses)
	for _, list := range h.ownLists(user, now) {
		if err := out.list(ctx, list.name, list.next); err != nil {
			return err // the download fails, so that the file does not look complete
		}
	}
	return out.end()
}

// extend returns a function that sends what was written, and gives the client time
// to read it.
func extend(c echo.Context) func() error {
	control := http.NewResponseController(c.Response())
	return func() error {
		err := control.SetWriteDeadline(time.Now().Add(exportStall))
		if err == nil {
			err = control.Flush()
		}
		if errors.Is(err, http.ErrNotSupported) {
			return nil
		}
		return err
	}
}

// ownList is a list in the file. next returns the rows after a cursor, and the
// cursor of the rows that follow, "" if there are none.
type ownList struct {
	name string
	next func(ctx context.Context, after string) (rows []any, next string, err error)
}

// ownLists are the lists of the file, in its order.
func (h *Handlers) ownLists(user *models.User, now time.Time) []ownList {
	page := func(after string) models.NewestFirst { return models.NewestFirst{After: after, Limit: exportBatch} }
	return []ownList{
		{"sessions", func(ctx context.Context, after string) ([]any, string, error) {
			list, next, err := h.store.Sessions.PageOf(ctx, user.ID, page(after))
			return rowsOf(list, func(s models.Session) any { return ownSession(s, now) }), next, err
		}},
		{"devices", func(ctx context.Context, _ string) ([]any, string, error) {
			list, err := h.store.Devices.ByUser(ctx, user.ID)
			return rowsOf(list, ownDevice), "", err
		}},
		{"authenticator_apps", func(ctx context.Context, _ string) ([]any, string, error) {
			list, err := h.store.Apps.History(ctx, user.ID)
			return rowsOf(list, ownApp), "", err
		}},
		{"recovery_codes", func(ctx context.Context, _ string) ([]any, string, error) {
			list, err := h.store.RecoveryCodes.History(ctx, user.ID)
			return rowsOf(list, ownRecoveryCode), "", err
		}},
		{"passkeys", func(ctx context.Context, _ string) ([]any, string, error) {
			list, err := h.store.Passkeys.History(ctx, user.ID)
			return rowsOf(list, ownPasskey), "", err
		}},
		{"sign_ins", h.ownEvents(user.ID, true)},
		{"tokens", func(ctx context.Context, after string) ([]any, string, error) {
			list, next, err := h.store.PersonalTokens.PageOf(ctx, user.ID, page(after))
			return rowsOf(list, func(p models.PersonalToken) any { return ownToken(p, now) }), next, err
		}},
		{"messages", func(ctx context.Context, after string) ([]any, string, error) {
			list, next, err := h.store.Deliveries.PageOf(ctx, user.ID, page(after))
			return rowsOf(list, ownMessage), next, err
		}},
		{"events", h.ownEvents(user.ID, false)},
	}
}

func rowsOf[T any](list []T, row func(T) any) []any {
	rows := make([]any, len(list))
	for i, one := range list {
		rows[i] = row(one)
	}
	return rows
}

// jsonObject writes a JSON object field by field. It keeps the first error.
type jsonObject struct {
	w     io.Writer
	flush func() error
	begun bool
	err   error
}

func (o *jsonObject) write(text string) {
	if o.err == nil {
		_, o.err = io.WriteString(o.w, text)
	}
}

func (o *jsonObject) value(v any) {
	if o.err != nil {
		return
	}
	text, err := json.MarshalIndent(v, "    ", "  ")
	if err != nil {
		o.err = err
		return
	}
	_, o.err = o.w.Write(text)
}

func (o *jsonObject) name(name string) {
	if o.begun {
		o.write(",\n  ")
	} else {
		o.write("{\n  ")
	}
	o.begun = true
	o.value(name)
	o.write(": ")
}

func (o *jsonObject) field(name string, v any) {
	o.name(name)
	o.value(v)
}

// list writes a list that is read in batches.
func (o *jsonObject) list(ctx context.Context, name string, read func(context.Context, string) ([]any, string, error)) error {
	o.name(name)
	o.write("[")
	separator := "\n    "
	for after := ""; ; {
		rows, next, err := read(ctx, after)
		if err != nil {
			return err
		}
		for _, row := range rows {
			o.write(separator)
			o.value(row)
			separator = ",\n    "
		}
		if o.err == nil {
			o.err = o.flush()
		}
		if o.err != nil || next == "" {
			break
		}
		after = next
	}
	o.write("]")
	return o.err
}

func (o *jsonObject) end() error {
	o.write("\n}\n")
	return o.err
}
