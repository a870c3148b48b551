package soaktest

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// What the server's two-factor has of bounds and times.
const (
	challengeAttempts = 5 // wrong codes of an app and backup codes
	factorAttempts    = 4 // wrong codes that were sent
	lockAfter         = 6 // wrong codes of all kinds in a row
	lockTime          = time.Hour
	trustTime         = 30 * 24 * time.Hour
	totpPeriod        = 30 * time.Second
	backupCodes       = 4
)

// Cookies of plugins.
const (
	challengeCookie = "better-auth.two_factor"
	deviceCookie    = "better-auth.trust_device"
	heldPrefix      = tokenCookie + "_multi-"
)

// An app is the second factor that a user has set up: an authenticator app with
// backup codes.
type app struct {
	secret   string // empty: nobody was told
	codes    []string
	untold   int // backup codes that nobody was told
	verified bool
	failed   int       // wrong codes in a row
	locked   time.Time // until then; zero: not
	step     int64     // of the last code
}

// A challenge is a sign-in that waits for the second factor.
type challenge struct {
	user             *user
	created, expires time.Time
	spent            int  // wrong codes
	bound            bool // has attempts left: a backup code that signs nobody in takes them all
}

// A trust is that of a user in a device.
type trust struct {
	user    *user
	expires time.Time
}

func (a *app) String() string {
	return fmt.Sprintf("app %q %v +%d verified=%v failed=%d locked=%d step=%d", a.secret, a.codes, a.untold, a.verified, a.failed, a.locked.UnixMilli(), a.step)
}

// stepOf is the number of a time step.
func stepOf(at time.Time) int64 { return at.UnixMilli() / totpPeriod.Milliseconds() }

// totp is the code of a time step (RFC 6238), six digits.
func totp(secret string, step int64) string {
	mac := hmac.New(sha1.New, []byte(secret))
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(step)))
	sum := mac.Sum(nil)
	number := binary.BigEndian.Uint32(sum[sum[len(sum)-1]&0xf:]) & 0x7fffffff
	return fmt.Sprintf("%06d", number%1_000_000)
}

// stepFor returns the newest step whose code is good now.
func (a *app) stepFor(code string, now time.Time) (step int64, ok bool) {
	for _, offset := range []int64{1, 0, -1} {
		if step = stepOf(now) + offset; a.secret != "" && totp(a.secret, step) == code {
			return step, true
		}
	}
	return 0, false
}

// secretOf returns what a URI for authenticator apps tells.
func secretOf(uri string) (string, error) {
	parsed, err := url.Parse(uri)
	if err != nil {
		return "", err
	}
	secret, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(parsed.Query().Get("secret"))
	if err == nil && len(secret) == 0 {
		err = fmt.Errorf("no secret in %q", uri)
	}
	return string(secret), err
}

// checkLock reports whether the app refuses all codes, and ends a lock that is over.
func (a *app) checkLock(now time.Time) (locked bool) {
	switch {
	case a == nil || a.locked.IsZero():
		return false
	case a.locked.After(now):
		return true
	}
	a.failed, a.locked = 0, time.Time{}
	return false
}

// count counts a code before it is looked at.
func (a *app) count(now time.Time) {
	if a == nil {
		return
	}
	if a.failed++; a.failed >= lockAfter {
		a.locked = now.Add(lockTime)
	}
}

// forgive is for a right code.
func (a *app) forgive() {
	if a != nil {
		a.failed, a.locked = 0, time.Time{}
	}
}

// spend takes a backup code away.
func (a *app) spend(code string) bool {
	i := slices.Index(a.codes, code)
	if i >= 0 {
		a.codes = slices.Delete(slices.Clone(a.codes), i, i+1)
	}
	return i >= 0
}

func (w *world) app(u *user) *app { return w.apps[u] }

// challengeOf returns the one whose cookie a browser has, nil for none that goes on.
func (w *world) challengeOf(j *jar, now time.Time) (token string, c *challenge) {
	token = j.challenge()
	c = w.challenges[token]
	if c == nil || c.expires.Before(now) || !slices.Contains(w.users, c.user) {
		return token, nil
	}
	return token, c
}

// trusts reports whether a user trusts a browser.
func (w *world) trusts(j *jar, u *user, now time.Time) bool {
	t := w.trusted[j.deviceID()]
	return t != nil && t.user == u && t.expires.After(now)
}

func (j *jar) challenge() string {
	token, _ := strings.CutPrefix(tokenOf((*j)[challengeCookie]), "2fa-")
	return token
}

// deviceID returns the name of the device that the browser is.
func (j *jar) deviceID() string { return deviceIDOf((*j)[deviceCookie]) }

func deviceIDOf(cookie string) string {
	_, id, _ := strings.Cut(tokenOf(cookie), "!trust-device-")
	return id
}

// held returns the tokens of the sessions that the browser holds, in the order in which
// it sends them.
func (j *jar) held() (tokens []string) {
	for _, name := range j.names() {
		if strings.HasPrefix(name, heldPrefix) {
			tokens = append(tokens, tokenOf((*j)[name]))
		}
	}
	return tokens
}

func heldCookie(token string) string { return heldPrefix + strings.ToLower(token) }

// changes says what becomes of the cookies of plugins.
func (a *answer) changes() map[string]cookieChange {
	changes := make(map[string]cookieChange)
	for _, c := range (&http.Response{Header: a.header}).Cookies() {
		switch {
		case c.Name != challengeCookie && c.Name != deviceCookie && !strings.HasPrefix(c.Name, heldPrefix):
		case c.MaxAge < 0:
			changes[c.Name] = cookieCleared
		default:
			changes[c.Name] = cookieSet
		}
	}
	return changes
}

// sent returns the value of a cookie that the answer sets.
func (a *answer) sent(name string) (value string) {
	for _, c := range (&http.Response{Header: a.header}).Cookies() {
		if c.Name == name && c.MaxAge >= 0 {
			value = c.Value
		}
	}
	return value
}
