package faulttest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestOddInputToPlugins sends plugins what one database or the other has no place
// for: the answer is never a 5xx, and what is refused changes nothing.
func TestOddInputToPlugins(t *testing.T) {
	long := strings.Repeat("x", 300)
	requests := []struct{ method, path, body, as string }{
		{"POST", "/sign-in/username", `{"username":"a\u0000b","password":"wrong"}`, ""},
		{"POST", "/sign-up/email", `{"name":"Eve","email":"eve@example.com","password":"password of eve","username":"eve","displayUsername":"a\u0000b"}`, ""},
		{"POST", "/update-user", `{"displayUsername":"` + long + `\u0000"}`, "PHONE"},
		{"POST", "/sign-in/magic-link", `{"email":"` + long + `@example.com","name":"a\u0000b"}`, ""},
		{"POST", "/sign-in/magic-link", `{"email":"eve@example.com","name":"` + strings.Repeat("x", 70_000) + `"}`, ""},
		{"GET", "/magic-link/verify?token=%00", "", ""},
		{"GET", "/magic-link/verify?token=%FF%FE", "", ""},
		{"GET", "/magic-link/verify?token=" + long, "", ""},
		{"POST", "/email-otp/send-verification-otp", `{"email":"` + long + `@example.com","type":"sign-in"}`, ""},
		{"POST", "/email-otp/check-verification-otp", `{"email":"` + long + `@example.com","type":"sign-in","otp":"\u0000"}`, ""},
		{"POST", "/sign-in/email-otp", `{"email":"\u0000","otp":"\u0000"}`, ""},
		{"POST", "/sign-in/email-otp", `{"email":"ann@example.com","otp":"\u0000"}`, ""},
		{"POST", "/email-otp/request-password-reset", `{"email":"` + long + `@example.com"}`, ""},
		{"POST", "/email-otp/request-email-change", `{"newEmail":"` + long + `@example.com"}`, "PHONE"},
		{"POST", "/email-otp/change-email", `{"newEmail":"` + long + `@example.com","otp":"\u0000"}`, "PHONE"},
		{"POST", "/two-factor/verify-totp", `{"code":"\u0000"}`, ""},
		{"POST", "/two-factor/verify-totp", `{"code":"\u0000"}`, "PHONE"},
		{"POST", "/two-factor/verify-backup-code", `{"code":"\u0000"}`, ""},
		{"POST", "/two-factor/verify-otp", `{"code":"\u0000"}`, ""},
		{"POST", "/multi-session/set-active", `{"sessionToken":"\u0000"}`, ""},
		{"POST", "/multi-session/revoke", `{"sessionToken":"` + long + `"}`, "PHONE"},
		{"POST", "/one-time-token/verify", `{"token":"\u0000"}`, ""},
		{"POST", "/one-time-token/verify", `{"token":"` + long + `"}`, ""},
	}
	onEachInTurn(t, func(t *testing.T, db *database) {
		s := newStage(t, db)
		s.director, db.tables = s.plugged, allTables
		challenged(s)
		db.save(t, "given")
		for _, tt := range requests {
			s.run(t, fmt.Sprintf("%.50s %.60s", tt.path, tt.body), func() {
				db.restore(s.t, "given")
				before := db.snapshot(s.t)
				w := httptest.NewRecorder()
				s.director.ServeHTTP(w, s.request(tt.method, tt.path, tt.body, tt.as))
				got := change(before, db.snapshot(s.t))
				if w.Code >= http.StatusInternalServerError || w.Code >= http.StatusMultipleChoices && strings.Contains(got, "+") && !strings.Contains(got, "-") {
					log, _ := s.noted()
					s.t.Errorf("%d %s; %q\n%s", w.Code, w.Body, got, log)
				}
			})
		}
	})
}
