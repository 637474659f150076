package mechanism_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/diagnose/mechanism"
)

func TestOwnMechanismsStandBeforeTheShippedOnesOfTheirClass(t *testing.T) {
	var shipped []inquest.MechanismID
	for _, m := range mechanism.All() {
		shipped = append(shipped, m.ID)
	}
	own := []mechanism.Mechanism{{ID: "database/a"}, {ID: shipped[3], Title: "Mine"}, {ID: "database/b"}, {ID: "unhandled-exception/c"}}
	list := mechanism.With(own)
	var got []inquest.MechanismID
	for _, m := range list {
		got = append(got, m.ID)
		if m.ID == shipped[3] && m.Title != "Mine" {
			t.Errorf("%s is still the shipped one", m.ID)
		}
	}
	want := []inquest.MechanismID{"unhandled-exception/c"}
	put := false
	for _, id := range shipped {
		if id.Class() == "database" && !put {
			want, put = append(want, "database/a", "database/b"), true
		}
		want = append(want, id)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestTheCatalogueAloneIsAsItShips(t *testing.T) {
	if d := cmp.Diff(mechanism.All(), mechanism.With(nil)); d != "" {
		t.Error(d)
	}
}
