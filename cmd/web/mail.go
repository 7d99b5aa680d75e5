package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/mail"
	"time"

	post "latchkey/internal/mail"
)

type mailCmd struct {
	Test mailTestCmd `cmd:"" help:"Send a test message now and print what the mail server says, never the password."`
}

type mailTestCmd struct {
	Address string `arg:"" help:"Email address that gets the message."`
}

// Run sends one message without the outbox, so it needs neither a database nor a
// running server.
func (c mailTestCmd) Run(ctx context.Context, p *process) error {
	if address, err := mail.ParseAddress(c.Address); err != nil || address.Address != c.Address {
		return usageError{fmt.Sprintf("%q is not an email address", c.Address)}
	}
	cfg, err := p.configuration()
	if err != nil {
		return err
	}
	transport := transport(cfg, newLogger(cfg, io.Discard), func(line string) { _, _ = fmt.Fprintln(p.stdout, line) })
	if transport == nil {
		return errors.New("no mail can be sent: set LATCHKEY_SMTP_URL to your mail server")
	}
	test := post.NewTest(post.Options{Transport: transport, From: cfg.Mail.From, Brand: letterBrand(cfg), Now: time.Now})
	answer, err := test.SendTest(ctx, c.Address)
	if err != nil {
		return err
	}
	if cfg.Mail.Folder != "" {
		return p.say(nil, "%s", answer)
	}
	return p.say(nil, "The mail server took the message: %s", answer)
}
