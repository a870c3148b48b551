package faulttest

import (
	"fmt"
	"net/http"
)

// raceResetToken: a token sets one password.
func (c *contest) raceResetToken() {
	ann := c.signUp("ann")
	c.ok(post("/main/request-password-reset", `{"email":%q}`, ann.email))
	token := c.mailed(ann.email)
	chosen := func(i int) string { return fmt.Sprint("password ", i, " of ann") }
	answers := c.fire(crowded(func(i int) shot {
		return post("/main/reset-password", `{"token":%q,"newPassword":%q}`, token, chosen(i))
	})...)
	winner := c.one(answers, "200", "400 INVALID_TOKEN")
	c.sessions(ann, 0)
	c.opens(ann, chosen(winner), ann.password, chosen((winner+1)%raceCrowd), chosen((winner+2)%raceCrowd))
}

// opens demands that one password signs somebody in and others do not.
func (c *contest) opens(p *person, password string, others ...string) {
	c.Helper()
	if a := c.signIn(p.email, password); a.status != http.StatusOK {
		c.Errorf("round %d: the password that was set: %s", c.round, a.label())
	}
	for _, other := range others {
		if a := c.signIn(p.email, other); a.status != http.StatusUnauthorized {
			c.Errorf("round %d: another password: %s", c.round, a.label())
		}
	}
}

// raceFirstPassword: who has none gets one, and the others are told that there is one.
func (c *contest) raceFirstPassword() {
	ann := c.signUp("ann")
	c.arena.db.exec(c.T, `DELETE FROM "account" WHERE "userId" = ?`, ann.id)
	chosen := func(i int) string { return fmt.Sprint("password ", i, " of ann") }
	answers := c.fire(crowded(func(i int) shot {
		return post("/main/set-password", `{"newPassword":%q}`, chosen(i)).as(ann.cookie)
	})...)
	winner := c.one(answers, "200", "400 PASSWORD_ALREADY_SET")
	c.rows("account", "userId", ann.id, 1)
	c.opens(ann, chosen(winner), chosen((winner+1)%raceCrowd))
}

// raceChangedPassword: of those who change it from the same one, one does.
func (c *contest) raceChangedPassword() {
	ann := c.signUp("ann")
	chosen := func(i int) string { return fmt.Sprint("password ", i, " of ann") }
	answers := c.fire(crowded(func(i int) shot {
		return post("/main/change-password", `{"currentPassword":%q,"newPassword":%q,"revokeOtherSessions":true}`, ann.password, chosen(i)).as(ann.cookie)
	})...)
	winner := c.one(answers, "200", "400 INVALID_PASSWORD", "401 UNAUTHORIZED")
	c.sessions(ann, 1, answers...)
	c.opens(ann, chosen(winner), ann.password, chosen((winner+1)%raceCrowd))
}

// raceDeleteToken: a token deletes its user once, by whatever door.
func (c *contest) raceDeleteToken() {
	ann := c.signUp("ann")
	c.ok(post("/main/delete-user", `{}`).as(ann.cookie))
	token := c.mailed(ann.email)
	answers := c.fire(crowded(func(i int) shot {
		if i%4 < 2 {
			return post("/main/delete-user", `{"token":%q}`, token).as(ann.cookie)
		}
		return get("/main/delete-user/callback?token=" + token).as(ann.cookie)
	})...)
	c.one(answers, "200", "404 INVALID_TOKEN", "401 UNAUTHORIZED", "404 FAILED_TO_GET_USER_INFO")
	c.rows("user", "id", ann.id, 0)
	c.rows("account", "userId", ann.id, 0)
	c.sessions(ann, 0)
}

// raceVerifyEmail: a link may be followed again, but it signs in once.
func (c *contest) raceVerifyEmail() {
	ann := c.signUp("ann")
	c.ok(post("/main/send-verification-email", `{"email":%q}`, ann.email).as(ann.cookie))
	link := get("/main/verify-email?token=" + c.mailed(ann.email))
	answers := c.fire(crowded(func(int) shot { return link })...)
	c.exactly(answers, map[string]int{"200": raceCrowd})
	sent := 0
	for _, a := range answers {
		if a.session() != "" {
			sent++
		}
	}
	if sent != 1 {
		c.Errorf("round %d: one link has sent %d sessions", c.round, sent)
	}
	c.ok(post("/main/sign-out", `{}`).as(ann.cookie))
	c.sessions(ann, 1, answers...)
}

// raceChangeEmail: of the links to change one address one does, once.
func (c *contest) raceChangeEmail() {
	ann := c.signUp("ann")
	c.verified(ann)
	chosen := []string{c.address("anna"), c.address("anne")}
	var links []shot
	for _, email := range chosen {
		c.ok(post("/main/change-email", `{"newEmail":%q}`, email).as(ann.cookie))
		links = append(links, get("/main/verify-email?token="+c.mailed(email)))
	}
	answers := c.fire(crowded(func(i int) shot { return links[i/2%2] })...)
	winner := c.one(answers, "200", "401 INVALID_TOKEN")
	c.rows("user", "email", chosen[winner/2%2], 1)
	c.rows("user", "email", chosen[1-winner/2%2], 0)
	c.rows("user", "email", ann.email, 0)
}

// raceOneAddress: of several users who may have an address one gets it.
func (c *contest) raceOneAddress() {
	people := []*person{c.signUp("ann"), c.signUp("bob"), c.signUp("cat")}
	wanted := c.address("wanted")
	var links []shot
	for _, p := range people {
		c.verified(p)
		c.ok(post("/main/change-email", `{"newEmail":%q}`, wanted).as(p.cookie))
		links = append(links, get("/main/verify-email?token="+c.mailed(wanted)))
	}
	answers := c.fire(crowded(func(i int) shot {
		if i%4 == 3 {
			return post("/main/sign-up/email", `{"name":"Eve","email":%q,"password":"password of eve"}`, wanted)
		}
		return links[i%4]
	})...)
	c.one(answers, "200", "401 INVALID_TOKEN", "401 USER_ALREADY_EXISTS", "422 USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL")
	c.rows("user", "email", wanted, 1)
}

// raceSignUps: an address is that of one user, who has one password.
func (c *contest) raceSignUps() {
	email := c.address("eve")
	chosen := func(i int) string { return fmt.Sprint("password ", i, " of eve") }
	answers := c.fire(crowded(func(i int) shot {
		return post("/main/sign-up/email", `{"name":"Eve","email":%q,"password":%q}`, email, chosen(i))
	})...)
	winner := c.one(answers, "200", "422 USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL")
	c.rows("user", "email", email, 1)
	eve := &person{email: email, id: c.column("user", "id", "email", email)}
	c.rows("account", "userId", eve.id, 1)
	c.opens(eve, chosen(winner), chosen((winner+1)%raceCrowd))
}

// raceUnlinking: a user keeps the last way to sign in.
func (c *contest) raceUnlinking() {
	ann := c.signUp("ann")
	credential, github := c.column("account", "id", "userId", ann.id), "g-"+ann.id
	c.arena.db.exec(c.T, `INSERT INTO "account" ("id", "accountId", "providerId", "userId", "createdAt", "updatedAt")
		SELECT ?, "userId", 'github', "userId", "createdAt", "updatedAt" FROM "account" WHERE "id" = ?`, github, credential)
	answers := c.fire(crowded(func(i int) shot {
		return post("/main/unlink-account", `{"accountId":%q}`, []string{credential, github}[i/2%2]).as(ann.cookie)
	})...)
	c.one(answers, "200", "400 FAILED_TO_UNLINK_LAST_ACCOUNT", "400 ACCOUNT_NOT_FOUND")
	c.rows("account", "userId", ann.id, 1)
}
