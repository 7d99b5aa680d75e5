package pages

import (
	"slices"
	"time"

	"github.com/a-h/templ"

	"latchkey/static"
	"latchkey/views/components"
	"latchkey/views/layouts"
)

// sample is one state of one page, with all parts that can be shown in it.
type sample struct {
	name string
	page templ.Component
}

var sampleTime = time.Date(2026, 11, 2, 14, 32, 0, 0, time.UTC)

func sampleLimit() components.Timed {
	return components.Timed{Before: "Try again at ", At: sampleTime, After: "."}
}

func signedOut(title string) layouts.Page {
	return layouts.Page{
		Title:      title,
		Brand:      layouts.Brand{Name: "Example", IconURL: static.URL("img/icon.svg"), SupportEmail: "help@example.org"},
		Path:       "/somewhere?a=1&b=2",
		SignupOpen: true,
	}
}

func signedIn(title string, section layouts.Section) layouts.Page {
	page := signedOut(title)
	page.Section = section
	page.User = &layouts.User{Name: "Ana Silva", Username: "ana", IsAdmin: true}
	page.Flash = &layouts.Flash{
		Kind: components.OK, Text: "Bo Chen is disabled.",
		Undo: &layouts.Undo{Action: "/admin/users/b/enable", Label: "Undo"},
	}
	return page
}

func refreshing(page layouts.Page) layouts.Page {
	page.Refresh = "https://app.example.org/?a=1&b=2"
	return page
}

func errorsOf(fields ...string) components.Errors {
	var errs components.Errors
	for _, field := range fields {
		errs.Add(field, "Something is wrong with "+field+".")
	}
	return errs
}

func samples() []sample {
	return slices.Concat(frontSamples(), accountSamples(), tokenSamples(), adminSamples(), invitationSamples(), leaveSamples(), securitySamples(), identitySamples(), passkeySamples())
}

func frontSamples() []sample {
	const wrong = "Email, username or password is not correct."
	account := errorsOf("username", "email", "full_name", "password")
	return []sample{
		{"login", Login(signedOut("Sign in"), LoginForm{Next: "/profile/sessions?x=1"})},
		{"login for an app", Login(signedOut("Sign in"), LoginForm{Next: "/continue?rd=https%3A%2F%2Fapp.example.org%2F", App: "app.example.org"})},
		{"login wrong", Login(signedOut("Sign in"), LoginForm{Username: "ana", Error: wrong})},
		{"login empty", Login(signedOut("Sign in"), LoginForm{Errors: errorsOf("username", components.CurrentPassword)})},
		{"login problem", Login(signedOut("Sign in"), LoginForm{Errors: errorsOf("")})},
		{"login limit", Login(signedOut("Sign in"), LoginForm{Next: "/profile", Limit: sampleLimit().Problem()})},
		{"login disabled", LoginDisabled(signedOut("You cannot sign in"))},
		{"login notice", Login(signedOut("Sign in"), LoginForm{Notice: &components.Message{Tone: components.Info, Text: "You were signed out."}})},
		{"signup", Signup(signedOut("Create account"), SignupForm{PasswordMin: 12, Next: "/profile"})},
		{"signup errors", Signup(signedOut("Create account"), SignupForm{PasswordMin: 12, Errors: account})},
		{"signup closed", SignupClosed(signedOut("Sign-up is closed"), "/profile")},
		{"setup", Setup(signedOut("Create the first admin"), SetupForm{Token: "t", PasswordMin: 15})},
		{"setup errors", Setup(signedOut("Create the first admin"), SetupForm{Token: "t", PasswordMin: 15, Errors: account})},
		{"logout", Logout(signedIn("Sign out", layouts.SectionNone))},
		{"forgot", Forgot(signedOut("Forgot your password?"), ForgotForm{Email: "ana@example.org", Next: "/profile"})},
		{"forgot without mail", ForgotNoMail(signedOut("Forgot your password?"), "/profile")},
		{"forgot sent", ForgotSent(signedOut("Check your email"), ForgotSentView{Email: "ana@example.org", From: "no-reply@example.org"})},
		{"forgot sent, loaded again", ForgotSent(signedOut("Check your email"), ForgotSentView{From: "no-reply@example.org", Next: "/profile"})},
		{"reset", Reset(signedOut("Choose a new password"), ResetForm{Token: "t", Username: "ana", PasswordMin: 12, Tokens: RemoveTokens{Count: 2, Ticked: true}})},
		{"reset errors", Reset(signedOut("Choose a new password"), ResetForm{Token: "t", Username: "ana", PasswordMin: 12, Errors: errorsOf("password")})},
		{"reset dead", ResetDeadLink(signedOut("This link has expired"), DeadReset{State: LinkExpired, Mailed: true, MailOn: true, Email: "ana@example.org"})},
		{"reset replaced", ResetDeadLink(signedOut("This link has been replaced"), DeadReset{State: LinkReplaced, Replaced: sampleTime})},
		{"check email", CheckEmail(signedOut("Check your email"), CheckEmailView{Email: "ana@example.org", Sent: true, From: "no-reply@example.org", Next: "/profile/name", OtherURL: "/verify/address"})},
		{"check email errors", CheckEmail(signedOut("Check your email"), CheckEmailView{Email: "ana@example.org", Sent: true, From: "no-reply@example.org", OtherURL: "/verify/address", Code: "x", Errors: errorsOf("code")})},
		{"check email too soon", CheckEmail(signedOut("Check your email"), CheckEmailView{Email: "ana@example.org", Sent: true, OtherURL: "/verify/address", Note: &components.Message{Tone: components.Info, Text: "You can send again in 40 minutes."}})},
		{"verify address", VerifyAddress(signedOut("Use a different address"), VerifyAddressForm{})},
		{"verify address errors", VerifyAddress(signedOut("Use a different address"), VerifyAddressForm{Email: "x", Errors: errorsOf("email")})},
		{"confirm email", ConfirmEmail(signedOut("Confirm your email address"), ConfirmEmailView{Token: "t", Email: "ana@example.org", Username: "ana"})},
		{"confirm email change", ConfirmEmail(signedOut("Confirm your email address"), ConfirmEmailView{Token: "t", Email: "ana@example.org", Username: "ana", Change: true, Errors: errorsOf("")})},
		{"verify expired", VerifyDead(signedOut("x"), VerifyDeadView{State: LinkExpired, Email: "ana@example.org", Token: "t"})},
		{"verify expired change", VerifyDead(signedOut("x"), VerifyDeadView{State: LinkExpired, Email: "ana@example.org", Change: true})},
		{"verify used", VerifyDead(signedOut("x"), VerifyDeadView{State: LinkUsed})},
		{"verify done", VerifyDead(signedOut("x"), VerifyDeadView{State: LinkUsed, Email: "ana@example.org", Done: true})},
		{"verify replaced", VerifyDead(signedOut("x"), VerifyDeadView{State: LinkReplaced, Replaced: sampleTime})},
		{"verify ended", VerifyDead(signedOut("x"), VerifyDeadView{State: LinkEnded, Email: "ana@example.org", Token: "t", Note: &components.Message{Tone: components.Info, Text: "You can send again in 40 minutes."}})},
		{"verify taken", VerifyDead(signedIn("x", layouts.SectionNone), VerifyDeadView{Email: "ana@example.org", Taken: true})},
		{"verify disabled", VerifyDead(signedOut("x"), VerifyDeadView{State: LinkDisabled})},
		{"verify broken", VerifyDead(signedOut("x"), VerifyDeadView{})},
		{"second step", LoginCode(signedOut("Enter your code"), StepForm{Account: "ana@example.org", Next: "/profile/tokens?a=1&b=2"})},
		{"second step wrong", LoginCode(signedOut("Enter your code"), StepForm{Account: "ana@example.org", Trust: true, Passkey: true, Clock: sampleTime, Errors: errorsOf("code")})},
		{"second step limit", LoginCode(signedOut("Enter your code"), StepForm{Account: "ana@example.org", Errors: components.Errors{sampleLimit().Problem()}})},
		{"recovery code", LoginRecovery(signedOut("Use a recovery code"), StepForm{Account: "ana@example.org", Next: "/profile"})},
		{"recovery code wrong", LoginRecovery(signedOut("Use a recovery code"), StepForm{Account: "ana@example.org", Errors: errorsOf("code")})},
		{"lost access", LoginLost(signedOut("If you have lost access"), "/profile", true)},
		{"setup dead", SetupDeadLink(signedOut("Setup is done"), LinkUsed)},
		{"error", Error(signedOut("Please wait a moment"), ErrorView{
			Heading: "Please wait a moment", Text: sampleLimit().String(), Timed: new(sampleLimit()), Reference: "7K2F-9Q",
			Actions: []ErrorAction{{Label: "Try again", URL: "/login", NotBefore: sampleTime}},
		})},
		{"continue", Continue(refreshing(signedOut("Continue")), ContinueView{App: "app.example.org", URL: "https://app.example.org/?a=1&b=2"})},
		{"continue, cut", Continue(signedIn("Continue", layouts.SectionNone), ContinueView{App: "app.example.org", URL: "https://app.example.org/", Cut: true})},
		{"error without anything", Error(layouts.Page{}, ErrorView{Heading: "Sorry"})},
	}
}

func accountSamples() []sample {
	row := SessionRow{ID: "s1", Device: "Chrome on macOS", ActiveNow: true, Address: "203.0.113.7", SignedIn: sampleTime, Method: "password", Until: sampleTime}
	other := SessionRow{ID: "s2", Device: "Firefox on Windows", LastActive: sampleTime, SignedIn: sampleTime, Method: "password", Until: sampleTime, New: true}
	program := SessionRow{ID: "s3", Device: "API · backup script", Scopes: []string{"Read this account"}, ActiveNow: true, SignedIn: sampleTime, Method: "password", Until: sampleTime}
	profile := ProfileView{
		Username: "ana", FullName: "Ana Silva", Email: "ana@example.org", PasswordChanged: sampleTime,
		Sessions: 3, Tokens: 1,
		Activity: []ActivityItem{
			{Text: "You signed in.", Device: "Firefox on Windows", Address: "203.0.113.7", When: sampleTime},
			{Text: "An admin changed your role.", When: sampleTime},
		},
	}
	warned := ProfileView{Username: "ana", Email: "ana@example.org", Sessions: 1, Warning: &Suggestion{
		Text: "One of your sessions was used from elsewhere.", Link: components.Link{Label: "Check your devices", URL: "/profile/sessions"},
	}}
	suggested := ProfileView{
		Username: "ana", Email: "ana@example.org", Sessions: 1, TwoStep: true, Codes: 2, Passkeys: 1,
		Suggestion: &Suggestion{Link: components.Link{Label: "Make new recovery codes", URL: "/profile/security/codes"}, Text: "because you have only 2 left."},
	}
	waits := ProfileView{Username: "ana", Email: "ana@example.org", EmailState: "Not verified", Waiting: "ana@new.example.org", Sessions: 1}
	question := EndOthers(2)
	question.Fields = []components.Input{{Name: "reason", Label: "Reason"}}
	question.Errors = errorsOf("reason")
	return []sample{
		{"profile", Profile(signedIn("Your account", layouts.SectionNone), profile)},
		{"profile with a warning", Profile(signedIn("Your account", layouts.SectionNone), warned)},
		{"profile with a suggestion", Profile(signedIn("Your account", layouts.SectionNone), suggested)},
		{"profile with a new address", Profile(signedIn("Your account", layouts.SectionNone), waits)},
		{"check email signed in", CheckEmail(signedIn("Confirm your email address", layouts.SectionNone), CheckEmailView{Email: "ana@example.org", OtherURL: "/profile/email"})},
		{"check email change", CheckEmail(signedIn("Check your email", layouts.SectionNone), CheckEmailView{Email: "ana@example.org", Sent: true, Change: true, OtherURL: "/profile/email", Errors: errorsOf("code")})},
		{"ask email", ChangeEmail(signedIn("Change email", layouts.SectionNone), ChangeEmailForm{Current: "ana@example.org", Asks: true, Waiting: "ana@new.example.org"})},
		{"change name", ChangeName(signedIn("Name", layouts.SectionNone), ChangeNameForm{FullName: "Ana Silva"})},
		{"change name errors", ChangeName(signedIn("Name", layouts.SectionNone), ChangeNameForm{FullName: "x", Errors: errorsOf("full_name")})},
		{"theme", ChangeTheme(signedIn("Theme", layouts.SectionNone))},
		{"change username", ChangeUsername(signedIn("Change username", layouts.SectionNone), ChangeUsernameForm{Username: "ana"})},
		{"change username errors", ChangeUsername(signedIn("Change username", layouts.SectionNone), ChangeUsernameForm{
			Username: "ana", FullName: "Ana Silva", Errors: errorsOf("username", "full_name", "current_password"),
		})},
		{"change password", ChangePassword(signedIn("Change password", layouts.SectionNone), ChangePasswordForm{Username: "ana", PasswordMin: 12, Tokens: RemoveTokens{Count: 1}})},
		{"change password errors", ChangePassword(signedIn("Change password", layouts.SectionNone), ChangePasswordForm{Username: "ana", PasswordMin: 12, Errors: errorsOf("current_password", "new_password")})},
		{"change email", ChangeEmail(signedIn("Change email", layouts.SectionNone), ChangeEmailForm{Current: "ana@example.org"})},
		{"change email errors", ChangeEmail(signedIn("Change email", layouts.SectionNone), ChangeEmailForm{Current: "ana@example.org", Email: "x", Errors: errorsOf("email", "current_password")})},
		{"sessions", Sessions(signedIn("Devices", layouts.SectionNone), SessionsView{
			Current: row, Others: []SessionRow{other, program},
			Devices: []DeviceRow{
				{ID: "aaaaaaaaaaaaaaaaaaaaaaaaaa", Device: "Chrome on macOS", LastUsed: sampleTime, Current: true},
				{ID: "bbbbbbbbbbbbbbbbbbbbbbbbbb", Device: "Edge on Windows", LastUsed: sampleTime},
			},
			Ended: []EndedSession{{Device: "Edge on Windows", When: sampleTime, Reason: "Signed out by an admin."}},
		})},
		{"one session", Sessions(signedIn("Devices", layouts.SectionNone), SessionsView{Current: row})},
		{"confirm", Confirm(signedIn("Sign out 2 other devices?", layouts.SectionNone), EndOthers(2))},
		{"confirm errors", Confirm(signedIn("Disable Bo Chen?", layouts.SectionUsers), question)},
		{"error signed in", Error(signedIn("You cannot open this page", layouts.SectionNone), ErrorView{
			Heading: "You cannot open this page", Actions: []ErrorAction{
				{Label: "Go to your account", URL: "/profile"}, {Label: "Use another account", URL: "/logout", Post: true},
			},
		})},
	}
}
