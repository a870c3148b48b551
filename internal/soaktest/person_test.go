package soaktest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// A person has a few addresses, passwords and browsers, and does one thing after
// the other. What they have at the server is known to be one of some worlds: more
// than one after a request whose outcome nobody knows, until answers tell.
type person struct {
	name    string
	seed    uint64
	number  uint64
	step    uint64
	door    door
	post    *post
	weather *weather
	rush    *rush // may be nil
	tally   *tally

	worlds  []*world
	devices [3]*jar
	stolen  []*jar
	secrets map[string][]string // of mails, by kind
	latest  string              // kind of secret
	tokens  []string            // of sessions
	backups []string            // codes
	history []string
	failure string
}

func newPerson(number int, seed uint64, d door, p *post, w *weather) *person {
	return &person{
		name: fmt.Sprintf("p%d", number), seed: seed, number: uint64(number),
		door: d, post: p, weather: w, tally: newTally(),
		worlds: []*world{newWorld()}, devices: [3]*jar{{}, {}, {}}, secrets: make(map[string][]string),
	}
}

func (p *person) now() time.Time { return time.Now() }

// device returns a browser, rather one that has a session.
func (p *person) device(r *rand.Rand) *jar {
	n, anyone := r.IntN(len(p.devices)), r.IntN(4) == 0
	for i := range p.devices {
		if j := p.devices[(n+i)%len(p.devices)]; anyone || j.token() != "" {
			return j
		}
	}
	return p.devices[n]
}

// email returns an address, which may have a user or not.
func (p *person) email(r *rand.Rand) string {
	return fmt.Sprintf("%s-%c@example.com", p.name, 'a'+r.IntN(3))
}

// known returns an address, rather one that has a user.
func (p *person) known(r *rand.Rand) string {
	email, users := p.email(r), p.worlds[0].users
	if n := r.IntN(1 << 20); n%4 > 0 && len(users) > 0 {
		email = users[n/4%len(users)].email
	}
	return email
}

func (p *person) password(r *rand.Rand) string {
	return fmt.Sprintf("password %d of %s", r.IntN(3), p.name)
}

func (p *person) anyName(r *rand.Rand) string { return fmt.Sprintf("Name %d", r.IntN(1000)) }

// anyToken returns one of a session, dead or alive.
func (p *person) anyToken(r *rand.Rand) string {
	const recent = 8
	return draw(p.tokens[max(0, len(p.tokens)-recent):], r, "unknown")
}

// secret returns one of the last mails, which may have been spent.
func (p *person) secret(r *rand.Rand, kind string) string {
	const recent = 4
	all := p.secrets[kind]
	return draw(all[max(0, len(all)-recent):], r, "unknown")
}

func draw(from []string, r *rand.Rand, none string) string {
	n := r.IntN(1 << 20) // always one number, so that what follows does not depend on the past
	if len(from) == 0 || n%16 == 0 {
		return none
	}
	return from[n%len(from)]
}

// steal copies the cookies of a browser.
func (p *person) steal(r *rand.Rand) {
	const most = 6
	copied := make(jar)
	for name, value := range *p.device(r) {
		copied[name] = value
	}
	if p.stolen = append(p.stolen, &copied); len(p.stolen) > most {
		p.stolen = slices.Delete(p.stolen, 0, 1)
	}
}

// thief returns stolen cookies.
func (p *person) thief(r *rand.Rand) *jar { return p.stolen[r.IntN(len(p.stolen))] }

// act does the next thing. It reports whether all is as foretold.
func (p *person) act() bool {
	p.step++
	r := rand.New(rand.NewPCG(p.seed^p.number<<32, p.step))
	if r.IntN(30) == 0 && p.rush != nil {
		p.join()
	} else {
		p.do(p.choose(r))
	}
	return p.failure == ""
}

func (p *person) do(o *operation) {
	const puzzling = 32
	if len(p.worlds) > puzzling {
		p.weather.await() // an answer that comes leaves fewer
	}
	r := o.request
	if o.later {
		time.Sleep(time.Millisecond)
	}
	began, now, said := p.weather.look(), p.now(), r.String()
	a, err := p.door.do(&r)
	p.tally.outcome(&r, a)
	lost, failed := p.weather.since(began)
	mails := p.post.collect(p.name)
	if a != nil {
		p.note("%s\n\t→ %v %+v", said, a, mails)
	} else {
		p.note("%s\n\t→ %v", said, err)
	}
	switch {
	case errors.Is(err, errUnsent) && lost:
		p.weather.await()
	case err != nil && !lost:
		p.fail("no answer without a fault: %v", err)
	case err != nil:
		p.weather.await()
		mails = append(mails, p.post.collect(p.name)...)
		p.branch(o, now, nil, mails)
	case a.status >= 500 && !failed:
		p.fail("status %d without a fault", a.status)
	case a.status >= 500:
		p.weather.await()
		p.branch(o, now, a, mails)
	default:
		p.judge(o, now, a, mails, failed)
	}
	if a != nil && r.jar != nil {
		r.jar.take(a.header)
	}
	p.remember(o, a, mails)
	for _, w := range p.worlds {
		w.forgetUnheld(slices.Concat(p.devices[:], p.stolen))
	}
}

// branch goes on after an answer that nobody knows, or a 5xx: it was done, or not, or
// some of what follows a session was not. A mail is sent when all is done.
func (p *person) branch(o *operation, now time.Time, a *answer, mails []mail) {
	var next []*world
	var errs []error
	for _, w := range p.worlds {
		after := w.clone()
		e := o.apply(after, now)
		done := append(after.between, after)
		if a != nil {
			for _, w := range done {
				w.salvage(e, a)
			}
		}
		if len(mails) == 0 {
			next = append(append(next, w), done...)
		} else if err := e.judgeMails(mails); err != nil {
			errs = append(errs, err)
		} else {
			next = append(next, done...)
		}
	}
	p.goOn(next, errs)
}

// judge goes on after an answer with the worlds that foretell it.
func (p *person) judge(o *operation, now time.Time, a *answer, mails []mail, failed bool) {
	var next []*world
	var errs []error
	for _, w := range p.worlds {
		after := w.clone()
		if err := o.apply(after, now).judge(after, a, mails); err != nil {
			errs = append(errs, err)
			continue
		}
		next = append(next, after)
		if o.lenient && failed {
			next = append(next, w)
			next = append(next, after.between...)
		}
	}
	p.goOn(next, errs)
}

func (p *person) goOn(next []*world, errs []error) {
	const most = 2048
	if next = distinct(next); len(next) == 0 {
		p.fail("%v", errors.Join(errs...))
		return
	}
	p.worlds = next
	for _, w := range next {
		w.between = nil
	}
	if len(next) > most {
		p.fail("%d worlds", len(next))
	}
}

// remember keeps what a person learns.
func (p *person) remember(o *operation, a *answer, mails []mail) {
	for _, m := range mails {
		kind := m.Kind
		if kind == mailConfirm {
			kind = mailVerify // both are links to verify-email
		}
		p.secrets[kind], p.latest = append(p.secrets[kind], m.Token), kind
	}
	if a == nil {
		return
	}
	var handed struct{ Token string }
	if o.secret != "" && a.status == 200 && a.decode(&handed) == nil {
		p.secrets[o.secret], p.latest = append(p.secrets[o.secret], handed.Token), o.secret
	}
	if o.then != "" && a.status == 200 {
		p.latest = o.then
	}
	var told struct{ BackupCodes []string }
	if a.status == 200 && a.decode(&told) == nil {
		p.backups = append(p.backups, told.BackupCodes...)
	}
	if _, token := a.cookie(); token != "" {
		p.tokens = append(p.tokens, token)
	}
}

func (p *person) note(format string, args ...any) {
	const most = 40
	p.history = append(p.history, fmt.Sprintf("%d %s ", p.step, time.Now().Format("15:04:05.000"))+fmt.Sprintf(format, args...))
	if len(p.history) > most {
		p.history = slices.Delete(p.history, 0, 1)
	}
}

func (p *person) fail(format string, args ...any) {
	p.failure = fmt.Sprintf("seed %d, person %s, step %d:\n%s\n%s\nthe world:\n%v",
		p.seed, p.name, p.step, strings.Join(p.history, "\n"), fmt.Sprintf(format, args...), p.worlds[0])
}
