package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// Session is where a person is signed in: a browser, or a client of the API.
type Session struct {
	ID        string    `json:"id"`
	Kind      string    `json:"kind" enum:"web,api" doc:"A browser, or a client of the API."`
	ClientID  string    `json:"client_id,omitempty" doc:"What a client of the API called itself."`
	Scope     string    `json:"scope,omitempty" doc:"What was granted to a client of the API, separated by spaces."`
	Method    string    `json:"method" doc:"How it was opened: password, sign-up, setup."`
	UserAgent string    `json:"user_agent"`
	IP        string    `json:"ip" doc:"Where it was opened; empty when that is not known."`
	CreatedAt time.Time `json:"created_at"`
	LastSeen  time.Time `json:"last_seen_at" doc:"To the minute."`
	ExpiresAt time.Time `json:"expires_at" doc:"The latest moment that it can live to."`
}

type sessionsAnswer struct {
	Body struct {
		Items []Session `json:"items" nullable:"false"`
	} `nameHint:"Sessions"`
}

func listSessionsOperation() operation {
	return operation{Operation: huma.Operation{
		OperationID: "list-sessions", Method: http.MethodGet, Path: "/users/{id}/sessions", Tags: []string{tagUsers},
		Summary: "List where a person is signed in", Description: "Live sessions, the most recently used first.",
	}, failures: []int{404}}
}

// listSessions handles GET /users/{id}/sessions.
func (a *API) listSessions(ctx context.Context, in *oneUser) (*sessionsAnswer, error) {
	user, err := a.store.Users.ByID(ctx, in.ID)
	if err != nil {
		return nil, noUser(err)
	}
	live, err := a.auth.Sessions(ctx, user.ID, "")
	if err != nil {
		return nil, err
	}
	answer := &sessionsAnswer{}
	answer.Body.Items = make([]Session, 0, len(live))
	for _, s := range live {
		answer.Body.Items = append(answer.Body.Items, Session{
			ID: s.ID, Kind: string(s.Kind), ClientID: s.ClientID, Scope: s.Scope, Method: s.Method, UserAgent: s.UserAgent, IP: s.IP,
			CreatedAt: s.SignedIn.UTC(), LastSeen: s.LastSeen.UTC(), ExpiresAt: s.Until.UTC(),
		})
	}
	return answer, nil
}

type endedAnswer struct {
	Body struct {
		Ended int `json:"ended" minimum:"0" example:"2" doc:"How many sessions were live."`
	} `nameHint:"Ended"`
}

func endSessionsOperation() operation {
	return operation{Operation: huma.Operation{
		OperationID: "end-sessions", Method: http.MethodDelete, Path: "/users/{id}/sessions", Tags: []string{tagUsers},
		Summary: "Sign a person out everywhere",
		Description: "Ends every session, of browsers and of clients of the API. Personal access tokens stay: disable the account, or let " +
			"the person end them. 409 for your own account.",
	}, failures: []int{404, 409, 429}}
}

// endSessions handles DELETE /users/{id}/sessions.
func (a *API) endSessions(ctx context.Context, in *oneUser) (*endedAnswer, error) {
	_, ended, err := a.accounts.SignOutUser(ctx, in.actor(), in.ID)
	if err != nil {
		return nil, noUser(err)
	}
	answer := &endedAnswer{}
	answer.Body.Ended = ended
	return answer, nil
}
