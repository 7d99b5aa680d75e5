package account

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"latchkey/internal/apperr"
	"latchkey/internal/audit"
	"latchkey/internal/auth"
	"latchkey/internal/userfile"
	"latchkey/models"
)

// ImportRules say which accounts of a file are taken, and how.
type ImportRules struct {
	// AdminGroups are the groups and roles of the file whose members become admins.
	// Everyone else becomes a user.
	AdminGroups []string
	// Reserved allows usernames that people cannot choose themselves.
	Reserved bool
	// WithoutPassword takes accounts without a password hash, and those with one that
	// cannot be verified, as accounts without a password.
	WithoutPassword bool
	// UsernameFromEmail makes the part of the address before the @ the username of an
	// account that has none, or has an address in its place.
	UsernameFromEmail bool
	// HashMemory is how many bytes the verification of a hash may take, 0 for any.
	HashMemory int64
}

// disabledBefore is the reason of accounts that were disabled in the file.
const disabledBefore = "Disabled before the import."

// ErrImportChanged says that an import was undone, because the file or a name was
// not the same any more as when it was checked.
var ErrImportChanged = errors.New("the file was changed, or a username or an address in it was taken, while the import ran: " +
	"nothing was imported; try again")

// CheckImport returns what Import would make of the accounts of a file, with
// everything that is wrong with them. Its error says that the rest of the file could
// not be read; the report is about the accounts before. progress, which may be nil,
// is called with the number of accounts now and then.
func (s *Service) CheckImport(ctx context.Context, accounts iter.Seq2[userfile.Account, error], rules ImportRules, progress func(done int)) (*ImportReport, error) {
	check := s.newImport(rules, progress)
	check.seen = newSeen()
	err := check.each(ctx, accounts, func(batch []candidate) error { return check.free(ctx, batch) })
	return check.report, err
}

// Import creates the accounts of a file that CheckImport has found nothing wrong
// with: all of them, or none. Nobody is told by mail. It returns ErrImportChanged
// when one of them cannot be created now.
func (s *Service) Import(ctx context.Context, actor auth.Actor, source userfile.Format, accounts iter.Seq2[userfile.Account, error],
	rules ImportRules, progress func(done int),
) (*ImportReport, error) {
	write := s.newImport(rules, progress)
	ctx = models.WithoutTimeLimit(ctx)
	err := s.audit.InTx(ctx, func(tx *models.Store, record func(models.Event)) error {
		if err := tx.Users.LongImport(ctx); err != nil {
			return err
		}
		err := write.each(ctx, accounts, func(batch []candidate) error {
			return s.createMany(ctx, tx, actor, batch, record)
		})
		if err != nil {
			return err
		}
		if write.report.ProblemCount > 0 {
			return ErrImportChanged
		}
		if write.report.Admins > 0 {
			if err := tx.Tokens.EndSetup(ctx, s.now()); err != nil {
				return err
			}
		}
		record(actor.Event(audit.UsersImport, nil, audit.Details{
			Accounts: write.report.Accounts, NewAdmins: write.report.Admins, Source: source.Name(),
		}))
		return nil
	})
	if errors.Is(err, apperr.Conflict) {
		err = fmt.Errorf("%w (%w)", ErrImportChanged, err)
	}
	return write.report, err
}

func (s *Service) createMany(ctx context.Context, tx *models.Store, actor auth.Actor, batch []candidate, record func(models.Event)) error {
	users := make([]models.User, 0, len(batch))
	for _, c := range batch {
		users = append(users, c.user)
		if c.user.Role == models.RoleAdmin {
			record(actor.Event(audit.UserCreate, &c.user, audit.Details{Role: audit.Changed("", string(c.user.Role))}))
		}
	}
	return tx.Users.CreateMany(ctx, users, s.now())
}

// candidate is an account of a file that nothing is wrong with so far.
type candidate struct {
	from userfile.Account
	user models.User
}

// importRun is one reading of a file.
type importRun struct {
	s        *Service
	rules    ImportRules
	now      time.Time
	report   *ImportReport
	seen     *seenNames // nil: the file was checked before
	progress func(done int)
}

func (s *Service) newImport(rules ImportRules, progress func(done int)) *importRun {
	if progress == nil {
		progress = func(int) {}
	}
	return &importRun{s: s, rules: rules, now: s.now(), report: newImportReport(), progress: progress}
}

// each reads every account and hands those that nothing is wrong with to f in
// batches.
func (r *importRun) each(ctx context.Context, accounts iter.Seq2[userfile.Account, error], f func(batch []candidate) error) error {
	batch := make([]candidate, 0, models.ImportBatch)
	flush := func() error {
		if err := ctx.Err(); err != nil {
			return err
		}
		if len(batch) == 0 {
			return nil
		}
		err := f(batch)
		batch = batch[:0]
		r.progress(r.report.Accounts)
		return err
	}
	var broken error
	for a, err := range accounts {
		if broken = err; err != nil {
			break
		}
		user, wrong := r.read(a)
		r.report.add(a, user, wrong)
		if len(wrong) > 0 {
			continue
		}
		if batch = append(batch, candidate{a, user}); len(batch) == models.ImportBatch {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	if err := flush(); err != nil {
		return err
	}
	return broken
}

// read returns the account that an account of a file becomes, and what is wrong
// with it.
func (r *importRun) read(a userfile.Account) (models.User, apperr.Fields) {
	var wrong apperr.Fields
	for _, w := range a.Wrong {
		wrong.Add(w.Field, w.Message)
	}
	profile := r.profile(a)
	checkName := r.s.checkOwnUsername
	if r.rules.Reserved {
		checkName = checkUsername
	}
	for _, w := range profile.check(checkName) {
		if w.Field == "email" && profile.tidy().Email == "" && !r.s.VerifyRequired() {
			continue // as for a program that signs up (Register)
		}
		wrong.Add(w.Field, w.Message)
	}
	user := *r.s.newUser(profile.tidy(), r.role(a))
	hash, problem := r.hash(a)
	wrong.Add("password_hash", problem)
	if !a.Created.IsZero() {
		if a.Created.After(r.now.Add(24*time.Hour)) || a.Created.Year() < 1971 {
			wrong.Add("created_at", "Use a time between 1971 and now.")
		}
		user.CreatedAt = models.At(a.Created)
	}
	if hash != "" {
		user.PasswordHash, user.PasswordChangedAt = hash, user.CreatedAt
	}
	if a.Disabled {
		user.DisabledAt, user.DisabledReason = models.At(r.now), disabledBefore
	}
	if a.Verified && user.Email != "" {
		user.EmailVerifiedAt = models.At(r.now)
	}
	if r.seen != nil && len(wrong) == 0 {
		wrong = r.seen.add(a, user)
	}
	return user, wrong
}

// free reports the names of a batch that no new account can have.
func (r *importRun) free(ctx context.Context, batch []candidate) error {
	var usernames, emails []string
	for _, c := range batch {
		usernames = append(usernames, c.user.Username)
		if c.user.Email != "" {
			emails = append(emails, models.FoldEmail(c.user.Email))
		}
	}
	taken, err := r.s.store.Users.NotFree(ctx, usernames, emails, r.now)
	if err != nil {
		return err
	}
	for _, c := range batch {
		var wrong apperr.Fields
		if c.user.Email != "" && taken.Emails[models.FoldEmail(c.user.Email)] {
			wrong.Add("email", emailTaken)
		}
		switch {
		case taken.Usernames[c.user.Username]:
			wrong.Add("username", usernameTaken)
		case taken.Retired[c.user.Username]:
			wrong.Add("username", usernameRetired)
		}
		r.report.addProblem(c.from, wrong)
	}
	return nil
}
