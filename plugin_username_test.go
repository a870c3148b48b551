package auth

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"
)

// withUsername makes an instance with the plugin.
func withUsername(t *testing.T, u *Username, edit ...func(*Config)) *world {
	t.Helper()
	return newWorld(t, append(edit, func(c *Config) { c.Plugins = append(c.Plugins, u) })...)
}

// named are the credentials of somebody with a username.
func named(name, username string) map[string]any {
	fields := credentials(name)
	fields["username"] = username
	return fields
}

func TestUsernameDoors(t *testing.T) {
	checkPluginDoors(t, doorSet{
		plugin:  func() Plugin { return &Username{} },
		prepare: func(d *doorWorld) { d.ann.post("/update-user", `{"username":"Ann_"}`).ok(d.t) },
		cases: []doorCase{
			{op: "signInUsername", input: `{"username":"ANN_","password":"password of ann"}`, want: 200},
			{op: "signInUsername", input: `{"username":"ann_","password":"password of ann","callbackURL":"/dash","rememberMe":false}`, want: 200},
			{op: "signInUsername", input: `{"username":"ann_","password":"wrong"}`, want: 401},
			{op: "signInUsername", input: `{"username":"nobody","password":"wrong"}`, want: 401},
			{op: "signInUsername", input: `{"username":"","password":"wrong"}`, want: 401},
			{op: "signInUsername", input: `{"username":"a","password":"wrong"}`, want: 422},
			{op: "signInUsername", input: `{"username":"ann_"}`, wire: true, want: 400},
			{op: "signInUsername", input: `{"username":"ann_","password":"password of ann"}`, broken: true, want: 500},
			{op: "isUsernameAvailable", input: `{"username":"ann_"}`, want: 200},
			{op: "isUsernameAvailable", input: `{"username":"free"}`, want: 200},
			{op: "isUsernameAvailable", input: `{"username":"a b"}`, want: 422},
			{op: "isUsernameAvailable", input: `{"username":"free"}`, broken: true, want: 500},
			{op: "signUpEmail", input: `{"name":"Bob","email":"bob@example.com","password":"password","username":"Bob.B"}`, want: 200},
			{op: "signUpEmail", input: `{"name":"Bob","email":"bob@example.com","password":"password","username":"ANN_"}`, want: 400},
			{op: "signUpEmail", input: `{"name":"Bob","email":"bob@example.com","password":"password","username":"bob"}`, broken: true, want: 500},
			{op: "updateUser", input: `{"username":"Annie"}`, as: "ann", want: 200},
			{op: "updateUser", input: `{"username":"a"}`, as: "ann", want: 400},
			{op: "updateUser", input: `{"username":"ann_"}`, as: "forged", want: 400},
			{op: "updateUser", input: `{"username":"free"}`, as: "forged", want: 401},
		},
	})
}

func TestUsernameOptions(t *testing.T) {
	same := func(name string) string { return name }
	yes := func(string) bool { return true }
	for reason, u := range map[string]*Username{
		"a negative length":            {MinLength: -1},
		"a range without a length":     {MinLength: 31},
		"two kinds of normalization":   {NoNormalization: true, Normalize: same},
		"a judge of what there is not": {NoDisplayUsername: true, ValidateDisplay: yes},
		"a form of what there is not":  {NoDisplayUsername: true, NormalizeDisplay: same},
	} {
		_, err := New(Config{BaseURL: testOrigin, Secret: testSecret, Store: NewMemoryStore(), Plugins: []Plugin{u}})
		if err == nil || !strings.Contains(err.Error(), "plugin username") {
			t.Errorf("%s: %v", reason, err)
		}
	}
}

// TestUsernameRules: the order of the checks, with lengths as JavaScript counts.
func TestUsernameRules(t *testing.T) {
	w := withUsername(t, &Username{MinLength: 4, MaxLength: 6, Validate: func(name string) bool { return !strings.Contains(name, "admin") }})
	for _, tt := range []struct {
		username string
		code     Code
	}{
		{"", ErrUsernameTooShort}, {"abc", ErrUsernameTooShort}, {"abcd", ""}, {"abcdef", ""}, {"abcdefg", ErrUsernameTooLong},
		{"😀😀", ""}, {"😀", ErrUsernameTooShort}, {"😀😀😀😀", ErrUsernameTooLong}, {"admins", ErrInvalidUsername}, {"ADMINS", ""},
		{"äöüß", ""}, {"\xff\xff\xff\xff", ""},
	} {
		_, err := w.API.SignUpEmail.Call(t.Context(), SignUpEmailRequest{
			Name: "x", Email: fmt.Sprintf("%x@example.com", tt.username), Password: "password",
			Fields: map[string]any{"username": tt.username},
		})
		if api := apiError(err); tt.code == "" && err != nil || tt.code != "" && (!errors.Is(err, tt.code) || api.Status != 400) {
			t.Errorf("%q: %v, want %s", tt.username, err, tt.code)
		}
	}
}

// TestUsernameOfACall: the map of a caller stays as it was, the names come back.
func TestUsernameOfACall(t *testing.T) {
	u := &Username{}
	w := withUsername(t, u)
	fields := map[string]any{"username": "Ann_"}
	given := maps.Clone(fields)
	out, err := w.API.SignUpEmail.Call(t.Context(), SignUpEmailRequest{Name: "Ann", Email: "ann@example.com", Password: "password", Fields: fields})
	if err != nil || out.User.Fields["username"] != "ann_" || out.User.Fields["displayUsername"] != "Ann_" || !maps.Equal(fields, given) {
		t.Fatalf("%+v, %v; the caller's map is %v", out, err, fields)
	}
	in, err := u.SignIn.Call(t.Context(), SignInUsernameRequest{Username: "ANN_", Password: "password"})
	if err != nil || in.User.ID != out.User.ID || in.Token == "" {
		t.Errorf("%+v, %v", in, err)
	}
	if free, err := u.IsAvailable.Call(t.Context(), IsUsernameAvailableRequest{Username: "aNN_"}); err != nil || free.Available {
		t.Errorf("%+v, %v", free, err)
	}
	if _, err := w.API.SignUpEmail.Call(t.Context(), SignUpEmailRequest{Name: "Bob", Email: "bob@example.com", Password: "password"}); err != nil {
		t.Errorf("a call without fields: %v", err)
	}
}

// TestUsernameSignUpRace: of those who take a name at the same moment one gets it,
// and the others are told what they would have been told a moment later.
func TestUsernameSignUpRace(t *testing.T) {
	const n = 12
	gate := newBarrier(n)
	g := &gateHasher{onHash: func(string) { gate.wait() }} // between the check and the row
	w := withUsername(t, &Username{}, func(c *Config) { c.Passwords = Passwords{Hasher: g, MaxConcurrent: n} })
	var wg sync.WaitGroup
	replies := make([]reply, n)
	for i := range n {
		wg.Go(func() { replies[i] = w.browser().post("/sign-up/email", named(fmt.Sprint("u", i), "Wanted")) })
	}
	wg.Wait()
	checkOneTaken(t, replies)
	if n := count(t, w, w.core.users.table); n != 1 {
		t.Errorf("%d users", n)
	}
}

// TestUsernameUpdateRace is the same for users who change their names.
func TestUsernameUpdateRace(t *testing.T) {
	const n = 12
	gate, racing := newBarrier(n), false
	w := withUsername(t, &Username{}, func(c *Config) {
		c.DatabaseHooks.User.BeforeUpdate = func(context.Context, map[string]any) error {
			if racing {
				gate.wait()
			}
			return nil
		}
	})
	browsers, replies := make([]*browser, n), make([]reply, n)
	for i := range browsers {
		browsers[i] = w.as(fmt.Sprint("u", i))
	}
	racing = true
	var wg sync.WaitGroup
	for i, b := range browsers {
		wg.Go(func() { replies[i] = b.post("/update-user", `{"username":"Wanted"}`) })
	}
	wg.Wait()
	checkOneTaken(t, replies)
}

func checkOneTaken(t *testing.T, replies []reply) {
	t.Helper()
	won := 0
	for _, r := range replies {
		if r.StatusCode == 200 {
			won++
			continue
		}
		r.fails(t, 400, ErrUsernameIsAlreadyTaken)
	}
	if won != 1 {
		t.Errorf("%d users have the name", won)
	}
}

// A barrier lets nobody on before all are there.
type barrier struct{ arrived sync.WaitGroup }

func newBarrier(n int) *barrier {
	b := &barrier{}
	b.arrived.Add(n)
	return b
}

func (b *barrier) wait() {
	b.arrived.Done()
	b.arrived.Wait()
}

// TestUsernameTakenWhereAddressesAreHidden: a name that is taken a moment after the
// check is refused for known and for new addresses alike.
func TestUsernameTakenWhereAddressesAreHidden(t *testing.T) {
	var w *world
	g := &gateHasher{}
	w = withUsername(t, &Username{}, func(c *Config) {
		c.EmailPassword.NoAutoSignIn = true
		c.Passwords = Passwords{Hasher: g, MaxConcurrent: 4}
	})
	w.as("known")
	for _, who := range []string{"new", "known"} {
		rival := "rival-of-" + who
		g.onHash = func(string) {
			g.onHash = nil
			w.browser().post("/sign-up/email", named(rival, "wanted_by_"+who)).ok(t)
		}
		w.browser().post("/sign-up/email", named(who, "wanted_by_"+who)).fails(t, 400, ErrUsernameIsAlreadyTaken)
	}
	if n := count(t, w, w.core.users.table); n != 3 {
		t.Errorf("%d users", n)
	}
}

// TestUsernameSignInCostsTheSame: time does not tell who has a name.
func TestUsernameSignInCostsTheSame(t *testing.T) {
	n := 0
	w := withUsername(t, &Username{}, func(c *Config) { c.Passwords.Hasher = countingHasher{n: &n} })
	w.browser().post("/sign-up/email", named("ann", "ann_")).ok(t)
	bare := &User{Name: "Bob", Email: "bob@example.com", Fields: map[string]any{"username": "Bob"}}
	if err := w.core.createUser(t.Context(), bare, UserSource{}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"ann_", "bob", "nobody"} {
		n = 0
		w.browser().post("/sign-in/username", map[string]any{"username": name, "password": "wrong"}).fails(t, 401, ErrInvalidUsernameOrPassword)
		if n != 1 {
			t.Errorf("%s costs %d hashes", name, n)
		}
	}
	if log := w.log.String(); strings.Count(log, " level=WARN msg=sign_in_failed address=192.0.2.1 identifier=") != 3 || strings.Contains(log, "nobody") {
		t.Errorf("log %s", log)
	}
	w.browser().post("/sign-in/username", map[string]any{"username": strings.Repeat("x", 1<<18), "password": ""})
	if strings.Contains(w.log.String(), strings.Repeat("x", 1000)) {
		t.Error("a stranger fills the log")
	}
}

// TestUsernameSignInUnderWay: a reset ends a sign-in that had checked the old
// password.
func TestUsernameSignInUnderWay(t *testing.T) {
	g := &gateHasher{}
	w := withUsername(t, &Username{}, func(c *Config) {
		c.Passwords = Passwords{Hasher: g, MaxConcurrent: 4}
		c.EmailPassword.RevokeSessionsOnPasswordReset = true
	})
	w.browser().post("/sign-up/email", named("ann", "ann_")).ok(t)
	g.onVerify = func(string) {
		g.onVerify = nil
		resetPasswordOf(w, "ann", "chosen by ann")
	}
	thief := w.browser()
	thief.post("/sign-in/username", `{"username":"ann_","password":"password of ann"}`).fails(t, 401, ErrInvalidUsernameOrPassword)
	if thief.signedIn() || count(t, w, w.core.sessions.table) != 0 {
		t.Error("the old password signed somebody in after the reset")
	}
}

// TestUsernameIsChallenged: with a further factor, a right password leaves no
// session anywhere.
func TestUsernameIsChallenged(t *testing.T) {
	c := &challenger{answer: map[string]bool{"twoFactorRedirect": true}}
	w := withUsername(t, &Username{}, func(config *Config) { config.Plugins = []Plugin{c} })
	w.browser().post("/sign-up/email", named("ann", "ann_")).ok(t)
	sessions := count(t, w, w.core.sessions.table)
	r := w.browser().post("/sign-in/username", `{"username":"ann_","password":"password of ann"}`).ok(t)
	if r.body != `{"twoFactorRedirect":true}` || len(r.Header["Set-Cookie"]) != 0 || count(t, w, w.core.sessions.table) != sessions {
		t.Errorf("%s %v", r.body, r.Header)
	}
	if in := c.asked[0]; in.Method != "username" || in.Password == nil || in.Redirects || in.User.Email != "ann@example.com" {
		t.Errorf("asked about %+v", in)
	}
	w.browser().post("/sign-in/username", `{"username":"ann_","password":"wrong"}`).fails(t, 401, ErrInvalidUsernameOrPassword)
	if len(c.asked) != 1 {
		t.Error("a wrong password is no sign-in")
	}
}

// A challenger is a plugin that wants a further factor at every sign-in.
type challenger struct {
	answer any
	err    func(ctx context.Context) error // in place of the answer; may be nil
	asked  []*SignIn
}

func (c *challenger) ID() string { return "challenger" }

func (c *challenger) Extend(*Services) (*Extension, error) {
	return &Extension{Challenge: func(ctx context.Context, in *SignIn) (any, error) {
		c.asked = append(c.asked, in)
		if c.err != nil {
			return nil, c.err(ctx)
		}
		return c.answer, nil
	}}, nil
}

// TestUsernameOfOtherUsers: users who come another way are judged when they are
// stored.
func TestUsernameOfOtherUsers(t *testing.T) {
	u := &Username{ValidateDisplay: func(name string) bool { return name != "root" }}
	w := withUsername(t, u)
	create := func(email string, fields map[string]any) (*User, error) {
		user := &User{Email: email, Fields: fields}
		return user, u.services.CreateUser(t.Context(), user, UserSource{})
	}
	user, err := create("ann@example.com", map[string]any{"username": "Ann_"})
	if err != nil || user.Fields["username"] != "ann_" || user.Fields["displayUsername"] != "Ann_" {
		t.Fatalf("%+v, %v", user, err)
	}
	if none, err := create("none@example.com", nil); err != nil || none.Fields["username"] != nil {
		t.Errorf("%+v, %v", none, err)
	}
	for _, tt := range []struct {
		username, display any
		code              Code
	}{
		{"ANN_", nil, ErrUsernameIsAlreadyTaken}, {"a", nil, ErrUsernameTooShort}, {"a b c", nil, ErrInvalidUsername},
		{nil, "root", ErrInvalidDisplayUsername}, {"Bob", "root", ErrInvalidDisplayUsername},
	} {
		fields := map[string]any{"username": tt.username, "displayUsername": tt.display}
		if _, err := create("bob@example.com", fields); !errors.Is(err, tt.code) || apiError(err).Status != 400 {
			t.Errorf("created with %v: %v", fields, err)
		}
		if bob, err := create("bob@example.com", nil); err != nil {
			t.Fatal(err)
		} else if _, err := u.services.UpdateUser(t.Context(), bob.ID, fields); !errors.Is(err, tt.code) {
			t.Errorf("changed to %v: %v", fields, err)
		} else if err := w.core.deleteUser(t.Context(), bob.ID); err != nil {
			t.Fatal(err)
		}
	}
	if same, err := u.services.UpdateUser(t.Context(), user.ID, map[string]any{"username": "ANN_"}); err != nil || same.Fields["username"] != "ann_" {
		t.Errorf("the user's own name: %+v, %v", same, err)
	}
}

// TestUsernameImmutable: neither an old copy of a session nor a detour over no name
// changes one.
func TestUsernameImmutable(t *testing.T) {
	w := withUsername(t, &Username{Immutable: true}, func(c *Config) { c.Session.CookieCache.Enabled = true })
	ann := w.as("ann")
	old := maps.Clone(ann.cookies)
	ann.post("/update-user", `{"username":"Ann_"}`).ok(t)
	ann.cookies = old
	for _, body := range []string{`{"username":"other"}`, `{"username":null}`} {
		ann.post("/update-user", body).fails(t, 400, ErrUsernameIsImmutable)
	}
	ann.post("/update-user", `{"username":"ANN_","displayUsername":"The Ann"}`).ok(t)
	user, err := w.core.userByEmail(t.Context(), "ann@example.com")
	if err != nil || user.Fields["username"] != "ann_" || user.Fields["displayUsername"] != "The Ann" {
		t.Errorf("%+v, %v", user, err)
	}
	w.as("bob").post("/update-user", `{"username":null}`).ok(t) // who has none keeps none
}

// TestColumnTaken: a column says what a write with its value fails with, unless
// another one is at fault.
func TestColumnTaken(t *testing.T) {
	taken := errors.New("this name is taken")
	table := &Table{Name: "pet", Columns: []Column{
		{Name: "name", Type: TypeString, Unique: true, Taken: taken},
		{Name: "petId", Type: TypeString, Nullable: true, Unique: true},
	}}
	pets := newTestRecords[keeper](t, NewMemoryStore(), table)
	chip := func(id string) *string { return &id }
	for _, tt := range []struct {
		pet  *keeper
		want error
	}{
		{&keeper{ID: "1", Name: "Tom", PetID: chip("a")}, nil},
		{&keeper{ID: "2", Name: "Tom", PetID: chip("b")}, taken},
		{&keeper{ID: "2", Name: "Tim", PetID: chip("a")}, ErrConflict},
		{&keeper{ID: "2", Name: "Tim", PetID: chip("b")}, nil},
	} {
		if err := pets.insert(t.Context(), tt.pet); !errors.Is(err, tt.want) {
			t.Errorf("insert %+v: %v", tt.pet, err)
		}
	}
	for _, tt := range []struct {
		set  map[string]any
		want error
	}{
		{map[string]any{"name": "Tom"}, taken},
		{map[string]any{"name": "Tim"}, nil},
		{map[string]any{"name": "Tim", "petId": "a"}, ErrConflict},
		{map[string]any{"name": "Tam", "petId": "a"}, ErrConflict},
		{map[string]any{"petId": "c"}, nil},
	} {
		if _, err := pets.update(t.Context(), tt.set, Where("id", "2")); !errors.Is(err, tt.want) {
			t.Errorf("update to %v: %v", tt.set, err)
		}
	}
	mistaken := &Table{Name: "pet", Columns: []Column{{Name: "name", Type: TypeString, Taken: taken}}}
	if err := mistaken.check(); err == nil {
		t.Error("a value that many rows may have can be taken")
	}
}

// lowerCases are what JavaScript makes of them.
var lowerCases = map[string]string{
	"Ann_": "ann_", "": "", "\u0130\u0130": "i\u0307i\u0307", "\u212aelvin": "kelvin", "ΟΔΟΣ": "οδος", "Σ": "σ", "ΣΑΣ": "σας",
	"ΟΔΟΣ.ΟΔΟΣ": "οδοσ.οδος", "ΑΣ.": "ας.", "ΑΣ Β": "ας β", "ΑΣ1": "ας1", "Α.Σ": "α.ς", "1Σ": "1σ", "ẞ": "ß", "Ǆ": "ǆ", "ǅ": "ǆ", "aΣ\u0301": "aς\u0301",
}

func TestLowerUsername(t *testing.T) {
	for name, want := range lowerCases {
		if got := lowerUsername(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

// FuzzUsername: what was normalized stays as it is, and only names that are plain
// pass the default rules.
func FuzzUsername(f *testing.F) {
	for name := range lowerCases {
		f.Add(name)
	}
	u := &Username{}
	if err := u.complete(); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, name string) {
		normal := u.rules.normalize(name)
		if again := u.rules.normalize(normal); again != normal {
			t.Errorf("%q becomes %q and then %q", name, normal, again)
		}
		plain := len(name) >= 3 && len(name) <= 30 && strings.Trim(name, Alphanumeric+"_.") == ""
		if (u.objection(name) == "") != plain {
			t.Errorf("%q: %s", name, u.objection(name))
		}
		if plain && normal != strings.ToLower(name) {
			t.Errorf("%q becomes %q", name, normal)
		}
	})
}
