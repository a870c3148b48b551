package auth

import (
	"context"
	"net/http"
)

// Session returns the session that the server knows a request's cookies, or its bearer
// token, to stand for, nil if there is none. It only asks: the session is not prolonged
// and no cookie is changed. An error says nothing about the request: the server has
// failed or could not be reached.
func (c *Client) Session(r *http.Request) (*SessionData, error) {
	return c.API.GetSession.Call(r.Context(), GetSessionRequest{DisableRefresh: true}, WithRequest(r))
}

// RequireSession guards a handler as [Auth.RequireSession] does, by asking the server:
// requests without a session are answered with 401, and with 500 when nobody can tell.
// The handler finds the session by SessionFromContext. A session that is due is
// prolonged, and its cookies are forwarded. Where that is not wanted, a [Verifier] asks
// less often.
func (c *Client) RequireSession(next http.Handler) http.Handler {
	p := c.API.GetSession.operation.pipeline
	return guardHandler(p, next, func(w http.ResponseWriter, r *http.Request) (*SessionData, error) {
		data, err := c.API.GetSession.Call(r.Context(), GetSessionRequest{Refresh: true}, WithRequest(r), ForwardHeaders(w))
		return data, unjudged(r.Context(), p, err)
	})
}

// unjudged makes an internal error of what says nothing about the caller. That they have
// no session is what the server says with 401.
func unjudged(ctx context.Context, p *pipeline, err error) error {
	if api := apiError(err); err == nil || api != nil && api.Status == http.StatusUnauthorized {
		return err
	}
	p.logInternal(ctx, "session at the server", err)
	return ErrFailedToGetSession.With(http.StatusInternalServerError).WithCause(err)
}

// askSession is GetSession. Where reading does not prolong (SessionOptions.DeferRefresh),
// a session that is due is asked for again by POST, if the caller wants it prolonged.
func (op *operation) askSession(x *Exchange) error {
	in := x.input.(*GetSessionRequest)
	refresh := in.Refresh
	in.Refresh = false
	defer func() { in.Refresh = refresh }()
	if err := op.ask(x, http.MethodGet); err != nil || !refresh {
		return err
	}
	out := x.output.(**SessionData)
	if *out == nil || (*out).NeedsRefresh == nil || !*(*out).NeedsRefresh {
		return nil
	}
	*out, x.received = nil, nil
	return op.ask(x, http.MethodPost)
}
