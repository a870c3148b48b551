package auth

import (
	"context"
	"net/http"
	"strings"
)

const (
	trustDeviceCookie  = "trust_device"
	purposeTrustDevice = "trust-device-"
)

// A trustedDevice is what the cookie of a device says that a user trusts: a random
// name, and a signature that binds it to the user. A verification of that name says
// how long.
type trustedDevice struct{ id, signature string }

// trusted is the key of the device that let the run skip the second factor.
type trusted struct{}

func (p *TwoFactor) deviceCookie(ctx context.Context) *http.Cookie {
	return p.services.Cookie(ctx, trustDeviceCookie, p.TrustDeviceMaxAge)
}

// sentDevice returns the device that the request names; sent is false if there is
// no cookie or its signature does not hold.
func (p *TwoFactor) sentDevice(ctx context.Context) (device trustedDevice, sent bool) {
	value, sent := p.services.SignedCookie(ctx, p.deviceCookie(ctx).Name)
	signature, name, _ := strings.Cut(value, "!")
	name, _, _ = strings.Cut(name, "!")
	id, named := strings.CutPrefix(name, purposeTrustDevice)
	if !sent || !named {
		return trustedDevice{}, sent
	}
	return trustedDevice{id: id, signature: signature}, true
}

// trusts reports whether a user trusts a device at this moment.
func (p *TwoFactor) trusts(ctx context.Context, user *User, device trustedDevice) (bool, error) {
	if device.id == "" || !p.services.Verify(deviceText(user, device.id), device.signature) {
		return false, nil
	}
	v, err := p.services.FindVerification(ctx, purposeTrustDevice, device.id)
	return v != nil && v.Value == user.ID && v.ExpiresAt.After(p.services.Now()), err
}

// deviceText is what is signed of a device.
func deviceText(user *User, id string) string { return user.ID + "!" + purposeTrustDevice + id }

// storeTrust stores a new device that a user trusts and returns its name.
func (p *TwoFactor) storeTrust(ctx context.Context, user *User) (id string, err error) {
	id = RandomString(32, URLSafe)
	return id, p.services.CreateVerification(ctx, purposeTrustDevice, id, user.ID, p.TrustDeviceMaxAge)
}

// sendTrust makes the browser a device that has been stored.
func (p *TwoFactor) sendTrust(ctx context.Context, user *User, id string) {
	c := p.deviceCookie(ctx)
	c.Value = p.services.Sign(deviceText(user, id)) + "!" + purposeTrustDevice + id
	p.services.SetSignedCookie(ctx, c)
}

// keepTrust is the hook that gives a device a new name after each sign-in, good for
// the whole time again. Of requests at the same moment with the same name one does
// it: its cookie is the browser's.
func (p *TwoFactor) keepTrust(x *Exchange) error {
	device, ok := x.Value(trusted{}).(trustedDevice)
	started := NewSessionFromContext(x)
	if !ok || started == nil {
		return nil
	}
	var id string
	err := p.services.Transaction(x, func(ctx context.Context) error {
		id = "" // of an attempt that was rolled back
		v, err := p.services.ConsumeVerification(ctx, purposeTrustDevice, device.id)
		if err == nil && v != nil {
			id, err = p.storeTrust(ctx, started.User)
		}
		return err
	})
	if err == nil && id != "" {
		p.sendTrust(x, started.User, id)
	}
	return err
}
