package auth

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// fuzzedShared are sessions in a storage to which another program writes, with columns
// of other kinds than the core has.
type fuzzedShared struct {
	*sharedSessions
	kv *brokenSecondary
}

func newFuzzedShared(t testing.TB, rows bool) *fuzzedShared {
	t.Helper()
	kv := new(brokenSecondary)
	a, err := New(Config{
		BaseURL: testOrigin, Secret: testSecret, Store: NewMemoryStore(), SecondaryStorage: kv, RateLimit: RateLimit{Disabled: true},
		Verification: VerificationOptions{StoreInDatabase: true},
		User: UserOptions{Fields: []Column{
			{Name: "born", Type: TypeDate, Nullable: true, Optional: true}, {Name: "rank", Type: TypeNumber, Nullable: true, Optional: true},
			{Name: "tags", Type: TypeStrings, Nullable: true, Optional: true}, {Name: "note", Type: TypeString, Hidden: true, Nullable: true, Optional: true},
		}},
		Session: SessionOptions{StoreInDatabase: rows, Fields: []Column{{Name: "theme", Type: TypeString, Nullable: true, Optional: true}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return &fuzzedShared{a.core.sessions.shared, kv}
}

// holding empties the storage, but for entries.
func (k *fuzzedShared) holding(t *testing.T, entries map[string]string) {
	t.Helper()
	k.kv.MemorySecondaryStorage = NewMemorySecondaryStorage()
	for key, value := range entries {
		if err := k.kv.Set(t.Context(), key, value, time.Hour); err != nil {
			t.Fatal(err)
		}
	}
}

const (
	fuzzedSession = `{"session":{"expiresAt":"2099-11-30T08:43:48.330Z","token":"tok","createdAt":"2026-11-23T08:43:48.330Z","updatedAt":"2026-11-23T08:43:48.330Z","ipAddress":"192.0.2.1","userAgent":null,"userId":"u","theme":"dark","impersonatedBy":"x","id":"s"},`
	fuzzedUser    = `"user":{"name":"ann","email":"ann@example.com","emailVerified":false,"image":null,"createdAt":"2026-11-23T08:43:48.330Z","updatedAt":"2026-11-23T08:43:48.330Z","born":"2000-02-29","rank":3,"tags":["a"],"note":"secret","role":"admin","id":"u"}}`
)

// FuzzSharedSession reads an entry of a session that another program wrote: what is
// live has the token it was asked for and belongs to the user beside it, nothing hidden
// or unknown is shown, and it is written so that it is read the same. What cannot be
// read is an error, never a session.
func FuzzSharedSession(f *testing.F) {
	for _, entry := range []string{
		fuzzedSession + fuzzedUser, "null", `{"session":null,"user":null}`, `{"session":{"token":"tok"},"user":{}}`, fuzzedSession + `"user":null}`,
		strings.Replace(fuzzedSession, "2099", "9999", 1) + strings.Replace(fuzzedUser, `"2000-02-29"`, `"9999-12-31T23:59:59-23:59"`, 1),
		strings.Replace(fuzzedSession, `"tok"`, `"other"`, 1) + fuzzedUser, fuzzedSession + strings.Replace(fuzzedUser, `"id":"u"`, `"id":"v"`, 1),
	} {
		f.Add(entry, entry != "")
	}
	f.Add(`{"session":{"token":"tok","createdAt":"2026-11-23T08:43:48.330Z"},"user":{}}`, false)
	modes := map[bool]*fuzzedShared{true: newFuzzedShared(f, true), false: newFuzzedShared(f, false)}
	f.Fuzz(func(t *testing.T, entry string, rows bool) {
		k := modes[rows]
		k.holding(t, map[string]string{"tok": entry})
		data, _, err := k.live(t.Context(), "tok")
		switch {
		case err != nil && !errors.Is(err, errDamagedSession):
			t.Fatalf("%q: %v, which is not what a damaged entry is called", entry, err)
		case err != nil && data != nil:
			t.Fatalf("%q: %v, %v", entry, data, err)
		case data == nil:
			return
		}
		checkLive(t, data)
		before := mustMarshal(t, data)
		if err := k.put(t.Context(), data); err != nil {
			t.Fatalf("%q cannot be written: %v", before, err)
		}
		again, _, err := k.live(t.Context(), "tok")
		if err != nil || string(mustMarshal(t, again)) != string(before) {
			t.Fatalf("%q was written as %q and read as %v, %v", before, k.kv.contents()["tok"], again, err)
		}
	})
}

func checkLive(t *testing.T, data *SessionData) {
	t.Helper()
	if data.Session.Token != "tok" || data.User.ID == "" || data.User.ID != data.Session.UserID {
		t.Fatalf("session %+v of user %+v", data.Session, data.User)
	}
	for _, fields := range []map[string]any{data.Session.Fields, data.User.Fields} {
		for name := range fields {
			if !slices.Contains([]string{"born", "rank", "tags", "note", "theme"}, name) {
				t.Fatalf("an unknown column %q is kept", name)
			}
		}
	}
	if shown := string(mustMarshal(t, data)); strings.Contains(shown, `"note":`) {
		t.Fatalf("a hidden column is shown: %s", shown)
	}
}

func mustMarshal(t *testing.T, value any) []byte {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// FuzzSharedList reads a user's list of sessions, and the mark that ends those before
// a time, as another program wrote them: nothing in the list has expired, a session
// that begins is in it once, one that ends is not, and a mark never goes back.
func FuzzSharedList(f *testing.F) {
	for _, list := range []string{
		`[{"token":"a","expiresAt":4100000000000},{"token":"a","expiresAt":4100000000001},{"token":"old","expiresAt":1}]`,
		"", "[]", "null", "[null]", `{"token":"a"}`, `[{"token":"a","expiresAt":9223372036854775807}]`, `[{"token":1}]`, `[{"token":"a","expiresAt":-1e3}]`,
	} {
		f.Add(list, "1795424223782")
	}
	f.Add("[]", "9223372036854775807")
	f.Add("[]", "-1")
	f.Add("[]", "yesterday")
	k := newFuzzedShared(f, false)
	f.Fuzz(func(t *testing.T, list, mark string) {
		k.holding(t, map[string]string{keyActiveSessions + "u": list, keyRevokedBefore + "u": mark})
		checkMark(t, k, mark)
		before, err := k.references(t.Context(), "u")
		if err != nil {
			return
		}
		for _, r := range before {
			if r.ExpiresAt <= now().UnixMilli() {
				t.Fatalf("%q: %v has expired", list, r)
			}
		}
		session := &Session{Token: "new", UserID: "u", ExpiresAt: now().Add(time.Hour)}
		for range 2 {
			if err := k.enlist(t.Context(), session); err != nil {
				t.Fatal(err)
			}
		}
		after, err := k.references(t.Context(), "u")
		if err != nil || !json.Valid([]byte(k.kv.contents()[keyActiveSessions+"u"])) || countToken(after, "new") != 1 || countToken(after, "a") != countToken(before, "a") {
			t.Fatalf("%q became %v, %v", list, after, err)
		}
		if err := k.forget(t.Context(), "u", []string{"new"}); err != nil {
			t.Fatal(err)
		}
		if left, err := k.references(t.Context(), "u"); err != nil || countToken(left, "new") != 0 || countToken(left, "a") != countToken(before, "a") {
			t.Fatalf("%q: %v are left, %v", list, left, err)
		}
	})
}

func countToken(list []sessionReference, token string) (n int) {
	for _, r := range list {
		if r.Token == token {
			n++
		}
	}
	return n
}

func checkMark(t *testing.T, k *fuzzedShared, mark string) {
	t.Helper()
	before, err := k.revokedBefore(t.Context(), "u")
	if number, parseErr := strconv.ParseInt(mark, 10, 64); (err == nil) != (parseErr == nil) || err == nil && before != number {
		t.Fatalf("mark %q is %d, %v", mark, before, err)
	}
	if err != nil {
		return
	}
	at := time.UnixMilli(1795424223782)
	if err := k.revoke(t.Context(), "u", nil, at); err != nil {
		t.Fatal(err)
	}
	if after, err := k.revokedBefore(t.Context(), "u"); err != nil || after != max(before, at.UnixMilli()) {
		t.Fatalf("mark %q became %d, %v", mark, after, err)
	}
}

// FuzzSharedVerification reads an entry of a verification that another program wrote:
// one that has not expired is redeemed once, with the value that is in the entry.
func FuzzSharedVerification(f *testing.F) {
	good := `{"createdAt":"2026-11-23T08:43:48.330Z","updatedAt":"2026-11-23T08:43:48.330Z","value":"v","identifier":"reset-password:tok","expiresAt":"2099-11-23T08:43:48.330Z"}`
	for _, entry := range []string{
		good, "", "null", "{}", "[]", strings.Replace(good, "2099", "2001", 1), strings.Replace(good, `"v"`, "7", 1), strings.Replace(good, "{", `{"id":"7","extra":[],`, 1),
		strings.Replace(good, "tok", "other", 1), strings.Replace(good, "2099-11-23T08:43:48.330Z", "9999-12-31T23:59:59-23:59", 1),
	} {
		f.Add(entry)
	}
	f.Fuzz(func(t *testing.T, entry string) {
		w := newWorld(t, func(c *Config) { c.SecondaryStorage = NewMemorySecondaryStorage() })
		s := w.core
		if err := s.verifications.shared.Set(t.Context(), keyVerification+"reset-password:tok", entry, time.Hour); err != nil {
			t.Fatal(err)
		}
		found, findErr := s.findVerification(t.Context(), purposeResetPassword, "tok")
		taken, err := s.consumeVerification(t.Context(), purposeResetPassword, "tok")
		if (findErr == nil) != (err == nil) || (found == nil) != (taken == nil) || err != nil && taken != nil {
			t.Fatalf("%q: found %v, %v, and taken %v, %v", entry, found, findErr, taken, err)
		}
		if again, err := s.consumeVerification(t.Context(), purposeResetPassword, "tok"); again != nil || err != nil {
			t.Fatalf("%q is redeemed twice: %v, %v", entry, again, err)
		}
		if taken == nil {
			return
		}
		var sent map[string]any
		if err := json.Unmarshal([]byte(entry), &sent); err != nil || sent["value"] == nil && taken.Value != "" || sent["value"] != nil && sent["value"] != taken.Value {
			t.Fatalf("%q is %+v, %v", entry, taken, err)
		}
		if !taken.ExpiresAt.After(time.Now()) || fmt.Sprint(*taken) != fmt.Sprint(*found) {
			t.Fatalf("%q is %+v, and was %+v", entry, taken, found)
		}
	})
}

// FuzzEntity reads the JSON of users, sessions and the results that have one, as another
// server wrote it: what is accepted is written so that it is read the same.
func FuzzEntity(f *testing.F) {
	for _, text := range []string{
		"", "null", "{}", "[]", fuzzedSession + fuzzedUser, strings.TrimSuffix(strings.TrimPrefix(fuzzedUser, `"user":`), "}"),
		`{"status":true,"user":null}`, `{"status":true,` + fuzzedUser, `{"name":"Ann","email":"a@x.co","emailVerified":true,"born":"2000-02-29","role":[1]}`,
		`{"id":"\ud800","createdAt":"9999-12-31T23:59:59-23:59","email":1}`, `{"name":"a","NAME":"b","name":"c","\u006eame":"d"}`,
	} {
		f.Add(text)
	}
	made := map[string]func() any{
		"user": func() any { return new(User) }, "session": func() any { return new(Session) }, "provider's": func() any { return new(ProviderUser) },
		"result": func() any { return new(VerifyEmailResponse) }, "optional": func() any { return new(Optional[map[string]any]) },
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, name := range slices.Sorted(maps.Keys(made)) {
			first, second := made[name](), made[name]()
			if json.Unmarshal([]byte(text), first) != nil {
				continue
			}
			written := mustMarshal(t, first)
			if err := json.Unmarshal(written, second); err != nil {
				t.Fatalf("%s %q was written as %q: %v", name, text, written, err)
			}
			if twice := mustMarshal(t, second); string(twice) != string(written) {
				t.Fatalf("%s %q became %q and %q", name, text, written, twice)
			}
		}
	})
}
