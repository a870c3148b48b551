package bench

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/seed3b05b409/auth"
)

// BenchmarkClient asks a server on loopback for a session. Beside it stands what a
// hand-written client does: one request of net/http and encoding/json once. x-bare is the
// time in that of the bare client, in the same run against the same server.
func BenchmarkClient(b *testing.B) {
	a := newAuth(b, auth.NewMemoryStore(), auth.Passwords{Hasher: plain{}}, auth.SessionOptions{})
	server := httptest.NewServer(a)
	b.Cleanup(server.Close)
	var sent http.Header
	if _, err := a.API.SignUpEmail.Call(b.Context(), auth.SignUpEmailRequest{
		Name: "Ada Lovelace", Email: "ada@example.com", Password: "correct horse battery",
	}, auth.ReturnHeaders(&sent)); err != nil {
		b.Fatal(err)
	}
	cookie, err := http.ParseSetCookie(sent.Get("Set-Cookie"))
	if err != nil {
		b.Fatal(err)
	}
	caller := http.Header{"Cookie": {cookie.Name + "=" + cookie.Value}}
	var bareTime float64
	b.Run("bare", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if data, err := askBare(server.URL, caller); err != nil || data.User.Name == "" {
				b.Fatal(data, err)
			}
		}
		bareTime = float64(b.Elapsed()) / float64(b.N)
	})
	b.Run("client", func(b *testing.B) {
		c, err := auth.NewClient(server.URL)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		for b.Loop() {
			data, err := c.API.GetSession.Call(b.Context(), auth.GetSessionRequest{}, auth.WithHeaders(caller))
			if err != nil || data == nil || data.User.Name == "" {
				b.Fatal(data, err)
			}
		}
		if bareTime > 0 {
			b.ReportMetric(float64(b.Elapsed())/float64(b.N)/bareTime, "x-bare")
		}
	})
}

// bareClient has a time limit too, which costs it a timer for each request.
var bareClient = &http.Client{Timeout: 30 * time.Second}

// askBare is get-session by hand.
func askBare(origin string, caller http.Header) (data copiedJSON, err error) {
	r, err := http.NewRequest(http.MethodGet, origin+"/api/auth/get-session", nil)
	if err != nil {
		return data, err
	}
	r.Header = caller.Clone()
	response, err := bareClient.Do(r)
	if err != nil {
		return data, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return data, err
	}
	return data, json.Unmarshal(text, &data)
}
