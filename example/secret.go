package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// A secret signs the cookies, and origin tells people where it is from.
type secret struct{ value, origin string }

// chooseSecret takes the secret of the environment, else the one that is kept
// beside the file of the database, so that sessions outlive the program as the
// database does. With a server's database, which other programs may share, it is
// for people to choose one.
func chooseSecret(chosen, databaseFile string) (secret, error) {
	if chosen != "" {
		return secret{chosen, "from AUTH_SECRET"}, nil
	}
	if databaseFile == "" {
		return secret{newSecret(), "made for this run; with AUTH_SECRET (32 bytes or more) cookies outlive it"}, nil
	}
	file := databaseFile + ".secret"
	value, err := keptSecret(file)
	return secret{value, file + ", made by this program; AUTH_SECRET would replace it"}, err
}

func newSecret() string { return rand.Text() + rand.Text() } // 260 random bits

// keptSecret reads a secret from a file, which it makes if there is none. Only
// the owner can read it: whoever knows the secret can sign cookies.
func keptSecret(name string) (string, error) {
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		text, err := os.ReadFile(name)
		return strings.TrimSpace(string(text)), err
	}
	if err != nil {
		return "", fmt.Errorf("the secret: %w", err)
	}
	value := newSecret()
	_, err = file.WriteString(value + "\n")
	if err = errors.Join(err, file.Close()); err != nil {
		return "", errors.Join(fmt.Errorf("the secret: %w", err), os.Remove(name))
	}
	return value, nil
}
