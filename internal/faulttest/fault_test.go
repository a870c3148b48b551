package faulttest

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"hash/crc32"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed3b05b409/auth"
)

// marker is in the text of every injected error: no client may see it.
const marker = "internals-of-the-database"

var errInjected = errors.New("pq: relation " + marker + " is on fire")

// An outcome is what a client gets.
type outcome struct {
	status int
	header http.Header
	body   string
}

// admissions are what an endpoint says of a failure of the server without a 500:
// the original does so (contract oauth sections 3 to 6).
var admissions = []string{
	"error=internal_server_error",
	"error=unable_to_create_user",
	"error=unable_to_link_account",
	"OAUTH_LINK_ERROR",
	"LINKING_FAILED",
	"FAILED_TO_GET_ACCESS_TOKEN",
	"FAILED_TO_REFRESH_ACCESS_TOKEN",
}

// failed reports whether the client is told that the server failed.
func (o outcome) failed() bool {
	text := o.body + o.header.Get("Location")
	return o.status >= http.StatusInternalServerError ||
		slices.ContainsFunc(admissions, func(words string) bool { return strings.Contains(text, words) })
}

// play makes the request of a scenario. It fails if there is no end to it.
func (s *stage) play(ctx context.Context, sc *scenario) outcome {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	s.forget()
	started := time.Now()
	out := s.perform(ctx, sc, s.auth)
	if time.Since(started) >= patience {
		s.t.Errorf("%s hangs", sc.name())
	}
	return out
}

// perform has an instance answer.
func (s *stage) perform(ctx context.Context, sc *scenario, by http.Handler) outcome {
	if sc.call != nil {
		return sc.call(ctx, s)
	}
	method, path := http.MethodGet, sc.get
	if path == "" {
		method, path = http.MethodPost, sc.post
	}
	w := httptest.NewRecorder()
	by.ServeHTTP(w, s.request(method, path, sc.body, sc.as).WithContext(ctx))
	return outcome{w.Code, w.Header(), w.Body.String()}
}

// setPassword has no URL.
func setPassword(ctx context.Context, s *stage) outcome {
	w := httptest.NewRecorder()
	var response *http.Response
	_, _ = s.auth.API.SetPassword.Call(ctx, auth.SetPasswordRequest{NewPassword: "the new one"},
		auth.WithRequest(s.request(http.MethodPost, "", "", "ANN")), auth.AsResponse(&response))
	if err := response.Write(w); err != nil {
		s.t.Error(err)
	}
	return outcome{response.StatusCode, response.Header, w.Body.String()}
}

// A trial is a scenario with what it does when nothing fails.
type trial struct {
	*stage
	*scenario
	before, after snapshot
	steps         []Step
	cold          bool // nothing is prepared, no connection is open
	dirty         bool // a connection was lost: statements have to be prepared again
}

// newTrial prepares a scenario and plays it twice without faults: that is what
// the table says of it.
func (s *stage) newTrial(sc *scenario, cold bool) *trial {
	s.t.Helper()
	s.db.tables, s.director = coreTables, s.core
	if sc.plugins {
		s.db.tables, s.director = allTables, s.plugged
	}
	s.db.restore(s.t, "base")
	s.acme.forgive()
	s.forget()
	s.wire.Reset(nil)
	clear(s.jar)
	if sc.given != nil {
		sc.given(s)
	}
	s.db.save(s.t, "given")
	s.open(sc.configure)
	tr := &trial{stage: s, scenario: sc, before: s.db.snapshot(s.t), cold: cold, dirty: true}
	tr.warm()
	s.wire.Reset(nil)
	out := s.play(s.t.Context(), sc)
	tr.steps = s.wire.Steps()
	tr.after = s.db.snapshot(s.t)
	if got := change(tr.before, tr.after); out.status != sc.status || got != sc.change {
		s.t.Fatalf("without a fault: %d, want %d; %q, want %q; %s", out.status, sc.status, got, sc.change, out.body)
	}
	if again := s.play(s.t.Context(), sc); again.status != tr.statusAgain() {
		s.t.Errorf("once more without a fault: %d, want %d; %s", again.status, tr.statusAgain(), again.body)
	}
	return tr
}

func (tr *trial) statusAgain() int {
	if tr.again == 0 {
		return tr.status
	}
	return tr.again
}

// warm sets the scene. Unless the trial is a cold one it prepares the statements
// of the request where a connection was lost.
func (tr *trial) warm() {
	switch {
	case tr.cold:
		tr.open(tr.configure)
	case tr.dirty:
		tr.db.restore(tr.t, "given")
		tr.acme.forgive()
		tr.play(tr.t.Context(), tr.scenario)
		tr.dirty = false
	}
	tr.db.restore(tr.t, "given")
	tr.acme.forgive()
}

// A mishap is one way in which a step can fail.
type mishap struct {
	name  string
	fault Fault
	kinds []Kind // of steps that can fail so; nil: every statement

	// rollback is what befalls the transaction's end then.
	rollback Fault

	// retried: database/sql may try again behind the scenes, so that nothing
	// fails in the end.
	retried bool

	// cancels: the client goes away.
	cancels bool

	// stored, notStored: what must be true of the last commit.
	stored, notStored bool
}

var mishaps = []mishap{
	{name: "refused", fault: Fault{Err: errInjected}},
	{name: "refused and cut", fault: Fault{Err: errInjected, Cut: true}, kinds: []Kind{Commit}, notStored: true},
	{name: "refused, then cut", fault: Fault{Err: errInjected}, kinds: []Kind{Exec, Query}, rollback: Fault{Cut: true}},
	{name: "lost connection", fault: Fault{Cut: true}, retried: true, notStored: true},
	{name: "lost answer", fault: Fault{Err: errInjected, Done: true, Cut: true}, stored: true},
	{name: "broken answer", fault: Fault{Err: errInjected, Done: true, Reading: true}, kinds: []Kind{Query}},
	{name: "cut afterwards", fault: Fault{Done: true, Cut: true}, kinds: []Kind{Commit}, retried: true, stored: true},
}

func (m *mishap) befalls(k Kind) bool {
	if m.kinds == nil {
		return k.Statement()
	}
	return slices.Contains(m.kinds, k)
}

// preparations are steps that no caller asked for.
var preparations = []Kind{Connect, Prepare}

var coldMishaps = []mishap{
	{name: "refused", fault: Fault{Err: errInjected}, kinds: preparations},
	{name: "lost connection", fault: Fault{Cut: true}, kinds: preparations, retried: true},
	{name: "lost answer", fault: Fault{Err: errInjected, Done: true, Cut: true}, kinds: []Kind{Prepare}},
}

var departures = []mishap{
	{name: "before", cancels: true, retried: true},
	{name: "after", fault: Fault{Done: true}, cancels: true, retried: true},
}

// TestEveryStatementFails repeats every request with each of its statements
// failing in each of the ways. Nothing may be half done, nobody may be told that
// their password is wrong, and the next request works.
func TestEveryStatementFails(t *testing.T) { failEach(t, mishaps, false) }

// TestEveryPreparationFails does the same while connections are made and
// statements are prepared for the first request.
func TestEveryPreparationFails(t *testing.T) { failEach(t, coldMishaps, true) }

// TestClientGoesAway ends the request's context around each statement.
func TestClientGoesAway(t *testing.T) { failEach(t, departures, false) }

func failEach(t *testing.T, mishaps []mishap, cold bool) {
	onEachInTurn(t, func(t *testing.T, db *database) {
		if underRace {
			mishaps = mishaps[:1]
		}
		s := newStage(t, db)
		for i := range scenarios {
			if sc := &scenarios[i]; !sc.brief || !cold && mishaps[0].name == "refused" {
				s.run(t, sc.name(), func() { s.newTrial(sc, cold).failEach(mishaps) })
			}
		}
	})
}

// run is a subtest on the stage.
func (s *stage) run(t *testing.T, name string, play func()) {
	t.Run(name, func(t *testing.T) {
		outer := s.t
		defer func() { s.t = outer }()
		s.t = t
		play()
	})
}

func (tr *trial) failEach(mishaps []mishap) {
	for _, m := range mishaps {
		for i, step := range tr.steps {
			if !m.befalls(step.Kind) || (tr.slow || tr.brief) && m.name != "refused" || m.rollback.Cut && !tr.inTransaction(i) {
				continue
			}
			if !tr.chosen(&m, i) {
				continue
			}
			tr.run(tr.t, m.name+" "+describe(step, i), func() { tr.fail(&m, i) })
		}
	}
}

// everyFlag makes a run long: connections to servers take longer than what is done on
// them.
var everyFlag = flag.Bool("every", false, "on servers too let every step fail in each of the ways; without it one in four, and every commit")

// chosen reports whether a step is to fail in a way. Those that are chosen are not the same
// on all servers, but the same in every run.
func (tr *trial) chosen(m *mishap, i int) bool {
	if *everyFlag || tr.db.Dialect == auth.SQLite || tr.steps[i].Kind == Commit {
		return true
	}
	return crc32.ChecksumIEEE(fmt.Append(nil, tr.db.Dialect, tr.scenario.name(), m.name, i))%4 == 0
}

// inTransaction reports whether a step is between a begin and a commit.
func (tr *trial) inTransaction(i int) bool {
	kind := func(k Kind) func(Step) bool { return func(s Step) bool { return s.Kind == k } }
	return slices.ContainsFunc(tr.steps[:i], kind(Begin)) && slices.ContainsFunc(tr.steps[i:], kind(Commit))
}

// spare reports whether a step prepares a statement for requests to come: this
// one has had it run already.
func (tr *trial) spare(i int) bool {
	if tr.steps[i].Kind != Prepare {
		return false
	}
	return i+1 == len(tr.steps) || tr.steps[i+1].SQL != tr.steps[i].SQL
}

// judgeSpare is judge where the failure is none of the request's business.
func (tr *trial) judgeSpare(out outcome, state snapshot) {
	if out.status != tr.status || !tr.is(state, tr.after) {
		tr.t.Errorf("%d, want %d; %q, want %q", out.status, tr.status, change(tr.before, state), tr.change)
	}
}

func describe(step Step, i int) string {
	text := step.SQL
	if text == "" {
		text = string(step.Kind)
	}
	return strings.Join(strings.Fields(fmt.Sprintf("%02d %.30s", i+1, text)), "_")
}

// fail plays with one step failing and judges what comes of it.
func (tr *trial) fail(m *mishap, i int) {
	tr.warm()
	step := tr.steps[i]
	ctx, cancel := context.WithCancel(tr.t.Context())
	defer cancel()
	fault := m.fault
	if m.cancels {
		fault.Meanwhile = cancel
	}
	struck := false
	tr.wire.Reset(func(s Step) Fault {
		if s.Kind == Rollback {
			return m.rollback
		}
		if s.N != step.N || s.Kind != step.Kind && s.SQL == step.SQL { // a driver may ask to prepare instead
			return Fault{}
		}
		if s.Kind != step.Kind || s.SQL != step.SQL {
			tr.t.Errorf("step %d is %v, it was %v", s.N, s, step)
		}
		struck = true
		return fault
	})
	out := tr.play(ctx, tr.scenario)
	log, mails := tr.noted()
	tr.wire.Reset(nil)
	tr.dirty = m.fault.Cut || m.rollback.Cut || m.cancels
	tr.settle()
	state := tr.db.snapshot(tr.t)
	spare := tr.spare(i)
	if spare {
		tr.judgeSpare(out, state)
	} else {
		tr.judge(m, out, state)
	}
	if !struck {
		tr.t.Error("the step was never reached")
	}
	if strings.Contains(log, marker) != (m.fault.Err != nil) && !spare {
		tr.t.Errorf("the log says %q", log)
	}
	if tr.is(state, tr.before) && tr.change != "" && mails > 0 {
		tr.t.Error("a mail was sent for nothing")
	}
	if last := step.Kind == Commit && !slices.ContainsFunc(tr.steps[i+1:], func(s Step) bool { return s.Kind.Statement() }); last {
		if m.stored && !tr.is(state, tr.after) || m.notStored && !tr.is(state, tr.before) && change(tr.before, state) != tr.aside {
			tr.t.Errorf("after the commit: %q", change(tr.before, state))
		}
	}
	tr.recover(state)
}
