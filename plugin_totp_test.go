package auth

import (
	"bytes"
	"encoding/base32"
	"encoding/hex"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestTOTPOfTheRFC has the vectors of RFC 6238, appendix B, for SHA-1.
func TestTOTPOfTheRFC(t *testing.T) {
	p := totp{key: []byte("12345678901234567890"), digits: 8, period: 30 * time.Second}
	for _, tt := range []struct {
		unix int64
		step string
		code string
	}{
		{59, "0000000000000001", "94287082"},
		{1111111109, "00000000023523EC", "07081804"},
		{1111111111, "00000000023523ED", "14050471"},
		{1234567890, "000000000273EF07", "89005924"},
		{2000000000, "0000000003F940AA", "69279037"},
		{20000000000, "0000000027BC86AA", "65353130"},
	} {
		at := time.Unix(tt.unix, 0)
		step := p.step(at)
		if want, _ := strconv.ParseInt(tt.step, 16, 64); step != want || p.code(step) != tt.code {
			t.Errorf("at %d: step %x, code %s; want %s, %s", tt.unix, step, p.code(step), tt.step, tt.code)
		}
		if found, ok := p.verify(tt.code, at); !ok || found != step {
			t.Errorf("at %d: verify(%s) = %d, %v", tt.unix, tt.code, found, ok)
		}
	}
}

// TestHOTPOfTheRFC has those of RFC 4226, appendix D.
func TestHOTPOfTheRFC(t *testing.T) {
	p := totp{key: []byte("12345678901234567890"), digits: 6, period: 30 * time.Second}
	for counter, want := range []string{"755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"} {
		if code := p.code(int64(counter)); code != want {
			t.Errorf("counter %d: %s, want %s", counter, code, want)
		}
	}
}

func TestTOTPOfTheContract(t *testing.T) {
	p := totp{key: []byte("abcdefghijklmnopqrstuvwxyz012345"), digits: 6, period: 30 * time.Second}
	for counter, want := range map[int64]string{1: "959162", 56666666: "413295"} {
		if code := p.code(counter); code != want {
			t.Errorf("counter %d: %s, want %s", counter, code, want)
		}
	}
	if p.step(time.Unix(1700000000, 0)) != 56666666 {
		t.Error("the step of 1700000000")
	}
}

func TestTOTPWindow(t *testing.T) {
	p := totp{key: []byte("abcdefghijklmnopqrstuvwxyz012345"), digits: 6, period: 30 * time.Second}
	at := time.Unix(1700000000, 0)
	for away, want := range map[int64]bool{-2: false, -1: true, 0: true, 1: true, 2: false} {
		step := p.step(at) + away
		if found, ok := p.verify(p.code(step), at); ok != want || ok && found != step {
			t.Errorf("%d steps away: %v", away, ok)
		}
	}
	code := p.code(p.step(at))
	for _, wrong := range []string{"", code[:5], code + "0", " " + code, code + "\x00", "４13295", "-" + code[1:]} {
		if _, ok := p.verify(wrong, at); ok {
			t.Errorf("%q is accepted", wrong)
		}
	}
}

func TestTOTPURI(t *testing.T) {
	p := totp{key: []byte("abcdefghijklmnopqrstuvwxyz012345"), digits: 6, period: 30 * time.Second}
	for _, tt := range []struct{ issuer, account, want string }{
		{"My App", "a+b@x.io", "otpauth://totp/My%20App:a%2Bb%40x.io?secret=MFRGGZDFMZTWQ2LKNNWG23TPOBYXE43UOV3HO6DZPIYDCMRTGQ2Q&issuer=My+App&digits=6&period=30"},
		{"a:b/c?d&e=f#g~!*'()", "é@x.io", "otpauth://totp/a%3Ab%2Fc%3Fd%26e%3Df%23g~!*'():%C3%A9%40x.io?secret=MFRGGZDFMZTWQ2LKNNWG23TPOBYXE43UOV3HO6DZPIYDCMRTGQ2Q&issuer=a%3Ab%2Fc%3Fd%26e%3Df%23g%7E%21*%27%28%29&digits=6&period=30"},
	} {
		if uri := p.uri(tt.issuer, tt.account); uri != tt.want {
			t.Errorf("%s\n%s", uri, tt.want)
		}
	}
}

func TestTOTPKey(t *testing.T) {
	for _, tt := range []struct{ secret, want, reason string }{
		{"abc-_012", hex.EncodeToString([]byte("abc-_012")), "the text itself"},
		{"base32:JBSWY3DPEHPK3PXP", "48656c6c6f21deadbeef", "an imported one"},
		{"base32:jbswy3dpehpk3pxp", "48656c6c6f21deadbeef", "in small letters"},
		{"base32:MZXW6===", "666f6f", "with padding"},
		{"base32:MZXW6", "666f6f", "without"},
		{"base32:MZXW6Q", "666f6f", "bits that are left over"},
		{"base32:MZXW6Q=A", "666f6f", "nothing counts behind the padding"},
		{"base32:", "", "nothing"},
		{"base32:MZXW 6", "error", "a space"},
		{"base32:MZXW1", "error", "no letter of the alphabet"},
		{"base32:é", "error", "nor this"},
	} {
		key, err := totpKey(tt.secret)
		got := hex.EncodeToString(key)
		if err != nil {
			got = "error"
		}
		if got != tt.want {
			t.Errorf("%s: %q is %s, want %s", tt.reason, tt.secret, got, tt.want)
		}
	}
}

// FuzzTOTPKey: a key is what it was encoded from, and nothing makes it panic.
func FuzzTOTPKey(f *testing.F) {
	f.Add("base32:JBSWY3DPEHPK3PXP")
	f.Add("plain")
	f.Add("base32:\xff=")
	f.Fuzz(func(t *testing.T, text string) {
		key, err := totpKey(text)
		if err == nil && !strings.HasPrefix(text, importedKey) && string(key) != text {
			t.Errorf("%q is %q", text, key)
		}
		encoded := base32.StdEncoding.EncodeToString([]byte(text))
		if again, err := totpKey(importedKey + encoded); err != nil || !bytes.Equal(again, []byte(text)) {
			t.Errorf("%q comes back as %q, %v", text, again, err)
		}
	})
}

// FuzzTOTPURI: whatever issuer and account are, an app finds them again.
func FuzzTOTPURI(f *testing.F) {
	f.Add("My App", "a+b@x.io")
	f.Add("a:b/c?d&e=f#g%20", "\x00\xff~")
	f.Fuzz(func(t *testing.T, issuer, account string) {
		p := totp{key: []byte("key"), digits: 6, period: 30 * time.Second}
		u, err := url.Parse(p.uri(issuer, account))
		if err != nil {
			t.Fatal(err)
		}
		query := u.Query()
		if u.Scheme != "otpauth" || u.Host != "totp" || u.Path != "/"+issuer+":"+account ||
			query.Get("issuer") != issuer || query.Get("secret") != "NNSXS" || len(query) != 4 {
			t.Errorf("%q, %q: %s", issuer, account, u)
		}
	})
}

// FuzzTOTPCode: a code is accepted if and only if it is that of a step nearby.
func FuzzTOTPCode(f *testing.F) {
	f.Add("413295", int64(1700000000))
	f.Add("", int64(0))
	f.Fuzz(func(t *testing.T, code string, unix int64) {
		p := totp{key: []byte("abcdefghijklmnopqrstuvwxyz012345"), digits: 6, period: 30 * time.Second}
		at := time.Unix(unix%1e10, 0)
		step, ok := p.verify(code, at)
		if now := p.step(at); ok != (code == p.code(now-1) || code == p.code(now) || code == p.code(now+1)) || ok && p.code(step) != code {
			t.Errorf("%q at %d: %v", code, unix, ok)
		}
	})
}
