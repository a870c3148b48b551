package auth_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"log"
	"strings"
	"time"

	"github.com/seed3b05b409/auth"
)

// A known provider with options of its own, beside one that is not configured well.
func ExampleBuiltinProvider() {
	cognito := auth.BuiltinProvider("cognito", "client", "secret")
	cognito.BaseURL = "https://my-pool.auth.eu-west-1.amazoncognito.com"
	cognito.Tenant = "eu-west-1_AbCdEf"
	cognito.Params = map[string]string{"identity_provider": "Google"}

	paypal := auth.BuiltinProvider("paypal", "client", "secret")
	paypal.Environment = "production"

	_, err := auth.New(auth.Config{
		BaseURL: "https://example.com", Secret: "a secret of more than thirty-two characters",
		Store: auth.NewMemoryStore(), Providers: []auth.Provider{cognito, paypal},
	})
	fmt.Println(err)
	// Output:
	// auth: Config.Providers: "paypal": there is no Environment "production"
}

// The key comes from Apple's developer site, in a file that x509.ParsePKCS8PrivateKey
// reads.
func ExampleAppleClientSecret() {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		log.Fatal(err)
	}
	secret, err := auth.AppleClientSecret("TEAM123456", "KEY1234567", "com.example.web", key, 30*24*time.Hour)
	if err != nil {
		log.Fatal(err)
	}
	apple := auth.Apple("com.example.web", secret)
	apple.Audiences = []string{"com.example.web", "com.example.ios"}

	fmt.Println(apple.ID, strings.Count(secret, ".")+1, "parts")
	_, err = auth.AppleClientSecret("TEAM123456", "KEY1234567", "com.example.web", key, 365*24*time.Hour)
	fmt.Println(err)
	// Output:
	// apple 3 parts
	// auth: a client secret for Apple lives up to 4382h30m0s
}

// A client that proves by a key who it is.
func ExampleSignClientAssertion() {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		log.Fatal(err)
	}
	entra := auth.Microsoft("client", "")
	entra.TokenAuth = auth.TokenAuthPrivateKeyJWT
	entra.ClientAssertion = auth.SignClientAssertion(key, "key-1", entra.ClientID)

	_, err = auth.New(auth.Config{
		BaseURL: "https://example.com", Secret: "a secret of more than thirty-two characters",
		Store: auth.NewMemoryStore(), Providers: []auth.Provider{entra},
	})
	fmt.Println(err)
	// Output:
	// <nil>
}
