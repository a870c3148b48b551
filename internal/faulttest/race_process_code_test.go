package faulttest

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// An otpUse is something that codes of one type are good for.
type otpUse struct {
	kind string
	ask  func(ann *person) shot                             // sends a code to the address
	give func(ann *person, wanted, code string, i int) shot // brings it

	// done looks at what the winner has got
	done func(c *contest, ann *person, wanted string, answers []answer, winner int)
}

var (
	otpToSignIn = otpUse{
		kind: "sign-in",
		ask: func(ann *person) shot {
			return post("/main/email-otp/send-verification-otp", `{"email":%q,"type":"sign-in"}`, ann.email)
		},
		give: func(ann *person, _, code string, _ int) shot {
			return post("/main/sign-in/email-otp", `{"email":%q,"otp":%q}`, ann.email, code)
		},
		done: func(c *contest, ann *person, _ string, answers []answer, _ int) { c.sessions(ann, 1, answers...) },
	}
	otpToVerify = otpUse{
		kind: "email-verification",
		ask: func(ann *person) shot {
			return post("/main/email-otp/send-verification-otp", `{"email":%q,"type":"email-verification"}`, ann.email)
		},
		give: func(ann *person, _, code string, _ int) shot {
			return post("/main/email-otp/verify-email", `{"email":%q,"otp":%q}`, ann.email, code)
		},
		done: func(c *contest, ann *person, _ string, answers []answer, _ int) {
			c.ok(post("/main/sign-out", `{}`).as(ann.cookie))
			c.sessions(ann, 1, answers...)
		},
	}
	otpToReset = otpUse{
		kind: "forget-password",
		ask: func(ann *person) shot {
			return post("/main/email-otp/request-password-reset", `{"email":%q}`, ann.email)
		},
		give: func(ann *person, _, code string, i int) shot {
			return post("/main/email-otp/reset-password", `{"email":%q,"otp":%q,"password":"password %d of ann"}`, ann.email, code, i)
		},
		done: func(c *contest, ann *person, _ string, _ []answer, winner int) {
			c.sessions(ann, 0)
			c.opens(ann, fmt.Sprintf("password %d of ann", winner), ann.password)
		},
	}
	otpToChange = otpUse{
		kind: "change-email",
		ask: func(ann *person) shot {
			return post("/main/email-otp/request-email-change", `{"newEmail":%q}`, "new."+ann.email).as(ann.cookie)
		},
		give: func(ann *person, wanted, code string, _ int) shot {
			return post("/main/email-otp/change-email", `{"newEmail":%q,"otp":%q}`, wanted, code).as(ann.cookie)
		},
		done: func(c *contest, ann *person, wanted string, _ []answer, _ int) {
			c.rows("user", "email", wanted, 1)
			c.rows("user", "email", ann.email, 0)
		},
	}
)

// raceCode: a code is good once.
func raceCode(u otpUse) func(c *contest) {
	return func(c *contest) {
		ann, wanted, code := c.otp(u)
		answers := c.fire(crowded(func(i int) shot { return u.give(ann, wanted, code, i) })...)
		winner := c.one(answers, "200", "400 INVALID_OTP", "400")
		u.done(c, ann, wanted, answers, winner)
	}
}

// otp has a code sent to somebody.
func (c *contest) otp(u otpUse) (ann *person, wanted, code string) {
	c.Helper()
	ann = c.signUp("ann")
	if u.kind == "sign-in" {
		c.verified(ann)
		c.ok(post("/main/sign-out", `{}`).as(ann.cookie))
	}
	c.ok(u.ask(ann))
	wanted = ann.email
	if u.kind == "change-email" {
		wanted = "new." + ann.email
	}
	return ann, wanted, c.mailed(wanted)
}

// raceWrongCodes: no more wrong codes are compared than there may be, by whatever door
// they come, and the right one is no good afterwards.
func raceWrongCodes(u otpUse) func(c *contest) {
	return func(c *contest) {
		ann, wanted, right := c.otp(u)
		wrong := "wrong for " + wanted
		answers := c.fire(crowded(func(i int) shot {
			if i%3 == 0 && u.kind != "change-email" { // whose codes have the user beside the address
				return post("/main/email-otp/check-verification-otp", `{"email":%q,"type":%q,"otp":%q}`, wanted, u.kind, wrong)
			}
			return u.give(ann, wanted, wrong, i)
		})...)
		if c.patient() {
			c.exactly(answers, map[string]int{"400 INVALID_OTP": raceCrowd - 1, "403 TOO_MANY_ATTEMPTS": 1})
		}
		compared := c.compared(wrong)
		if compared > raceOTPAttempts || compared < raceOTPAttempts && c.patient() {
			c.Errorf("round %d: %d wrong codes were compared", c.round, compared)
		}
		if a := c.send(u.give(ann, wanted, right, 0)); a.status == http.StatusOK && compared >= raceOTPAttempts {
			c.Errorf("round %d: a right code after %d wrong ones: %s", c.round, compared, a.label())
		}
	}
}

// raceMixedCodes: of right codes among wrong ones one is taken, unless as many wrong
// ones came before as there may be, and none afterwards.
func raceMixedCodes(u otpUse, wrongs int) func(c *contest) {
	return func(c *contest) {
		ann, wanted, right := c.otp(u)
		wrong := "wrong for " + wanted
		answers := c.fire(crowded(func(i int) shot {
			if i*wrongs/raceCrowd != (i+1)*wrongs/raceCrowd {
				return u.give(ann, wanted, wrong, i)
			}
			return u.give(ann, wanted, right, i)
		})...)
		won, compared := count(answers)["200"], c.compared(wrong)
		switch {
		case won > 1, compared > raceOTPAttempts, won == 0 && compared < raceOTPAttempts && c.patient():
			c.Errorf("round %d: %d wrong codes were compared: %v", c.round, compared, count(answers))
		}
		if a := c.send(u.give(ann, wanted, right, 0)); a.status == http.StatusOK && (won == 1 || compared >= raceOTPAttempts) {
			c.Errorf("round %d: afterwards: %s", c.round, a.label())
		}
	}
}

// patient reports whether who brings a code waits for others who do. In a secondary
// storage there are no locks: a code that somebody else is comparing is wrong.
func (c *contest) patient() bool { return c.arena.redis == "" }

// compared is how often all servers have compared a code.
func (c *contest) compared(code string) (n int) {
	c.Helper()
	for range c.arena.servers { // send asks each
		var compared int
		if _, err := fmt.Sscan(c.ok(get("/compared?"+url.Values{"code": {code}}.Encode())).body, &compared); err != nil {
			c.Fatal(err)
		}
		n += compared
	}
	return n
}

// raceLink: a link signs in once, whether the user is new or not.
func raceLink(known bool) func(c *contest) {
	return func(c *contest) {
		email := c.address("ann")
		if known {
			c.verified(c.signUp("ann"))
		}
		c.ok(post("/main/sign-in/magic-link", `{"email":%q,"name":"Somebody"}`, email))
		link := get("/main/magic-link/verify?token=" + c.mailed(email))
		answers := c.fire(crowded(func(int) shot { return link })...)
		c.one(answers, "200", "302 INVALID_TOKEN")
		c.rows("user", "email", email, 1)
		ann := &person{id: c.column("user", "id", "email", email)}
		if !known {
			c.sessions(ann, 1, answers...)
		}
	}
}

// raceHandOver: a one-time token is exchanged for its session once.
func (c *contest) raceHandOver() {
	ann := c.signUp("ann")
	var made struct{ Token string }
	c.decode(c.ok(get("/main/one-time-token/generate").as(ann.cookie)), &made)
	answers := c.fire(crowded(func(int) shot { return post("/main/one-time-token/verify", `{"token":%q}`, made.Token) })...)
	c.one(answers, "200", "400")
	c.sessions(ann, 1, answers...)
}

// raceNames: a user name is that of one user, who signs up with it or takes it later.
func (c *contest) raceNames() {
	name := fmt.Sprintf("eve_%d", c.round)
	var people []*person
	for i := range raceCrowd / 2 {
		people = append(people, c.signUp(fmt.Sprint("ann", i)))
	}
	answers := c.fire(crowded(func(i int) shot {
		if i < raceCrowd/2 {
			return post("/main/update-user", `{"username":%q}`, strings.ToUpper(name)).as(people[i].cookie)
		}
		return post("/main/sign-up/email", `{"name":"Eve","email":%q,"password":"password of eve","username":%q}`, c.address(fmt.Sprint("eve", i)), name)
	})...)
	c.one(answers, "200", "400 USERNAME_IS_ALREADY_TAKEN", "422 USERNAME_IS_ALREADY_TAKEN")
	c.rows("user", "username", name, 1)
}

// raceBrowser: of users who sign in in one browser at the same moment each has a session,
// and the one that was there before has ended.
func (c *contest) raceBrowser() {
	ann := c.signUp("ann")
	first := c.ok(post("/main/sign-in/email", `{"email":%q,"password":%q}`, ann.email, ann.password))
	held := first.cookie("_multi-" + strings.ToLower(bearer(strings.SplitN(first.session(), "=", 2)[1])))
	again := post("/main/sign-in/email", `{"email":%q,"password":%q}`, ann.email, ann.password).as(first.session(), held)
	answers := c.fire(crowded(func(int) shot { return again })...)
	c.exactly(answers, map[string]int{"200": raceCrowd})
	c.ok(post("/main/sign-out", `{}`).as(ann.cookie))
	c.sessions(ann, raceCrowd, answers...)
	if c.lives(first.session()) {
		c.Errorf("round %d: the browser's earlier session goes on", c.round)
	}
}
