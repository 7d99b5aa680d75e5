package auth

import (
	"latchkey/internal/audit"
	"latchkey/models"
)

// Event returns an event of the audit log that a did to subject; subject may be
// nil.
func (a Actor) Event(name string, subject *models.User, details audit.Details) models.Event {
	e := models.Event{
		Action: name, ActorID: a.UserID, ActorName: a.Name, Details: details.Encode(), SessionID: a.SessionID,
		IP: a.Client.Address(), UserAgent: a.Client.UserAgent, RequestID: a.Client.RequestID,
	}
	if subject != nil {
		e.SubjectID, e.SubjectName = subject.ID, subject.Username
	}
	return e
}
