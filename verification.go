package auth

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"reflect"
	"sync/atomic"
	"time"
)

// A Verification is a secret that was sent out and waits to be brought back
// once (table "verification"). Its identifier begins with its purpose, which
// the consumer states again: a token of one purpose is none for another.
type Verification struct {
	ID         string    `db:"id"`
	Identifier string    `db:"identifier"`
	Value      string    `db:"value"`
	ExpiresAt  time.Time `db:"expiresAt"`
	CreatedAt  time.Time `db:"createdAt"`
	UpdatedAt  time.Time `db:"updatedAt"`
}

func verificationTable() *Table {
	return &Table{Name: "verification", Expires: "expiresAt", Columns: []Column{
		{Name: "identifier", Type: TypeString, Index: true},
		{Name: "value", Type: TypeString},
		{Name: "expiresAt", Type: TypeDate},
		{Name: "createdAt", Type: TypeDate, Default: currentTime},
		{Name: "updatedAt", Type: TypeDate, Default: currentTime},
	}}
}

// The purposes of verifications (contract section 12.4).
const (
	purposeResetPassword = "reset-password:"
	purposeDeleteAccount = "delete-account-"
)

// VerificationOptions say where verifications are kept.
type VerificationOptions struct {
	// StoreInDatabase keeps them in Config.Store although there is a
	// Config.SecondaryStorage, which then only answers faster. Without one they
	// are there anyway.
	StoreInDatabase bool

	// StoreIdentifier gives the form in which an identifier is stored: nil leaves it
	// as it is, HashIdentifier keeps those who can read the database from redeeming
	// what they find there, a function of the application can decide by prefix
	// ("reset-password:"). What was stored plain is still found.
	StoreIdentifier func(identifier string) string

	// DisableCleanup leaves expired rows where they are. Otherwise looking for a
	// verification removes them, once a minute at most.
	DisableCleanup bool
}

// HashIdentifier is a VerificationOptions.StoreIdentifier: the SHA-256 of an
// identifier in base64url, which the original calls "hashed".
func HashIdentifier(identifier string) string {
	sum := sha256.Sum256([]byte(identifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// verificationStore is the one place where verifications are created, found and
// consumed: in the database, in the secondary storage or in both (contract
// section 13).
type verificationStore struct {
	*entities[Verification]
	services   *services
	options    VerificationOptions
	shared     SecondaryStorage // nil without one
	inDatabase bool

	lastCleanup atomic.Int64 // in Unix milliseconds
}

const keyVerification = "verification:" // + identifier

// createVerification stores a value to be fetched by purpose and token.
func (s *services) createVerification(ctx context.Context, purpose, token, value string, lifetime time.Duration) error {
	return s.verifications.create(ctx, s.verifications.newVerification(purpose+token, value, lifetime))
}

func (vs *verificationStore) newVerification(identifier, value string, lifetime time.Duration) *Verification {
	created := now()
	return &Verification{
		Identifier: vs.stored(identifier)[0], Value: value,
		ExpiresAt: created.Add(lifetime), CreatedAt: created, UpdatedAt: created,
	}
}

// keepNothing stores a verification that leads to nobody, and removes it in the same
// transaction, that of ctx. No hook is told.
func (vs *verificationStore) keepNothing(ctx context.Context, identifier string, lifetime time.Duration) error {
	v := vs.newVerification(identifier, nobodysID(vs.services.ids), lifetime)
	vs.identify(v)
	if err := vs.keep(ctx, v); err != nil {
		return err
	}
	return vs.erase(ctx, v.Identifier)
}

// erase removes what is stored as an identifier and tells no hook.
func (vs *verificationStore) erase(ctx context.Context, stored string) error {
	if vs.inDatabase {
		if _, err := vs.delete(ctx, Where("identifier", stored)); err != nil {
			return err
		}
	}
	if vs.shared == nil {
		return nil
	}
	return vs.services.writeAfterCommit(ctx, func(ctx context.Context) error {
		return vs.shared.Delete(ctx, keyVerification+stored)
	})
}

// stored returns the forms in which an identifier may be stored, the one that new
// ones get first.
func (vs *verificationStore) stored(identifier string) []string {
	if vs.options.StoreIdentifier == nil {
		return []string{identifier}
	}
	if form := vs.options.StoreIdentifier(identifier); form != identifier {
		return []string{form, identifier}
	}
	return []string{identifier}
}

// create shadows that of entities.
func (vs *verificationStore) create(ctx context.Context, v *Verification) error {
	return vs.createBy(ctx, v, vs.keep)
}

func (vs *verificationStore) keep(ctx context.Context, v *Verification) error {
	if vs.inDatabase {
		if err := vs.insert(ctx, v); err != nil || vs.shared == nil {
			return err
		}
		return vs.services.writeAfterCommit(ctx, func(ctx context.Context) error { return vs.share(ctx, v) })
	}
	vs.services.afterRollback(ctx, func(ctx context.Context) { vs.forget(ctx, v.Identifier) })
	return vs.share(ctx, v)
}

func (vs *verificationStore) share(ctx context.Context, v *Verification) error {
	ttl := wholeSeconds(v.ExpiresAt)
	if ttl == 0 {
		return nil
	}
	value, err := vs.encode(v)
	if err != nil {
		return err
	}
	return vs.shared.Set(ctx, keyVerification+v.Identifier, string(value), ttl)
}

// encode writes a verification that has no row as the original does, without an
// id and in another order.
func (vs *verificationStore) encode(v *Verification) (_ []byte, err error) {
	if vs.inDatabase {
		return vs.plan.marshal(v)
	}
	dst, entity := []byte("{"), reflect.ValueOf(v).Elem()
	for _, name := range []string{"createdAt", "updatedAt", "value", "identifier", "expiresAt"} {
		if dst, err = vs.plan.fields[vs.plan.position(name)].append(dst, entity, nil); err != nil {
			return nil, err
		}
	}
	return append(dst, '}'), nil
}

// forget removes what would otherwise expire, so that a failure only matters to
// the log.
func (vs *verificationStore) forget(ctx context.Context, identifier string) {
	if err := vs.shared.Delete(ctx, keyVerification+identifier); err != nil {
		vs.services.log.ErrorContext(ctx, "verification stays in the secondary storage until it expires", "error", err)
	}
}

// findVerification returns the newest live verification without consuming it,
// nil if there is none. It removes expired ones now and then.
func (s *services) findVerification(ctx context.Context, purpose, token string) (*Verification, error) {
	return alive(s.verifications.newest(ctx, purpose+token))
}

// alive leaves out a verification that has expired.
func alive(v *Verification, err error) (*Verification, error) {
	if err != nil || v == nil || v.ExpiresAt.Before(now()) {
		return nil, err
	}
	return v, nil
}

// newest looks into the secondary storage first, then for the newest row.
func (vs *verificationStore) newest(ctx context.Context, identifier string) (*Verification, error) {
	forms := vs.stored(identifier)
	if vs.shared != nil {
		if v, err := vs.sharedOne(ctx, forms); v != nil || err != nil || !vs.inDatabase {
			return v, err
		}
	}
	v, err := vs.newestRow(ctx, forms)
	if err == nil && !vs.options.DisableCleanup {
		err = vs.removeExpired(ctx)
	}
	return v, err
}

func (vs *verificationStore) sharedOne(ctx context.Context, forms []string) (*Verification, error) {
	for _, form := range forms {
		text, found, err := vs.shared.Get(ctx, keyVerification+form)
		if err != nil {
			return nil, err
		}
		if found {
			return vs.decode([]byte(text))
		}
	}
	return nil, nil
}

func (vs *verificationStore) newestRow(ctx context.Context, forms []string) (*Verification, error) {
	for _, form := range forms {
		found, err := vs.find(ctx, Query{
			Where: []Condition{Where("identifier", form)},
			Order: []Order{{Column: "createdAt", Desc: true}},
			Limit: 1,
		})
		if err != nil {
			return nil, err
		}
		if len(found) > 0 {
			return found[0], nil
		}
	}
	return nil, nil
}

// consumeVerification removes a verification and returns it: of many callers
// one gets it, the others get nil. An expired one counts as missing. Older ones
// with the same identifier go with it.
func (s *services) consumeVerification(ctx context.Context, purpose, token string) (*Verification, error) {
	return alive(s.redeemVerification(ctx, purpose, token))
}

// redeemVerification is consumeVerification for callers that look at the time
// themselves.
func (s *services) redeemVerification(ctx context.Context, purpose, token string) (v *Verification, err error) {
	for _, form := range s.verifications.stored(purpose + token) {
		if s.verifications.inDatabase {
			v, err = s.verifications.redeem(ctx, form)
		} else {
			v, err = s.verifications.take(ctx, form)
		}
		if v != nil || err != nil {
			break
		}
	}
	return v, err
}

// redeem is consume for the newest row with an identifier.
func (vs *verificationStore) redeem(ctx context.Context, identifier string) (v *Verification, err error) {
	err = vs.transact(ctx, func(ctx context.Context) error {
		v = nil // of an attempt that was rolled back
		newest, err := vs.newestRow(ctx, []string{identifier})
		if err != nil || newest == nil {
			return err
		}
		if vs.hooks.BeforeDelete != nil {
			if err := vs.hooks.BeforeDelete(ctx, newest); err != nil {
				return quiet(err)
			}
		}
		if v, err = vs.consume(ctx, Where("id", newest.ID)); err != nil || v == nil {
			return err
		}
		_, err = vs.delete(ctx, Where("identifier", identifier), Condition{Column: "createdAt", Op: "<=", Value: v.CreatedAt})
		return err
	})
	if err != nil || v == nil || vs.shared == nil {
		return v, err
	}
	return v, vs.services.writeAfterCommit(ctx, func(ctx context.Context) error {
		vs.forget(ctx, v.Identifier)
		return nil
	})
}

// take is redeem where there are no rows. If the transaction of ctx fails, the
// verification is as it was.
func (vs *verificationStore) take(ctx context.Context, identifier string) (*Verification, error) {
	text, found, err := vs.shared.(SecondaryTaker).Take(ctx, keyVerification+identifier)
	if err != nil || !found {
		return nil, err
	}
	v, err := vs.decode([]byte(text))
	if err != nil {
		return nil, err
	}
	vs.services.afterRollback(ctx, func(ctx context.Context) {
		_, replaced, err := vs.shared.Get(ctx, keyVerification+identifier)
		if err == nil && !replaced {
			err = vs.share(ctx, v)
		}
		if err != nil {
			vs.services.log.ErrorContext(ctx, "verification of a failed transaction is lost", "error", err)
		}
	})
	if vs.hooks.AfterDelete != nil {
		vs.afterCommit(ctx, func(ctx context.Context) { vs.hooks.AfterDelete(ctx, v) })
	}
	return v, nil
}

// removeAll removes what has an identifier, wherever it is.
func (vs *verificationStore) removeAll(ctx context.Context, identifier string) error {
	for _, form := range vs.stored(identifier) {
		if vs.inDatabase {
			if _, err := vs.remove(ctx, Where("identifier", form)); err != nil {
				return err
			}
		}
		if vs.shared != nil {
			err := vs.services.writeAfterCommit(ctx, func(ctx context.Context) error {
				return vs.shared.Delete(ctx, keyVerification+form)
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// extend changes when the newest verification with an identifier expires.
func (vs *verificationStore) extend(ctx context.Context, identifier string, expiresAt time.Time) (bool, error) {
	v, err := vs.newest(ctx, identifier)
	if err != nil || v == nil {
		return false, err
	}
	v.ExpiresAt, v.UpdatedAt = expiresAt, now()
	if vs.inDatabase {
		n, err := vs.change(ctx, map[string]any{"expiresAt": v.ExpiresAt, "updatedAt": v.UpdatedAt}, Where("id", v.ID))
		if err != nil || n == 0 {
			return false, err
		}
	}
	if vs.shared == nil {
		return true, nil
	}
	return true, vs.services.writeAfterCommit(ctx, func(ctx context.Context) error { return vs.share(ctx, v) })
}

const cleanupInterval = time.Minute

func (vs *verificationStore) removeExpired(ctx context.Context) error {
	last, current := vs.lastCleanup.Load(), now()
	if current.UnixMilli()-last < cleanupInterval.Milliseconds() || !vs.lastCleanup.CompareAndSwap(last, current.UnixMilli()) {
		return nil
	}
	_, err := vs.remove(ctx, expiredBefore(current))
	return err
}
