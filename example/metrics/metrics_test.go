package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// TestMetrics starts the program, signs up, signs in and fails to, and reads the
// counters of both kinds.
func TestMetrics(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var public, private string
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- run(ctx, "127.0.0.1:0", "127.0.0.1:0", func(outside, inside net.Addr) {
			public, private = "http://"+outside.String(), "http://"+inside.String()
			close(ready)
		})
	}()
	select {
	case <-ready:
	case err := <-ended:
		t.Fatal(err)
	}
	post := func(path, body string, want int) {
		t.Helper()
		resp, err := http.Post(public+"/api/auth"+path, "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%s: %s", path, resp.Status)
		}
	}
	post("/sign-up/email", `{"name":"Ada","email":"ada@example.com","password":"correct horse"}`, 200)
	post("/sign-in/email", `{"email":"ada@example.com","password":"correct horse"}`, 200)
	post("/sign-in/email", `{"email":"ada@example.com","password":"wrong horse"}`, 401)
	post("/sign-in/email", `{"email":"ada@example.com","password":"wrong horse"}`, 401)
	post("/sign-in/email", `{"email":"ada@example.com","password":"wrong horse"}`, 429)
	post("/invented/path", `{}`, 404)

	get := func(path string) string {
		t.Helper()
		resp, err := http.Get(private + path)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != http.StatusOK {
			t.Fatal(resp.Status, err)
		}
		return string(body)
	}
	prometheus := get("/metrics")
	for _, want := range []string{
		`auth_events_total{event="sign_up",method="email-password",provider="",reason=""} 1`,
		`auth_events_total{event="sign_in",method="email",provider="",reason=""} 2`,
		`auth_events_total{event="sign_in_failed",method="email",provider="",reason="credentials"} 2`,
		`auth_events_total{event="rate_limited",method="",provider="",reason=""} 1`,
		`auth_request_seconds_count{endpoint="signInEmail",status="200"} 1`,
		`auth_request_seconds_count{endpoint="signInEmail",status="401"} 2`,
		`auth_request_seconds_count{endpoint="signInEmail",status="429"} 1`,
		`auth_request_seconds_count{endpoint="none",status="404"} 1`,
	} {
		if !strings.Contains(prometheus, want+"\n") {
			t.Errorf("/metrics has no %s:\n%s", want, prometheus)
		}
	}
	if vars := get("/debug/vars"); !regexp.MustCompile(`"sign_in_failed": ?2`).MatchString(vars) || !strings.HasPrefix(vars, `{"auth_events": {`) {
		t.Errorf("/debug/vars: %s", vars)
	}
	if strings.Contains(prometheus, "ada") {
		t.Error("the metrics name somebody")
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
