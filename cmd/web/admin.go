package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"latchkey/internal/account"
	"latchkey/internal/auth"
	"latchkey/internal/auth/password"
	"latchkey/models"
)

type adminCmd struct {
	Create adminCreateCmd `cmd:"" help:"Create an admin account."`
}

// accountFlags are the flags that describe a new account.
type accountFlags struct {
	Email         string `required:"" help:"Email address."`
	Username      string `required:"" help:"Username: 2 to 32 of a-z, 0-9, dot, underscore, hyphen."`
	Name          string `help:"Full name."`
	PasswordStdin bool   `help:"Read the password from standard input. Without it, the command prints a reset link."`
}

type adminCreateCmd struct{ accountFlags }

// Run creates an admin.
func (c adminCreateCmd) Run(ctx context.Context, p *process) error {
	return c.create(ctx, p, models.RoleAdmin)
}

// create creates an account and prints its reset link, unless the password came
// on standard input.
func (a accountFlags) create(ctx context.Context, p *process, role models.Role) error {
	in := account.NewUser{Account: account.Profile{Username: a.Username, Email: a.Email, FullName: a.Name}, Role: role}
	if a.PasswordStdin {
		var err error
		if in.Password, err = readPassword(p.stdin); err != nil {
			return err
		}
	}
	return p.with(ctx, func(o *portal) error {
		user, token, err := o.accounts.CreateUser(ctx, auth.Shell(), in)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(p.stdout, "Created %s %s <%s>.\n", role, user.Username, user.Email)
		if err != nil || token == "" {
			return err
		}
		return o.printLink(p, token)
	})
}

// printLink prints a reset link. It cannot be printed again.
func (o *portal) printLink(p *process, token string) error {
	_, err := fmt.Fprintf(p.stdout, "Set the password with this reset link. It works once, within %s:\n%s/reset?token=%s\n",
		hours(account.SetPasswordTTL), o.cfg.PublicURL, token)
	return err
}

// readPassword reads a password from a pipe and drops one newline (LF or CRLF)
// at its end.
func readPassword(stdin io.Reader) (string, error) {
	data, err := io.ReadAll(io.LimitReader(stdin, password.MaxBytes+3))
	if err != nil {
		return "", fmt.Errorf("read the password: %w", err)
	}
	text, line := strings.CutSuffix(string(data), "\n")
	if line {
		text = strings.TrimSuffix(text, "\r")
	}
	if text == "" {
		return "", usageError{"there is no password on standard input"}
	}
	return text, nil
}

// with opens the portal with its log on stderr, runs f and closes the portal.
func (p *process) with(ctx context.Context, f func(*portal) error) error {
	o, err := p.open(ctx, p.stderr)
	if err != nil {
		return err
	}
	defer func() { _ = o.store.Close() }()
	return f(o)
}
