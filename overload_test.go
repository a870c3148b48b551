package auth

import (
	"context"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// The tests in this file are about more passwords than there are processors for.

// A guardedHasher takes a second for a hash, as a slowHasher, and makes sure that it was
// let in.
type guardedHasher struct {
	slowHasher
	w *world
}

func (h *guardedHasher) Hash(ctx context.Context, password string) (string, error) {
	if len(h.w.core.passwords.slots) == 0 {
		h.w.t.Error("a hash has not passed the gate")
	}
	return h.slowHasher.Hash(ctx, password)
}

func (h *guardedHasher) Verify(ctx context.Context, hash, password string) (bool, error) {
	want, err := h.Hash(ctx, password)
	return hash == want || hash == "old", err
}

// newSlowWorld is a world whose hashes take a second of a bubble's time.
func newSlowWorld(t *testing.T, edit ...func(*Config)) (*world, *guardedHasher) {
	h := &guardedHasher{}
	h.w = newWorld(t, append(edit, func(c *Config) { c.Passwords.Hasher = h })...)
	return h.w, h
}

// unlocked fails if somebody holds the store.
func (w *world) unlocked() {
	w.t.Helper()
	if len(w.store.writer) > 0 {
		w.t.Error("a transaction is open meanwhile")
	}
}

// idle fails unless all places of the gate are free.
func (w *world) idle() {
	w.t.Helper()
	if p := w.core.passwords; len(p.slots) != 0 || p.waiting.Load() != 0 {
		w.t.Errorf("%d hash, %d wait", len(p.slots), p.waiting.Load())
	}
}

// occupy takes all places of the gate until free is called.
func (w *world) occupy(maxWaiting int64) (free func()) {
	p := w.core.passwords
	before := p.maxWaiting
	p.maxWaiting = maxWaiting
	for range cap(p.slots) {
		p.slots <- struct{}{}
	}
	return func() {
		for range cap(p.slots) {
			<-p.slots
		}
		p.maxWaiting = before
	}
}

// A crowd are many people who sign in, and how many of them were answered.
type crowd struct {
	mu              sync.Mutex
	served, refused int
	all             sync.WaitGroup
}

// An attempt is a way to sign in, with the status of its answer.
type attempt struct {
	body   string
	status int
}

var (
	rightPassword  = attempt{`{"email":"ann@example.com","password":"password of ann"}`, http.StatusOK}
	wrongPassword  = attempt{`{"email":"ann@example.com","password":"wrong"}`, http.StatusUnauthorized}
	unknownAddress = attempt{`{"email":"nobody@example.com","password":"password of ann"}`, http.StatusUnauthorized}
)

// signsIn sends n requests at one moment of a bubble's time, by turns with these
// attempts. It returns once they wait for passwords, or were answered.
func (c *crowd) signsIn(ctx context.Context, w *world, n int, attempts ...attempt) {
	for i := range n {
		c.all.Go(func() { c.one(ctx, w, attempts[i%len(attempts)]) })
		if i%1000 == 999 { // the race detector knows 8128 goroutines
			synctest.Wait()
		}
	}
	synctest.Wait()
}

// one counts its answer unless the client left. It must be the right one, or tell when to
// come again.
func (c *crowd) one(ctx context.Context, w *world, with attempt) {
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, testBase+"/sign-in/email", strings.NewReader(with.body))
	r.Header = http.Header{"Content-Type": {"application/json"}, "Origin": {testOrigin}}
	rec := httptest.NewRecorder()
	w.ServeHTTP(rec, r)
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case ctx.Err() == context.Canceled:
	case rec.Code == with.status && rec.Body.Len() > 0:
		c.served++
	case rec.Code == http.StatusServiceUnavailable && rec.Header().Get("Retry-After") == retryAfterOverload:
		c.refused++
	default:
		w.t.Errorf("answer %d %v %s, want %d", rec.Code, rec.Header(), rec.Body, with.status)
	}
}

// ends waits for all answers and fails unless so many were served and refused.
func (c *crowd) ends(t *testing.T, served, refused int) {
	t.Helper()
	c.all.Wait()
	if c.served != served || c.refused != refused {
		t.Errorf("%d served and %d refused, want %d and %d", c.served, c.refused, served, refused)
	}
}

// TestBurst: of ten thousand people who sign in at once, as many as have a place are
// served, one after the other, and the others told to come again, at once. Each gets
// one answer, and nothing is left behind: a bubble does not end before its goroutines.
func TestBurst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const hashing, waiting, people = 4, 4 * 128, 10_000
		w, h := newSlowWorld(t, func(c *Config) { c.Passwords.MaxConcurrent = hashing })
		w.as("ann")
		h.calls.Store(0)
		before, start := runtime.NumGoroutine(), time.Now()
		var c crowd
		c.signsIn(t.Context(), w, people, rightPassword, wrongPassword, unknownAddress)
		if n := w.core.passwords.waiting.Load(); n != waiting || h.now.Load() != hashing {
			t.Errorf("%d wait and %d hash, want %d and %d", n, h.now.Load(), waiting, hashing)
		}
		if c.refused != people-hashing-waiting || time.Since(start) != 0 {
			t.Errorf("%d refused after %v", c.refused, time.Since(start))
		}
		c.ends(t, hashing+waiting, people-hashing-waiting)
		if took := time.Since(start); took != (hashing+waiting)/hashing*time.Second {
			t.Errorf("took %v", took)
		}
		if h.most.Load() != hashing || h.calls.Load() != hashing+waiting {
			t.Errorf("%d hashes, %d at once", h.calls.Load(), h.most.Load())
		}
		synctest.Wait()
		if n := runtime.NumGoroutine(); n > before {
			t.Errorf("%d goroutines, before %d", n, before)
		}
		w.idle()
		w.signIn("ann")
	})
}

// TestBurstDefault: without configuration one processor is left for others, and the
// queue has 128 places for each hash.
func TestBurstDefault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, h := newSlowWorld(t)
		w.as("ann")
		h.calls.Store(0)
		places := max(1, runtime.GOMAXPROCS(0)-1) * 129
		var c crowd
		c.signsIn(t.Context(), w, places+3, rightPassword)
		c.ends(t, places, 3)
		if int(h.calls.Load()) != places {
			t.Errorf("%d hashes, want %d", h.calls.Load(), places)
		}
	})
}

// TestBurstDeadline: whose time runs out while waiting is told so, and is not hashed. So
// is whose time runs out during the hash: there is none left to store anything.
func TestBurstDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, h := newSlowWorld(t, func(c *Config) { c.Passwords.MaxConcurrent, c.Passwords.MaxWaiting = 3, 10_000 })
		w.as("ann")
		h.calls.Store(0)
		ctx, cancel := context.WithTimeout(t.Context(), 9500*time.Millisecond)
		defer cancel()
		start := time.Now()
		var c crowd
		c.signsIn(ctx, w, 3000, wrongPassword, rightPassword)
		c.ends(t, 27, 3000-27)
		if h.calls.Load() != 30 || h.most.Load() != 3 || time.Since(start) != 10*time.Second {
			t.Errorf("%d hashes, %d at once, in %v", h.calls.Load(), h.most.Load(), time.Since(start))
		}
		w.idle()
	})
}

// TestBurstClientsLeave: who goes away while waiting is not hashed and leaves the
// place to others.
func TestBurstClientsLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, h := newSlowWorld(t, func(c *Config) { c.Passwords.MaxConcurrent, c.Passwords.MaxWaiting = 1, 100 })
		w.as("ann")
		h.calls.Store(0)
		ctx, leave := context.WithCancel(t.Context())
		var first, second crowd
		first.signsIn(ctx, w, 101, rightPassword, unknownAddress)
		leave()
		synctest.Wait()
		if n := w.core.passwords.waiting.Load(); n != 0 {
			t.Errorf("%d still wait", n)
		}
		second.signsIn(t.Context(), w, 102, rightPassword, wrongPassword)
		second.ends(t, 100, 2)
		first.all.Wait()
		if h.calls.Load() != 101 {
			t.Errorf("%d hashes, want one of who left and 100", h.calls.Load())
		}
		w.idle()
	})
}

// A hashing is a request that computes hashes.
type hashing struct {
	op, does string
	hashes   int64
	want     int           // status
	edit     func(*Config) // may be nil
	prepare  func(w *hashingWorld, ann *browser) (send func(ctx context.Context) reply)
}

// hashings have at least one request to each endpoint that does.
var hashings = []hashing{
	{"signUpEmail", "", 1, 200, nil, posts("/sign-up/email", `{"name":"Bob","email":"bob@example.com","password":"password"}`)},
	{"signUpEmail", "a taken address", 1, 200, requireVerification, posts("/sign-up/email", `{"name":"Ann","email":"ann@example.com","password":"password"}`)},
	{"signInEmail", "", 1, 200, nil, posts("/sign-in/email", `{"email":"ann@example.com","password":"password of ann"}`)},
	{"signInEmail", "a wrong password", 1, 401, nil, posts("/sign-in/email", `{"email":"ann@example.com","password":"wrong"}`)},
	{"signInEmail", "an unknown address", 1, 401, nil, posts("/sign-in/email", `{"email":"nobody@example.com","password":"wrong"}`)},
	{"signInEmail", "an outdated hash", 2, 200, nil, func(w *hashingWorld, ann *browser) func(context.Context) reply {
		w.setHash("old")
		return posts("/sign-in/email", `{"email":"ann@example.com","password":"password of ann"}`)(w, ann)
	}},
	{"signInUsername", "", 1, 200, nil, posts("/sign-in/username", `{"username":"ann","password":"password of ann"}`)},
	{"signInUsername", "an unknown name", 1, 401, nil, posts("/sign-in/username", `{"username":"nobody","password":"wrong"}`)},
	{"verifyPassword", "", 1, 200, nil, posts("/verify-password", `{"password":"password of ann"}`)},
	{"changePassword", "", 2, 200, nil, posts("/change-password", `{"currentPassword":"password of ann","newPassword":"another password"}`)},
	{"setPassword", "", 1, 200, nil, func(w *hashingWorld, ann *browser) func(context.Context) reply {
		w.setHash(nil)
		return func(ctx context.Context) reply {
			var resp *http.Response
			_, _ = w.API.SetPassword.Call(ctx, SetPasswordRequest{NewPassword: "another password"}, WithHeaders(ann.headers()), AsResponse(&resp))
			body, _ := io.ReadAll(resp.Body)
			return reply{resp, string(body)}
		}
	}},
	{"resetPassword", "", 1, 200, nil, func(w *hashingWorld, ann *browser) func(context.Context) reply {
		ann.post("/request-password-reset", `{"email":"ann@example.com"}`).ok(w.t)
		synctest.Wait()
		return posts("/reset-password", `{"token":"`+w.lastMail().Token+`","newPassword":"another password"}`)(w, ann)
	}},
	{"resetPasswordEmailOTP", "", 1, 200, nil, func(w *hashingWorld, ann *browser) func(context.Context) reply {
		ann.post("/email-otp/request-password-reset", `{"email":"ann@example.com"}`).ok(w.t)
		synctest.Wait()
		return posts("/email-otp/reset-password", `{"email":"ann@example.com","otp":"`+w.code+`","password":"another password"}`)(w, ann)
	}},
	{"deleteUser", "", 1, 200, nil, posts("/delete-user", `{"password":"password of ann"}`)},
	{"enableTwoFactor", "", 1, 200, nil, posts("/two-factor/enable", `{"password":"password of ann"}`)},
	{"disableTwoFactor", "", 1, 200, nil, withTwoFactor("/two-factor/disable")},
	{"getTOTPURI", "", 1, 200, nil, withTwoFactor("/two-factor/get-totp-uri")},
	{"generateBackupCodes", "", 1, 200, nil, withTwoFactor("/two-factor/generate-backup-codes")},
}

func posts(path, body string) func(*hashingWorld, *browser) func(context.Context) reply {
	return func(_ *hashingWorld, b *browser) func(context.Context) reply {
		return func(ctx context.Context) reply {
			r := httptest.NewRequestWithContext(ctx, http.MethodPost, testBase+path, strings.NewReader(body))
			r.Header.Set("Content-Type", "application/json")
			return b.do(r)
		}
	}
}

func withTwoFactor(path string) func(*hashingWorld, *browser) func(context.Context) reply {
	return func(w *hashingWorld, ann *browser) func(context.Context) reply {
		ann.post("/two-factor/enable", `{"password":"password of ann","method":"otp"}`).ok(w.t)
		ann.post("/two-factor/enable", `{"password":"password of ann"}`).ok(w.t)
		synctest.Wait()
		return posts(path, `{"password":"password of ann"}`)(w, ann)
	}
}

// hashingWorld has every plugin with passwords.
type hashingWorld struct {
	*world
	hasher *guardedHasher
	code   string // that was sent last
}

func newHashingWorld(t *testing.T, edit func(*Config)) *hashingWorld {
	w := &hashingWorld{}
	w.world, w.hasher = newSlowWorld(t, func(c *Config) {
		c.Passwords.MaxConcurrent = 1
		c.Plugins = []Plugin{
			&Username{}, &EmailOTP{Send: func(_ context.Context, m OTPMail) error { w.code = m.Code; return nil }},
			&TwoFactor{OTP: TwoFactorOTPOptions{Send: func(context.Context, *User, string) error { return nil }}},
		}
		if edit != nil {
			edit(c)
		}
	})
	return w
}

// setHash replaces what is stored of ann's password.
func (w *hashingWorld) setHash(hash any) {
	w.t.Helper()
	if n, err := w.store.Update(w.t.Context(), w.core.accounts.table, map[string]any{"password": hash}); n != 1 || err != nil {
		w.t.Fatal(n, err)
	}
}

// TestEveryHashIsGuarded: all endpoints that hash do it behind one gate, without keeping
// others from the store. When there is no place they refuse, when their client leaves they
// end, and neither uses anything up: the same request is good afterwards.
func TestEveryHashIsGuarded(t *testing.T) {
	for _, tt := range hashings {
		t.Run(strings.TrimSpace(tt.op+" "+tt.does), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { tt.run(t, newHashingWorld(t, tt.edit)) })
		})
	}
}

func (tt *hashing) run(t *testing.T, w *hashingWorld) {
	ann := w.browser()
	ann.post("/sign-up/email", `{"name":"Ann","email":"ann@example.com","password":"password of ann","username":"ann"}`).ok(t)
	send := tt.prepare(w, ann)
	w.hasher.calls.Store(0)

	free := w.occupy(0)
	if got := send(t.Context()).fails(t, 503, ErrServiceOverloaded); got.Header.Get("Retry-After") != retryAfterOverload {
		t.Errorf("Retry-After: %q", got.Header.Get("Retry-After"))
	}
	free()

	free = w.occupy(1)
	ctx, leave := context.WithCancel(t.Context())
	gone := make(chan reply, 1)
	go func() { gone <- send(ctx) }()
	synctest.Wait()
	if w.core.passwords.waiting.Load() != 1 {
		t.Error("it does not wait")
	}
	w.unlocked()
	leave()
	<-gone
	free()
	w.idle()
	if n := w.hasher.calls.Load(); n != 0 {
		t.Errorf("%d hashes in vain", n)
	}

	if got := send(t.Context()); got.StatusCode != tt.want {
		t.Errorf("at last: %d %s, want %d", got.StatusCode, got.body, tt.want)
	}
	if n := w.hasher.calls.Load(); n != tt.hashes {
		t.Errorf("%d hashes, want %d", n, tt.hashes)
	}
	w.idle()
}

// TestHashingsAreComplete: the endpoints above are those that are documented to be
// refused under overload.
func TestHashingsAreComplete(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tested, documented := make(map[string]bool), make(map[string]bool)
		for _, tt := range hashings {
			tested[tt.op] = true
		}
		for _, op := range newHashingWorld(t, nil).API.Operations() {
			if slices.Contains(op.untyped().description.Errors[http.StatusServiceUnavailable], ErrServiceOverloaded) {
				documented[op.Name()] = true
			}
		}
		if !maps.Equal(tested, documented) {
			t.Errorf("tested: %v\ndocumented: %v", slices.Sorted(maps.Keys(tested)), slices.Sorted(maps.Keys(documented)))
		}
	})
}
