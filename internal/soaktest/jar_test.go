package soaktest

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// The cookies of a session.
const (
	tokenCookie  = "better-auth.session_token"
	copyCookie   = "better-auth.session_data"
	forgetCookie = "better-auth.dont_remember"
)

// A jar holds the cookies of a browser, as they are on the wire.
type jar map[string]string

// take does what Set-Cookie lines say. Browsers forget nothing by themselves here:
// a cookie that has outlived itself is one that a thief has kept.
func (j *jar) take(header http.Header) {
	if *j == nil {
		*j = make(jar)
	}
	for _, c := range (&http.Response{Header: header}).Cookies() {
		if c.MaxAge < 0 {
			delete(*j, c.Name)
		} else {
			(*j)[c.Name] = c.Value
		}
	}
}

func (j *jar) header() string {
	var pairs []string
	for _, name := range j.names() {
		pairs = append(pairs, name+"="+(*j)[name])
	}
	return strings.Join(pairs, "; ")
}

// names returns those of the cookies in the order in which they are sent.
func (j *jar) names() []string { return slices.Sorted(maps.Keys(*j)) }

// token returns that of the session, empty if there is none.
func (j *jar) token() string { return tokenOf((*j)[tokenCookie]) }

func tokenOf(cookie string) string {
	text, err := url.PathUnescape(cookie)
	if err != nil {
		return ""
	}
	token, _, _ := strings.Cut(text, ".")
	return token
}

func (j *jar) forgets() bool { return (*j)[forgetCookie] != "" }

// A sessionCopy is what the copy of a session in a cookie says.
type sessionCopy struct {
	token            string
	created, expires time.Time // of the session
	user             user
	until            time.Time // the copy is good
}

// copy returns the copy, nil if there is none.
func (j *jar) copy() *sessionCopy { return copyOf((*j)[copyCookie]) }

func copyOf(cookie string) *sessionCopy {
	text, err := base64.RawURLEncoding.DecodeString(cookie)
	if err != nil || cookie == "" {
		return nil
	}
	var sealed struct {
		Session struct {
			Session sessionJSON `json:"session"`
			User    userJSON    `json:"user"`
		} `json:"session"`
		ExpiresAt int64 `json:"expiresAt"`
	}
	if err := json.Unmarshal(text, &sealed); err != nil {
		return nil
	}
	s := sealed.Session.Session
	return &sessionCopy{
		token: s.Token, created: s.CreatedAt, expires: s.ExpiresAt,
		user: sealed.Session.User.plain(), until: time.UnixMilli(sealed.ExpiresAt),
	}
}

// good reports whether the server believes the copy.
func (c *sessionCopy) good(token string, now time.Time) bool {
	return c.token == token && !c.until.Before(now) && !c.expires.Before(now.Truncate(time.Millisecond))
}

// sessionJSON and userJSON are what clients see.
type sessionJSON struct {
	Token     string    `json:"token"`
	UserID    string    `json:"userId"`
	CreatedAt time.Time `json:"createdAt"`
	ExpiresAt time.Time `json:"expiresAt"`
}

type userJSON struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Username string `json:"username"`
	Email    string `json:"email"`
	Verified bool   `json:"emailVerified"`
	Factor   bool   `json:"twoFactorEnabled"`
}

func (u userJSON) plain() user {
	return user{id: u.ID, name: u.Name, username: u.Username, email: u.Email, verified: u.Verified, factor: u.Factor}
}
