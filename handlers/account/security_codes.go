package account

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"

	"latchkey/handlers/site"
	"latchkey/internal/apperr"
	"latchkey/views/components"
	"latchkey/views/layouts"
	"latchkey/views/pages"
)

// codesFile is the path of the file with new recovery codes.
const codesFile = codesPath + ".txt"

// Codes handles GET /profile/security/codes: the page that shows new recovery codes, or
// else the question whether to make new ones.
func (h *Handlers) Codes(c echo.Context) error {
	query, err := site.ReadQuery(c)
	if err != nil {
		return err
	}
	if occasion, codes := h.site.TakeOnce(c, codesPath); codes != "" {
		return h.shownCodes(c, nil, occasion+" "+codes, site.SafeNext(query.Get("next")))
	}
	protection, err := h.accounts.Protection(c.Request().Context(), site.Identity(c).UserID)
	if err != nil {
		return err
	}
	if !protection.TwoStep() {
		return h.site.RedirectWithFlash(c, site.PathSecurity, site.FlashNoCodes)
	}
	return site.Show(c, pages.Confirm(h.site.Page(c, "Make new recovery codes"), pages.MakeCodes(recoveryView(protection.Recovery))))
}

// MakeCodes handles POST /profile/security/codes.
func (h *Handlers) MakeCodes(c echo.Context) error {
	if _, err := site.ReadForm(c); err != nil {
		return err
	}
	codes, err := h.accounts.MakeCodes(c.Request().Context(), h.factorChange(c))
	if errors.Is(err, apperr.NotFound) {
		return h.site.RedirectWithFlash(c, site.PathSecurity, site.FlashNoCodes)
	}
	if err != nil {
		return err
	}
	return h.showCodes(c, site.Identity(c).SessionID, codesMade, codes, "")
}

// shownCodes shows new recovery codes. shown is their occasion and the codes, separated
// by spaces. They are stored nowhere as text: the page carries them, sealed, to its
// form and its file. failure is the reason for showing them again, or nil.
func (h *Handlers) shownCodes(c echo.Context, failure error, shown, next string) error {
	problems, err := site.FieldErrors(failure)
	if failure != nil && problems == nil {
		return err
	}
	me := site.Identity(c)
	occasion, codes, _ := strings.Cut(shown, " ")
	sealed := h.site.Cookies.Carry(site.Place(c, codesPath), shown)
	page := h.site.OncePage(c, layouts.SectionNone, "Save your recovery codes")
	return site.Answer(c, failure, pages.RecoveryCodes(page, pages.RecoveryCodesView{
		Start: occasion == codesAtStart, Name: me.Username, Codes: strings.Fields(codes), Made: h.site.Now(), Carried: sealed,
		File: codesFile + "?codes=" + url.QueryEscape(sealed), Next: next, Errors: problems,
	}))
}

// carriedCodes returns what shownCodes sealed; "" when it is something else or too old.
func (h *Handlers) carriedCodes(c echo.Context, sealed string) string {
	return h.site.Cookies.Carried(site.Place(c, codesPath), sealed)
}

// CodesSaved handles POST /profile/security/codes/saved: the person has saved the codes
// and goes on.
func (h *Handlers) CodesSaved(c echo.Context) error {
	in, err := site.ReadForm(c)
	if err != nil {
		return err
	}
	shown, next := h.carriedCodes(c, in.Get("codes")), site.SafeNext(in.Get("next"))
	if shown == "" {
		return h.site.RedirectWithFlash(c, site.PathSecurity, site.FlashCodesShown)
	}
	if in.Get("saved") == "" {
		return h.shownCodes(c, apperr.Fields{{Field: "saved", Message: "Save the codes, and then say that you have."}}, shown, next)
	}
	key := site.FlashCodesMade
	if strings.HasPrefix(shown, codesAtStart+" ") {
		key = site.FlashAppOn
	}
	if next == "" {
		next = site.PathSecurity
	}
	return h.site.RedirectWithFlash(c, next, key)
}

// CodesFile handles GET /profile/security/codes.txt: new recovery codes as a file, from
// the link of the page that shows them.
func (h *Handlers) CodesFile(c echo.Context) error {
	query, err := site.ReadQuery(c)
	if err != nil {
		return err
	}
	_, codes, _ := strings.Cut(h.carriedCodes(c, query.Get("codes")), " ")
	if codes == "" {
		return h.site.RedirectWithFlash(c, site.PathSecurity, site.FlashCodesShown)
	}
	me, now := site.Identity(c), h.site.Now()
	var text strings.Builder
	fmt.Fprintf(&text, "Recovery codes of %s for %s (%s)\nMade on %s. Each code works once.\n\n", me.Username, h.site.Brand.Name, h.site.PublicURL, components.FullDate(now))
	for i, code := range strings.Fields(codes) {
		fmt.Fprintf(&text, "%2d. %s\n", i+1, code)
	}
	c.Response().Header().Set("Content-Disposition", `attachment; filename="recovery-codes-`+me.Username+`.txt"`)
	return c.String(http.StatusOK, text.String())
}
