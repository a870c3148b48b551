package auth

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Limits of what a server elsewhere is asked and answers.
const (
	maxAnswer       = 4 << 20                // bytes of a body
	maxTries        = 3                      // of one call
	firstRetryDelay = 100 * time.Millisecond // doubled for each further one
)

// send sends a request until there is an answer that counts. A server that cannot be
// reached is tried again, since it has not been asked. Operations that only read are
// asked again too when the answer was lost or a gateway had none.
//
// Errors: network, context, an answer that is too long; none names a URL, whose query
// may have secrets.
func (op *operation) send(r *http.Request, body []byte, own bool) (*received, error) {
	for try := 1; ; try++ {
		got, err := op.pipeline.remote.attempt(r, body, own)
		delay, again := op.again(r.Context(), try, got, err)
		if !again {
			if err != nil {
				return nil, fmt.Errorf("auth: %s at %s: %w", op.label(), op.pipeline.remote.host(), err)
			}
			return got, nil
		}
		if err := sleep(r.Context(), delay); err != nil {
			return nil, fmt.Errorf("auth: %s at %s: %w", op.label(), op.pipeline.remote.host(), err)
		}
	}
}

// host names the server in errors.
func (r *remote) host() string {
	u, err := url.Parse(r.base)
	if err != nil {
		return "the server"
	}
	return u.Host
}

// attempt sends a request once.
func (r *remote) attempt(request *http.Request, body []byte, own bool) (*received, error) {
	request = request.Clone(request.Context())
	if body != nil {
		request.Body, request.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		request.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	}
	if own {
		r.keys.send(request.URL, request.Header)
	}
	response, err := r.client.Do(request)
	if err != nil {
		return nil, withoutURL(err)
	}
	defer response.Body.Close()
	if own {
		r.keys.keep(request.URL, response.Header)
	}
	text, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading the answer: %w", err)
	case len(text) > maxAnswer:
		return nil, errAnswerTooLong
	}
	return &received{response.StatusCode, response.Header, text}, nil
}

var errAnswerTooLong = errors.New("the answer is too long")

// withoutURL takes the URL out of an error, since its query may have secrets.
func withoutURL(err error) error {
	if with, ok := errors.AsType[*url.Error](err); ok {
		return with.Err
	}
	return err
}

// again says whether and after which delay to ask once more.
func (op *operation) again(ctx context.Context, try int, got *received, err error) (time.Duration, bool) {
	if try >= maxTries || ctx.Err() != nil || !op.mayRepeat(got, err) {
		return 0, false
	}
	delay := firstRetryDelay << (try - 1)
	delay = delay/2 + rand.N(delay)
	if got != nil {
		if after, ok := retryAfter(got.header); ok {
			delay = after
		}
	}
	deadline, limited := ctx.Deadline()
	if !limited {
		return delay, delay <= maxRetryDelay
	}
	return delay, time.Until(deadline) > delay
}

// maxRetryDelay is how long a call without a deadline waits if the server asks for it.
const maxRetryDelay = 5 * time.Second

func (op *operation) mayRepeat(got *received, err error) bool {
	switch {
	case err == nil:
		return op.reads && (got.status == http.StatusBadGateway || got.status == http.StatusServiceUnavailable || got.status == http.StatusGatewayTimeout)
	case isDialError(err):
		return true
	}
	return op.reads && !errors.Is(err, errAnswerTooLong) && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded)
}

// isDialError reports whether no connection came about, so that nothing was sent.
func isDialError(err error) bool {
	failed, ok := errors.AsType[*net.OpError](err)
	return ok && failed.Op == "dial"
}

// retryAfter reads the header Retry-After (RFC 9110 section 10.2.3).
func retryAfter(h http.Header) (time.Duration, bool) {
	text := h.Get("Retry-After")
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second, true
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0, false
	}
	return max(time.Until(at), 0), true
}

// sleep waits, or returns early with the error of ctx.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
