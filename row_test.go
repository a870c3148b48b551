package auth

import (
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A pet has a field of each kind; its table has two columns more, of which
// clients see one.
type pet struct {
	ID     string         `db:"id"` // first here, last in a row and in JSON
	Name   string         `db:"name"`
	Born   time.Time      `db:"born"`
	Score  *int64         `db:"score"`
	Weight *float64       `db:"weight"`
	Tame   bool           `db:"tame"`
	Chip   *string        `db:"chip"`
	Died   *time.Time     `db:"died"`
	Legs   int            `db:"legs"`
	Tags   []string       `db:"tags"`
	Papers map[string]any `db:"papers"`
	Extra  map[string]any `db:",extra"`
	planned
}

func (p *pet) MarshalJSON() ([]byte, error) { return p.plan.marshal(p) }

var petTable = &Table{Name: "pet", Columns: []Column{
	{Name: "name", Type: TypeString},
	{Name: "born", Type: TypeDate},
	{Name: "score", Type: TypeNumber, Nullable: true},
	{Name: "weight", Type: TypeNumber, Nullable: true},
	{Name: "tame", Type: TypeBoolean},
	{Name: "colour", Type: TypeString, Nullable: true, Default: func() any { return "black" }},
	{Name: "chip", Type: TypeString, Nullable: true, Hidden: true},
	{Name: "died", Type: TypeDate, Nullable: true},
	{Name: "legs", Type: TypeNumber},
	{Name: "tags", Type: TypeStrings, Nullable: true},
	{Name: "papers", Type: TypeJSON, Nullable: true},
	{Name: "secret", Type: TypeString, Nullable: true, Hidden: true},
	{Name: "changed", Type: TypeDate, Nullable: true, OnUpdate: func() any { return now() }},
}}

type keeper struct {
	Name  string  `db:"name"`
	PetID *string `db:"petId"`
	ID    string  `db:"id"`
}

var keeperTable = &Table{Name: "keeper", Columns: []Column{
	{Name: "name", Type: TypeString},
	{Name: "petId", Type: TypeString, Nullable: true, References: "pet"},
}}

func newTestRecords[T any](t *testing.T, store Store, table *Table) *records[T] {
	t.Helper()
	r, err := newRecords[T](store, table)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func newPet() *pet {
	score, weight, chip := int64(3), 4.5, "0815"
	born := time.Date(2026, 11, 23, 8, 43, 48, 330e6, time.UTC)
	return &pet{
		ID: "p1", Name: "Tom", Born: born, Score: &score, Weight: &weight, Tame: true, Chip: &chip, Died: &born,
		Legs: 4, Tags: []string{"cat"}, Papers: map[string]any{"a": 1.5},
		Extra: map[string]any{"secret": "s", "colour": "red", "changed": nil},
	}
}

func TestRecordsRoundTrip(t *testing.T) {
	pets := newTestRecords[pet](t, NewMemoryStore(), petTable)
	full, empty := newPet(), &pet{ID: "p2"}
	for _, want := range []*pet{full, empty} {
		if err := pets.insert(t.Context(), want); err != nil {
			t.Fatal(err)
		}
		// What was inserted is what is read, the default included.
		got, err := pets.first(t.Context(), Where("id", want.ID))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, %v, want %+v", got, err, want)
		}
	}
	if got := empty.Extra["colour"]; got != "black" {
		t.Errorf("the default colour is %v", got)
	}
	if err := pets.insert(t.Context(), newPet()); !errors.Is(err, ErrConflict) {
		t.Errorf("the same pet again: %v", err)
	}
	all, err := pets.find(t.Context(), Query{Order: []Order{{Column: "name", Desc: true}}, Limit: 1})
	if err != nil || len(all) != 1 || all[0].Name != "Tom" {
		t.Errorf("find: %v, %v", all, err)
	}
}

func TestRecordsNone(t *testing.T) {
	pets := newTestRecords[pet](t, NewMemoryStore(), petTable)
	if got, err := pets.first(t.Context(), Where("id", "x")); got != nil || err != nil {
		t.Errorf("first: %v, %v", got, err)
	}
	if got, err := pets.consume(t.Context(), Where("id", "x")); got != nil || err != nil {
		t.Errorf("consume: %v, %v", got, err)
	}
	if got, err := pets.find(t.Context(), Query{}); len(got) != 0 || err != nil {
		t.Errorf("find: %v, %v", got, err)
	}
}

func TestRecordsWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pets := newTestRecords[pet](t, NewMemoryStore(), petTable)
		if err := pets.insert(t.Context(), newPet()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		n, err := pets.update(t.Context(), map[string]any{"name": "Tim"}, Where("id", "p1"))
		if n != 1 || err != nil {
			t.Errorf("update: %d, %v", n, err)
		}
		got, err := pets.first(t.Context(), Where("id", "p1"))
		if err != nil || got.Name != "Tim" || got.Extra["changed"] != now() {
			t.Errorf("updated: %+v, %v", got, err)
		}
		// A value that is given is not overwritten.
		then := now().Add(-time.Minute)
		if _, err = pets.update(t.Context(), map[string]any{"changed": then}, Where("id", "p1")); err != nil {
			t.Error(err)
		}
		got, err = pets.consume(t.Context(), Where("id", "p1"))
		if err != nil || got == nil || got.Extra["changed"] != then {
			t.Errorf("consume: %+v, %v", got, err)
		}
		if n, err = pets.delete(t.Context()); n != 0 || err != nil {
			t.Errorf("delete: %d, %v", n, err)
		}
	})
}

func TestFirstJoined(t *testing.T) {
	store := NewMemoryStore()
	pets, keepers := newTestRecords[pet](t, store, petTable), newTestRecords[keeper](t, store, keeperTable)
	tom := newPet()
	if err := errors.Join(
		pets.insert(t.Context(), tom),
		keepers.insert(t.Context(), &keeper{ID: "k1", Name: "Ann", PetID: &tom.ID}),
		keepers.insert(t.Context(), &keeper{ID: "k2", Name: "Bob"}),
	); err != nil {
		t.Fatal(err)
	}
	k, p, err := firstJoined(t.Context(), keepers, pets, "petId", Where("name", "Ann"))
	if err != nil || k.ID != "k1" || !reflect.DeepEqual(p, tom) {
		t.Errorf("got %+v, %+v, %v", k, p, err)
	}
	if k, p, err = firstJoined(t.Context(), keepers, pets, "petId", Where("name", "Bob")); k != nil || p != nil || err != nil {
		t.Errorf("without a partner: %+v, %+v, %v", k, p, err)
	}
	if _, _, err = firstJoined(t.Context(), keepers, pets, "pet", Where("name", "Ann")); err == nil {
		t.Error("an unknown column is no error")
	}
}

// Mistakes in tags are found when the records are made, not by the first user.
func TestNewRecordsMistakes(t *testing.T) {
	table := &Table{Name: "t", Columns: []Column{{Name: "a", Type: TypeString}, {Name: "b", Type: TypeNumber, Nullable: true}}}
	for want, make := range map[string]func() error{
		"no field for the id": mistake[struct{ A string }](table),
		"is no struct":        mistake[string](table),
		`has no column "c"`: mistake[struct {
			ID string `db:"id"`
			C  string `db:"c"`
		}](table),
		`no field for column "b"`: mistake[struct {
			ID string `db:"id"`
			A  string `db:"a"`
		}](table),
		`column "a" has two`: mistake[struct {
			ID   string `db:"id"`
			A, B string `db:"a"`
		}](table),
		"unexported": mistake[struct {
			id string `db:"id"`
		}](table),
		`tag "a,omitempty"`: mistake[struct {
			ID string `db:"id"`
			A  string `db:"a,omitempty"`
		}](table),
		`tag ",extra"`: mistake[struct {
			ID string            `db:"id"`
			E  map[string]string `db:",extra"`
		}](table),
		"type int64 cannot hold": mistake[struct {
			ID string `db:"id"`
			A  string `db:"a"`
			B  int64  `db:"b"`
		}](table),
		"type *bool cannot hold": mistake[struct {
			ID string `db:"id"`
			A  *bool  `db:"a"`
			B  *int64 `db:"b"`
		}](table),
		"a table has no name": mistake[pet](&Table{}),
	} {
		if err := make(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one about %q", err, want)
		}
	}
}

func mistake[T any](table *Table) func() error {
	return func() error {
		_, err := newRecords[T](NewMemoryStore(), table)
		return err
	}
}

// A store that returns what the table does not promise is reported.
func TestFromRowMisfit(t *testing.T) {
	keepers := newTestRecords[keeper](t, NewMemoryStore(), keeperTable)
	for _, row := range []Row{{"Ann", nil}, {nil, nil, "k"}, {"Ann", 1, "k"}, {"Ann", nil, []byte("k")}} {
		if _, err := keepers.fromRow(row); err == nil {
			t.Errorf("%v became a keeper", row)
		}
	}
}

func TestEntityJSON(t *testing.T) {
	pets := newTestRecords[pet](t, NewMemoryStore(), petTable)
	stored := newPet()
	if err := errors.Join(pets.insert(t.Context(), stored), pets.insert(t.Context(), &pet{ID: "p2"})); err != nil {
		t.Fatal(err)
	}
	stored.Extra["unknown"] = "z"
	blank, err := pets.first(t.Context(), Where("id", "p2"))
	if err != nil {
		t.Fatal(err)
	}
	for reason, c := range map[string]struct {
		pet  *pet
		want string
	}{
		"order of the table, hidden columns left out, unknown keys before the id": {stored,
			`{"name":"Tom","born":"2026-11-23T08:43:48.330Z","score":3,"weight":4.5,"tame":true,"colour":"red","died":"2026-11-23T08:43:48.330Z",` +
				`"legs":4,"tags":["cat"],"papers":{"a":1.5},"changed":null,"unknown":"z","id":"p1"}`},
		"NULL is null": {blank,
			`{"name":"","born":"0001-01-01T00:00:00.000Z","score":null,"weight":null,"tame":false,"colour":"black","died":null,` +
				`"legs":0,"tags":null,"papers":null,"changed":null,"id":"p2"}`},
		"made by hand: order of the struct, extra columns sorted": {&pet{ID: "h", Extra: map[string]any{"b": 1, "a": "<>"}},
			`{"name":"","born":"0001-01-01T00:00:00.000Z","score":null,"weight":null,"tame":false,"chip":null,"died":null,` +
				`"legs":0,"tags":null,"papers":null,"a":"<>","b":1,"id":"h"}`},
	} {
		if got, err := c.pet.MarshalJSON(); err != nil || string(got) != c.want {
			t.Errorf("%s:\ngot  %s, %v\nwant %s", reason, got, err, c.want)
		}
	}
}

// A tag can hide a field of entities that know no table.
func TestEntityHiddenByTag(t *testing.T) {
	type account struct {
		ID       string `db:"id"`
		Password string `db:"password,hidden"`
	}
	var plan *entityPlan
	got, err := plan.marshal(&account{"1", "secret"})
	if err != nil || string(got) != `{"id":"1"}` {
		t.Errorf("got %s, %v", got, err)
	}
}

func TestNow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(1234567 * time.Nanosecond)
		if got := now(); got != time.Date(2000, 1, 1, 0, 0, 0, 1e6, time.UTC) {
			t.Errorf("got %v", got)
		}
	})
}

func TestAppendJSON(t *testing.T) {
	text := "t"
	for _, c := range []struct {
		value any
		want  string
	}{
		{nil, `null`}, {true, `true`}, {7, `7`}, {int64(-7), `-7`}, {uint8(7), `7`}, {&text, `"t"`}, {(*string)(nil), `null`},
		{`<a href="x">&\</a>`, `"<a href=\"x\">&\\</a>"`},
		{"\u2028\u2029ü\x7f", "\"\u2028\u2029ü\x7f\""},
		{"\b\f\n\r\t\x00\x1f", `"\b\f\n\r\t\u0000\u001f"`},
		{"a\xffb\ufffd", "\"a\ufffdb\ufffd\""},
		{1e6, `1000000`}, {1e20, `100000000000000000000`}, {1e21, `1e+21`}, {1e-6, `0.000001`}, {1e-7, `1e-7`}, {1.5e-12, `1.5e-12`},
		{math.Copysign(0, -1), `0`}, {5e-324, `5e-324`}, {math.MaxFloat64, `1.7976931348623157e+308`},
		{time.Date(2026, 11, 23, 9, 43, 48, 330999999, time.FixedZone("", 3600)), `"2026-11-23T08:43:48.330Z"`},
		{time.Date(2026, 1, 2, 3, 4, 5, 6e6, time.UTC), `"2026-01-02T03:04:05.006Z"`},
		{[]string{}, `[]`}, {[]string(nil), `null`}, {[]any{1, nil, "x"}, `[1,null,"x"]`}, {[]float64{1, 2.5, math.Copysign(0, -1)}, `[1,2.5,0]`},
		{map[string]any{"b": 1, "a<": []any{time.Unix(0, 0)}}, `{"a<":["1970-01-01T00:00:00.000Z"],"b":1}`}, {map[string]any(nil), `null`},
		{struct{ A, B string }{"<\u2028", `\u2028`}, "{\"A\":\"<\u2028\",\"B\":\"\\\\u2028\"}"},
		{struct{ A string }{"\u2029\\"}, "{\"A\":\"\u2029\\\\\"}"},
	} {
		if got, err := appendJSON([]byte("x"), c.value); err != nil || string(got) != "x"+c.want {
			t.Errorf("%#v: got %s, %v, want %s", c.value, got, err, c.want)
		}
	}
	for _, bad := range []any{math.NaN(), math.Inf(1), func() {}, []any{math.NaN()}, map[string]any{"a": make(chan int)}} {
		if got, err := appendJSON(nil, bad); err == nil {
			t.Errorf("%v became %s", bad, got)
		}
	}
}

func TestAppendJSONAllocations(t *testing.T) {
	dst, text := make([]byte, 0, 1024), any("a \"string\" with ünicode")
	if n := testing.AllocsPerRun(100, func() { _, _ = appendJSON(dst, text) }); n != 0 {
		t.Errorf("a string allocates %v times", n)
	}
	type plain struct {
		Name string    `db:"name"`
		Born time.Time `db:"born"`
		ID   string    `db:"id"`
	}
	plan, err := newEntityPlan(reflect.TypeFor[plain](), nil)
	if err != nil {
		t.Fatal(err)
	}
	entity := any(&plain{"Tom", time.Now(), "1"})
	if n := testing.AllocsPerRun(100, func() { _, _ = plan.appendObject(dst, entity) }); n != 0 {
		t.Errorf("an entity allocates %v times", n)
	}
}

func BenchmarkFromRow(b *testing.B) {
	pets, err := newRecords[pet](NewMemoryStore(), petTable)
	if err != nil {
		b.Fatal(err)
	}
	row := pets.toRow(newPet())
	b.ReportAllocs()
	for b.Loop() {
		row[8] = int64(4)
		if _, err := pets.fromRow(row); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEntityJSON(b *testing.B) {
	tom, dst := newPet(), make([]byte, 0, 1024)
	tom.plan, _ = newEntityPlan(reflect.TypeFor[pet](), petTable)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := tom.plan.appendObject(dst, tom); err != nil {
			b.Fatal(err)
		}
	}
}
