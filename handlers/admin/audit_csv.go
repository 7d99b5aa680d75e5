package admin

import (
	"context"
	"encoding/csv"
	"errors"
	"net/http"
	"regexp"
	"time"

	"github.com/labstack/echo/v4"

	"latchkey/internal/apperr"
	"latchkey/models"
)

const (
	csvBatch    = 1000
	csvDeadline = 5 * time.Minute
)

// AuditCSV handles GET /admin/audit.csv: everything that the filter lets
// through, streamed in batches, with a deadline of its own.
func (h *Handlers) AuditCSV(c echo.Context) error {
	_, query, wrong, err := h.readAudit(c)
	if err != nil {
		return err
	}
	if wrong.Any() {
		return apperr.New(apperr.Invalid, wrong[0].Text, nil)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.Request().Context()), csvDeadline)
	defer cancel()
	query.After, query.Before, query.Limit = "", "", csvBatch
	page, err := h.store.Audit.List(ctx, query)
	if err != nil {
		return err
	}
	response := c.Response()
	// The whole takes longer than one page may: only the deadline of each
	// batch's write stands, so that a reader who stops is let go.
	control := http.NewResponseController(response)
	header := response.Header()
	header.Set("Content-Type", "text/csv; charset=utf-8; header=present")
	header.Set("Content-Disposition", `attachment; filename="audit-`+h.site.Now().UTC().Format(dayFormat)+`.csv"`)
	if c.Request().Method == http.MethodHead {
		return c.NoContent(http.StatusOK)
	}
	out := csv.NewWriter(response)
	out.UseCRLF = true // RFC 4180 §2
	_ = out.Write([]string{"time", "action", "actor_id", "actor", "subject_id", "subject", "detail", "ip", "user_agent", "session", "request"})
	for {
		if err := control.SetWriteDeadline(time.Now().Add(30 * time.Second)); err != nil && !errors.Is(err, http.ErrNotSupported) {
			return err
		}
		for _, e := range page.Events {
			_ = out.Write(csvLine(e))
		}
		if out.Flush(); out.Error() != nil || page.Next == "" {
			return out.Error()
		}
		query.After = page.Next
		if page, err = h.store.Audit.List(ctx, query); err != nil {
			return err // the answer is under way: it breaks off instead of ending as if whole
		}
	}
}

func csvLine(e models.Event) []string {
	line := []string{
		e.At.Time().Format(time.RFC3339Nano), e.Action, e.ActorID, e.ActorName, e.SubjectID, e.SubjectName, e.Detail,
		e.IP, e.UserAgent, e.SessionID, e.RequestID,
	}
	for i := range line {
		line[i] = csvCell(line[i])
	}
	return line
}

// formula is where a spreadsheet would take text for a formula: at the start of
// a cell, also where it takes other marks than commas to be between cells.
var formula = regexp.MustCompile(`(^|[;\t\n\r|]\s*)([=+\-@\t\r\x00])`)

// csvCell keeps a spreadsheet from taking text for a formula (ASVS 1.2.10).
func csvCell(text string) string { return formula.ReplaceAllString(text, "$1'$2") }
