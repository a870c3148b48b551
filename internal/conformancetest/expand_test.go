package conformancetest

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// reference is what a step can refer to: $name, $name.path or $name(argument);
// the argument ends at the parenthesis that closes it.
var reference = regexp.MustCompile(`\$[A-Za-z]\w*`)

// expand puts values in the places of references. What does not exist stays as
// it is, so that both sides get the same.
func (r *run) expand(who, text string) string {
	var out strings.Builder
	for {
		at := reference.FindStringIndex(text)
		if at == nil {
			break
		}
		out.WriteString(text[:at[0]])
		name, rest := text[at[0]+1:at[1]], text[at[1]:]
		value, rest, ok := r.value(who, name, rest)
		if !ok {
			value = "$" + name
		}
		out.WriteString(value)
		text = rest
	}
	return out.String() + text
}

// value returns what a reference stands for and the text behind it.
func (r *run) value(who, name, rest string) (value, behind string, ok bool) {
	if argument, behind, called := call(rest); called {
		if f, ok := functions[name]; ok {
			return f(r, who, r.expand(who, argument)), behind, true
		}
		return "", rest, false
	}
	switch name {
	case "base":
		return r.variant.base(), rest, true
	case "token":
		value, _, _ := strings.Cut(decoded(r.jar(who).find("session_token").value()), ".")
		return value, rest, true
	case "providerURL":
		return r.provider.url(), rest, true
	case "state", "code":
		return r.words.newest(name), rest, true
	case "last":
		path, behind := memberPath(rest)
		value, ok := member(r.last, path)
		return value, behind, ok
	case "mail":
		path, behind := memberPath(rest)
		value, ok := r.mail[strings.TrimPrefix(path, ".")].(string)
		return value, behind, ok
	}
	value, ok = r.kept[name]
	return value, rest, ok
}

// call cuts "(argument)" off.
func call(text string) (argument, behind string, ok bool) {
	if !strings.HasPrefix(text, "(") {
		return "", text, false
	}
	depth := 0
	for i, c := range text {
		switch c {
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return text[1:i], text[i+1:], true
			}
		}
	}
	return "", text, false
}

var memberPattern = regexp.MustCompile(`^(\.\w+)+`)

func memberPath(text string) (path, behind string) {
	path = memberPattern.FindString(text)
	return path, text[len(path):]
}

// member finds ".a.0.b" in JSON; text is without its quotes.
func member(text []byte, path string) (string, bool) {
	var value any
	if json.Unmarshal(text, &value) != nil {
		return "", false
	}
	for name := range strings.SplitSeq(strings.TrimPrefix(path, "."), ".") {
		switch v := value.(type) {
		case map[string]any:
			value = v[name]
		case []any:
			i, err := strconv.Atoi(name)
			if err != nil || i >= len(v) {
				return "", false
			}
			value = v[i]
		default:
			return "", false
		}
	}
	if s, ok := value.(string); ok {
		return s, true
	}
	encoded, err := json.Marshal(value)
	return string(encoded), err == nil && value != nil
}

// functions are what a step can call.
var functions = map[string]func(r *run, who, argument string) string{
	"cookie": func(r *run, who, name string) string { return r.jar(who).find(name).value() },
	"jwt":    func(r *run, _, claims string) string { return signJWT(r.variant.keys()[0], offsetTimes(claims)) },
	"ed25519": func(_ *run, _, argument string) string {
		return compactJWS(argument, func(text []byte) []byte { return ed25519.Sign(knownKey(), text) })
	},
	"forged": func(_ *run, _, argument string) string {
		return compactJWS(argument, func([]byte) []byte { return make([]byte, ed25519.SignatureSize) })
	},
	"signed": func(r *run, _, value string) string {
		return signedValue(r.variant.keys()[0], value)
	},
	"idToken":      func(r *run, _, argument string) string { return r.provider.submitted(argument) },
	"sealed":       func(r *run, _, argument string) string { return seal(r.variant.keys()[0], argument) },
	"sealedBefore": func(_ *run, _, argument string) string { return seal(secret, argument) },
	"signedBefore": func(r *run, _, value string) string { return signedValue(secret, value) },
	"time": func(_ *run, _, offset string) string {
		d, err := time.ParseDuration(offset)
		if err != nil {
			panic(err)
		}
		return time.Now().Add(d).UTC().Format("2006-01-02T15:04:05.000Z")
	},
	"appSecret": func(*run, string, string) string { return appSecret },
	"totp":      func(_ *run, _, argument string) string { return totp(argument) },
	"lower":     func(_ *run, _, text string) string { return strings.ToLower(text) },
	"upper":     func(_ *run, _, text string) string { return strings.ToUpper(text) },
	"base64url": func(_ *run, _, text string) string {
		return strings.NewReplacer("+", "-", "/", "_", "=", "").Replace(decoded(text))
	},
	"decoded": func(_ *run, _, text string) string { return decoded(text) },
	"address": func(r *run, _, number string) string {
		return strings.Replace(r.words.address, "100.64.", "100."+number+".", 1)
	},
	"repeat": func(_ *run, _, argument string) string {
		text, count, _ := strings.Cut(argument, ",")
		n, err := strconv.Atoi(count)
		if err != nil {
			panic(err)
		}
		return strings.Repeat(text, n)
	},
	"hex": func(_ *run, _, digits string) string {
		text, err := hex.DecodeString(digits)
		if err != nil {
			panic(err)
		}
		return string(text)
	},
}

func mac(key, text string) []byte {
	h := hmac.New(sha256.New, []byte(key))
	h.Write([]byte(text))
	return h.Sum(nil)
}

// signedValue is that of a signed cookie.
func signedValue(key, value string) string {
	return url.QueryEscape(value + "." + base64.StdEncoding.EncodeToString(mac(key, value)))
}

func signJWT(key, claims string) string {
	encode := base64.RawURLEncoding.EncodeToString
	text := encode([]byte(`{"alg":"HS256"}`)) + "." + encode([]byte(claims))
	return text + "." + encode(mac(key, text))
}

var offsets = regexp.MustCompile(`("(?:iat|exp|nbf)":)(-?\d+)`)

// offsetTimes turns the times of claims from seconds from now into what they are
// in a token.
func offsetTimes(claims string) string {
	return offsets.ReplaceAllStringFunc(claims, func(claim string) string {
		parts := offsets.FindStringSubmatch(claim)
		seconds, err := strconv.Atoi(parts[2])
		if err != nil {
			panic(err)
		}
		return parts[1] + strconv.FormatInt(time.Now().Unix()+int64(seconds), 10)
	})
}

// decoded undoes percent-encoding where it is well-formed.
func decoded(text string) string {
	if plain, err := url.PathUnescape(text); err == nil {
		return plain
	}
	return text
}
