package auth

import (
	"context"
	"encoding/json"
	"time"
)

// accountSalt derives the keys of the cookie with an account.
const accountSalt = "better-auth-account"

// setAccount sends an account, the JSON object that sealedAccount reads, to the
// browser: encrypted, since there are tokens in it.
func (s *sessionCookies) setAccount(x *Exchange, object []byte) {
	c := s.accountCookie
	c.value = s.accountSeal.encrypt(withJWTTimes(object, now().Add(time.Duration(c.maxAge)*time.Second), newUUID()))
	chunks := chunkCookie(c)
	if len(chunks) == 0 {
		x.op.pipeline.log().WarnContext(x, "account is too large for a cookie", "bytes", len(c.value))
	}
	replaceCookie(x, s.accountCookie, chunks)
}

// clearAccount makes the browser forget the account and every chunk that it sent.
func (s *sessionCookies) clearAccount(x *Exchange) {
	x.expireCookie(s.accountCookie)
	replaceCookie(x, s.accountCookie, nil)
}

// openAccount returns the JSON object of the account in the request, nil if there
// is none or it has expired.
func (s *sessionCookies) openAccount(x *Exchange) []byte {
	value := joinChunks(x.headers, s.accountCookie.name)
	if value == "" {
		return nil
	}
	object, ok := s.accountSeal.decrypt(value)
	if !ok || checkJWT(object) != nil {
		return nil
	}
	return object
}

// renewAccount gives the cookie of the user who is signed in its full lifetime when
// the copy of the session gets it, and takes away another user's.
func (s *sessionCookies) renewAccount(x *Exchange, userID string) {
	if x.setsCookie(s.accountCookie.name) {
		return
	}
	members, err := jsonMembers(s.openAccount(x))
	if err != nil {
		return
	}
	var owner looseText
	if json.Unmarshal(members["userId"], &owner) != nil || !s.stateless && string(owner) != userID {
		s.clearAccount(x)
		return
	}
	for _, name := range []string{"iat", "exp", "jti"} {
		delete(members, name)
	}
	if object, err := appendMarshal(nil, members); err == nil {
		s.setAccount(x, object)
	}
}

// keepAccount sends an account to the browser if that is wanted.
func (s *services) keepAccount(ctx context.Context, account *Account) error {
	cookies := s.cookiesOf(ctx)
	if !cookies.storeAccount {
		return nil
	}
	object, err := s.accounts.plan.revealed().marshal(account)
	if err == nil {
		cookies.setAccount(ExchangeFrom(ctx), object)
	}
	return err
}

// sentAccount returns the account in the request's cookie, nil if there is none.
func (s *services) sentAccount(ctx context.Context) *Account {
	cookies := s.cookiesOf(ctx)
	if !cookies.storeAccount {
		return nil
	}
	object := cookies.openAccount(ExchangeFrom(ctx))
	if object == nil {
		return nil
	}
	account, err := s.accounts.decode(object)
	if err != nil {
		return nil
	}
	return account
}
