package auth

import (
	"context"
	"log/slog"
	"maps"
	"net/http"
	"slices"
)

// UpdateUserRequest is the body of POST /update-user. What is absent stays.
type UpdateUserRequest struct {
	Name  *string          `json:"name,omitempty"`
	Image Optional[string] `json:"image,omitzero"` // Null[string]() removes it

	// Fields are the values of additional user columns.
	Fields map[string]any `json:",inline"`
}

// inspect: to the original this body is a record, its members have no types.
func (r *UpdateUserRequest) inspect(x *Exchange, issues []issue) []issue {
	if x.sent.root != kindObject {
		return []issue{{where: "body", text: expected(fieldRecord, x.sent.root)}}
	}
	return issues
}

// updateUserEndpoint changes the signed-in user's own data.
func (c *core) updateUserEndpoint(ctx context.Context, in UpdateUserRequest) (*Status, error) {
	if truthy(in.Fields["email"]) {
		return nil, ErrEmailCanNotBeUpdated.With(http.StatusBadRequest)
	}
	changes, err := parseFields(c.userFields, in.Fields, false)
	if err != nil {
		return nil, err
	}
	if changes == nil {
		changes = make(map[string]any)
	}
	if in.Name != nil {
		changes["name"] = *in.Name
	}
	switch {
	case in.Image.Null:
		changes["image"] = nil
	case in.Image.Set:
		changes["image"] = in.Image.Value
	}
	if len(changes) == 0 {
		return nil, NewError(http.StatusBadRequest, "", "No fields to update")
	}
	names := slices.Sorted(maps.Keys(changes))
	data := currentSession(ctx)
	user, err := c.updateUser(ctx, data.User.ID, changes)
	if err != nil {
		return nil, unstorable(err, ErrFailedToUpdateUser)
	}
	if user == nil {
		return nil, ErrFailedToUpdateUser.With(http.StatusBadRequest)
	}
	c.event(ctx, Event{Name: EventUserUpdated, UserID: user.ID, Attrs: []slog.Attr{slog.Any("fields", names)}})
	c.setSession(ctx, &SessionData{Session: data.Session, User: user}, c.forgets(ExchangeFrom(ctx)))
	return &Status{Status: true}, nil
}
