package mail

import (
	"context"
	"crypto/x509"
	"net"
	"time"
)

// Redirect makes a transport connect to address instead, trust roots and wait no
// longer than total.
func (t *SMTP) Redirect(address string, roots *x509.CertPool, total time.Duration) {
	t.roots, t.totalTimeout = roots, total
	t.dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, address)
	}
}
