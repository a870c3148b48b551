package auth_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/seed3b05b409/auth"
)

// Invitations is a plugin that lets nobody become a user who has not been invited:
// docs/write-a-plugin.md builds it step by step.
type Invitations struct {
	// Send sends a code to an address. Required.
	Send func(ctx context.Context, email, code string) error

	// Lifetime of an invitation. Default: one week.
	Lifetime time.Duration

	Invite *auth.Endpoint[InviteRequest, *auth.Status]   // POST /invitations, for users
	Grant  *auth.Endpoint[InviteRequest, *GrantResponse] // for Go code: the first user is invited by nobody

	services *auth.Services
	table    *auth.Records[invitation]
}

// InviteRequest is the body of POST /invitations.
type InviteRequest struct {
	Email string `json:"email" check:"email"`
}

// GrantResponse is what Grant returns.
type GrantResponse struct {
	Code string `json:"code"`
}

// An invitation is a row of the plugin's table.
type invitation struct {
	ID        string    `db:"id"`
	Email     string    `db:"email"`
	CodeHash  string    `db:"codeHash"`
	UserID    *string   `db:"userId"` // who has invited
	ExpiresAt time.Time `db:"expiresAt"`
}

// ErrNotInvited is the code of a sign-up without an invitation.
const ErrNotInvited auth.Code = "NOT_INVITED"

// ID implements auth.Plugin.
func (p *Invitations) ID() string { return "invitations" }

// Extend implements auth.Plugin.
func (p *Invitations) Extend(s *auth.Services) (*auth.Extension, error) {
	if p.Send == nil {
		return nil, errors.New("Send is missing")
	}
	p.services = s
	p.Lifetime = cmp.Or(p.Lifetime, 7*24*time.Hour)
	p.Invite = auth.NewEndpoint("POST", "/invitations", p.invite)
	p.Grant = auth.NewEndpoint("POST", "", p.grant)
	p.table = auth.NewRecords[invitation](&auth.Table{
		Name: "invitation",
		Columns: []auth.Column{
			{Name: "email", Type: auth.TypeString},
			{Name: "codeHash", Type: auth.TypeString, Unique: true},
			{Name: "userId", Type: auth.TypeString, Nullable: true, References: "user"},
			{Name: "expiresAt", Type: auth.TypeDate},
		},
		Expires: "expiresAt",
	})
	return &auth.Extension{
		Endpoints: []auth.PluginEndpoint{
			{Name: "invite", Endpoint: p.Invite, Session: auth.SessionRequired},
			{Name: "grantInvitation", Endpoint: p.Grant},
		},
		Tables:        []auth.PluginTable{p.table},
		Columns:       map[string][]auth.Column{"user": {{Name: "invitedBy", Type: auth.TypeString, Optional: true, ServerOnly: true}}},
		Before:        []auth.RouteHook{{Paths: []string{"/sign-up/email"}, Run: p.takeCode}},
		DatabaseHooks: auth.DatabaseHooks{User: auth.EntityHooks[auth.User]{BeforeCreate: p.redeem}},
		RateRules:     map[string]auth.RateRule{"/invitations": {Window: time.Minute, Max: 5}},
	}, nil
}

// invite is for users who are signed in.
func (p *Invitations) invite(ctx context.Context, in InviteRequest) (*auth.Status, error) {
	user := auth.SessionFromContext(ctx).User
	code, err := p.create(ctx, in.Email, &user.ID)
	if err != nil {
		return nil, err
	}
	p.services.Background(ctx, "invitation", func(ctx context.Context) error {
		return p.Send(ctx, in.Email, code)
	})
	return &auth.Status{Status: true}, nil
}

// grant is for Go code.
func (p *Invitations) grant(ctx context.Context, in InviteRequest) (*GrantResponse, error) {
	code, err := p.create(ctx, in.Email, nil)
	return &GrantResponse{code}, err
}

// create stores an invitation. Who reads the table cannot use what is in it.
func (p *Invitations) create(ctx context.Context, email string, by *string) (code string, err error) {
	code = auth.RandomString(24, auth.Alphanumeric)
	return code, p.table.Insert(ctx, &invitation{
		Email: p.services.NormalEmail(email), CodeHash: auth.HashIdentifier(code),
		UserID: by, ExpiresAt: p.services.Now().Add(p.Lifetime),
	})
}

type codeKey struct{}

// takeCode keeps the code in the body of a sign-up for redeem.
func (p *Invitations) takeCode(x *auth.Exchange) error {
	in := x.Input().(*auth.SignUpEmailRequest)
	code, _ := in.Fields["invitation"].(string)
	if code == "" {
		return auth.NewError(http.StatusForbidden, ErrNotInvited, "Only with an invitation")
	}
	x.SetValue(codeKey{}, code)
	return nil
}

// redeem consumes the invitation in the transaction that makes the user, whatever
// endpoint that is: of two sign-ups with one code, one succeeds, and one that fails
// leaves it as it was.
func (p *Invitations) redeem(ctx context.Context, user *auth.User) error {
	code, _ := ctx.Value(codeKey{}).(string)
	found, err := p.table.Consume(ctx,
		auth.Where("codeHash", auth.HashIdentifier(code)),
		auth.Where("email", user.Email),
		auth.Condition{Column: "expiresAt", Op: ">", Value: p.services.Now()},
	)
	switch {
	case err != nil:
		return err
	case found == nil:
		return auth.NewError(http.StatusForbidden, ErrNotInvited, "Only with an invitation")
	case found.UserID != nil:
		user.Fields["invitedBy"] = *found.UserID
	}
	return nil
}

// A plugin of an application's own, with endpoints, hooks, a table and a column.
func ExamplePlugin() {
	letters := make(map[string]string)
	invitations := &Invitations{
		Send: func(_ context.Context, email, code string) error {
			letters[email] = code
			return nil
		},
	}
	a, err := auth.New(auth.Config{
		BaseURL:       "https://example.com",
		Secret:        "a secret of at least 32 characters",
		Store:         auth.NewMemoryStore(),
		EmailPassword: auth.EmailPassword{Enabled: true},
		Plugins:       []auth.Plugin{invitations},
	})
	if err != nil {
		panic(err)
	}
	ctx := context.Background()
	join := func(name, email, code string) (*auth.SignUpEmailResponse, http.Header, error) {
		var header http.Header
		out, err := a.API.SignUpEmail.Call(ctx, auth.SignUpEmailRequest{
			Name: name, Email: email, Password: "correct horse", Fields: map[string]any{"invitation": code},
		}, auth.ReturnHeaders(&header))
		return out, header, err
	}

	_, _, err = join("Ann", "ann@example.com", "")
	fmt.Println(errors.Is(err, ErrNotInvited))

	granted, err := invitations.Grant.Call(ctx, InviteRequest{Email: "ann@example.com"})
	if err != nil {
		panic(err)
	}
	ann, header, err := join("Ann", "ann@example.com", granted.Code)
	if err != nil {
		panic(err)
	}

	cookies := http.Header{"Cookie": header["Set-Cookie"]}
	if _, err := invitations.Invite.Call(ctx, InviteRequest{Email: "bob@example.com"}, auth.WithHeaders(cookies)); err != nil {
		panic(err)
	}
	bob, _, err := join("Bob", "bob@example.com", letters["bob@example.com"])
	if err != nil {
		panic(err)
	}
	fmt.Println(bob.User.Name, bob.User.Fields["invitedBy"] == ann.User.ID)

	_, _, err = join("Bob", "bob@example.com", letters["bob@example.com"])
	fmt.Println(errors.Is(err, auth.ErrUserAlreadyExistsUseAnotherEmail))
	// Output:
	// true
	// Bob true
	// true
}
