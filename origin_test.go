package auth

import (
	"crypto/tls"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

const (
	goodOrigin = "https://app.example"
	evilOrigin = "https://evil.example"
)

func mustCheckOrigins(t *testing.T, config OriginCheck) *originCheck {
	t.Helper()
	check, err := newOriginCheck(config, mustTrust(t, "https://base.example/api/auth", goodOrigin))
	if err != nil {
		t.Fatal(err)
	}
	return check
}

// postWith returns a POST request with headers given as names and values in turn.
func postWith(headers ...string) *http.Request {
	r := httptest.NewRequest("POST", "/api/auth/sign-in/email", nil)
	r.Host = "base.example"
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	return r
}

// forbiddenCode returns the code of a 403, empty for nil.
func forbiddenCode(t *testing.T, err error) Code {
	t.Helper()
	if err == nil {
		return ""
	}
	var apiErr *APIError
	if !errors.As(err, &apiErr) || apiErr.Status != http.StatusForbidden {
		t.Fatalf("%v is not a 403", err)
	}
	return apiErr.Code
}

// The rows of contract section 9.2, which was recorded from the original, and
// what follows from it.
func TestOriginCheck_checkFormCSRF(t *testing.T) {
	tests := []struct {
		headers []string
		want    Code
		reason  string
	}{
		{nil, "", "no browser"},
		{[]string{"Origin", goodOrigin}, "", "trusted"},
		{[]string{"Origin", evilOrigin}, ErrInvalidOrigin, "not trusted"},
		{[]string{"Origin", "null"}, ErrMissingOrNullOrigin, "sandboxed page"},
		{[]string{"Referer", evilOrigin + "/page"}, ErrInvalidOrigin, "the Referer gives it away"},
		{[]string{"Origin", goodOrigin, "Referer", evilOrigin}, "", "Origin comes first"},
		{[]string{"Cookie", "a=b"}, ErrMissingOrNullOrigin, "a cookie without origin"},
		{[]string{"Cookie", ""}, ErrMissingOrNullOrigin, "an empty cookie header is one too"},
		{[]string{"Cookie", "a=b", "Referer", goodOrigin + "/page?q"}, "", "Referer instead of Origin"},
		{[]string{"Cookie", "a=b", "Origin", "null", "Sec-Fetch-Site", "same-origin", "X-Forwarded-Proto", "https"}, "", "the browser vouches for the own origin"},
		{[]string{"Cookie", "a=b", "Origin", "null", "Sec-Fetch-Site", "same-origin"}, ErrInvalidOrigin, "the own origin by plain http is not trusted"},
		{[]string{"Cookie", "a=b", "Origin", "null", "Sec-Fetch-Site", "same-site"}, ErrMissingOrNullOrigin, "the browser vouches for something else"},
		{[]string{"Cookie", "a=b", "Referer", "null", "Sec-Fetch-Site", "same-origin"}, ErrMissingOrNullOrigin, "only for Origin: null"},
		{[]string{"Sec-Fetch-Site", "same-origin"}, ErrMissingOrNullOrigin, "a browser without origin"},
		{[]string{"Sec-Fetch-Mode", "cors"}, ErrMissingOrNullOrigin, "a browser without origin"},
		{[]string{"Sec-Fetch-Dest", "empty"}, ErrMissingOrNullOrigin, "a browser without origin"},
		{[]string{"Sec-Fetch-Site", " "}, "", "blank metadata is none"},
		{[]string{"Sec-Fetch-Site", "same-origin", "Origin", goodOrigin}, "", "trusted"},
		{[]string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "cors", "Origin", goodOrigin}, "", "a script on a trusted site"},
		{[]string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "cors", "Origin", evilOrigin}, ErrInvalidOrigin, "a script on another site"},
		{[]string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Origin", goodOrigin}, ErrCrossSiteNavigationLoginBlocked, "a form on another site"},
		{[]string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Origin", goodOrigin, "Cookie", "a=b"}, "", "with a cookie the origin decides"},
		{[]string{"Origin", goodOrigin, "Origin", evilOrigin}, ErrInvalidOrigin, "two origins are none"},
	}
	check := mustCheckOrigins(t, OriginCheck{})
	for _, test := range tests {
		if got := forbiddenCode(t, check.checkFormCSRF(postWith(test.headers...), "/sign-in/email")); got != test.want {
			t.Errorf("%q: %q, want %q: %s", test.headers, got, test.want, test.reason)
		}
	}
}

func TestOriginCheck_checkOrigin(t *testing.T) {
	tests := []struct {
		method  string
		headers []string
		want    Code
		reason  string
	}{
		{"POST", []string{"Origin", evilOrigin}, "", "without cookies there is nothing to ride on"},
		{"POST", []string{"Origin", evilOrigin, "Cookie", "a=b"}, ErrInvalidOrigin, "with cookies there is"},
		{"POST", []string{"Origin", goodOrigin, "Cookie", "a=b"}, "", "trusted"},
		{"POST", []string{"Origin", "https://base.example", "Cookie", "a=b"}, "", "the own origin"},
		{"POST", []string{"Cookie", "a=b"}, ErrMissingOrNullOrigin, "no origin"},
		{"POST", []string{"Cookie", "a=b", "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Origin", goodOrigin}, "", "navigation is a matter of sign-in"},
		{"DELETE", []string{"Origin", evilOrigin, "Cookie", "a=b"}, ErrInvalidOrigin, "every method that changes"},
		{"post", []string{"Origin", evilOrigin, "Cookie", "a=b"}, ErrInvalidOrigin, "an unknown method is not safe"},
		{"GET", []string{"Origin", evilOrigin, "Cookie", "a=b"}, "", "a safe method"},
		{"HEAD", []string{"Origin", evilOrigin, "Cookie", "a=b"}, "", "a safe method"},
		{"OPTIONS", []string{"Origin", evilOrigin, "Cookie", "a=b"}, "", "a safe method"},
	}
	check := mustCheckOrigins(t, OriginCheck{})
	for _, test := range tests {
		r := postWith(test.headers...)
		r.Method = test.method
		if got := forbiddenCode(t, check.checkOrigin(r, "/sign-out")); got != test.want {
			t.Errorf("%s %q: %q, want %q: %s", test.method, test.headers, got, test.want, test.reason)
		}
	}
}

func TestOriginCheck_ownOriginByTLS(t *testing.T) {
	r := postWith("Cookie", "a=b", "Origin", "null", "Sec-Fetch-Site", "same-origin")
	r.TLS = &tls.ConnectionState{}
	check := mustCheckOrigins(t, OriginCheck{})
	if err := check.checkOrigin(r, "/sign-out"); err != nil {
		t.Error(err)
	}
	r.Host = "evil.example"
	if got := forbiddenCode(t, check.checkOrigin(r, "/sign-out")); got != ErrInvalidOrigin {
		t.Errorf("foreign Host: %q", got)
	}
	r.Host = "base.example@evil.example"
	if got := forbiddenCode(t, check.checkOrigin(r, "/sign-out")); got != ErrInvalidOrigin {
		t.Errorf("malformed Host: %q", got)
	}
}

func TestOriginCheck_checkURL(t *testing.T) {
	tests := []struct {
		field urlField
		value string
		want  Code
	}{
		{callbackURLField, "", ""},
		{callbackURLField, "/x", ""},
		{callbackURLField, goodOrigin + "/x", ""},
		{callbackURLField, evilOrigin, ErrInvalidCallbackURL},
		{redirectURLField, evilOrigin, ErrInvalidRedirectURL},
		{errorCallbackURLField, evilOrigin, ErrInvalidErrorCallbackURL},
		{newUserCallbackURLField, evilOrigin, ErrInvalidNewUserCallbackURL},
	}
	check := mustCheckOrigins(t, OriginCheck{})
	for _, test := range tests {
		if got := forbiddenCode(t, check.checkURL(postWith(), "/sign-out", test.field, test.value)); got != test.want {
			t.Errorf("%s %q: %q, want %q", test.field, test.value, got, test.want)
		}
	}
}

// What each switch turns off, and that it turns off nothing else.
func TestOriginCheck_switches(t *testing.T) {
	tests := []struct {
		config                 OriginCheck
		path                   string
		origin, url, navigated Code
		reason                 string
	}{
		{OriginCheck{}, "/a", ErrInvalidOrigin, ErrInvalidCallbackURL, ErrCrossSiteNavigationLoginBlocked, "all on"},
		{OriginCheck{DisableCSRFCheck: true}, "/a", "", ErrInvalidCallbackURL, "", "URLs are still checked"},
		{OriginCheck{DisableOriginCheck: true}, "/a", "", "", ErrCrossSiteNavigationLoginBlocked, "a form on another site is still blocked"},
		{OriginCheck{DisableCSRFCheck: true, DisableOriginCheck: true}, "/a", "", "", "", "all off"},
		{OriginCheck{ExemptPaths: []string{"/a"}}, "/a", "", "", ErrCrossSiteNavigationLoginBlocked, "the path"},
		{OriginCheck{ExemptPaths: []string{"/a"}}, "/a/b", "", "", ErrCrossSiteNavigationLoginBlocked, "what lies below it"},
		{OriginCheck{ExemptPaths: []string{"/a/"}}, "/a", "", "", ErrCrossSiteNavigationLoginBlocked, "a slash at the end does not matter"},
		{OriginCheck{ExemptPaths: []string{"/a"}}, "/ab", ErrInvalidOrigin, ErrInvalidCallbackURL, ErrCrossSiteNavigationLoginBlocked, "whole segments"},
		{OriginCheck{ExemptPaths: []string{"/a/b"}}, "/a", ErrInvalidOrigin, ErrInvalidCallbackURL, ErrCrossSiteNavigationLoginBlocked, "not what lies above it"},
	}
	for _, test := range tests {
		check := mustCheckOrigins(t, test.config)
		evil := postWith("Cookie", "a=b", "Origin", evilOrigin)
		navigation := postWith("Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Origin", goodOrigin)
		for what, pair := range map[string][2]Code{
			"origin":                 {forbiddenCode(t, check.checkOrigin(evil, test.path)), test.origin},
			"form origin":            {forbiddenCode(t, check.checkFormCSRF(evil, test.path)), test.origin},
			"URL":                    {forbiddenCode(t, check.checkURL(evil, test.path, callbackURLField, evilOrigin)), test.url},
			"form from another site": {forbiddenCode(t, check.checkFormCSRF(navigation, test.path)), test.navigated},
		} {
			if pair[0] != pair[1] {
				t.Errorf("%+v %s: %s %q, want %q: %s", test.config, test.path, what, pair[0], pair[1], test.reason)
			}
		}
	}
}

func TestNewOriginCheck_mistakes(t *testing.T) {
	_, err := newOriginCheck(OriginCheck{ExemptPaths: []string{"/", "sign-in", "", "/ok"}}, nil)
	if err == nil || strings.Count(err.Error(), "\n") != 2 {
		t.Errorf("%v, want three mistakes", err)
	}
}

func TestURLField_notString(t *testing.T) {
	body, err := redirectURLField.notString().MarshalJSON()
	if want := `{"message":"Invalid redirectURL: expected a string"}`; err != nil || string(body) != want {
		t.Errorf("%s, %v, want %s", body, err, want)
	}
}

// CVE-2025-53535: the check was missing on several routes. Here it is one
// function for every field that holds a URL, and none of them may pass.
func TestAdvisory_GHSA_36rg_gfq2_3h56(t *testing.T) {
	check := mustCheckOrigins(t, OriginCheck{})
	for _, field := range []urlField{callbackURLField, redirectURLField, errorCallbackURLField, newUserCallbackURLField} {
		for _, value := range []string{evilOrigin, "//evil.example", `/\evil.example`, "/.//evil.example", "https://app.example@evil.example"} {
			if check.checkURL(postWith(), "/request-password-reset", field, value) == nil {
				t.Errorf("%s %q passes", field, value)
			}
		}
	}
}
