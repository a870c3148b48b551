package main

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/go-sql-driver/mysql"

	"github.com/seed3b05b409/auth"
)

// A source says how to reach a database.
type source struct {
	dialect auth.Dialect // empty: memory
	driver  string       // of database/sql
	dsn     string       // what the driver wants
	file    string       // of SQLite
	shown   string       // for people: without a password
}

// sourceForms explains the flag -db.
const sourceForms = "a file for SQLite, postgres://user@host:port/name, mysql://user@host:port/name, " +
	"a DSN of go-sql-driver/mysql (user@tcp(host:port)/name), or memory"

var mysqlDSN = regexp.MustCompile(`@(tcp|unix)\(.*\)/`)

// parseSource reads the flag -db.
func parseSource(flag string) (source, error) {
	scheme, rest, hasScheme := strings.Cut(flag, ":")
	switch {
	case flag == "memory":
		return source{shown: "memory"}, nil
	case mysqlDSN.MatchString(flag):
		return mysqlSource(mysql.ParseDSN(flag))
	case hasScheme && scheme == "sqlite":
		return sqliteSource(strings.TrimPrefix(rest, "//"))
	case hasScheme && (scheme == "postgres" || scheme == "postgresql"):
		return postgresqlSource(flag)
	case hasScheme && scheme == "mysql":
		return mysqlSource(mysqlURL(flag))
	case strings.Contains(flag, "://"):
		return source{}, fmt.Errorf("-db: no database has URLs that begin with %s: it takes %s", scheme, sourceForms)
	}
	return sqliteSource(flag)
}

// sqliteSource: readers do not wait for writers (WAL), writers of several
// processes wait for each other, and a commit reaches the disk with the next
// checkpoint at the latest, so that nothing is damaged when the power fails.
func sqliteSource(file string) (source, error) {
	if file == "" {
		return source{}, errors.New("-db: no file given: it takes " + sourceForms)
	}
	options := url.Values{"_pragma": {"busy_timeout(5000)", "journal_mode(WAL)", "synchronous(NORMAL)", "foreign_keys(ON)"}}
	dsn := url.URL{Scheme: "file", OmitHost: true, Path: filepath.ToSlash(file), RawQuery: options.Encode()}
	return source{dialect: auth.SQLite, driver: "sqlite", dsn: dsn.String(), file: file, shown: file}, nil
}

func postgresqlSource(flag string) (source, error) {
	u, err := parseURL(flag)
	if err != nil {
		return source{}, err
	}
	return source{dialect: auth.PostgreSQL, driver: "pgx", dsn: flag, shown: bare(u)}, nil
}

// mysqlURL writes a URL as the driver wants it.
func mysqlURL(flag string) (*mysql.Config, error) {
	u, err := parseURL(flag)
	if err != nil {
		return nil, err
	}
	host, port := u.Hostname(), u.Port()
	if host == "" {
		host = "127.0.0.1"
	}
	if port == "" {
		port = "3306"
	}
	config, err := mysql.ParseDSN("tcp(" + net.JoinHostPort(host, port) + ")/?" + u.RawQuery)
	if err != nil {
		return nil, err
	}
	config.User = u.User.Username()
	config.Passwd, _ = u.User.Password()
	config.DBName = strings.TrimPrefix(u.Path, "/")
	return config, nil
}

func mysqlSource(config *mysql.Config, err error) (source, error) {
	if err != nil {
		return source{}, fmt.Errorf("-db: %w", err)
	}
	if config.DBName == "" {
		return source{}, errors.New("-db: the name of the database is missing")
	}
	shown := "mysql://" + config.User + "@" + config.Addr + "/" + config.DBName
	return source{dialect: auth.MySQL, driver: "mysql", dsn: config.FormatDSN(), shown: shown}, nil
}

// parseURL leaves the URL out of the error: there may be a password in it.
func parseURL(flag string) (*url.URL, error) {
	u, err := url.Parse(flag)
	if problem, ok := errors.AsType[*url.Error](err); ok {
		err = fmt.Errorf("-db is no URL: %w", problem.Err)
	}
	return u, err
}

// bare is the URL without passwords, of which options may hold some too.
func bare(u *url.URL) string {
	shown := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}
	if u.User != nil {
		shown.User = url.User(u.User.Username())
	}
	return shown.String()
}
