package soaktest

import (
	"math/rand/v2"
	"slices"
	"time"
)

// An operation is a request of a person, and what it does to a world.
type operation struct {
	request request

	// run changes the world as the server should, and foretells the answer.
	run func(w *world, now time.Time) *want

	secret string // kind of the token in the answer; empty: none worth keeping

	then string // what comes after a success; empty: anything

	// later operations come in another millisecond than what was before: what has
	// begun before a password changed is not for who knows the new one.
	later bool

	// lenient operations succeed for the client even if the store fails.
	lenient bool
}

// apply is run and what follows whenever a session goes to the browser.
func (o *operation) apply(w *world, now time.Time) *want {
	before := w.clone()
	e := o.run(w, now)
	if e.undone {
		w.restore(before)
	}
	if e.started == nil || o.request.jar == nil {
		return e
	}
	if e.renews != "" {
		w.renewTrust(e, now)
	}
	w.remember(o.request.jar, e, now)
	return e
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
	{2, checkCode},
	{6, enableFactor},
	{2, disableFactor},
	{2, renewBackupCodes},
	{2, showApp},
	{8, verifyTOTP},
	{4, sendFactorCode},
	{6, verifyFactorCode},
	{7, verifyBackupCode},
	{5, listHeld},
	{6, switchTo},
	{4, endOne},
}

// sequels are what people do with a secret of a kind.
var sequels = map[string]func(p *person, r *rand.Rand) *operation{
	mailReset: resetPassword, mailVerify: verifyEmail, mailMagic: followLink, mailCode: signInCode, kindHandOver: takeOver,
	mailFactor: verifyFactorCode, kindSetUp: verifyTOTP,
}

// choose draws what a person does next, rather something with the latest secret. Who is
// about to give a second factor mostly does, and who is signed in nowhere often begins
// there: little else leads on.
func (p *person) choose(r *rand.Rand) *operation {
	turn, begins := r.IntN(4), r.IntN(3) == 0
	if turn > 1 && slices.ContainsFunc(p.devices[:], p.waits) {
		return answerChallenge(p, r)
	}
	if sequel := sequels[p.latest]; sequel != nil && (turn == 0 || p.latest == kindSetUp) {
		if p.latest == kindSetUp {
			p.latest = ""
		}
		return sequel(p, r)
	}
	if begins && !slices.ContainsFunc(p.devices[:], func(j *jar) bool { return j.token() != "" }) {
		return p.begin(r)
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

// answerChallenge gives a second factor of any kind.
func answerChallenge(p *person, r *rand.Rand) *operation {
	switch r.IntN(6) {
	case 0:
		return sendFactorCode(p, r)
	case 1:
		return verifyFactorCode(p, r)
	case 2:
		return verifyBackupCode(p, r)
	}
	return verifyTOTP(p, r)
}

// begin signs in or up.
func (p *person) begin(r *rand.Rand) *operation {
	if len(p.worlds[0].users) == 0 {
		return signUp(p, r)
	}
	return signIn(p, r)
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
		e.starting(w, v, cookie)
		e.cookie = cookie.then(e.cookie)
		return e
	}
}

// stored is how sensitive operations read their session.
var stored = reading{noCopy: true}
