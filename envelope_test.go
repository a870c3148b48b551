package auth

import (
	"strings"
	"testing"
)

const envelopeSecret = "contract-oauth-secret-0123456789abcdefghij"

func testEnvelope(t testing.TB, purpose, secret string, versions ...Secret) *envelope {
	t.Helper()
	e, err := newEnvelope(purpose, secret, versions)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// TestEnvelopeVectors opens what the original sealed (contract oauth section 7).
func TestEnvelopeVectors(t *testing.T) {
	for _, tt := range []struct{ why, purpose, sealed, want string }{
		{"a token, whose key is the secret itself", "",
			"0b9ecf40577a9f1c1e62acd14de04fad2284b5294f9769ef473039c3de2d77255ece0bb52fb4b38a8ef5ba6168", "hello"},
		{"the state of a flow, whose key is derived", purposeStateCookie,
			"23fe73292a1565d72027bc0f5bf63c8617adc5ce59eb456d27ac79757625d881dbe77cab4102b139e658dfe473d506", `{"a":1}`},
	} {
		t.Run(tt.why, func(t *testing.T) {
			got, err := testEnvelope(t, tt.purpose, envelopeSecret).open(tt.sealed)
			if err != nil || got != tt.want {
				t.Errorf("got %q, %v; want %q", got, err, tt.want)
			}
		})
	}
}

// TestEnvelopeRotation: every secret that is known opens, the first one seals.
func TestEnvelopeRotation(t *testing.T) {
	older, newer := Secret{1, strings.Repeat("1", 32)}, Secret{2, strings.Repeat("2", 32)}
	bare := testEnvelope(t, "", envelopeSecret)
	both := testEnvelope(t, "", envelopeSecret, newer, older)
	sealed := both.seal("text")
	if !strings.HasPrefix(sealed, "$ba$2$") {
		t.Fatalf("sealed as %q, want the current version in front", sealed)
	}
	for _, tt := range []struct {
		why    string
		opener *envelope
		sealed string
		opens  bool
	}{
		{"the current version", both, sealed, true},
		{"an older version", both, testEnvelope(t, "", "", older).seal("text"), true},
		{"from before there were versions", both, bare.seal("text"), true},
		{"a version that was taken away", testEnvelope(t, "", "", newer), testEnvelope(t, "", "", older).seal("text"), false},
		{"a version where none is known", bare, sealed, false},
		{"the right key under another version's name", both, strings.Replace(sealed, "$2$", "$1$", 1), false},
		{"the right key without its version", both, strings.TrimPrefix(sealed, "$ba$2$"), false},
	} {
		t.Run(tt.why, func(t *testing.T) {
			got, err := tt.opener.open(tt.sealed)
			if (err == nil) != tt.opens || tt.opens && got != "text" {
				t.Errorf("got %q, %v; opens: want %v", got, err, tt.opens)
			}
		})
	}
}

// TestAdvisory_GHSA_r4xp_prcw_77qf_EnvelopePurpose: what was sealed for one purpose
// is nothing for another, though the secret is the same.
func TestAdvisory_GHSA_r4xp_prcw_77qf_EnvelopePurpose(t *testing.T) {
	purposes := []string{"", purposeStateCookie, purposeLinkSession}
	for _, sealer := range purposes {
		for _, opener := range purposes {
			text, err := testEnvelope(t, opener, envelopeSecret).open(testEnvelope(t, sealer, envelopeSecret).seal("text"))
			if (err == nil) != (sealer == opener) {
				t.Errorf("sealed for %q, opened for %q: %q, %v", sealer, opener, text, err)
			}
		}
	}
}

// FuzzEnvelope: only what was sealed opens.
func FuzzEnvelope(f *testing.F) {
	e := testEnvelope(f, "", envelopeSecret, Secret{1, strings.Repeat("1", 32)})
	const sealed = "0b9ecf40577a9f1c1e62acd14de04fad2284b5294f9769ef473039c3de2d77255ece0bb52fb4b38a8ef5ba6168" // the fuzzer's processes share it
	for _, seed := range []string{"", "$ba$", "$ba$1$", "00", sealed, strings.ToUpper(sealed), sealed + "00", sealed[:len(sealed)-2]} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if got, err := e.open(text); err == nil && (got != "hello" || !strings.EqualFold(text, sealed)) {
			t.Errorf("%q opened as %q", text, got)
		}
	})
}

// TestAdvisory_GHSA_r4xp_prcw_77qf_Cookies: an encrypted session is no account, and
// the other way round.
func TestAdvisory_GHSA_r4xp_prcw_77qf_Cookies(t *testing.T) {
	salts := []string{sessionSalt, accountSalt}
	for _, sealer := range salts {
		for _, opener := range salts {
			from, err := newEncrypter(sealer, envelopeSecret)
			to, toErr := newEncrypter(opener, envelopeSecret)
			if err != nil || toErr != nil {
				t.Fatal(err, toErr)
			}
			if _, ok := to.decrypt(from.encrypt([]byte("{}"))); ok != (sealer == opener) {
				t.Errorf("encrypted for %s, decrypted for %s: %v", sealer, opener, ok)
			}
		}
	}
}
