package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// Session is a session of a person: a browser's or an API client's.
type Session struct {
	ID        string    `json:"id"`
	Kind      string    `json:"kind" enum:"web,api" doc:"A browser (web) or an API client (api)."`
	ClientID  string    `json:"client_id,omitempty" doc:"The name that an API client gave itself."`
	Scope     string    `json:"scope,omitempty" doc:"The scopes of an API client, separated by spaces."`
	Method    string    `json:"method" doc:"How the session began: password, sign-up or setup."`
	UserAgent string    `json:"user_agent"`
	IP        string    `json:"ip" doc:"The address from which the session began; empty if not known."`
	CreatedAt time.Time `json:"created_at"`
	LastSeen  time.Time `json:"last_seen_at" doc:"The time of the last use, to the minute."`
	ExpiresAt time.Time `json:"expires_at" doc:"The time at which the session ends at the latest."`
}

type sessionsAnswer struct {
	Body struct {
		Items []Session `json:"items" nullable:"false"`
	} `nameHint:"Sessions"`
}

func listSessionsOperation() operation {
	return operation{Operation: huma.Operation{
		OperationID: "list-sessions", Method: http.MethodGet, Path: "/users/{id}/sessions", Tags: []string{tagUsers},
		Summary: "List a person's sessions", Description: "Live sessions, the most recently used first.",
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
		Ended int `json:"ended" minimum:"0" example:"2" doc:"How many sessions were ended."`
	} `nameHint:"Ended"`
}

func endSessionsOperation() operation {
	return operation{Operation: huma.Operation{
		OperationID: "end-sessions", Method: http.MethodDelete, Path: "/users/{id}/sessions", Tags: []string{tagUsers},
		Summary: "Sign a person out everywhere",
		Description: "Ends every session of browsers and API clients. Personal access tokens keep working: disable the account, or let " +
			"the person remove them. 409 for your own account.",
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
