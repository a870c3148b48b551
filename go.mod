module github.com/seed3b05b409/auth

go 1.26

require golang.org/x/crypto v0.58.0
