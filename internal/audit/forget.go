package audit

import (
	"context"

	"latchkey/models"
)

// pseudonymLength is how many random characters a pseudonym has: enough that two
// people never get the same one.
const pseudonymLength = 8

// Forget gives a person who leaves a pseudonym in every line of the log and
// returns it: the lines stay, and still belong together. It removes from their
// details whatever can name the person: former names and addresses, names that
// they gave to tokens and programs, and the notes of admins. Addresses of devices
// and their browsers stay, until the lines are purged. Call it in the transaction
// that removes the account.
func Forget(ctx context.Context, tx *models.Store, userID string) (pseudonym string, err error) {
	pseudonym = "deleted-" + models.NewID()[:pseudonymLength]
	return pseudonym, tx.Audit.Forget(ctx, userID, pseudonym, func(e models.Event) string {
		d := DetailsOf(e)
		d.Username, d.FullName, d.Email = nil, nil, nil
		d.Token, d.ClientID, d.Reason = "", "", ""
		return d.Encode()
	})
}
