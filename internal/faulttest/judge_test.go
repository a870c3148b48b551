package faulttest

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// judge says whether an answer and what is stored go together.
func (tr *trial) judge(m *mishap, out outcome, state snapshot) {
	switch {
	case tr.is(state, tr.before), tr.is(state, tr.after), tr.aside != "" && change(tr.before, state) == tr.aside:
	default:
		tr.t.Errorf("half done: %q of %q", change(tr.before, state), tr.change)
	}
	switch {
	case out.failed():
		tr.judgeFailure(out)
	case out.status == tr.status && (m.retried || tr.insists || tr.lenient):
		if !tr.lenient && !tr.is(state, tr.after) {
			tr.t.Errorf("%d but %q is done", out.status, change(tr.before, state))
		}
	default:
		tr.t.Errorf("status %d %s", out.status, out.body)
	}
	tr.judgeSecrecy(out)
	tr.judgeCookies(out, state)
}

// is compares a state with another one but for values that are new each time.
func (tr *trial) is(state, other snapshot) bool {
	return slices.Equal(state.comparable(tr.before), other.comparable(tr.before))
}

// failures are the bodies of a 500 (contract sections 1 and 8).
var failures = []string{
	"",
	`{"message":"Failed to get session","code":"FAILED_TO_GET_SESSION"}`,
	`{"message":"Internal Server Error","code":"INTERNAL_SERVER_ERROR"}`,
}

func (tr *trial) judgeFailure(out outcome) {
	if tr.call == nil && out.status >= http.StatusInternalServerError && !slices.Contains(failures, out.body) {
		tr.t.Errorf("%d says %q", out.status, out.body)
	}
}

// judgeSecrecy: what the database said is not for strangers.
func (tr *trial) judgeSecrecy(out outcome) {
	var wire strings.Builder
	wire.WriteString(out.body)
	_ = out.header.Write(&wire)
	if strings.Contains(wire.String(), marker) {
		tr.t.Errorf("the client sees %s", wire.String())
	}
}

// judgeCookies: a cookie that is set is that of a stored session, and a failure
// takes nobody's session away who has not asked for that.
func (tr *trial) judgeCookies(out outcome, state snapshot) {
	for _, c := range (&http.Response{Header: out.header}).Cookies() {
		if c.Name != tokenCookie {
			continue
		}
		switch {
		case c.Value != "" && c.MaxAge >= 0:
			if !hasSession(state, bearer(c.Value)) {
				tr.t.Errorf("a cookie for a session that does not exist")
			}
		case out.failed() && !tr.lenient && hasSession(state, tr.words[tr.as+"TOKEN"]):
			tr.t.Errorf("%d took the session's cookie away", out.status)
		}
	}
}

// hasSession reports whether there is a session that has not expired.
func hasSession(state snapshot, token string) bool {
	for _, row := range state["session"] {
		if row["token"] == token {
			at := strings.TrimSuffix(strings.Replace(row["expiresAt"], " ", "T", 1), "Z") + "Z"
			expires, err := time.Parse(time.RFC3339Nano, at)
			return err != nil || expires.After(time.Now())
		}
	}
	return false
}

// recover: the same request works, as the first one or as a repeated one.
func (tr *trial) recover(state snapshot) {
	out := tr.play(tr.t.Context(), tr.scenario)
	want := tr.status
	if tr.change != "" && tr.is(state, tr.after) {
		want = tr.statusAgain()
	}
	if out.status != want {
		tr.t.Errorf("afterwards: %d, want %d; %s", out.status, want, out.body)
	}
	if want == tr.status && tr.is(state, tr.before) {
		tr.dirty = false // it has prepared what it took
		if now := tr.db.snapshot(tr.t); !tr.is(now, tr.after) {
			tr.t.Errorf("afterwards: %q, want %q", change(tr.before, now), tr.change)
		}
	}
}

// settle waits for connections that are still being given up: database/sql rolls
// back in the background when a context ends.
func (tr *trial) settle() {
	for range 200 {
		if tr.pool.Stats().InUse == 0 {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	tr.t.Errorf("the pool leaks: %+v", tr.pool.Stats())
}
