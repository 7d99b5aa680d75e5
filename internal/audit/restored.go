package audit

// Changes are the events that change an account, its protection or an invitation. After
// a restore from a backup, what they changed since the backup is as it was before.
func Changes() []string {
	return []string{
		SignUp, Setup, ProfileChange, PasswordChange, PasswordReset, Secured, EmailChange, EmailVerify, DeviceForget, DeviceDistrust,
		AppOn, AppReplace, AppOff, CodesMade, PasskeyAdd, PasskeyRename, PasskeyRemove, TokenCreate, TokenRemove, AccountDelete,
		UserCreate, UserDisable, UserEnable, UserRole, UserProfile, UserVerify, UserResetStep, UserTokenRemove, UserDelete, UserRestore, UserErase,
		InviteCreate, InviteWithdraw,
	}
}
