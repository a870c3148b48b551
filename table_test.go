package auth

import (
	"strings"
	"testing"
)

func TestTableIndex(t *testing.T) {
	for name, want := range map[string]int{"name": 0, "score": 2, "id": len(petTable.Columns), "nme": -1, "": -1} {
		if got := petTable.index(name); got != want {
			t.Errorf("index(%q) = %d, want %d", name, got, want)
		}
	}
	if n := testing.AllocsPerRun(100, func() { petTable.index("id") }); n != 0 {
		t.Errorf("index allocates %v times", n)
	}
}

// All mistakes come at once: nobody likes to fix a schema one error at a time.
func TestTableCheck(t *testing.T) {
	if err := petTable.check(); err != nil {
		t.Errorf("a table without mistakes: %v", err)
	}
	wrong := &Table{Columns: []Column{
		{Type: TypeString},
		{Name: "id", Type: TypeString},
		{Name: "twice", Type: TypeString},
		{Name: "twice", Type: TypeString},
		{Name: "odd", Type: "text"},
		{Name: "tags", Type: TypeStrings, Unique: true},
		{Name: "owner", Type: TypeNumber, References: "user"},
	}}
	err := wrong.check()
	if err == nil {
		t.Fatal("no error")
	}
	for _, mistake := range []string{
		"a table has no name", "needs a name", `"id": every table has`, `"twice": listed twice`,
		`"odd": unknown type "text"`, `"tags": a column of this type`, `"owner": a reference holds an id`,
	} {
		if !strings.Contains(err.Error(), mistake) {
			t.Errorf("not reported: %s", mistake)
		}
	}
	if n := strings.Count(err.Error(), "\n") + 1; n != 7 {
		t.Errorf("%d mistakes reported, want 7:\n%v", n, err)
	}
	if (*Table)(nil).check() == nil {
		t.Error("no table at all is no mistake")
	}
}
