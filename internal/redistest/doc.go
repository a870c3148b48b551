// Package redistest tests the Redis storage against a real Redis, with whole
// flows and beside a server of the npm package better-auth that shares it.
// AUTH_TEST_REDIS names the Redis; the default is 127.0.0.1:6379. The server needs
// node 20 or newer and npm.
package redistest
