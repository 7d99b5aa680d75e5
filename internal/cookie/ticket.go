package cookie

import (
	"net/http"
	"time"
)

// ticketLife is how long a browser keeps a ticket. The ticket itself says when it
// stops working.
const ticketLife = 10 * time.Minute

// SetTicket keeps the sealed ticket of half a sign-in (auth.Outcome).
func (j *Jar) SetTicket(h http.Header, sealed string) { j.set(h, ticket, sealed, ticketLife) }

// Ticket returns the sealed ticket, "" if there is none.
func (j *Jar) Ticket(r *http.Request) string {
	value, _ := j.read(r, ticket)
	return value
}

// ClearTicket forgets the ticket.
func (j *Jar) ClearTicket(h http.Header) { j.expire(h, ticket) }
