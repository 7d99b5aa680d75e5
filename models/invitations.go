package models

// Invitation is a link with which people create their accounts. Only the hash of
// its token is kept.
type Invitation struct {
	ID          string `gorm:"primaryKey"`
	TokenHash   string `json:"-"`
	Email       string // the only address it is for; empty: any
	Role        Role
	Uses        int // how many accounts it may create
	Used        int
	Note        string // for admins
	CreatedBy   string // an admin's id; empty: the shell
	Creator     string // their username
	CreatedAt   Time   `gorm:"autoCreateTime:false"`
	ExpiresAt   Time
	WithdrawnAt Time
}

// Invitations is the table of invitations.
type Invitations struct{ store *Store }
