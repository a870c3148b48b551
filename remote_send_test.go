package auth

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// failing is a server that fails some times before it answers.
type failing struct {
	times int
	fail  func(r *http.Request) (*http.Response, error)
	asked int
	body  string // of the last request
}

func (f *failing) RoundTrip(r *http.Request) (*http.Response, error) {
	f.asked++
	f.body = ""
	if r.Body != nil {
		text, _ := io.ReadAll(r.Body)
		f.body = string(text)
	}
	if f.asked <= f.times {
		return f.fail(r)
	}
	return answers(200, `{"ok":true,"status":true,"success":true}`).Transport.RoundTrip(r)
}

func answering(status int, header ...string) func(r *http.Request) (*http.Response, error) {
	return func(r *http.Request) (*http.Response, error) {
		return answers(status, "", header...).Transport.RoundTrip(r)
	}
}

func breaking(err error) func(r *http.Request) (*http.Response, error) {
	return func(*http.Request) (*http.Response, error) { return nil, err }
}

// TestRemoteRetries: what was not sent is sent again by every endpoint, what got lost by
// those alone that only read.
func TestRemoteRetries(t *testing.T) {
	refused := breaking(&net.OpError{Op: "dial", Err: errors.New("refused")})
	lost := breaking(io.ErrUnexpectedEOF)
	for _, tt := range []struct {
		reason        string
		times         int
		fail          func(r *http.Request) (*http.Response, error)
		reads, writes int // how often they ask
	}{
		{"nobody listens once", 1, refused, 2, 2},
		{"nobody listens twice", 2, refused, 3, 3},
		{"nobody listens", 9, refused, 3, 3},
		{"the answer is lost once", 1, lost, 2, 1},
		{"the answer is lost", 9, lost, 3, 1},
		{"bad gateway", 1, answering(502), 2, 1},
		{"unavailable", 2, answering(503), 3, 1},
		{"gateway timeout", 9, answering(504), 3, 1},
		{"internal error", 1, answering(500), 1, 1},
		{"too many requests", 1, answering(429, "Retry-After", "1"), 1, 1},
		{"canceled", 1, breaking(context.Canceled), 1, 1},
		{"too late", 1, breaking(context.DeadlineExceeded), 1, 1},
	} {
		synctest.Test(t, func(t *testing.T) {
			for _, writes := range []bool{false, true} {
				server := &failing{times: tt.times, fail: tt.fail}
				c := mustClient(t, "http://h", ClientHTTP(&http.Client{Transport: server}))
				var err error
				want, start := tt.reads, time.Now()
				if writes {
					want = tt.writes
					_, err = c.API.VerifyPassword.Call(t.Context(), VerifyPasswordRequest{Password: "x"})
				} else {
					_, err = c.API.OK.Call(t.Context(), Empty{})
				}
				if server.asked != want || (err == nil) != (want > tt.times) || time.Since(start) > time.Second {
					t.Errorf("%s, writes %v: asked %d times in %v, %v", tt.reason, writes, server.asked, time.Since(start), err)
				}
				if writes && server.body != `{"password":"x"}` {
					t.Errorf("%s: the last try had the body %q", tt.reason, server.body)
				}
			}
		})
	}
}

// TestRemoteReads: which endpoints may be asked again. A new one is not, until somebody
// has thought about it.
func TestRemoteReads(t *testing.T) {
	c := mustClient(t, "http://h", ClientPlugins(&TwoFactor{}, &Username{}, &EmailOTP{}, &MagicLink{}, &JWT{}, &MultiSession{}, &OneTimeToken{}, &OpenAPI{}))
	var reads []string
	for _, op := range c.API.Operations() {
		if op.untyped().reads {
			reads = append(reads, op.Name())
		}
	}
	if got := strings.Join(reads, " "); got != "getSession listSessions listUserAccounts ok error isUsernameAvailable getJwks getToken listDeviceSessions generateOpenAPISchema openAPIReference" {
		t.Errorf("asked again: %s", got)
	}
}

// TestRemoteRetryAfter: a server that says when to come back is taken at its word if the
// caller has the time.
func TestRemoteRetryAfter(t *testing.T) {
	for _, tt := range []struct {
		after, deadline time.Duration
		date            bool
		asked           int
	}{
		{2 * time.Second, 0, false, 2},
		{2 * time.Second, 0, true, 2},
		{time.Minute, 0, false, 1},
		{time.Minute, time.Hour, false, 2},
		{time.Minute, 30 * time.Second, false, 1},
		{0, time.Millisecond, false, 2},
	} {
		synctest.Test(t, func(t *testing.T) {
			value := strconv.Itoa(int(tt.after / time.Second))
			if tt.date {
				value = time.Now().Add(tt.after).UTC().Format(http.TimeFormat)
			}
			server := &failing{times: 1, fail: answering(503, "Retry-After", value)}
			c := mustClient(t, "http://h", ClientHTTP(&http.Client{Transport: server}))
			ctx := t.Context()
			if tt.deadline > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, tt.deadline)
				defer cancel()
			}
			start := time.Now()
			_, err := c.API.OK.Call(ctx, Empty{})
			if waited := time.Since(start); server.asked != tt.asked || tt.asked == 2 && (err != nil || waited < tt.after-time.Second || waited > tt.after+time.Second) || tt.asked == 1 && (waited != 0 || apiError(err) == nil || apiError(err).Status != 503) {
				t.Errorf("%s: asked %d times in %v, %v", value, server.asked, waited, err)
			}
		})
	}
}

// TestRemoteDeadlines: the caller's context and the time limit end a call, and the error
// says so without the URL.
func TestRemoteDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := servePipe(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body) // from now on the server sees the client go
			if strings.HasSuffix(r.URL.Path, "/verify-email") {
				w.WriteHeader(200)
				_ = http.NewResponseController(w).Flush()
			}
			<-r.Context().Done()
		}))
		c := mustClient(t, "http://h", ClientHTTP(slow))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		_, err := c.API.OK.Call(ctx, Empty{})
		if !errors.Is(err, context.DeadlineExceeded) || apiError(err) != nil || time.Since(start) != time.Second {
			t.Errorf("a deadline: %v after %v", err, time.Since(start))
		}
		start = time.Now()
		_, err = c.API.VerifyEmail.Call(t.Context(), VerifyEmailRequest{Token: "secret"})
		if !errors.Is(err, context.DeadlineExceeded) || apiError(err) != nil || time.Since(start) != defaultClientTimeout || strings.Contains(err.Error(), "secret") {
			t.Errorf("the time limit: %v after %v", err, time.Since(start))
		}
		canceled, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		_, err = c.API.SignOut.Call(canceled, SignOutRequest{})
		if !errors.Is(err, context.Canceled) || apiError(err) != nil {
			t.Errorf("canceled: %v", err)
		}
		quick := mustClient(t, "http://h", ClientHTTP(&http.Client{Transport: slow.Transport, Timeout: time.Minute}))
		start = time.Now()
		if _, err = quick.API.SignOut.Call(t.Context(), SignOutRequest{}); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Minute {
			t.Errorf("a limit of one's own: %v after %v", err, time.Since(start))
		}
	})
}

// TestRemoteUnreachable: the network's own error is there to be looked at.
func TestRemoteUnreachable(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	c := mustClient(t, server.URL)
	var resp *http.Response
	_, err := c.API.ResetPassword.Call(t.Context(), ResetPasswordRequest{QueryToken: "secret"}, AsResponse(&resp))
	failed, ok := errors.AsType[*net.OpError](err)
	if !ok || failed.Op != "dial" || apiError(err) != nil || strings.Contains(err.Error(), "secret") || !strings.Contains(err.Error(), "resetPassword at 127.0.0.1") {
		t.Errorf("%v", err)
	}
	if resp == nil || resp.StatusCode != 500 {
		t.Errorf("response %v", resp)
	}
}

// FuzzRetryAfter: whatever a server asks for, a call without a deadline waits for some
// seconds at most, and none for a time that is over.
func FuzzRetryAfter(f *testing.F) {
	for _, text := range []string{
		"", "7", "0", "-1", "+7", "2147483648", "Mon, 23 Nov 2026 08:43:48 GMT", "Monday, 23-Nov-26 08:43:48 GMT",
		"Fri, 31 Dec 9999 23:59:59 GMT", "Mon, 01 Jan 0001 00:00:00 GMT",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c := mustClient(t, "http://h")
		got := &received{status: http.StatusServiceUnavailable, header: http.Header{"Retry-After": {text}}}
		after, ok := retryAfter(got.header)
		if after < 0 || !ok && after != 0 {
			t.Fatalf("%q: %v, %v", text, after, ok)
		}
		if seconds, err := strconv.ParseUint(text, 10, 31); err == nil && after != time.Duration(seconds)*time.Second {
			t.Fatalf("%q is %v", text, after)
		}
		op := c.API.GetSession.untyped()
		for try := 1; try <= maxTries; try++ {
			delay, again := op.again(context.Background(), try, got, nil)
			if again && (delay < 0 || delay > maxRetryDelay || ok && delay > after || try == maxTries) {
				t.Fatalf("%q: try %d again after %v", text, try, delay)
			}
		}
	})
}
