package auth

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
)

// TestRemoteErrors: what the server answers with a status of failure is an *APIError,
// whatever the form of its body.
func TestRemoteErrors(t *testing.T) {
	page := "<html>" + strings.Repeat("\u00e4", 300)
	for _, tt := range []struct {
		reason        string
		status        int
		body          string
		code          Code
		message, text string
	}{
		{"our form", 401, `{"message":"Invalid password","code":"INVALID_PASSWORD"}`, "INVALID_PASSWORD", "Invalid password", "auth: Invalid password (INVALID_PASSWORD)"},
		{"a message only", 429, `{"message":"Too many requests. Please try again later."}`, "", "Too many requests. Please try again later.", ""},
		{"a code only", 400, `{"code":"X"}`, "X", "", "auth: X"},
		{"OAuth", 400, `{"error":"invalid_grant","error_description":"No such code"}`, "invalid_grant", "No such code", ""},
		{"ours goes before OAuth's", 400, `{"code":"X","error":"y","message":"m"}`, "X", "m", ""},
		{"an internal error", 500, "", "", "", "auth: Internal Server Error"},
		{"a page", 404, "<p>gone</p>", "", "", `auth: Not Found: the server says "<p>gone</p>"`},
		{"a long page", 502, page, "", "", ""},
		{"wrong types", 400, `{"message":5,"code":["x"]}`, "", "", ""},
		{"no object", 400, `"x"`, "", "", ""},
		{"not modified", 304, "", "", "", "auth: Not Modified"},
	} {
		c := mustClient(t, "http://h", ClientHTTP(answers(tt.status, tt.body, "Retry-After", "7", "Set-Cookie", "a=b", "Content-Type", "text/x")))
		var (
			status int
			header http.Header
			resp   *http.Response
		)
		out, err := c.API.SignOut.Call(t.Context(), SignOutRequest{}, ReturnStatus(&status), ReturnHeaders(&header))
		api := apiError(err)
		if out != nil || api == nil || api.Status != tt.status || api.Code != tt.code || api.Message != tt.message || status != tt.status {
			t.Errorf("%s: %v, %#v", tt.reason, out, err)
			continue
		}
		if tt.code != "" && !errors.Is(err, tt.code) || tt.text != "" && err.Error() != tt.text || len(err.Error()) > 400 {
			t.Errorf("%s: %v", tt.reason, err)
		}
		if want := (http.Header{"Retry-After": {"7"}, "Set-Cookie": {"a=b"}}); !reflect.DeepEqual(header, want) || api.Header.Get("Retry-After") != "7" {
			t.Errorf("%s: headers %v, of the error %v", tt.reason, header, api.Header)
		}
		if _, err := c.API.SignOut.Call(t.Context(), SignOutRequest{}, AsResponse(&resp)); err != nil || resp.StatusCode != tt.status {
			t.Errorf("%s: AsResponse %v", tt.reason, err)
		} else if body := readBody(t, resp); body != tt.body {
			t.Errorf("%s: AsResponse %q", tt.reason, body)
		}
	}
}

// TestRemoteRedirects are never followed: they are what they are in process.
func TestRemoteRedirects(t *testing.T) {
	for _, status := range []int{301, 302, 303, 307, 308} {
		asked := 0
		client := answers(status, "", "Location", "http://elsewhere/x?error=1", "Set-Cookie", "a=b")
		c := mustClient(t, "http://h", ClientHTTP(&http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			asked++
			return client.Transport.RoundTrip(r)
		})}))
		_, err := c.API.VerifyEmail.Call(t.Context(), VerifyEmailRequest{Token: "x", CallbackURL: "/x"})
		api := apiError(err)
		if api == nil || api.Status != status || api.Header.Get("Location") != "http://elsewhere/x?error=1" || asked != 1 {
			t.Errorf("%d: %v after %d requests", status, err, asked)
		}
		if status == 302 && api.Header.Get("Set-Cookie") != "a=b" {
			t.Errorf("a redirect without its cookies: %v", api.Header)
		}
	}
}

// TestRemoteOddAnswers: what is no answer is an error that is no *APIError, and leaves no
// result. The cookies that came with it are kept.
func TestRemoteOddAnswers(t *testing.T) {
	for reason, body := range map[string]string{
		"nothing": "", "white space": " \n", "a page": "<p>secret", "cut short": `{"status":tr`, "two": `{"status":true}{}`,
		"another type": `{"status":"secret"}`, "an array": "[]", "too long": `{"status":true}` + strings.Repeat(" ", maxAnswer),
	} {
		c := mustClient(t, "http://h", ClientHTTP(answers(200, body, "Set-Cookie", "a=b")))
		var header http.Header
		out, err := c.API.RevokeSessions.Call(t.Context(), Empty{}, ReturnHeaders(&header))
		if out != nil || err == nil || apiError(err) != nil || !strings.HasPrefix(err.Error(), "auth: ") || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v, %v", reason, out, err)
		}
		if reason != "too long" && header.Get("Set-Cookie") != "a=b" {
			t.Errorf("%s: the cookies are lost", reason)
		}
	}
	c := mustClient(t, "http://h", ClientHTTP(answers(200, "null")))
	if out, err := c.API.RevokeSessions.Call(t.Context(), Empty{}); out != nil || err != nil {
		t.Errorf("null: %v, %v", out, err)
	}
	raw := mustClient(t, "http://h", ClientHTTP(answers(200, "<p>", "Content-Type", "text/html")))
	if out, err := raw.API.Error.Call(t.Context(), ErrorRequest{}); err != nil || out.ContentType != "text/html" || string(out.Body) != "<p>" {
		t.Errorf("raw: %+v, %v", out, err)
	}
}

// oddAnswer is what a plugin answers in place of results.
type oddAnswer struct {
	Wait  int    `json:"wait"`
	Where string `json:"where,omitempty"`
}

func (*oddAnswer) Error() string { return "wait" }

// TestRemoteAnswersOfPlugins are known by their members: all that are required, and no
// others.
func TestRemoteAnswersOfPlugins(t *testing.T) {
	for body, want := range map[string]*oddAnswer{
		`{"wait":5}`: {Wait: 5}, `{"where":"x","wait":1}`: {1, "x"},
		`{"where":"x"}`: nil, `{"wait":"5"}`: nil, `{"wait":5,"status":true}`: nil, `{}`: nil, `{"status":true}`: nil,
	} {
		plugin := grafted("odd", Extension{Answers: []RouteAnswer{{Paths: []string{"/verify-*"}, Value: &oddAnswer{}}}})
		c := mustClient(t, "http://h", ClientHTTP(answers(200, body)), ClientPlugins(plugin))
		_, err := c.API.VerifyPassword.Call(t.Context(), VerifyPasswordRequest{})
		if got, _ := errors.AsType[*oddAnswer](err); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, %v", body, got, err)
		}
		if _, err := c.API.SignOut.Call(t.Context(), SignOutRequest{}); err != nil {
			t.Errorf("%s on another path: %v", body, err)
		}
	}
}

// FuzzRemoteResponse: no answer makes a Client panic, and no error has what the caller
// has sent or what is in a cookie.
func FuzzRemoteResponse(f *testing.F) {
	const cookie = "cookie-value-of-the-answer"
	for status, body := range map[int]string{
		200: `{"session":{"id":"s","userId":"u"},"user":{"id":"u"}}`, 201: `{"status":true,"user":null}`, 204: "",
		302: "", 400: `{"code":"X","message":"m"}`, 401: `{"error":"x"}`, 500: "", 502: "<html>", 599: "\xff",
	} {
		f.Add(status, "X-Thing", "1", []byte(body))
	}
	f.Add(200, "Content-Type", "text/html", []byte(`{"twoFactorRedirect":true,"twoFactorMethods":["totp"]}`))
	f.Add(200, "Retry-After", "99999999999", []byte(`{"user":{"id":"u","createdAt":"x"},"session":[]}`))
	f.Add(302, "Location", "http://x/%zz", []byte(`[{"id":1}]`))
	f.Fuzz(func(t *testing.T, status int, key, value string, body []byte) {
		if status < 200 || status > 999 {
			return
		}
		transport := roundTrip(func(r *http.Request) (*http.Response, error) {
			rec := httptest.NewRecorder()
			rec.Body.Write(body)
			resp := rec.Result()
			resp.StatusCode, resp.Header, resp.Request = status, http.Header{key: {value}, "Set-Cookie": {"a=" + cookie}}, r
			return resp, nil
		})
		c := mustClient(t, "http://h", ClientHTTP(&http.Client{Transport: transport}), ClientPlugins(&TwoFactor{}))
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		headers := WithHeaders(http.Header{"Cookie": {"secret-of-the-caller"}})
		_, signInErr := c.API.SignInEmail.Call(ctx, SignInEmailRequest{Password: "secret-of-the-caller"}, headers)
		_, verifyErr := c.API.VerifyEmail.Call(ctx, VerifyEmailRequest{Token: "secret-of-the-caller"}, headers)
		_, deleteErr := c.API.DeleteUser.Call(ctx, DeleteUserRequest{Token: "secret-of-the-caller"})
		for _, err := range []error{signInErr, verifyErr, deleteErr} {
			if err == nil {
				continue
			}
			for _, secret := range []string{cookie, "secret-of-the-caller"} {
				if strings.Contains(err.Error(), secret) && !strings.Contains(string(body), secret) {
					t.Errorf("the error tells %s: %v", secret, err)
				}
			}
			if api := apiError(err); api != nil && api.Status != status || status < 300 && api != nil {
				t.Errorf("status %d: %v", status, err)
			}
		}
		if status >= 300 && (signInErr == nil || verifyErr == nil) {
			t.Errorf("status %d is no error", status)
		}
	})
}
