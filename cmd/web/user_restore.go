package main

import (
	"context"
	"errors"
	"fmt"

	"latchkey/internal/apperr"
	"latchkey/internal/auth"
)

type userRestoreCmd struct {
	Name string `arg:"" help:"Username, email address or id of the deleted account."`
}

// Run restores a deleted account.
func (c userRestoreCmd) Run(ctx context.Context, p *process) error {
	return p.with(ctx, func(o *portal) error {
		deleted, err := o.accounts.FindDeleted(ctx, c.Name)
		if errors.Is(err, apperr.NotFound) {
			return fmt.Errorf("no account that can be restored has the username, email address or id %q", c.Name)
		}
		if err != nil {
			return err
		}
		user, err := o.accounts.Restore(ctx, auth.Shell(), deleted.ID)
		if err != nil {
			return err
		}
		return p.say(nil, "%s is restored. Its sessions and access tokens do not come back.", user.Username)
	})
}

// erase erases the deleted accounts that can no longer be restored.
func (o *portal) erase(ctx context.Context) {
	erased, err := o.accounts.EraseDeleted(ctx)
	if err != nil && ctx.Err() == nil {
		o.logger.Warn("erase deleted accounts", "error", err.Error())
	}
	if erased > 0 {
		o.logger.Info("erased deleted accounts", "accounts", erased)
	}
}
