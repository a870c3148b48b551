package providertest

import (
	"testing"
)

// Every provider as it should be, and with one thing that is not.
func TestProfiles(t *testing.T) {
	for i := range specs {
		for _, f := range append([]flow{specs[i].flow()}, specs[i].variants()...) {
			f.compare(t)
		}
	}
}

func (f *flow) compare(t *testing.T) {
	t.Helper()
	ours := f.runOurs(t)
	theirs := f.runTheirs(t, &ours)
	for _, difference := range f.differences(&ours, &theirs) {
		t.Errorf("%s: %s", f.name, difference)
	}
}
