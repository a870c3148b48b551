package auth

import (
	"math/rand/v2"
	"testing"
)

// TestMutationCatalogue: every endpoint with a URL has a valid request for each of its
// methods, which is answered as it says, within the rules.
func TestMutationCatalogue(t *testing.T) {
	m := newMutationWorld(t)
	covered := make(map[string]bool)
	for _, v := range validRequests {
		covered[v.method+" "+v.op] = true
		if got := m.judge(t, m.wire(v)); got != v.want {
			t.Errorf("%s %s answers %d, want %d", v.method, v.op, got, v.want)
		}
	}
	for _, op := range m.API.Operations() {
		for _, method := range op.Methods() {
			if op.Path() != "" && !covered[method+" "+op.Name()] {
				t.Errorf("no valid request for %s %s", method, op.Name())
			}
		}
	}
}

// mutationRounds is how often TestMutations mutates each request of the catalogue.
const mutationRounds = 15

// TestMutations mutates every request of the catalogue as chance of a fixed seed says.
func TestMutations(t *testing.T) {
	var m *mutationWorld
	reached := make(map[int]int)
	for i, v := range validRequests {
		random := rand.New(rand.NewPCG(uint64(i), 8))
		for range mutationRounds {
			program := make([]byte, 3+random.IntN(30))
			for k := range program {
				program[k] = byte(random.Uint32())
			}
			m = m.fresh(t)
			r := m.wire(v)
			m.mutate(r, program)
			if reached[m.judge(t, r)]++; t.Failed() {
				t.Fatalf("f.Add(uint8(%d), []byte(%q))", i, program)
			}
		}
	}
	if total := len(validRequests) * mutationRounds; reached[200] < total/10 || reached[400] < total/20 || reached[401] == 0 || reached[403] == 0 || reached[0] > total/2 {
		t.Errorf("the mutations reach hardly anything: %v", reached)
	}
}

// FuzzMutation mutates a request of the catalogue as the program says (see mutate).
func FuzzMutation(f *testing.F) {
	for i := range validRequests {
		f.Add(uint8(i), []byte{})
		for kind := range mutations {
			if i%len(mutations) == kind {
				f.Add(uint8(i), []byte{byte(kind), byte(i), 1, 2, 3, byte(i / 2), 5, 6})
			}
		}
	}
	var m *mutationWorld
	f.Fuzz(func(t *testing.T, which uint8, program []byte) {
		m = m.fresh(t)
		r := m.wire(validRequests[int(which)%len(validRequests)])
		m.mutate(r, program)
		m.judge(t, r)
	})
}
