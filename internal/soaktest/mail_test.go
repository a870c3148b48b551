package soaktest

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync"
)

// The kinds of mails.
const (
	mailReset   = "reset"
	mailVerify  = "verify"
	mailConfirm = "confirm" // a change of address
	mailMagic   = "magic"
	mailCode    = "code"
	mailFactor  = "factor" // a second one
)

// A mail is one that the server sent.
type mail struct{ Kind, To, NewEmail, UserID, Token string }

// kind is the mail without what cannot be foretold.
func (m mail) kind() mail { return mail{Kind: m.Kind, To: m.To} }

// A post delivers mails to people by the part of the address before the dash.
type post struct {
	mu    sync.Mutex
	boxes map[string][]mail
}

func newPost() *post { return &post{boxes: make(map[string][]mail)} }

func (p *post) deliver(m mail) {
	p.mu.Lock()
	defer p.mu.Unlock()
	owner, _, _ := strings.Cut(m.To, "-")
	p.boxes[owner] = append(p.boxes[owner], m)
}

// collect returns what has come for a person since the last time.
func (p *post) collect(owner string) []mail {
	p.mu.Lock()
	defer p.mu.Unlock()
	mails := p.boxes[owner]
	delete(p.boxes, owner)
	return mails
}

// ServeHTTP takes a mail from another process.
func (p *post) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var m mail
	if err := json.NewDecoder(r.Body).Decode(&m); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	p.deliver(m)
}
