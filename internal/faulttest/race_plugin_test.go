package faulttest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// crowd is how many want the same thing at the same moment.
const crowd = 6

// A tally counts answers by status.
type tally struct {
	mu       sync.Mutex
	statuses map[int]int
	sessions int // that were sent
	bodies   []string
}

// of returns what asks by a browser with a cookie beside that of somebody's session.
func (y *tally) of(s *stage, method, path, body, as, cookie string) func() {
	return func() {
		r := s.request(method, path, body, as)
		if cookie != "" {
			r.Header.Add("Cookie", cookie)
		}
		w := httptest.NewRecorder()
		s.director.ServeHTTP(w, r)
		if w.Code >= 500 {
			log, _ := s.noted()
			s.t.Errorf("%s: %d %s\n%s", path, w.Code, w.Body, log)
		}
		y.mu.Lock()
		defer y.mu.Unlock()
		if y.statuses == nil {
			y.statuses = make(map[int]int)
		}
		y.statuses[w.Code]++
		y.bodies = append(y.bodies, w.Body.String())
		for _, c := range w.Result().Cookies() {
			if c.Name == tokenCookie && c.MaxAge >= 0 && c.Value != "" {
				y.sessions++
			}
		}
	}
}

// times returns what is done several times at once.
func times(n int, do func()) []func() {
	all := make([]func(), n)
	for i := range all {
		all[i] = do
	}
	return all
}

// challenge gives Ann's password in a browser of its own and returns its cookie.
func (s *stage) challenge() string {
	for _, c := range s.direct("/sign-in/email", anns).Cookies() {
		if strings.HasSuffix(c.Name, ".two_factor") {
			return c.Name + "=" + c.Value
		}
	}
	s.t.Fatal("no challenge")
	return ""
}

// pluginRaces are run one after the other, each from the state of the first.
var pluginRaces = []struct {
	name string
	run  func(s *stage, round int)
}{
	{"one backup code", raceBackupCode},
	{"two backup codes", raceBackupCodes},
	{"one challenge", raceChallenge},
	{"guesses of one challenge", raceGuesses},
	{"the lock of an account", raceLock},
	{"one trusted device", raceTrustedDevice},
	{"an authenticator", raceEnabling},
	{"its first code", raceFirstCode},
	{"one magic link of a new user", raceMagicLink("cat@example.com")},
	{"one magic link", raceMagicLink("ann@example.com")},
	{"one code of a new user", raceOTP(otpOfCat, "cat@example.com")},
	{"one code", raceOTP(otp("sign-in"), "ann@example.com")},
	{"guesses of a code", raceOTPGuesses},
	{"one code for a password", raceOTPReset},
	{"one one-time token", raceOneTimeToken},
	{"a username of new users", raceUsernameSignUp},
	{"a username of users", raceUsernameUpdate},
	{"the first key", raceKeys},
	{"sign-ins in one browser", raceMultiSession},
}

// TestPluginsAtOnce: of many who want what only one can have, one gets it, and
// nobody a 5xx.
func TestPluginsAtOnce(t *testing.T) {
	onEach(t, func(t *testing.T, db *database) {
		s := newStage(t, db)
		s.director, db.tables = s.plugged, allTables
		for _, race := range pluginRaces {
			s.run(t, race.name, func() {
				for round := range 3 {
					db.restore(s.t, "base")
					clear(s.jar)
					race.run(s, round)
				}
			})
		}
	})
}

// one demands one success among the others' failures.
func (y *tally) one(s *stage, round int, others ...int) {
	s.t.Helper()
	failed := 0
	for _, status := range others {
		failed += y.statuses[status]
	}
	if y.statuses[http.StatusOK] != 1 || failed != crowd-1 || y.sessions != 1 {
		s.t.Fatalf("round %d: %v, %d sessions", round, y.statuses, y.sessions)
	}
}

func raceBackupCode(s *stage, round int) {
	protected(s)
	var y tally
	var all []func()
	for range crowd {
		all = append(all, y.of(s, http.MethodPost, "/two-factor/verify-backup-code", `{"code":"$BACKUP"}`, "", s.challenge()))
	}
	together(all...)
	y.one(s, round, http.StatusUnauthorized, http.StatusConflict)
}

// raceBackupCodes: who has another code is not hindered.
func raceBackupCodes(s *stage, round int) {
	protected(s)
	var y tally
	var all []func()
	for _, code := range s.backupCodes[:crowd] {
		all = append(all, y.of(s, http.MethodPost, "/two-factor/verify-backup-code", fmt.Sprintf(`{"code":%q}`, code), "", s.challenge()))
	}
	together(all...)
	if y.sessions != crowd {
		s.t.Fatalf("round %d: %v", round, y.statuses)
	}
}

func raceChallenge(s *stage, round int) {
	protected(s)
	var y tally
	together(times(crowd, y.of(s, http.MethodPost, "/two-factor/verify-totp", `{"code":"$TOTP"}`, "", s.challenge()))...)
	y.one(s, round, http.StatusUnauthorized)
}

// raceGuesses: a challenge bears five guesses, however they come.
func raceGuesses(s *stage, round int) {
	protected(s)
	challenge := s.challenge()
	var y tally
	for range 4 {
		together(times(crowd, y.of(s, http.MethodPost, "/two-factor/verify-totp", `{"code":"none"}`, "", challenge))...)
	}
	var late tally
	late.of(s, http.MethodPost, "/two-factor/verify-totp", `{"code":"$TOTP"}`, "", challenge)()
	if n := s.failures(); y.sessions+late.sessions != 0 && n > 4 || n > 5 {
		s.t.Fatalf("round %d: %d guesses were looked at; %v, then %v", round, n, y.statuses, late.statuses)
	}
}

// failures is how many wrong codes are counted for Ann.
func (s *stage) failures() (n int) {
	for _, row := range s.db.snapshot(s.t)["twoFactor"] {
		_, _ = fmt.Sscan(row["failedVerificationCount"], &n)
	}
	return n
}

// raceLock: no guess is lost, and after ten the account is locked.
func raceLock(s *stage, round int) {
	protected(s)
	var challenges []string
	for range 4 {
		challenges = append(challenges, s.challenge())
	}
	var y tally
	for range 5 {
		var all []func()
		for _, challenge := range challenges {
			all = append(all, y.of(s, http.MethodPost, "/two-factor/verify-backup-code", `{"code":"none"}`, "", challenge))
		}
		together(all...)
	}
	if n := s.failures(); n != 10 || y.statuses[http.StatusUnauthorized] != 10 || y.statuses[http.StatusTooManyRequests] != 10 {
		s.t.Fatalf("round %d: %d are counted, %v", round, n, y.statuses)
	}
}

// raceTrustedDevice: its name is replaced once; everybody who had it is signed in.
func raceTrustedDevice(s *stage, round int) {
	trusted(s)
	var y tally
	together(times(crowd, y.of(s, http.MethodPost, "/sign-in/email", anns, "", ""))...)
	marks := 0
	for _, row := range s.db.snapshot(s.t)["verification"] {
		if strings.HasPrefix(row["identifier"], "trust-device-") {
			marks++
		}
	}
	if y.statuses[http.StatusOK] != crowd || y.sessions == 0 || marks != 1 {
		s.t.Fatalf("round %d: %v, %d sessions, %d devices", round, y.statuses, y.sessions, marks)
	}
}

// raceEnabling: a user has one authenticator.
func raceEnabling(s *stage, round int) {
	var y tally
	together(times(crowd, y.of(s, http.MethodPost, "/two-factor/enable", `{"password":"password of ann"}`, "ANN", ""))...)
	if n := len(s.db.snapshot(s.t)["twoFactor"]); n != 1 || y.statuses[http.StatusOK] == 0 {
		s.t.Fatalf("round %d: %d authenticators, %v", round, n, y.statuses)
	}
}

// raceFirstCode: the session that was not protected is over, and whoever gets another
// one has it.
func raceFirstCode(s *stage, round int) {
	enabling(s)
	var y tally
	together(times(crowd, y.of(s, http.MethodPost, "/two-factor/verify-totp", `{"code":"$TOTP"}`, "ANN", ""))...)
	state := s.db.snapshot(s.t)
	if n := having(state["session"], "userId", s.words["USER"]); y.sessions == 0 || n != y.sessions+1 || hasSession(state, s.words["ANNTOKEN"]) {
		s.t.Fatalf("round %d: %d sessions, %d were sent, %v", round, n, y.sessions, y.statuses)
	}
}

func raceMagicLink(email string) func(*stage, int) {
	return func(s *stage, round int) {
		link(email)(s)
		var y tally
		together(times(crowd, y.of(s, http.MethodGet, "/magic-link/verify?token=$TOKEN", "", "", ""))...)
		y.one(s, round, http.StatusFound)
		s.oneUser(round, email)
	}
}

// oneUser demands one user with an address.
func (s *stage) oneUser(round int, email string) {
	s.t.Helper()
	if n := having(s.db.snapshot(s.t)["user"], "email", email); n != 1 {
		s.t.Fatalf("round %d: %d users", round, n)
	}
}

func raceOTP(send func(*stage), email string) func(*stage, int) {
	return func(s *stage, round int) {
		send(s)
		var y tally
		together(times(crowd, y.of(s, http.MethodPost, "/sign-in/email-otp", fmt.Sprintf(`{"email":%q,"otp":"$TOKEN"}`, email), "", ""))...)
		y.one(s, round, http.StatusBadRequest)
		s.oneUser(round, email)
	}
}

// raceOTPGuesses: three wrong codes are as many as there may be, however they come.
func raceOTPGuesses(s *stage, round int) {
	otp("sign-in")(s)
	var y tally
	together(times(crowd, y.of(s, http.MethodPost, "/sign-in/email-otp", `{"email":"ann@example.com","otp":"none"}`, "", ""))...)
	y.of(s, http.MethodPost, "/sign-in/email-otp", `{"email":"ann@example.com","otp":"$TOKEN"}`, "", "")()
	if y.sessions != 0 {
		s.t.Fatalf("round %d: %v", round, y.statuses)
	}
}

func raceOTPReset(s *stage, round int) {
	resetOTP(s)
	var y tally
	var all []func()
	for i := range crowd {
		all = append(all, y.of(s, http.MethodPost, "/email-otp/reset-password",
			fmt.Sprintf(`{"email":"ann@example.com","otp":"$TOKEN","password":"password %d of ann"}`, i), "", ""))
	}
	together(all...)
	if y.statuses[http.StatusOK] != 1 || y.statuses[http.StatusBadRequest] != crowd-1 {
		s.t.Fatalf("round %d: %v", round, y.statuses)
	}
}

func raceOneTimeToken(s *stage, round int) {
	oneTimeToken(s)
	var y tally
	together(times(crowd, y.of(s, http.MethodPost, "/one-time-token/verify", `{"token":"$TOKEN"}`, "", ""))...)
	y.one(s, round, http.StatusBadRequest)
}

func raceUsernameSignUp(s *stage, round int) {
	var y tally
	var all []func()
	for i := range crowd {
		all = append(all, y.of(s, http.MethodPost, "/sign-up/email",
			fmt.Sprintf(`{"name":"Eve","email":"eve%d@example.com","password":"password of eve","username":"Eve"}`, i), "", ""))
	}
	together(all...)
	y.one(s, round, http.StatusBadRequest)
	s.oneOf(round, "eve")
}

func raceUsernameUpdate(s *stage, round int) {
	s.words["BOB"] = s.session(s.direct("/sign-in/email", `{"email":"bob@example.com","password":"password of bob"}`))
	var anns, bobs tally
	together(append(times(crowd/2, anns.of(s, http.MethodPost, "/update-user", `{"username":"Eve"}`, "ANN", "")),
		times(crowd/2, bobs.of(s, http.MethodPost, "/update-user", `{"username":"EVE"}`, "BOB", ""))...)...)
	if anns.statuses[http.StatusOK]+bobs.statuses[http.StatusOK] != crowd/2 || anns.statuses[http.StatusBadRequest]+bobs.statuses[http.StatusBadRequest] != crowd/2 {
		s.t.Fatalf("round %d: %v and %v", round, anns.statuses, bobs.statuses)
	}
	s.oneOf(round, "eve")
}

// oneOf demands one user with a name.
func (s *stage) oneOf(round int, username string) {
	s.t.Helper()
	if n := having(s.db.snapshot(s.t)["user"], "username", username); n != 1 {
		s.t.Fatalf("round %d: %d users", round, n)
	}
}

// raceKeys: what is signed while the first key is made is good.
func raceKeys(s *stage, round int) {
	var y tally
	together(append(times(crowd/2, y.of(s, http.MethodGet, "/token", "", "ANN", "")),
		times(crowd/2, y.of(s, http.MethodGet, "/jwks", "", "", ""))...)...)
	good := 0
	for _, body := range y.bodies {
		if !strings.HasPrefix(body, `{"token":`) {
			continue
		}
		out, err := s.director.API.Operation("verifyJWT").CallJSON(s.t.Context(), []byte(body))
		if err == nil && strings.Contains(string(out), "ann@example.com") {
			good++
		}
	}
	if good != crowd/2 || y.statuses[http.StatusOK] != crowd {
		s.t.Fatalf("round %d: %d good tokens, %v", round, good, y.statuses)
	}
}

// raceMultiSession: whoever signs in again in a browser has a session there.
func raceMultiSession(s *stage, round int) {
	sharing(s)
	var y tally
	together(times(crowd, y.of(s, http.MethodPost, "/sign-in/email", anns, "", ""))...)
	if y.statuses[http.StatusOK] != crowd || y.sessions != crowd {
		s.t.Fatalf("round %d: %v, %d sessions", round, y.statuses, y.sessions)
	}
}
