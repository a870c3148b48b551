// Package interoptest runs this library and the npm package better-auth beside
// each other on one database, with one secret, and compares what they write. It
// needs node 20 or newer, npm and, unless the registry's download of a compiled
// better-sqlite3 succeeds, a C++ compiler, make and python3; the tests on
// PostgreSQL and MariaDB need a server.
package interoptest
