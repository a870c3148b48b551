package main

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/seed3b05b409/auth"
)

// bookmarks are the endpoints and what they keep.
type bookmarks struct {
	Add    *auth.Endpoint[addRequest, bookmark]
	List   *auth.Endpoint[listRequest, listResponse]
	Remove *auth.Endpoint[removeRequest, auth.Empty]

	mu   sync.Mutex
	last int
	of   map[string][]bookmark // by the id of their user, the latest first
}

func newBookmarks() *bookmarks {
	b := &bookmarks{of: make(map[string][]bookmark)}
	b.Add = auth.NewEndpoint("POST", "/api/bookmarks", b.add)
	b.Add.Describe(auth.Description{
		Summary: "Keep a bookmark", Tag: "Bookmarks", Errors: map[int][]auth.Code{http.StatusConflict: {errTooMany}},
	})
	b.List = auth.NewEndpoint("GET", "/api/bookmarks", b.list)
	b.List.Describe(auth.Description{Summary: "List bookmarks, the latest first", Tag: "Bookmarks"})
	b.Remove = auth.NewEndpoint("DELETE", "/api/bookmarks/:id", b.remove)
	b.Remove.Describe(auth.Description{
		Summary: "Remove a bookmark", Tag: "Bookmarks", Errors: map[int][]auth.Code{http.StatusNotFound: {errNotFound}},
	})
	b.hooks()
	return b
}

// The codes of the errors that clients can tell apart.
const (
	errTooMany  auth.Code = "TOO_MANY_BOOKMARKS"
	errNotFound auth.Code = "BOOKMARK_NOT_FOUND"
)

const maxBookmarks = 100 // of one user

type bookmark struct {
	ID        int       `json:"id"`
	URL       string    `json:"url"`
	Title     string    `json:"title"`
	CreatedAt time.Time `json:"createdAt"`
}

// addRequest is the JSON body. Without a title, the host of the URL is it.
type addRequest struct {
	URL   string `json:"url" check:"nonempty"`
	Title string `json:"title,omitempty"`
}

// Validate asks for what tags cannot. Its text goes to the client, with status 400.
func (r *addRequest) Validate() error {
	u, err := url.Parse(r.URL)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return errors.New("[body.url] is no URL of the web")
	}
	return nil
}

func (b *bookmarks) add(ctx context.Context, in addRequest) (bookmark, error) {
	user := auth.SessionFromContext(ctx).User
	added, ok := b.keep(user.ID, in.URL, in.Title)
	if !ok {
		return bookmark{}, auth.NewError(http.StatusConflict, errTooMany, "Please remove a bookmark first")
	}
	auth.ExchangeFrom(ctx).SetStatus(http.StatusCreated)
	return added, nil
}

func (b *bookmarks) keep(userID, url, title string) (added bookmark, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.of[userID]) >= maxBookmarks {
		return bookmark{}, false
	}
	b.last++
	added = bookmark{b.last, url, title, time.Now().UTC().Truncate(time.Millisecond)}
	b.of[userID] = slices.Insert(b.of[userID], 0, added)
	return added, true
}

type listRequest struct {
	Limit int `query:"limit,omitempty"` // at most so many; default 20
}

type listResponse struct {
	Bookmarks []bookmark `json:"bookmarks"`
	Total     int        `json:"total"`
}

func (b *bookmarks) list(ctx context.Context, in listRequest) (listResponse, error) {
	user := auth.SessionFromContext(ctx).User
	b.mu.Lock()
	defer b.mu.Unlock()
	all := b.of[user.ID]
	limit := min(max(cmp.Or(in.Limit, 20), 1), len(all))
	return listResponse{append([]bookmark{}, all[:limit]...), len(all)}, nil
}

type removeRequest struct {
	ID int `path:"id"`
}

func (b *bookmarks) remove(ctx context.Context, in removeRequest) (auth.Empty, error) {
	user := auth.SessionFromContext(ctx).User
	b.mu.Lock()
	defer b.mu.Unlock()
	i := slices.IndexFunc(b.of[user.ID], func(kept bookmark) bool { return kept.ID == in.ID })
	if i < 0 {
		return auth.Empty{}, auth.NewError(http.StatusNotFound, errNotFound, "There is no such bookmark")
	}
	b.of[user.ID] = slices.Delete(b.of[user.ID], i, i+1)
	return auth.Empty{}, nil
}

// welcome gives a new user the first bookmark, however they came to be one: hooks of
// the database see what all endpoints of auth store.
func (b *bookmarks) welcome(_ context.Context, user *auth.User) {
	b.keep(user.ID, "https://pkg.go.dev/net/http", "Start here")
}

// hooks run around an endpoint over HTTP and in calls alike: before it, in time to
// mend what came, and after it, when there is something to tell.
func (b *bookmarks) hooks() {
	b.Add.Before(func(_ context.Context, in *addRequest) error {
		in.URL, in.Title = strings.TrimSpace(in.URL), strings.TrimSpace(in.Title)
		if u, err := url.Parse(in.URL); err == nil && in.Title == "" {
			in.Title = u.Host
		}
		return nil
	})
	b.Add.After(func(ctx context.Context, _ *addRequest, added *bookmark) error {
		slog.InfoContext(ctx, "bookmark added", "id", added.ID, "user", auth.SessionFromContext(ctx).User.ID)
		return nil
	})
}
