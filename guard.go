package auth

import (
	"log/slog"
	"net/http"
)

// redirectFields are the members that the guard looks at in the body of every
// endpoint, whether the endpoint knows them or not.
var redirectFields = []struct {
	member string
	field  urlField
}{
	{"callbackURL", callbackURLField},
	{"redirectTo", redirectURLField},
	{"errorCallbackURL", errorCallbackURLField},
	{"newUserCallbackURL", newUserCallbackURLField},
}

// guardURLs is the check of every request that may change something, before
// validation: its origin, if it has cookies, and where it wants to be
// redirected to (contract section 9.1).
func (s *services) guardURLs(x *Exchange) error {
	if isSafeMethod(x.request.Method) {
		return nil
	}
	if err := s.origin.checkOrigin(x.request, x.op.path); err != nil {
		return s.originRefused(x, err)
	}
	for _, f := range redirectFields {
		if err := s.guardURL(x, f.member, f.field); err != nil {
			return err
		}
	}
	return nil
}

func (s *services) guardURL(x *Exchange, name string, field urlField) error {
	value, isText, present := redirectTarget(x.sent.member(name))
	if !present && field == callbackURLField {
		values := x.queryValues(name)
		value, isText, present = x.queryValue(name), len(values) < 2, true
	}
	switch {
	case !present || isText && value == "" || s.origin.disableOrigin || s.origin.isExempt(x.op.path):
		return nil
	case !isText:
		return field.notString()
	}
	return s.checkURL(x, field, value)
}

func (s *services) checkURL(x *Exchange, field urlField, value string) error {
	err := s.origin.checkURL(x.request, x.op.path, field, value)
	if err != nil {
		s.event(x, Event{Name: EventRedirectRefused, Reason: reasonOf(field.code()), Attrs: []slog.Attr{slog.String("path", x.op.path), slog.String("origin", originOf(value))}})
	}
	return err
}

// originRefused records a refusal, which it returns.
func (s *services) originRefused(x *Exchange, err error) error {
	s.event(x, Event{Name: EventOriginRefused, Reason: reasonOf(apiError(err).Code), Attrs: []slog.Attr{slog.String("path", x.op.path), slog.String("origin", originOf(sourceOf(x.request)))}})
	return err
}

// originOf is as much of a URL as an event has: paths and queries may hold secrets.
func originOf(value string) string {
	switch l, ok := parseLocation(value); {
	case ok && len(value) <= maxEventOrigin:
		return l.origin()
	case value == "" || value == "null":
		return value
	}
	return "unreadable"
}

// maxEventOrigin bounds what a stranger can write into the log.
const maxEventOrigin = 512

// redirectTarget returns the value of a member; what JavaScript takes for false
// counts as absent.
func redirectTarget(m *member) (value string, isText, present bool) {
	switch {
	case m == nil:
		return "", false, false
	case m.kind == kindString:
		value = m.text()
		return value, true, value != ""
	}
	return "", false, truthy(m.decoded())
}

// guardForm is the check of sign-up and sign-in, which a foreign page must not
// submit even without cookies (contract section 9.2).
func (s *services) guardForm() check {
	return httpCheck(func(x *Exchange) error {
		if err := s.origin.checkFormCSRF(x.request, x.op.path); err != nil {
			return s.originRefused(x, err)
		}
		return nil
	}, ErrCrossSiteNavigationLoginBlocked, ErrMissingOrNullOrigin, ErrInvalidOrigin)
}

// guardCallback is the check of links that redirect.
func (s *services) guardCallback() check { return s.guardQuery("callbackURL") }

// guardQuery is guardCallback for any parameter of the query.
func (s *services) guardQuery(name string) check {
	return httpCheck(func(x *Exchange) error {
		return s.checkURL(x, callbackURLField, x.queryValue(name))
	}, callbackURLField.code())
}

// httpCheck is a check that protects browsers: a direct call passes. It refuses with
// 403 and one of the codes.
func httpCheck(run func(x *Exchange) error, codes ...Code) check {
	return check{
		run: func(x *Exchange) error {
			if x.direct {
				return nil
			}
			return run(x)
		},
		errors: map[int][]Code{http.StatusForbidden: codes},
	}
}
