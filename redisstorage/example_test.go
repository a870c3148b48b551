package redisstorage_test

import (
	"log"
	"net/http"
	"os"

	"github.com/redis/go-redis/v9"

	"github.com/seed3b05b409/auth"
	"github.com/seed3b05b409/auth/redisstorage"
)

// Several processes share their sessions and rate limits in a Redis.
func Example() {
	client := redis.NewClient(&redis.Options{Addr: "localhost:6379"})
	defer client.Close()
	a, err := auth.New(auth.Config{
		BaseURL:          "https://example.com",
		Secret:           os.Getenv("AUTH_SECRET"),
		Store:            auth.NewMemoryStore(), // users: a database that they share too
		SecondaryStorage: redisstorage.New(client, redisstorage.Options{}),
		EmailPassword:    auth.EmailPassword{Enabled: true},
	})
	if err != nil {
		log.Fatal(err)
	}
	http.Handle("/api/auth/", a)
	log.Fatal(http.ListenAndServe(":8080", nil))
}
