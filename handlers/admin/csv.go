package admin

import (
	"context"
	"encoding/csv"
	"errors"
	"net/http"
	"regexp"
	"time"

	"github.com/labstack/echo/v4"

	"latchkey/handlers/site"
)

const (
	csvDeadline = 5 * time.Minute  // for a whole file
	csvStall    = 30 * time.Second // for one batch to reach the client
)

// batches returns the next rows of a file, and whether more follow.
type batches func(ctx context.Context) (rows [][]string, more bool, err error)

// streamCSV responds with a file for spreadsheets: UTF-8 with a byte order
// mark, which Excel needs, CRLF (RFC 4180 §2), and no cell that a spreadsheet
// takes for a formula. It writes in batches and may take longer than a page:
// each batch has its own deadline, so that a client that stops reading is
// disconnected.
func (h *Handlers) streamCSV(c echo.Context, name string, columns []string, next batches) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.Request().Context()), csvDeadline)
	defer cancel()
	rows, more, err := next(ctx)
	if err != nil {
		return err
	}
	response := c.Response()
	response.Header().Set("Content-Type", "text/csv; charset=utf-8; header=present")
	response.Header().Set("Content-Disposition", `attachment; filename="`+name+"-"+h.site.Now().UTC().Format(dayFormat)+`.csv"`)
	if c.Request().Method == http.MethodHead {
		return site.Nothing(c)
	}
	control := http.NewResponseController(response)
	out := csv.NewWriter(response)
	out.UseCRLF = true
	_ = out.Write(append([]string{byteOrderMark + columns[0]}, columns[1:]...)) // out.Error returns the error
	for {
		if err := control.SetWriteDeadline(time.Now().Add(csvStall)); err != nil && !errors.Is(err, http.ErrNotSupported) {
			return err
		}
		for _, row := range rows {
			for i := range row {
				row[i] = csvCell(row[i])
			}
			_ = out.Write(row)
		}
		if out.Flush(); out.Error() != nil || !more {
			return out.Error()
		}
		if rows, more, err = next(ctx); err != nil {
			return err // the download fails, so that the file does not look complete
		}
	}
}

const byteOrderMark = "\ufeff"

// formula matches the places where a spreadsheet would take text for a formula: at
// the start of a cell, and after marks that it may take for the end of one.
var formula = regexp.MustCompile(`(^|[;\t\n\r|]\s*)([=+\-@\t\r\x00])`)

// csvCell keeps a spreadsheet from taking text for a formula (ASVS 1.2.10).
func csvCell(text string) string { return formula.ReplaceAllString(text, "$1'$2") }
