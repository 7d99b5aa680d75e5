package account

import (
	"context"
	"errors"
	"slices"

	"latchkey/internal/apperr"
	"latchkey/internal/audit"
	"latchkey/internal/auth"
	"latchkey/internal/limit"
	"latchkey/models"
)

// Signup is the sign-up form.
type Signup struct {
	Account   Profile
	Password  string
	Device    string
	Presented auth.Presented
	Client    auth.Client

	noEmail    bool   // the address may be missing
	quiet      bool   // a taken address is not told
	invitation string // the start of the id of the invitation, for the audit log
}

// SignUp creates an account and opens a session that stays signed in. It
// returns apperr.Fields, apperr.Forbidden when sign-up is closed,
// apperr.TooMany, apperr.Busy or apperr.Unavailable.
func (s *Service) SignUp(ctx context.Context, in Signup) (*auth.SignedIn, error) {
	user, err := s.prepareOwn(ctx, in)
	if err != nil {
		return nil, err
	}
	var signedIn *auth.SignedIn
	err = s.audit.InTx(ctx, func(tx *models.Store, record func(models.Event)) error {
		signedIn, err = s.join(ctx, tx, user, in, auth.MethodSignUp, audit.SignUp, record)
		return err
	})
	return signedIn, taken(err)
}

// Register creates an account for a program, with the rules and the errors of
// SignUp, except that the address may be missing unless it has to be verified. It
// opens no session. While addresses are verified, the result does not tell whether
// the address was taken, as with BeginSignUp.
func (s *Service) Register(ctx context.Context, in Signup) (*models.User, error) {
	in.noEmail, in.quiet = !s.VerifyRequired(), s.Verifies()
	user, err := s.prepareOwn(ctx, in)
	if err != nil {
		return nil, err
	}
	if s.Verifies() && user.Email != "" {
		return user, s.begin(ctx, user, in.Client)
	}
	err = s.audit.InTx(ctx, func(tx *models.Store, record func(models.Event)) error {
		if err := tx.Users.Create(ctx, user); err != nil {
			return err
		}
		record(auth.Actor{UserID: user.ID, Name: user.Username, Client: in.Client}.Event(audit.SignUp, user, audit.Details{}))
		return nil
	})
	if err != nil {
		return nil, taken(err)
	}
	return user, nil
}

// prepareOwn is prepareUser for a person who signs up.
func (s *Service) prepareOwn(ctx context.Context, in Signup) (*models.User, error) {
	if !s.SignupOpen() {
		return nil, apperr.New(apperr.Forbidden, "", errors.New("sign-up is closed"))
	}
	return s.prepareUser(ctx, in, s.checkOwnUsername, func() error {
		return s.auth.Take(ctx, auth.Actor{Client: in.Client}, limit.Signups, limit.Network(in.Client.IP))
	})
}

// prepareUser checks the fields, then the limit, and hashes the password.
func (s *Service) prepareUser(ctx context.Context, in Signup, username func(string) string, allowed func() error) (*models.User, error) {
	account := in.Account.tidy()
	wrong := in.Account.check(username)
	if in.noEmail && account.Email == "" {
		wrong = slices.DeleteFunc(wrong, func(f apperr.FieldError) bool { return f.Field == "email" })
	}
	wrong.Add("password", s.policy.Check(in.Password, account.Username, localPart(account.Email)))
	if len(wrong) > 0 {
		return nil, wrong
	}
	if err := allowed(); err != nil {
		return nil, err
	}
	if in.quiet {
		account.Email = "" // only the username is checked
	}
	if err := s.checkTaken(ctx, account); err != nil {
		return nil, err
	}
	account = in.Account.tidy()
	hash, err := s.hasher.For(in.Client.Caller(false)).Hash(ctx, in.Password)
	if err != nil {
		return nil, err
	}
	user := s.newUser(account, models.RoleUser)
	user.PasswordHash, user.PasswordChangedAt = hash, user.CreatedAt
	return user, nil
}

func (s *Service) newUser(account Profile, role models.Role) *models.User {
	now := models.At(s.now())
	return &models.User{
		ID: models.NewID(), Username: account.Username, Email: account.Email, FullName: account.FullName,
		Role: role, CreatedAt: now, UpdatedAt: now,
	}
}

// join stores a new account and opens its first session.
func (s *Service) join(ctx context.Context, tx *models.Store, user *models.User, in Signup, method, action string,
	record func(models.Event),
) (*auth.SignedIn, error) {
	user.LastSignInAt = models.At(s.now())
	if err := tx.Users.Create(ctx, user); err != nil {
		return nil, err
	}
	signedIn, err := s.auth.Open(ctx, tx, user, auth.Opening{
		Proof:  auth.ByPassword(),
		Method: method, Remember: true, Presented: in.Presented, Device: in.Device, Client: in.Client,
	})
	if err != nil {
		return nil, err
	}
	actor := auth.Actor{UserID: user.ID, Name: user.Username, SessionID: signedIn.SessionID, Client: in.Client}
	record(actor.Event(action, user, audit.Details{Invitation: in.invitation}))
	return signedIn, nil
}

// Messages for values that another account has.
const (
	usernameTaken = "This username is taken. Choose another."
	emailTaken    = "There is already an account with this email address."
	// usernameRetired gives the reason, but not whose username it was or
	// whether that account still exists.
	usernameRetired = "This username used to belong to another account and cannot be used again. Choose another."
)

// checkTaken returns apperr.Fields for the values that another account already
// has, in the order of the forms.
func (s *Service) checkTaken(ctx context.Context, account Profile) error {
	var wrong apperr.Fields
	if account.Email != "" {
		owner, err := s.ownerOf(ctx, account.Email, "")
		if err != nil {
			return err
		}
		if owner != nil {
			wrong.Add("email", emailTaken)
		}
	}
	_, err := s.store.Users.ByUsername(ctx, account.Username)
	if err == nil {
		wrong.Add("username", usernameTaken)
	} else if !errors.Is(err, apperr.NotFound) {
		return err
	} else if retired, err := s.store.Users.Retired(ctx, account.Username, "", s.now()); err != nil {
		return err
	} else if retired {
		wrong.Add("username", usernameRetired)
	} else if held, err := s.store.Phantoms.Holds(ctx, account.Username, "", s.now()); err != nil {
		return err
	} else if held {
		wrong.Add("username", usernameTaken)
	}
	return wrong.Err()
}

// taken turns a conflict over a unique value into the error of its field.
func taken(err error) error {
	switch {
	case errors.Is(err, models.ErrRetired):
		return apperr.Fields{{Field: "username", Message: usernameRetired}}
	case !errors.Is(err, apperr.Conflict):
		return err
	}
	switch apperr.Details(err).Field {
	case "username":
		return apperr.Fields{{Field: "username", Message: usernameTaken}}
	case "email":
		return apperr.Fields{{Field: "email", Message: emailTaken}}
	}
	return err
}
