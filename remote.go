package auth

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// A remote is a server elsewhere at which operations run. Their pipeline has it: the
// hooks and the options of a Call are those of this process, everything between them
// happens there.
type remote struct {
	base   string // the URL that paths of operations are added to, without a slash at its end
	origin string // of the server, as browsers know it
	told   bool   // the server is told its origin, since it is reached under another one
	escape bool   // parameters of a path are decoded there
	client *http.Client
	keys   callerKeys
	settle func(output any) error // brings a result into the types of the floors above
}

// atOrigin returns the same server for paths that are not below the base path.
func (r *remote) atOrigin() *remote {
	at := *r
	at.base, at.escape = strings.TrimSuffix(r.base, r.path()), true
	return &at
}

// path returns the base path.
func (r *remote) path() string {
	_, after, _ := strings.Cut(r.base, "://")
	if i := strings.IndexByte(after, '/'); i >= 0 {
		return after[i:]
	}
	return ""
}

// callerKeys say who the program itself is: they are for calls on nobody else's
// behalf. They are safe for concurrent use.
type callerKeys interface {
	send(u *url.URL, h http.Header)
	keep(u *url.URL, h http.Header)
}

// moveTo makes an operation run at the server of a pipeline, which makes all checks.
func (op *operation) moveTo(p *pipeline) {
	op.pipeline, op.use, op.noStore = p, nil, false
	op.fn = func(x *Exchange) error { return op.ask(x, "") }
}

// performRemotely stands in for validation, checks and the function. What the server
// would not understand is refused here; all else is for it to judge.
func (op *operation) performRemotely(x *Exchange, issues []issue) error {
	if x.relayed != nil {
		return op.relay(x, issues)
	}
	if len(issues) > 0 { // of CallJSON
		if err := op.binding.review(x.input, issues); err != nil {
			return err
		}
	}
	return op.fn(x)
}

// ask runs the operation at the server for a Call. An empty method stands for the first
// one that can carry the input.
func (op *operation) ask(x *Exchange, method string) error {
	m, err := op.compose(x.input)
	if err != nil {
		return err
	}
	if method == "" {
		if method, err = op.methodFor(m); err != nil {
			return err
		}
	}
	r, err := op.newRequest(x, method, m)
	if err != nil {
		return err
	}
	body := op.bodyOf(method, m)
	r.Header = op.pipeline.remote.callHeader(x, m.header, body != nil)
	return op.receiveAnswer(x, r, body)
}

// newRequest makes the request of a message, without its headers.
func (op *operation) newRequest(x *Exchange, method string, m *message) (*http.Request, error) {
	r, err := http.NewRequestWithContext(x.Context, method, op.urlOf(m), nil)
	if err != nil {
		return nil, fmt.Errorf("auth: %s: no request can be made of the input", op.label())
	}
	return r, nil
}

func (op *operation) urlOf(m *message) string {
	target := op.pipeline.remote.base + m.path
	if m.query != "" {
		target += "?" + m.query
	}
	return target
}

// receiveAnswer sends a request and makes the answer the outcome of the run.
func (op *operation) receiveAnswer(x *Exchange, r *http.Request, body []byte) error {
	remote := op.pipeline.remote
	own := x.direct && !x.behalf
	got, err := op.send(r, body, own)
	if err != nil {
		return err
	}
	addHeaders(x.Header(), got.endToEnd())
	if got.status >= http.StatusMultipleChoices {
		x.received = got
		return got.failure()
	}
	x.status = got.status
	if answer := op.answerIn(got); answer != nil {
		x.Answer(answer)
		x.received = got
		return nil
	}
	if err = got.decode(x.output); err == nil && remote.settle != nil {
		err = remote.settle(x.output)
	}
	if err != nil {
		x.clearOutput()
		return fmt.Errorf("auth: the answer to %s cannot be read: %w", op.label(), err)
	}
	x.received = got
	return nil
}

// standing is what a client would see of the outcome if it were encoded here, nil if it
// came from here.
func (x *Exchange) standing() []byte {
	if x.received == nil {
		return nil
	}
	got := x.received
	x.received = nil
	defer func() { x.received = got }()
	text := fmt.Appendf(nil, "%d %t ", x.outcome(), x.answered)
	if api := apiError(x.err); api != nil && !x.answered {
		return api.appendBody(text)
	}
	body, err := x.encodeSafely(text)
	if err != nil {
		return text
	}
	return body
}

// keepReceived forgets the server's own text if hooks have changed what it says.
func (x *Exchange) keepReceived(before []byte) {
	if x.received != nil && string(x.standing()) != string(before) {
		x.received = nil
	}
}
