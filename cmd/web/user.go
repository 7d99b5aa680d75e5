package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"latchkey/internal/apperr"
	"latchkey/internal/auth"
	"latchkey/models"
)

type userCmd struct {
	Create       userCreateCmd       `cmd:"" help:"Create an account."`
	List         userListCmd         `cmd:"" help:"List accounts."`
	Show         userShowCmd         `cmd:"" help:"Show one account and its live sessions."`
	Disable      userDisableCmd      `cmd:"" help:"Disable an account and end all its sessions."`
	Enable       userEnableCmd       `cmd:"" help:"Enable a disabled account."`
	SignOut      userSignOutCmd      `cmd:"" help:"End all sessions of an account."`
	ResetLink    userResetLinkCmd    `cmd:"" help:"Print a reset link, which works once and sets a new password."`
	ResetTwoStep userResetTwoStepCmd `cmd:"" name:"reset-two-step" help:"Remove the authenticator app, recovery codes and passkeys of an account."`
	Verify       userVerifyCmd       `cmd:"" help:"Mark the email address of an account as verified."`
	Promote      userPromoteCmd      `cmd:"" help:"Make an account an admin."`
	Restore      userRestoreCmd      `cmd:"" help:"Restore an account that was deleted in the last 30 days."`
	Demote       userDemoteCmd       `cmd:"" help:"Make an admin an ordinary user."`
}

type userCreateCmd struct {
	accountFlags
	Role string `enum:"user,admin" default:"user" help:"user or admin."`
}

// Run creates an account.
func (c userCreateCmd) Run(ctx context.Context, p *process) error {
	return c.create(ctx, p, models.Role(c.Role))
}

// named is a command's account argument.
type named struct {
	Name string `arg:"" help:"Username, email address or id."`
}

// on finds the account and runs f on it.
func (n named) on(ctx context.Context, p *process, f func(o *portal, user *models.User) error) error {
	return p.with(ctx, func(o *portal) error {
		user, err := o.accounts.FindUser(ctx, n.Name)
		if errors.Is(err, apperr.NotFound) {
			return fmt.Errorf("no account has the username, email address or id %q", n.Name)
		}
		if err != nil {
			return err
		}
		return f(o, user)
	})
}

type userListCmd struct {
	Search string `short:"q" help:"Only accounts whose username, email or name contains each of these words."`
	Status string `enum:",active,disabled,invited" default:"" help:"active, disabled or invited."`
	Role   string `enum:",user,admin" default:"" help:"user or admin."`
}

// Run prints the matching accounts, one per line.
func (c userListCmd) Run(ctx context.Context, p *process) error {
	return p.with(ctx, func(o *portal) error {
		table := tabwriter.NewWriter(p.stdout, 0, 4, 2, ' ', 0)
		_, _ = fmt.Fprintln(table, "USERNAME\tEMAIL\tVERIFIED\tNAME\tROLE\tSTATUS\tLAST SIGN-IN\tID")
		query := models.UserQuery{
			Q: c.Search, Status: models.UserStatus(c.Status), Role: models.Role(c.Role), Limit: 100, Now: time.Now(),
		}
		for {
			page, err := o.store.Users.List(ctx, query)
			if err != nil {
				return err
			}
			for _, u := range page.Users {
				_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", u.Username, u.Email, yes(!u.EmailVerifiedAt.IsZero()), u.FullName, u.Role,
					u.Status(), instant(u.LastSignInAt), u.ID)
			}
			if page.Next == "" {
				return table.Flush()
			}
			query.After = page.Next
		}
	})
}

type userShowCmd struct{ named }

// Run prints one account.
func (c userShowCmd) Run(ctx context.Context, p *process) error {
	return c.on(ctx, p, func(o *portal, user *models.User) error {
		live, err := o.auth.Sessions(ctx, user.ID, "")
		if err != nil {
			return err
		}
		table := tabwriter.NewWriter(p.stdout, 0, 4, 2, ' ', 0)
		printUser(table, user)
		factors, err := o.store.Users.Factors(ctx, user.ID)
		if err != nil {
			return err
		}
		_, _ = fmt.Fprintf(table, "Second step\t%s\n", secondStep(factors))
		for _, s := range live {
			_, _ = fmt.Fprintf(table, "Session\t%s, last active %s, from %s\n", s.ID, instant(models.At(s.LastSeen)), s.IP)
		}
		return table.Flush()
	})
}

func printUser(w io.Writer, user *models.User) {
	for _, row := range [][2]string{
		{"Username", user.Username},
		{"Email", user.Email},
		{"Email verified", verified(user)},
		{"Name", user.FullName},
		{"Role", string(user.Role)},
		{"Status", string(user.Status())},
		{"Reason", user.DisabledReason},
		{"Created", instant(user.CreatedAt)},
		{"Last sign-in", instant(user.LastSignInAt)},
		{"Password set", instant(user.PasswordChangedAt)},
		{"Id", user.ID},
	} {
		if row[1] != "" {
			_, _ = fmt.Fprintf(w, "%s\t%s\n", row[0], row[1])
		}
	}
}

func instant(t models.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.Time().Format("2006-01-02 15:04 UTC")
}

type userDisableCmd struct {
	named
	Reason string `help:"The reason, for the audit log."`
}

// Run disables an account.
func (c userDisableCmd) Run(ctx context.Context, p *process) error {
	return c.on(ctx, p, func(o *portal, user *models.User) error {
		_, ended, err := o.accounts.Disable(ctx, auth.Shell(), user.ID, c.Reason)
		return p.say(err, "%s is disabled. Sessions ended: %d. All its sessions and tokens have stopped working.", user.Username, ended)
	})
}

type userEnableCmd struct{ named }

// Run enables an account.
func (c userEnableCmd) Run(ctx context.Context, p *process) error {
	return c.on(ctx, p, func(o *portal, user *models.User) error {
		_, err := o.accounts.Enable(ctx, auth.Shell(), user.ID)
		return p.say(err, "%s is enabled.", user.Username)
	})
}

type userSignOutCmd struct{ named }

// Run ends all sessions of an account.
func (c userSignOutCmd) Run(ctx context.Context, p *process) error {
	return c.on(ctx, p, func(o *portal, user *models.User) error {
		_, ended, err := o.accounts.SignOutUser(ctx, auth.Shell(), user.ID)
		return p.say(err, "%s is signed out everywhere. Sessions ended: %d.", user.Username, ended)
	})
}

type userResetLinkCmd struct{ named }

// Run prints a reset link.
func (c userResetLinkCmd) Run(ctx context.Context, p *process) error {
	return c.on(ctx, p, func(o *portal, user *models.User) error {
		_, token, err := o.accounts.CreateResetLink(ctx, auth.Shell(), user.ID)
		if err != nil {
			return err
		}
		return o.printLink(p, token)
	})
}

// secondStep names the factors of an account besides its password.
func secondStep(f models.Factors) string {
	app, keys := "no app", fmt.Sprintf("%d passkeys", f.Passkeys)
	if f.App {
		app = "authenticator app"
	}
	if f.Passkeys == 1 {
		keys = "1 passkey"
	}
	return app + ", " + keys
}

// yes writes a truth.
func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// verified says since when an address is verified, "" if there is none.
func verified(user *models.User) string {
	if user.Email == "" {
		return ""
	}
	if user.EmailVerifiedAt.IsZero() {
		return "no"
	}
	return instant(user.EmailVerifiedAt)
}

type userVerifyCmd struct{ named }

// Run marks the address of an account as verified.
func (c userVerifyCmd) Run(ctx context.Context, p *process) error {
	return c.on(ctx, p, func(o *portal, user *models.User) error {
		before, err := o.accounts.VerifyUser(ctx, auth.Shell(), user.ID)
		if err == nil && !before.EmailVerifiedAt.IsZero() {
			return p.say(nil, "%s was verified already.", user.Email)
		}
		return p.say(err, "%s is verified.", user.Email)
	})
}

type userResetTwoStepCmd struct{ named }

// Run removes the second step of an account.
func (c userResetTwoStepCmd) Run(ctx context.Context, p *process) error {
	return c.on(ctx, p, func(o *portal, user *models.User) error {
		_, ended, err := o.accounts.ResetTwoStep(ctx, auth.Shell(), user.ID, "")
		return p.say(err, "The two-step sign-in of %s is reset: the password alone signs in now. Sessions ended: %d.", user.Username, ended)
	})
}

type userPromoteCmd struct{ named }

// Run makes an account an admin.
func (c userPromoteCmd) Run(ctx context.Context, p *process) error {
	return c.on(ctx, p, func(o *portal, user *models.User) error {
		_, err := o.accounts.SetRole(ctx, auth.Shell(), user.ID, models.RoleAdmin)
		return p.say(err, "%s is an admin.", user.Username)
	})
}

type userDemoteCmd struct{ named }

// Run makes an admin an ordinary user.
func (c userDemoteCmd) Run(ctx context.Context, p *process) error {
	return c.on(ctx, p, func(o *portal, user *models.User) error {
		_, err := o.accounts.SetRole(ctx, auth.Shell(), user.ID, models.RoleUser)
		return p.say(err, "%s is an ordinary user.", user.Username)
	})
}

// say prints a line when err is nil, and returns err.
func (p *process) say(err error, format string, args ...any) error {
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.stdout, format+"\n", args...)
	return err
}
