package auth

import (
	"errors"
	"fmt"
	"maps"
	"slices"
)

// columns are those that plugins add to a table.
func (all extensions) columns(table string) (columns []Column) {
	for _, added := range all {
		columns = append(columns, added.Columns[table]...)
	}
	return columns
}

// openPluginTables opens the plugins' own tables, with the columns that others add
// to them, and refuses columns that no table can have.
func (s *services) openPluginTables(config *Config, all extensions) error {
	known := map[string]bool{"user": true, "session": true}
	var errs []error
	for _, added := range all {
		for _, opened := range added.Tables {
			if err := checkPluginTable(opened, known); err != nil {
				errs = append(errs, added.wrong(err))
				continue
			}
			known[opened.table().Name] = true
			errs = append(errs, added.wrong(opened.open(s, additional(all.columns(opened.table().Name)))))
			s.pluginTables = append(s.pluginTables, opened)
		}
	}
	for _, added := range all {
		for _, name := range slices.Sorted(maps.Keys(added.Columns)) {
			if !known[name] {
				errs = append(errs, added.wrong(fmt.Errorf("it adds columns to table %q: there is none, or it can have no more", name)))
			}
		}
	}
	return errors.Join(append(errs, all.checkColumns(config))...)
}

func checkPluginTable(opened PluginTable, known map[string]bool) error {
	if opened == nil || opened.table() == nil {
		return errors.New("one of its tables is nil")
	}
	switch name := opened.table().Name; {
	case known[name], name == "account", name == "verification", name == "rateLimit":
		return fmt.Errorf("there is a table %q already", name)
	}
	return nil
}

// checkColumns refuses columns that have the name of another one, and says whose
// that is, and those that would keep everybody from signing up.
func (all extensions) checkColumns(config *Config) error {
	var owners columnOwners
	owners.claim("the core", "user", userTable(nil).Columns)
	owners.claim("the core", "session", sessionTable(nil).Columns)
	for _, added := range all {
		for _, opened := range added.Tables {
			if opened != nil && opened.table() != nil {
				owners.claim("plugin "+added.id, opened.table().Name, opened.declared())
			}
		}
	}
	for _, added := range all {
		for _, name := range slices.Sorted(maps.Keys(added.Columns)) {
			owners.claim("plugin "+added.id, name, added.Columns[name])
		}
		for _, c := range added.Columns["user"] {
			if c.ServerOnly && !c.Optional && c.Default == nil {
				owners.errs = append(owners.errs, added.wrong(fmt.Errorf("nobody could sign up: column %q of users must have a value, which clients may not send; it needs Optional or a Default", c.Name)))
			}
		}
	}
	owners.claim("Config.User.Fields", "user", config.User.Fields)
	owners.claim("Config.Session.Fields", "session", config.Session.Fields)
	return errors.Join(owners.errs...)
}

// columnOwners knows who has which columns.
type columnOwners struct {
	names map[string]string // by table and column
	errs  []error
}

func (o *columnOwners) claim(who, table string, columns []Column) {
	if o.names == nil {
		o.names = make(map[string]string)
	}
	for i := range columns {
		column := table + "." + columns[i].Name
		if first, taken := o.names[column]; taken {
			o.errs = append(o.errs, fmt.Errorf("auth: %s adds the column %s, which is one of %s", who, column, first))
			continue
		}
		o.names[column] = who
	}
}

// checkReferences wants each table behind those that it references, as a database
// does that makes them.
func checkReferences(tables []*Table) error {
	var errs []error
	known := make(map[string]bool)
	for _, t := range tables {
		known[t.Name] = true
		for i := range t.Columns {
			if c := &t.Columns[i]; c.References != "" && !known[c.References] {
				errs = append(errs, fmt.Errorf("auth: column %s.%s references table %q, which is not there or comes later", t.Name, c.Name, c.References))
			}
		}
	}
	return errors.Join(errs...)
}
