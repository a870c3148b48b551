package soaktest

import (
	"math/rand/v2"
	"time"
)

// An operation is a request of a person, and what it does to a world.
type operation struct {
	request request

	// run changes the world as the server should, and foretells the answer.
	run func(w *world, now time.Time) *want

	secret string // kind of the token in the answer; empty: none worth keeping

	// lenient operations succeed for the client even if the store fails.
	lenient bool
}

// operations are what people do, and how often.
var operations = []struct {
	weight int
	choose func(p *person, r *rand.Rand) *operation
}{
	{20, getSession},
	{8, replay},
	{6, listSessions},
	{10, signIn},
	{5, signUp},
	{3, signOut},
	{4, revokeSession},
	{3, revokeOtherSessions},
	{2, revokeSessions},
	{5, changePassword},
	{2, verifyPassword},
	{4, requestReset},
	{4, resetPassword},
	{5, updateUser},
	{4, changeEmail},
	{3, sendVerification},
	{5, verifyEmail},
	{2, deleteUser},
	{3, requestLink},
	{4, followLink},
	{3, requestCode},
	{6, signInCode},
	{3, handOver},
	{3, takeOver},
	{3, chooseUsername},
	{3, signInUsername},
}

// sequels are what people do with a secret of a kind.
var sequels = map[string]func(p *person, r *rand.Rand) *operation{
	mailReset: resetPassword, mailVerify: verifyEmail, mailMagic: followLink, mailCode: signInCode, kindHandOver: takeOver,
}

// choose draws what a person does next, rather something with the latest secret.
func (p *person) choose(r *rand.Rand) *operation {
	if sequel := sequels[p.latest]; r.IntN(4) == 0 && sequel != nil {
		return sequel(p, r)
	}
	sum := 0
	for _, o := range operations {
		sum += o.weight
	}
	n := r.IntN(sum)
	for _, o := range operations {
		if n -= o.weight; n < 0 {
			return o.choose(p, r)
		}
	}
	panic("unreachable")
}

func get(j *jar, path string) request { return request{method: "GET", path: path, jar: j} }

func postTo(j *jar, path string, body map[string]any) request {
	if body == nil {
		body = map[string]any{}
	}
	return request{method: "POST", path: path, body: body, jar: j}
}

// signedIn makes the run of an operation that needs a session.
func signedIn(j *jar, how reading, run func(w *world, v *view, now time.Time) *want) func(*world, time.Time) *want {
	return func(w *world, now time.Time) *want {
		v, cookie := w.read(j, now, how)
		if v == nil {
			return &want{status: 401, code: "UNAUTHORIZED", cookie: cookie}
		}
		e := run(w, v, now)
		e.cookie = cookie.then(e.cookie)
		return e
	}
}

// stored is how sensitive operations read their session.
var stored = reading{noCopy: true}
