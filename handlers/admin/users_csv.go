package admin

import (
	"context"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"latchkey/handlers/site"
	"latchkey/models"
)

// usersBatch is how many users are read at a time.
const usersBatch = 1000

// UsersCSV handles GET /admin/users.csv: every user that matches the filter, in
// the order of the list.
func (h *Handlers) UsersCSV(c echo.Context) error {
	in, err := site.ReadQuery(c)
	if err != nil {
		return err
	}
	_, query, err := readList(in, h.site.Now())
	if err != nil {
		return err
	}
	query.After, query.Before, query.Limit = "", "", usersBatch
	columns := []string{"id", "username", "email", "full_name", "role", "status", "created", "last_sign_in", "sessions", "authenticator_app", "passkeys"}
	return h.streamCSV(c, "users", columns, func(ctx context.Context) ([][]string, bool, error) {
		page, err := h.store.Users.Batch(ctx, query)
		rows := make([][]string, len(page.Users))
		for i, u := range page.Users {
			rows[i] = userCells(u)
		}
		query.After = page.Next
		return rows, page.Next != "", err
	})
}

func userCells(u models.UserRow) []string {
	return []string{
		u.ID, u.Username, u.Email, u.FullName, string(u.Role), string(u.Status()), csvTime(u.CreatedAt), csvTime(u.LastSignInAt), strconv.Itoa(u.Sessions),
		yesNo(u.App), strconv.Itoa(u.Passkeys),
	}
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// csvTime writes a time, or nothing for never.
func csvTime(t models.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Time().Format(time.RFC3339Nano)
}
