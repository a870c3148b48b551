package auth

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/crypto/argon2"
)

const (
	vectorSalt   = "000102030405060708090a0b0c0d0e0f"
	vectorScrypt = vectorSalt + ":eedf8cd62212c4ef27d18a5f1f23f875e2571a8d6bc3cea577255d2cfe8729d8d4646badd72958bccbc96ef736af3a9cc0a4735cee8541bee27d392aeafffc3c" // password123
	vectorNFKC   = vectorSalt + ":a361b0173193bad05197b1cbfaaa5d1904775d85df48e898c72e3facb066e88f274bf85fad1fde9da86dd71bd82b8ce055b2c05038b40d0bb77c8343f85adff4" // pässwörd-ﬁ①
)

func TestPasswordsVerify(t *testing.T) {
	nfkc := strings.NewReplacer("ﬁ", "fi", "①", "1").Replace
	argon2id := newArgon2idHash("password123")
	tests := []struct {
		reason         string
		config         Passwords
		hash, password string
		ok, outdated   bool
	}{
		{"scrypt vector", Passwords{}, vectorScrypt, "password123", true, false},
		{"wrong password", Passwords{}, vectorScrypt, "password124", false, false},
		{"normalized as the original does", Passwords{Normalize: nfkc}, vectorNFKC, "pässwörd-ﬁ①", true, false},
		{"without NFKC another password", Passwords{}, vectorNFKC, "pässwörd-ﬁ①", false, false},
		{"already in NFKC", Passwords{}, vectorNFKC, "pässwörd-fi1", true, false},
		{"scrypt after the change to Argon2id", Passwords{Argon2id: true}, vectorScrypt, "password123", true, true},
		{"a wrong password is never outdated", Passwords{Argon2id: true}, vectorScrypt, "wrong", false, false},
		{"Argon2id", Passwords{Argon2id: true}, argon2id, "password123", true, false},
		{"Argon2id, wrong password", Passwords{Argon2id: true}, argon2id, "wrong", false, false},
		{"Argon2id after the change back", Passwords{}, argon2id, "password123", true, true},
		{"Argon2id with other parameters, the reference implementation's", Passwords{Argon2id: true}, "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$ZVrRXqxlLcWfcXCnMyv0m4Rpvh/bnCi7", "password", true, true},
	}
	for _, tt := range tests {
		ok, outdated, err := mustPasswords(t, tt.config).verify(t.Context(), tt.hash, tt.password)
		if ok != tt.ok || outdated != tt.outdated || err != nil {
			t.Errorf("%s: %v, %v, %v, want %v, %v", tt.reason, ok, outdated, err, tt.ok, tt.outdated)
		}
	}
}

func TestPasswordsHash(t *testing.T) {
	tests := []struct {
		config Passwords
		want   string
	}{
		{Passwords{}, `^[0-9a-f]{32}:[0-9a-f]{128}$`},
		{Passwords{Argon2id: true}, `^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$`},
	}
	for _, tt := range tests {
		p := mustPasswords(t, tt.config)
		hash, err := p.hash(t.Context(), "correct horse")
		if err != nil || !regexp.MustCompile(tt.want).MatchString(hash) {
			t.Errorf("hash = %q, %v, want %s", hash, err, tt.want)
		}
		if again, _ := p.hash(t.Context(), "correct horse"); again == hash {
			t.Errorf("two hashes with one salt: %q", hash)
		}
		if ok, outdated, err := p.verify(t.Context(), hash, "correct horse"); !ok || outdated || err != nil {
			t.Errorf("verify of %q = %v, %v, %v", hash, ok, outdated, err)
		}
	}
}

var malformedHashes = []struct{ reason, hash string }{
	{"empty", ""},
	{"no key", vectorSalt},
	{"empty halves", ":"},
	{"short key", vectorScrypt[:160]},
	{"long key", vectorScrypt + "0"},
	{"upper case", strings.ToUpper(vectorScrypt)},
	{"three parts", vectorScrypt + ":"},
	{"salt is not hexadecimal", "g" + vectorScrypt[1:]},
	{"bcrypt", "$2b$12$abcdefghijklmnopqrstuuNl2K5zpHsc9ohmJHOlIqKc7UwPS8q9K"},
	{"argon2i", "$argon2i$v=19$m=64,t=1,p=1$c29tZXNhbHQ$c/JpETTuQl0JYK9pqnVJIQ"},
	{"another version", "$argon2id$v=16$m=64,t=1,p=1$c29tZXNhbHQ$c/JpETTuQl0JYK9pqnVJIQ"},
	{"gigabytes", "$argon2id$v=19$m=4194304,t=1,p=1$c29tZXNhbHQ$c/JpETTuQl0JYK9pqnVJIQ"},
	{"hours", "$argon2id$v=19$m=64,t=4294967295,p=1$c29tZXNhbHQ$c/JpETTuQl0JYK9pqnVJIQ"},
	{"no pass", "$argon2id$v=19$m=64,t=0,p=1$c29tZXNhbHQ$c/JpETTuQl0JYK9pqnVJIQ"},
	{"no lane", "$argon2id$v=19$m=64,t=1,p=0$c29tZXNhbHQ$c/JpETTuQl0JYK9pqnVJIQ"},
	{"too many lanes", "$argon2id$v=19$m=8192,t=1,p=17$c29tZXNhbHQ$c/JpETTuQl0JYK9pqnVJIQ"},
	{"less memory than the lanes need", "$argon2id$v=19$m=15,t=1,p=2$c29tZXNhbHQ$c/JpETTuQl0JYK9pqnVJIQ"},
	{"number overflows", "$argon2id$v=19$m=4294967360,t=1,p=1$c29tZXNhbHQ$c/JpETTuQl0JYK9pqnVJIQ"},
	{"leading zero", "$argon2id$v=19$m=064,t=1,p=1$c29tZXNhbHQ$c/JpETTuQl0JYK9pqnVJIQ"},
	{"another order", "$argon2id$v=19$t=1,m=64,p=1$c29tZXNhbHQ$c/JpETTuQl0JYK9pqnVJIQ"},
	{"unknown parameter", "$argon2id$v=19$m=64,t=1,p=1,keyid=x$c29tZXNhbHQ$c/JpETTuQl0JYK9pqnVJIQ"},
	{"no key matches everything", "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$"},
	{"short salt", "$argon2id$v=19$m=64,t=1,p=1$c29tZQ$c/JpETTuQl0JYK9pqnVJIQ"},
	{"padding", "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ=$c/JpETTuQl0JYK9pqnVJIQ"},
	{"stray bits", "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$c/JpETTuQl0JYK9pqnVJIR"},
	{"line break", "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$c/JpETTuQl0JYK9pqnVJIQ\n"},
}

func TestPasswordsMalformedHash(t *testing.T) {
	p := mustPasswords(t, Passwords{})
	for _, tt := range malformedHashes {
		ok, _, err := p.verify(t.Context(), tt.hash, "password")
		if ok || !errors.Is(err, errMalformedHash) {
			t.Errorf("%s: %v, %v, want %v", tt.reason, ok, err, errMalformedHash)
		}
		if len(tt.hash) > 1 && err != nil && strings.Contains(err.Error(), tt.hash) {
			t.Errorf("%s: the error tells the hash: %v", tt.reason, err)
		}
	}
}

func TestPasswordsConfig(t *testing.T) {
	_, err := newPasswords(Passwords{Argon2id: true, Hasher: new(slowHasher), MaxConcurrent: -1, MaxWaiting: -2})
	for _, want := range []string{"both Argon2id and Hasher", "MaxConcurrent is -1", "MaxWaiting is -2"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not report %q", err, want)
		}
	}
	if p := mustPasswords(t, Passwords{}); cap(p.slots) < 1 || p.maxWaiting != int64(128*cap(p.slots)) {
		t.Errorf("defaults: %d slots, %d may wait", cap(p.slots), p.maxWaiting)
	}
}

// A slowHasher takes a second for a hash and counts how many it computes.
type slowHasher struct{ now, most, calls atomic.Int64 }

func (h *slowHasher) Hash(_ context.Context, password string) (string, error) {
	h.calls.Add(1)
	now := h.now.Add(1)
	defer h.now.Add(-1)
	for most := h.most.Load(); now > most && !h.most.CompareAndSwap(most, now); most = h.most.Load() {
	}
	time.Sleep(time.Second)
	return "slow:" + password, nil
}

func (h *slowHasher) Verify(ctx context.Context, hash, password string) (bool, error) {
	want, err := h.Hash(ctx, password)
	return hash == want, err
}

func (h *slowHasher) Outdated(hash string) bool { return strings.HasSuffix(hash, "old") }

func TestPasswordsConcurrency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := new(slowHasher)
		p := mustPasswords(t, Passwords{Hasher: h, MaxConcurrent: 3})
		start := time.Now()
		var wg sync.WaitGroup
		for i := range 64 {
			wg.Go(func() {
				var err error
				switch i % 3 {
				case 0:
					_, err = p.hash(t.Context(), "x")
				case 1:
					_, _, err = p.verify(t.Context(), "slow:x", "x")
				case 2:
					err = p.burn(t.Context(), "x")
				}
				if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if most, calls := h.most.Load(), h.calls.Load(); most != 3 || calls != 64 {
			t.Errorf("%d hashes, at most %d at once, want 64 and 3", calls, most)
		}
		if took := time.Since(start); took != 22*time.Second {
			t.Errorf("took %v, want 22s: no slot may stand idle", took)
		}
		if p.waiting.Load() != 0 || len(p.slots) != 0 {
			t.Errorf("%d still wait, %d slots are still taken", p.waiting.Load(), len(p.slots))
		}
	})
}

func TestPasswordsQueueFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := mustPasswords(t, Passwords{Hasher: new(slowHasher), MaxConcurrent: 1, MaxWaiting: 2})
		for range 3 {
			go p.burn(t.Context(), "x")
		}
		synctest.Wait()
		wantOverloaded(t, p.burn(t.Context(), "x"), errPasswordQueueFull)
		time.Sleep(time.Second + time.Millisecond)
		if err := p.burn(t.Context(), "x"); err != nil {
			t.Errorf("after one of the waiting was served: %v", err)
		}
	})
}

func TestPasswordsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := new(slowHasher)
		p := mustPasswords(t, Passwords{Hasher: h, MaxConcurrent: 1})
		go p.burn(t.Context(), "x")
		synctest.Wait()

		late, cancel := context.WithTimeout(t.Context(), time.Second/2)
		defer cancel()
		wantOverloaded(t, p.burn(late, "x"), context.DeadlineExceeded)

		gone, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second/4, cancel)
		if err := p.burn(gone, "x"); err != context.Canceled {
			t.Errorf("canceled while waiting: %v", err)
		}
		time.Sleep(time.Second)
		wantOverloaded(t, p.burn(late, "x"), context.DeadlineExceeded)
		if _, err := p.hash(gone, "x"); err != context.Canceled {
			t.Errorf("canceled before, slot free: %v", err)
		}
		if _, _, err := p.verify(gone, "slow:x", "x"); err != context.Canceled {
			t.Errorf("canceled before, slot free: %v", err)
		}
		if n := h.calls.Load(); n != 1 {
			t.Errorf("%d hashes were computed, want 1: nobody waits for the others", n)
		}
	})
}

func TestPasswordsCustomHasher(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := mustPasswords(t, Passwords{Hasher: new(slowHasher), Normalize: strings.ToLower})
		if hash, err := p.hash(t.Context(), "OLD"); hash != "slow:old" || err != nil {
			t.Errorf("hash = %q, %v: not normalized", hash, err)
		}
		if ok, outdated, err := p.verify(t.Context(), "slow:old", "Old"); !ok || !outdated || err != nil {
			t.Errorf("verify = %v, %v, %v: the hasher calls this outdated", ok, outdated, err)
		}
	})
}

func wantOverloaded(t *testing.T, err, cause error) {
	t.Helper()
	var e *APIError
	if !errors.As(err, &e) || e.Status != http.StatusServiceUnavailable || !errors.Is(err, ErrServiceOverloaded) {
		t.Fatalf("error %v, want 503 %s", err, ErrServiceOverloaded)
	}
	if seconds, _ := strconv.Atoi(e.Header.Get("Retry-After")); seconds < 1 {
		t.Errorf("Retry-After is %q", e.Header.Get("Retry-After"))
	}
	if !errors.Is(err, cause) {
		t.Errorf("error %v, want cause %v", err, cause)
	}
}

func mustPasswords(t testing.TB, c Passwords) *passwords {
	t.Helper()
	p, err := newPasswords(c)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// The independent definition of what the two parsers accept.
var (
	strictScrypt   = regexp.MustCompile(`^[0-9a-f]{32}:[0-9a-f]{128}$`)
	strictBase64   = `(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/][AQgw]|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048])?`
	strictArgon2id = regexp.MustCompile(`^\$argon2id\$v=19\$m=([1-9][0-9]{0,4}),t=([1-9]|1[0-6]),p=([1-9]|1[0-6])\$(` + strictBase64 + `)\$(` + strictBase64 + `)$`)
)

func strictlyArgon2id(hash string) bool {
	m := strictArgon2id.FindStringSubmatch(hash)
	if m == nil {
		return false
	}
	memory, _ := strconv.Atoi(m[1])
	lanes, _ := strconv.Atoi(m[3])
	salt, key := len(m[4])*6/8, len(m[5])*6/8
	return memory >= 8*lanes && memory <= 65536 && salt >= 8 && salt <= 64 && key >= 16 && key <= 64
}

func FuzzPasswordHashParse(f *testing.F) {
	f.Add(vectorScrypt)
	f.Add("$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzYWx0c2FsdA$c/JpETTuQl0JYK9pqnVJIc/JpETTuQl0JYK9pqnVJIQ")
	for _, tt := range malformedHashes {
		f.Add(tt.hash)
	}
	f.Fuzz(func(t *testing.T, hash string) {
		if salt, err := parseScrypt(hash); (err == nil) != strictScrypt.MatchString(hash) || err == nil && salt != hash[:32] {
			t.Errorf("parseScrypt(%q) = %q, %v", hash, salt, err)
		}
		h, err := parseArgon2id(hash)
		if (err == nil) != strictlyArgon2id(hash) {
			t.Errorf("parseArgon2id(%q): %v", hash, err)
		}
		if err == nil && (h.String() != hash || h.memory > 64<<10 || h.passes > 16 || h.lanes > 16 || len(hash) > 300) {
			t.Errorf("parseArgon2id(%q) = %+v", hash, h)
		}
	})
}

// maxFuzzedMemory is what a hash of FuzzPasswordVerify may cost, in KiB times passes: a
// hundredth of what the bounds allow, so that the fuzzer gets on.
const maxFuzzedMemory = 10 << 10

// FuzzPasswordVerify compares passwords with hashes that anybody may have written: a
// hash is that of one password, and the one that is not it never fits.
func FuzzPasswordVerify(f *testing.F) {
	f.Add("$argon2id$v=19$m=16,t=2,p=1$c29tZXNhbHRzYWx0c2FsdA$c/JpETTuQl0JYK9pqnVJIc/JpETTuQl0JYK9pqnVJIQ", "password")
	f.Add("$argon2id$v=19$m=128,t=1,p=16$c29tZXNhbHQ$c/JpETTuQl0JYK9pqnVJIQ", "\xff\x00")
	f.Add("$argon2id$v=19$m=8,t=1,p=2$c29tZXNhbHQ$c/JpETTuQl0JYK9pqnVJIQ", "")
	f.Add("$argon2id$v=19$m=4294967295,t=4294967295,p=255$c29tZXNhbHQ$c/JpETTuQl0JYK9pqnVJIQ", "password")
	f.Add("", "password")
	f.Fuzz(func(t *testing.T, hash, password string) {
		h, err := parseArgon2id(hash)
		if err == nil && int64(h.memory)*int64(h.passes) > maxFuzzedMemory || err != nil && strictScrypt.MatchString(hash) {
			return
		}
		ok, verifyErr := builtinHasher{}.Verify(t.Context(), hash, password)
		if (verifyErr == nil) != (err == nil) || verifyErr != nil && (ok || !errors.Is(verifyErr, errMalformedHash)) {
			t.Fatalf("%q: %v, %v", hash, ok, verifyErr)
		}
		if err != nil {
			return
		}
		key := argon2.IDKey([]byte(password), h.salt, h.passes, h.memory, h.lanes, uint32(len(h.key)))
		if ok != bytes.Equal(key, h.key) {
			t.Fatalf("%q is said to fit %q: %v", password, hash, ok)
		}
		h.key = key
		if ok, err := (builtinHasher{}).Verify(t.Context(), h.String(), password); !ok || err != nil {
			t.Fatalf("%q does not fit its own hash %q: %v", password, h, err)
		}
		if ok, err := (builtinHasher{}).Verify(t.Context(), h.String(), password+"x"); ok || err != nil {
			t.Fatalf("another password than %q fits %q: %v", password, h, err)
		}
	})
}

func BenchmarkPasswordsVerify(b *testing.B) {
	for name, c := range map[string]Passwords{"scrypt": {}, "argon2id": {Argon2id: true}} {
		b.Run(name, func(b *testing.B) {
			p := mustPasswords(b, c)
			hash, err := p.hash(b.Context(), "password123")
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				p.verify(b.Context(), hash, "password123")
			}
		})
	}
}
