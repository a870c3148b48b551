package faulttest

import (
	"encoding/json"
	"net/url"
	"slices"
	"testing"
)

// A protected person has an authenticator and backup codes.
type protectedPerson struct {
	*person
	mount  string
	secret string
	backup []string
}

// protect lets somebody new turn the second factor on at an instance.
func (c *contest) protect(mount string) *protectedPerson {
	c.Helper()
	p := &protectedPerson{person: c.signUp("ann"), mount: mount}
	a := c.ok(post(mount+"/two-factor/enable", `{"password":%q}`, p.password).as(p.cookie))
	var out struct {
		TOTPURI     string
		BackupCodes []string
	}
	c.decode(a, &out)
	uri, err := url.Parse(out.TOTPURI)
	if err != nil {
		c.Fatal(err)
	}
	p.secret, p.backup, p.cookie = uri.Query().Get("secret"), out.BackupCodes, a.session()
	return p
}

// challenge gives the password and returns the cookie.
func (c *contest) challenge(p *protectedPerson) string {
	c.Helper()
	cookie := c.ok(post(p.mount+"/sign-in/email", `{"email":%q,"password":%q}`, p.email, p.password)).cookie(".two_factor")
	if cookie == "" {
		c.Fatal("no challenge")
	}
	return cookie
}

func (c *contest) challenges(p *protectedPerson, n int) (cookies []string) {
	c.Helper()
	for range n {
		cookies = append(cookies, c.challenge(p))
	}
	return cookies
}

func (p *protectedPerson) totp(t *testing.T) string {
	t.Helper()
	code, err := totp(p.secret)
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// verify brings a code of a kind: "totp", "otp" or "backup-code".
func (p *protectedPerson) verify(kind, code, cookie string) shot {
	return post(p.mount+"/two-factor/verify-"+kind, `{"code":%q}`, code).as(cookie)
}

// sendCode has a code sent to the caller and returns it.
func (c *contest) sendCode(p *protectedPerson, cookie string) string {
	c.Helper()
	c.ok(post(p.mount+"/two-factor/send-otp", `{}`).as(cookie))
	return c.mailed(p.email)
}

// What those who come too late are told of a challenge, a code that was sent and the
// lock of a user.
const (
	noChallenge = "401 INVALID_TWO_FACTOR_COOKIE"
	wrongCode   = "401 INVALID_CODE"
	wrongBackup = "401 INVALID_BACKUP_CODE"
	tooMany     = "400 TOO_MANY_ATTEMPTS_REQUEST_NEW_CODE"
	noCode      = "400 OTP_HAS_EXPIRED"
	locked      = "429 ACCOUNT_TEMPORARILY_LOCKED"
)

// raceOneChallenge: a challenge signs in once, with codes of every kind.
func (c *contest) raceOneChallenge() {
	ann := c.protect("/budget")
	challenge := c.challenge(ann)
	sent, app := c.sendCode(ann, challenge), ann.totp(c.T)
	answers := c.fire(crowded(func(i int) shot {
		switch i / 2 % 3 {
		case 0:
			return ann.verify("totp", app, challenge)
		case 1:
			return ann.verify("otp", sent, challenge)
		}
		return ann.verify("backup-code", ann.backup[i/6], challenge)
	})...)
	c.one(answers, "200", noChallenge, noCode)
	c.ok(post("/budget/sign-out", `{}`).as(ann.cookie))
	c.sessions(ann.person, 1, answers...)
}

// raceBudgetOfChallenge: a challenge bears so many wrong codes of an app and backup
// codes, and is over then.
func (c *contest) raceBudgetOfChallenge() {
	ann := c.protect("/budget")
	challenge := c.challenge(ann)
	answers := c.fire(crowded(func(i int) shot {
		if i%2 == 0 {
			return ann.verify("totp", "wrong", challenge)
		}
		return ann.verify("backup-code", "wrong", challenge)
	})...)
	labels := count(answers)
	looked := labels[wrongCode] + labels[wrongBackup]
	if looked != raceBudget || looked+labels[noChallenge]+labels[tooMany] != raceCrowd {
		c.Errorf("round %d: %v", c.round, labels)
	}
	if a := c.send(ann.verify("totp", ann.totp(c.T), challenge)); a.label() != noChallenge && a.label() != tooMany {
		c.Errorf("round %d: a right code afterwards: %s", c.round, a.label())
	}
}

// raceMixedChallenge: a right code among wrong ones ends the challenge, or they do.
func (c *contest) raceMixedChallenge() {
	ann := c.protect("/budget")
	challenge, app := c.challenge(ann), ann.totp(c.T)
	answers := c.fire(crowded(func(i int) shot {
		if i/2%2 == 0 {
			return ann.verify("totp", "wrong", challenge)
		}
		return ann.verify("totp", app, challenge)
	})...)
	labels := count(answers)
	won, looked := labels["200"], labels[wrongCode]
	if won > 1 || looked > raceBudget || won == 0 && looked < raceBudget {
		c.Errorf("round %d: %v", c.round, labels)
	}
	if a := c.send(ann.verify("totp", app, challenge)); a.status == 200 {
		c.Errorf("round %d: afterwards: %s", c.round, a.label())
	}
}

// raceReplay: with PreventReplay a code of an app signs in once, in many challenges and
// for those who have a session.
func (c *contest) raceReplay() {
	ann := c.protect("/main")
	challenges, app := c.challenges(ann, raceLockout), ann.totp(c.T)
	answers := c.fire(crowded(func(i int) shot {
		if i < raceLockout {
			return ann.verify("totp", app, challenges[i])
		}
		return ann.verify("totp", app, ann.cookie)
	})...)
	c.one(answers, "200", wrongCode, locked)
}

// raceBackupCodeOfMany: a backup code signs in once, and goes from the list.
func (c *contest) raceBackupCodeOfMany() {
	ann := c.protect("/main")
	challenges := c.challenges(ann, raceCrowd)
	answers := c.fire(crowded(func(i int) shot { return ann.verify("backup-code", ann.backup[0], challenges[i]) })...)
	c.one(answers, "200", wrongBackup, locked)
	c.backupCodes(ann, ann.backup[1:])
	c.ok(post("/main/sign-out", `{}`).as(ann.cookie))
	c.sessions(ann.person, 1, answers...)
}

// raceBackupCodesOfMany: who has another code is not hindered, and each code goes.
func (c *contest) raceBackupCodesOfMany() {
	ann := c.protect("/main")
	challenges := c.challenges(ann, raceCrowd)
	n := len(ann.backup) - 1
	answers := c.fire(several(n, func(i int) shot { return ann.verify("backup-code", ann.backup[i], challenges[i]) })...)
	c.exactly(answers, map[string]int{"200": n})
	c.backupCodes(ann, ann.backup[n:])
}

// backupCodes demands that these are left.
func (c *contest) backupCodes(p *protectedPerson, want []string) {
	c.Helper()
	var left []string
	if err := json.Unmarshal([]byte(c.column("twoFactor", "backupCodes", "userId", p.id)), &left); err != nil {
		c.Fatal(err)
	}
	if !slices.Equal(left, want) {
		c.Errorf("round %d: the codes %v are left, want %v", c.round, left, want)
	}
}

// raceSentCode: a code that was sent turns the second factor on once.
func (c *contest) raceSentCode() {
	ann := &protectedPerson{person: c.signUp("ann"), mount: "/main"}
	code := c.sendCode(ann, ann.cookie)
	answers := c.fire(crowded(func(int) shot { return ann.verify("otp", code, ann.cookie) })...)
	c.one(answers, "200", noCode, "401 UNAUTHORIZED", noChallenge)
	c.sessions(ann.person, 1, answers...)
}

// raceSentGuesses: a code that was sent bears so many wrong ones.
func (c *contest) raceSentGuesses() {
	ann := c.protect("/budget")
	challenge := c.challenge(ann)
	code := c.sendCode(ann, challenge)
	answers := c.fire(crowded(func(int) shot { return ann.verify("otp", "wrong", challenge) })...)
	labels := count(answers)
	looked := labels[wrongCode]
	if looked != raceBudget || looked+labels[tooMany]+labels[noCode] != raceCrowd {
		c.Errorf("round %d: %v", c.round, labels)
	}
	if a := c.send(ann.verify("otp", code, challenge)); a.label() != noCode && a.label() != tooMany {
		c.Errorf("round %d: the right one afterwards: %s", c.round, a.label())
	}
}

// raceLockout: of wrong codes of all kinds in many challenges no more are looked at than
// there may be in a row. The user is locked then, and the right ones are no good.
func (c *contest) raceLockout() {
	ann := c.protect("/main")
	challenges := c.challenges(ann, raceCrowd)
	late := c.challenge(ann)
	sent := c.sendCode(ann, challenges[0])
	answers := c.fire(crowded(func(i int) shot {
		switch {
		case i == 0:
			return ann.verify("otp", "wrong", challenges[i])
		case i%2 == 0:
			return ann.verify("totp", "wrong", challenges[i])
		}
		return ann.verify("backup-code", "wrong", challenges[i])
	})...)
	labels := count(answers)
	if labels[wrongCode]+labels[wrongBackup] != raceLockout || labels[locked] != raceCrowd-raceLockout {
		c.Errorf("round %d: %v", c.round, labels)
	}
	if n := c.column("twoFactor", "failedVerificationCount", "userId", ann.id); n != "4" {
		c.Errorf("round %d: %s wrong codes are counted", c.round, n)
	}
	for _, s := range []shot{
		ann.verify("totp", ann.totp(c.T), late), ann.verify("backup-code", ann.backup[0], late),
		ann.verify("otp", sent, challenges[0]),
	} {
		if a := c.send(s); a.label() != locked {
			c.Errorf("round %d: %s while the user is locked: %s", c.round, s.path, a.label())
		}
	}
}

// raceDevice: the name of a trusted device is replaced once.
func (c *contest) raceDevice() {
	ann := c.protect("/main")
	challenge := c.challenge(ann)
	a := c.ok(post("/main/two-factor/verify-totp", `{"code":%q,"trustDevice":true}`, ann.totp(c.T)).as(challenge))
	device := a.cookie(".trust_device")
	answers := c.fire(crowded(func(int) shot {
		return post("/main/sign-in/email", `{"email":%q,"password":%q}`, ann.email, ann.password).as(device)
	})...)
	c.exactly(answers, map[string]int{"200": raceCrowd})
	renamed := ""
	for _, a := range answers {
		if next := a.cookie(".trust_device"); next != "" && renamed != "" {
			c.Errorf("round %d: two browsers got a new name", c.round)
		} else if next != "" {
			renamed = next
		}
	}
	if c.arena.redis == "" {
		devices := 0
		c.arena.db.scan(c.T, `SELECT COUNT(*) FROM "verification" WHERE "identifier" LIKE 'trust-device-%' AND "value" = ?`, []any{ann.id}, &devices)
		if devices != 1 {
			c.Errorf("round %d: %d devices are trusted", c.round, devices)
		}
	}
	again := post("/main/sign-in/email", `{"email":%q,"password":%q}`, ann.email, ann.password)
	if a := c.ok(again.as(renamed)); renamed == "" || a.session() == "" {
		c.Errorf("round %d: the device is not trusted any more", c.round)
	}
	if a := c.ok(again.as(device)); a.session() != "" {
		c.Errorf("round %d: its old name is", c.round)
	}
}

// raceSetUp: a user has one authenticator.
func (c *contest) raceSetUp() {
	ann := c.signUp("ann")
	answers := c.fire(crowded(func(int) shot {
		return post("/main/two-factor/enable", `{"password":%q}`, ann.password).as(ann.cookie)
	})...)
	c.one(answers, "200", "400 TOTP_ALREADY_ENABLED", "401 UNAUTHORIZED")
	c.rows("twoFactor", "userId", ann.id, 1)
	c.sessions(ann, 1, answers...)
}
