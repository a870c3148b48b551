package auth

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
)

// maxAttempts is how often a write is made that the database undoes. Of those that
// stand in each other's way it lets all but one go on, so that a crowd gets smaller
// each time.
const maxAttempts = 10

// again makes a write that is atomic by itself, and makes it again if the database
// undid it. In the transaction of ctx it cannot: that is undone as a whole.
func (s *SQLStore) again(ctx context.Context, write func() error) (err error) {
	for range maxAttempts {
		err = write()
		if !errors.Is(err, ErrRolledBack) || s.transaction(ctx) != nil {
			break
		}
	}
	return err
}

// undone marks the error of a statement or commit as ErrRolledBack if that is what
// it means.
func undone(err error) error {
	if err == nil || !strings.HasPrefix(sqlState(err), "40") {
		return err
	}
	return fmt.Errorf("%w: %w", ErrRolledBack, err)
}

// sqlState returns the code of an error in SQL's own terms (ISO/IEC 9075 SQLSTATE),
// whose class 40 is "transaction rollback", empty if the driver does not tell. pgx and
// lib/pq have it as a method, the driver for MySQL as a field.
func sqlState(err error) string {
	var coded interface{ SQLState() string }
	if errors.As(err, &coded) {
		return coded.SQLState()
	}
	for ; err != nil; err = errors.Unwrap(err) {
		v := reflect.Indirect(reflect.ValueOf(err))
		if v.Kind() != reflect.Struct {
			continue
		}
		if state := v.FieldByName("SQLState"); state.IsValid() && state.CanInterface() {
			if code, ok := state.Interface().([5]byte); ok {
				return string(code[:])
			}
		}
	}
	return ""
}
