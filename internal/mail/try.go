package mail

import (
	"context"
	"time"
)

// Try connects to the server, encrypts the connection and signs in as for a message,
// and sends none. No error repeats the password, even if the server does.
func (t *SMTP) Try(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, t.totalTimeout)
	defer cancel()
	client, conn, err := t.open(ctx)
	if err != nil {
		return t.explain(err)
	}
	defer conn.close()
	if err := t.introduce(client); err != nil {
		return t.explain(err)
	}
	_ = conn.SetDeadline(time.Now().Add(quitTimeout))
	_ = client.Quit()
	return nil
}
