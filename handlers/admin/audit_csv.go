package admin

import (
	"context"
	"time"

	"github.com/labstack/echo/v4"

	"latchkey/internal/apperr"
	"latchkey/internal/audit"
	"latchkey/models"
)

// auditBatch is how many events are read at a time.
const auditBatch = 1000

// AuditCSV handles GET /admin/audit.csv: every event that matches the filter.
func (h *Handlers) AuditCSV(c echo.Context) error {
	_, query, wrong, err := h.readAudit(c)
	if err != nil {
		return err
	}
	if wrong.Any() {
		return apperr.New(apperr.Invalid, wrong[0].Text, nil)
	}
	query.After, query.Before, query.Limit = "", "", auditBatch
	columns := []string{"time", "action", "actor_id", "actor", "subject_id", "subject", "detail", "ip", "user_agent", "session", "request"}
	return h.streamCSV(c, "audit", columns, func(ctx context.Context) ([][]string, bool, error) {
		page, err := h.store.Audit.List(ctx, query)
		rows := make([][]string, len(page.Events))
		for i, e := range page.Events {
			rows[i] = auditCells(e)
		}
		query.After = page.Next
		return rows, page.Next != "", err
	})
}

func auditCells(e models.Event) []string {
	return []string{
		e.At.Time().Format(time.RFC3339Nano), e.Action, e.ActorID, e.ActorName, e.SubjectID, e.SubjectName, audit.Detail(e),
		e.IP, e.UserAgent, e.SessionID, e.RequestID,
	}
}
