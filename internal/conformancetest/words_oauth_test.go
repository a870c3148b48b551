package conformancetest

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/crypto/chacha20poly1305"
)

// What differs from run to run in a flow: its state, its nonce, its verifier with
// the challenge, and what is sealed.
var (
	authorizeForm = regexp.MustCompile(`https?://[^"\s?]*/authorize\?[^"\s]*`)
	stateForm     = regexp.MustCompile(`^[\w-]{32}$`)
	verifierForm  = regexp.MustCompile(`^[\w-]{128}$`)
	plainState    = regexp.MustCompile(`\{[^\n]*"codeVerifier":[^\n]*\}`)
	quotedState   = regexp.MustCompile(`"value":("(?:[^"\\]|\\.)*codeVerifier(?:[^"\\]|\\.)*")`)
	sealedForm    = regexp.MustCompile(`((?:\$ba\$|%24ba%24)\d+(?:\$|%24)|\b)([0-9a-f]{80,})\b`)
)

// authorization describes an authorization URL: where it leads, and its
// parameters, whose order means nothing.
func (w *words) authorization(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return text
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return text
	}
	w.register(&flow{state: query.Get("state"), nonce: query.Get("nonce"), challenge: query.Get("code_challenge")})
	description := "<" + u.Scheme + "://" + u.Host + u.EscapedPath()
	for _, name := range slices.Sorted(maps.Keys(query)) {
		description += fmt.Sprintf(" %s=%s", name, strings.Join(query[name], " and "))
	}
	return w.secrets(description) + ">"
}

// register remembers a flow that is new.
func (w *words) register(f *flow) {
	if w.provider == nil || !stateForm.MatchString(f.state) || w.flow(f.state) != nil {
		return
	}
	w.provider.flows = append(w.provider.flows, f)
	w.labels[f.state] = fmt.Sprintf("<state %d>", len(w.provider.flows))
}

func (w *words) flow(state string) *flow {
	if w.provider == nil {
		return nil
	}
	for _, f := range w.provider.flows {
		if f.state == state {
			return f
		}
	}
	return nil
}

// newest is the state of the newest flow, or a code for it.
func (w *words) newest(what string) string {
	if w.provider == nil || len(w.provider.flows) == 0 {
		return ""
	}
	if what == "code" {
		return fmt.Sprint("code-", len(w.provider.flows))
	}
	return w.provider.flows[len(w.provider.flows)-1].state
}

// secrets replaces those of all flows, what has the wrong form excepted.
func (w *words) secrets(text string) string {
	if w.provider == nil {
		return text
	}
	for i, f := range w.provider.flows {
		for _, one := range []struct{ name, value string }{
			{"state", f.state}, {"nonce", f.nonce}, {"verifier", f.verifier}, {"challenge", f.challenge},
		} {
			if len(one.value) >= 32 {
				text = strings.ReplaceAll(text, one.value, fmt.Sprintf("<%s %d>", one.name, i+1))
			}
		}
	}
	return text
}

// flowState takes what is remembered of a flow out of a text, and keeps it member
// by member: the order of the members means nothing.
func (w *words) flowState(text string) string {
	text = quotedState.ReplaceAllStringFunc(text, func(quoted string) string {
		value, err := strconv.Unquote(strings.TrimPrefix(quoted, `"value":`))
		if err != nil || !w.takeState(value) {
			return quoted
		}
		return `"value":"<state of a flow>"`
	})
	return plainState.ReplaceAllStringFunc(text, func(value string) string {
		if !w.takeState(value) {
			return value
		}
		return "<state of a flow>"
	})
}

func (w *words) takeState(text string) bool {
	var members map[string]json.RawMessage
	if json.Unmarshal([]byte(text), &members) != nil {
		return false
	}
	var state, verifier string
	_ = json.Unmarshal(members["oauthState"], &state)
	_ = json.Unmarshal(members["codeVerifier"], &verifier)
	w.register(&flow{state: state})
	if f := w.flow(state); f != nil && verifierForm.MatchString(verifier) {
		sum := sha256.Sum256([]byte(verifier))
		if f.challenge == "" || f.challenge == base64.RawURLEncoding.EncodeToString(sum[:]) {
			f.verifier = verifier
		}
	}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		w.states = append(w.states, "state "+name+" = "+w.text(string(members[name])))
	}
	return true
}

// takeStates returns the members of states since the last time.
func (w *words) takeStates() []string {
	states := w.states
	w.states = nil
	return states
}

// purposes are what texts are sealed for. That of the tokens of accounts has no
// name.
var purposes = []string{"", "oauth-state-cookie", "oauth-link-session-token"}

// sealed opens what is sealed under one of the secrets.
func (w *words) sealed(text string) string {
	parts := sealedForm.FindStringSubmatch(text)
	for i, key := range w.variant.keys() {
		for _, purpose := range purposes {
			if opened, ok := open(purpose, key, parts[2]); ok {
				return fmt.Sprintf("<sealed %s%s key %d %s>", parts[1], purpose, i+1, w.text(opened))
			}
		}
	}
	return text
}

func sealingKey(purpose, secret string) [32]byte {
	if purpose != "" {
		derived, err := hkdf.Key(sha256.New, []byte(secret), []byte("better-auth:oauth-encryption:v1"), "better-auth:"+purpose+":v1", 32)
		if err != nil {
			panic(err)
		}
		secret = hex.EncodeToString(derived)
	}
	return sha256.Sum256([]byte(secret))
}

func open(purpose, secret, sealed string) (string, bool) {
	raw, err := hex.DecodeString(sealed)
	if err != nil || len(raw) < chacha20poly1305.NonceSizeX {
		return "", false
	}
	key := sealingKey(purpose, secret)
	aead, err := chacha20poly1305.NewX(key[:])
	if err != nil {
		panic(err)
	}
	text, err := aead.Open(nil, raw[:aead.NonceSize()], raw[aead.NonceSize():], nil)
	return string(text), err == nil
}

// seal seals a text as "purpose,text" says.
func seal(secret, argument string) string {
	purpose, text, _ := strings.Cut(argument, ",")
	key := sealingKey(purpose, secret)
	aead, err := chacha20poly1305.NewX(key[:])
	if err != nil {
		panic(err)
	}
	nonce := make([]byte, aead.NonceSize())
	rand.Read(nonce)
	return hex.EncodeToString(aead.Seal(nonce, nonce, []byte(text), nil))
}

// idToken describes one without quotation marks: it stands in JSON.
func (w *words) idToken(signer string, header, payload []byte) string {
	text := epochForm.ReplaceAllStringFunc(w.provider.inWords(string(payload)), w.epoch)
	return fmt.Sprintf("<id_token by %s %s %s>", signer, strings.ReplaceAll(string(header), `"`, ""), strings.ReplaceAll(text, `"`, ""))
}
