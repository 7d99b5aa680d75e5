package handlers

import (
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"latchkey/handlers/api"
	"latchkey/internal/middleware"
)

// Limits of one request (docs/security.md).
const (
	maxBody      = 64 << 10
	maxSmallBody = 8 << 10
	maxBodyTime  = 5 * time.Second
	maxTime      = 10 * time.Second
	maxInFlight  = 512
)

// smallForms are the paths whose forms hold a name and a password at most.
func smallForms() map[string]bool {
	return map[string]bool{"/login": true, "/token": true, "/token/": true}
}

// Echo returns the portal with every route and middleware.
func (h *Handlers) Echo() (*echo.Echo, error) {
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.HTTPErrorHandler = h.HandleError
	e.IPExtractor = clientAddress(h.proxies)
	if h.meter.End != nil {
		e.Use(middleware.Measure(h.meter))
	}
	e.Use(
		middleware.RequestID(h.proxies),
		middleware.Log(h.logger, h.HandleError),
		middleware.Recover,
		middleware.Headers(middleware.HeaderOptions{HTTPS: h.https, HSTSIncludeSubdomains: h.hstsSubs}),
		closeWhileDraining(&h.draining),
		h.api.Guard,
		h.origin.CheckHost,
		middleware.Bounds(middleware.Limits{
			Body: maxBody, SmallBody: maxSmallBody, Small: smallForms(),
			BodyTime: maxBodyTime, Timeout: maxTime, Concurrent: maxInFlight,
		}),
		refuseMethod,
	)
	crossOrigin, err := h.origin.CrossOrigin()
	if err != nil {
		return nil, err
	}
	r := router{echo: e, crossOrigin: crossOrigin, authenticate: middleware.Authenticate(h.auth, h.site.Cookies), scripts: h.scripts}
	if h.site.VerifyRequired {
		r.verified = middleware.RequireVerified
	}
	if h.auth.RequiresStep(true) {
		r.twoSteps = middleware.RequireStep(h.auth)
	}
	r.confirmed = middleware.RequireConfirmed(h.auth)
	h.routes(r)
	return e, h.api.Mount(e) // its routes, each with its scope, in handlers/api/api.go
}

// refuseMethod responds with 405 to every method that a path does not allow.
// Echo responds to OPTIONS with 204, which a proxy that calls /forward-auth
// takes for permission. Only the API's paths keep that, for CORS.
func refuseMethod(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		methods, _ := c.Get(echo.ContextKeyHeaderAllow).(string)
		if methods == "" || api.Owns(c.Request().URL.Path) {
			return next(c)
		}
		c.Response().Header().Set(echo.HeaderAllow, strings.TrimPrefix(methods, "OPTIONS, "))
		return echo.ErrMethodNotAllowed
	}
}

// clientAddress returns the extractor of a client's address: from
// X-Forwarded-For, read from the right, when the peer is a trusted proxy, else
// the peer's own.
func clientAddress(proxies []netip.Prefix) echo.IPExtractor {
	if len(proxies) == 0 {
		return echo.ExtractIPDirect()
	}
	options := []echo.TrustOption{echo.TrustLoopback(false), echo.TrustLinkLocal(false), echo.TrustPrivateNet(false)}
	for _, prefix := range proxies {
		options = append(options, echo.TrustIPRange(ipNet(prefix)))
	}
	return echo.ExtractIPFromXFFHeader(options...)
}

func ipNet(prefix netip.Prefix) *net.IPNet {
	return &net.IPNet{
		IP:   prefix.Addr().AsSlice(),
		Mask: net.CIDRMask(prefix.Bits(), prefix.Addr().BitLen()),
	}
}
