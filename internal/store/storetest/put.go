package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/inquesthq/inquest/internal/store"
)

func isConflict(err error) bool { return errors.Is(err, store.ErrConflict) }

func roundTrip(t *testing.T, s Store) {
	in := store.Record{Kind: "incident", ID: "INC-20261129-7KQ2", Parent: "p", State: "open", Time: noon, Body: []byte(`{"title":"Kasse, 25 % \u0000 ☃"}`)}
	put(t, s, in)
	in.Version = 1
	same(t, in, get(t, s, "incident", in.ID))
	same(t, []store.Record{in}, list(t, s, store.Query{Kind: "incident"}))

	empty := store.Record{Kind: "note", ID: "x"}
	put(t, s, empty)
	got := get(t, s, "note", "x")
	if !got.Time.IsZero() || len(got.Body) != 0 || got.Parent != "" || got.State != "" || got.Version != 1 {
		t.Errorf("a record of nothing came back as %+v", got)
	}
}

func notFound(t *testing.T, s Store) {
	put(t, s, record("incident", "a", noon))
	for _, k := range [][2]string{{"incident", "b"}, {"incident", "A"}, {"incident", ""}, {"entry", "a"}, {"Incident", "a"}, {"incident", "a\x00"}, {"incident", "a "}} {
		if _, err := s.Get(t.Context(), k[0], k[1]); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("Get(%q): %v, want ErrNotFound", k, err)
		}
	}
	same(t, 0, len(list(t, s, store.Query{Kind: "entry"})))
}

func versions(t *testing.T, s Store) {
	rec := record("incident", "a", noon)
	for version := range int64(4) {
		rec.Version, rec.State = version, fmt.Sprintf("s%d", version)
		rec.Time, rec.Parent, rec.Body = noon.Add(time.Duration(version)*time.Hour), rec.State, []byte(rec.State)
		put(t, s, rec)
		want := rec
		want.Version++
		same(t, want, get(t, s, "incident", "a"))
		for _, wrong := range []int64{0, version, version + 2, 1 << 40} {
			other := want
			other.Version, other.Body = wrong, []byte("lost")
			if err := s.Put(t.Context(), other); !isConflict(err) {
				t.Errorf("Put of version %d over %d: %v, want ErrConflict", wrong, want.Version, err)
			} else if !strings.Contains(err.Error(), `"a"`) {
				t.Errorf("%v does not say which record", err)
			}
		}
		same(t, want, get(t, s, "incident", "a"))
	}
	missing := record("incident", "never", noon)
	missing.Version = 1
	if err := s.Put(t.Context(), missing); !isConflict(err) {
		t.Errorf("Put of version 1 of what is not there: %v, want ErrConflict", err)
	}
	same(t, 1, len(list(t, s, store.Query{Kind: "incident"})))
}

func noResurrection(t *testing.T, s Store) {
	put(t, s, record("pattern", "a", noon))
	read := get(t, s, "pattern", "a")
	if _, err := s.Delete(t.Context(), "pattern", noon.Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	if err := s.Put(t.Context(), read); !isConflict(err) {
		t.Errorf("Put of what was deleted: %v, want ErrConflict", err)
	}
	put(t, s, record("pattern", "a", noon)) // as a new one it may come again
	same(t, int64(1), get(t, s, "pattern", "a").Version)
}

func allOrNone(t *testing.T, s Store) {
	put(t, s, record("incident", "a", noon), record("incident", "b", noon))
	changed := get(t, s, "incident", "a")
	changed.State = "acknowledged"
	for name, batch := range map[string][]store.Record{
		"one of the new ones exists":       {changed, record("entry", "1", noon), record("incident", "b", noon), record("entry", "0", noon)},
		"a known one has changed, first":   {{Kind: "a", ID: "0", Version: 3}, changed, record("entry", "1", noon)},
		"a known one has changed, last":    {record("entry", "1", noon), changed, {Kind: "z", ID: "z", Version: 3}},
		"only new ones, the last exists":   {record("entry", "1", noon), record("entry", "2", noon), record("incident", "b", noon)},
		"the last of a thousand exists":    append(numbered("entry", 1000), record("incident", "b", noon)),
		"one of many known ones has moved": append(numbered("entry", 200), changed, store.Record{Kind: "incident", ID: "b", Version: 2}),
	} {
		if err := s.Put(t.Context(), batch...); !isConflict(err) {
			t.Errorf("%s: %v, want ErrConflict", name, err)
		}
		same(t, "", get(t, s, "incident", "a").State)
		same(t, 0, len(list(t, s, store.Query{Kind: "entry"})))
		same(t, 2, len(list(t, s, store.Query{Kind: "incident"})))
	}
	put(t, s, record("entry", "1", noon), changed, record("notice", "1", noon))
	same(t, "acknowledged", get(t, s, "incident", "a").State)
	same(t, int64(2), get(t, s, "incident", "a").Version)
	same(t, int64(1), get(t, s, "notice", "1").Version)
}

func refused(t *testing.T, s Store) {
	good := record("incident", "good", noon)
	for name, bad := range map[string]store.Record{
		"no kind":                   {ID: "x", Time: noon},
		"no id":                     {Kind: "incident", Time: noon},
		"a kind of two words":       {Kind: "an incident", ID: "x", Time: noon},
		"a kind that is no text":    {Kind: "\xff\x00", ID: "x", Time: noon},
		"a state of two words":      {Kind: "incident", ID: "x", State: "not open", Time: noon},
		"a long state":              {Kind: "incident", ID: "x", State: strings.Repeat("s", 65), Time: noon},
		"an id that is too long":    {Kind: "incident", ID: strings.Repeat("x", 1025), Time: noon},
		"a parent that is too long": {Kind: "incident", ID: "x", Parent: strings.Repeat("x", 1025), Time: noon},
		"a negative version":        {Kind: "incident", ID: "x", Version: -1, Time: noon},
		"a time beyond all":         {Kind: "incident", ID: "x", Time: time.Unix(1<<55, 0)},
		"a time before all":         {Kind: "incident", ID: "x", Time: time.Unix(-1<<55, 0)},
		"a body that is too big":    {Kind: "incident", ID: "x", Time: noon, Body: make([]byte, 64<<20+1)},
	} {
		if err := s.Put(t.Context(), good, bad); err == nil || isConflict(err) {
			t.Errorf("%s: %v, want an error that is no conflict", name, err)
		}
	}
	twice := s.Put(t.Context(), good, record("entry", "1", noon), good)
	if twice == nil || isConflict(twice) {
		t.Errorf("one record twice in one Put: %v, want an error that is no conflict", twice)
	}
	same(t, []string{}, ids(t, s, store.Query{Kind: "incident"}))
	same(t, []string{}, ids(t, s, store.Query{Kind: "entry"}))
}

func putNothing(t *testing.T, s Store) {
	if err := s.Put(t.Context()); err != nil {
		t.Error(err)
	}
}

func manyInOnePut(t *testing.T, s Store) {
	batch := append(append(numbered("entry", 700), numbered("notice", 333)...), numbered("change", 1)...)
	rand.Shuffle(len(batch), func(i, j int) { batch[i], batch[j] = batch[j], batch[i] })
	put(t, s, batch...)
	next := list(t, s, store.Query{Kind: "notice"})
	same(t, 333, len(next))
	for i := range next {
		next[i].State = "sent"
	}
	fresh := numbered("entry", 900)[700:]
	put(t, s, append(fresh, next...)...) // new and known ones together
	same(t, 333, len(list(t, s, store.Query{Kind: "notice", State: "sent"})))
	got := list(t, s, store.Query{Kind: "entry"})
	same(t, 900, len(got))
	for i, rec := range got {
		if rec.ID != fmt.Sprintf("%06d", i) || rec.Version != 1 {
			t.Fatalf("entry %d is %+v", i, rec)
		}
	}
}

func times(t *testing.T, s Store) {
	vienna := time.FixedZone("CET", 3600)
	for i, c := range []struct{ in, want time.Time }{
		{noon.Add(123456789), noon.Add(123456000)},
		{noon.Add(-1), noon.Add(-time.Microsecond)},
		{noon.In(vienna), noon},
		{time.Time{}, time.Time{}},
		{time.Unix(0, 0), time.Unix(0, 0).UTC()},
		{time.Unix(-1, -1), time.UnixMicro(-1000001).UTC()},
		{time.Date(9999, 12, 31, 23, 59, 59, 999999000, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 999999000, time.UTC)},
	} {
		id := fmt.Sprint(i)
		put(t, s, record("change", id, c.in))
		got := get(t, s, "change", id)
		if !got.Time.Equal(c.want) || got.Time.Location() != time.UTC {
			t.Errorf("%s came back as %s, want %s", c.in, got.Time, c.want)
		}
	}
	same(t, []string{"3", "5", "4", "1", "2", "0", "6"}, ids(t, s, store.Query{Kind: "change"}))
}

func bigBodies(t *testing.T, s Store) {
	random := make([]byte, 8<<20)
	for i := range random {
		random[i] = "0123456789abcdef"[rand.IntN(16)] // nothing that compresses away
	}
	a, b, c := record("diagnosis", "a", noon), record("diagnosis", "b", noon.Add(1e6)), record("diagnosis", "c", noon.Add(2e6))
	a.Body, b.Body, c.Body = random, random[:1<<20+1], random[:100]
	put(t, s, a, b, c)
	for i, got := range list(t, s, store.Query{Kind: "diagnosis"}) {
		if want := []store.Record{a, b, c}[i]; !bytes.Equal(want.Body, got.Body) {
			t.Errorf("%s has %d bytes, want %d, or they differ", got.ID, len(got.Body), len(want.Body))
		}
	}
	b.Version, b.Body = 1, random[7<<20-1:]
	put(t, s, b)
	if got := get(t, s, "diagnosis", "b"); !bytes.Equal(b.Body, got.Body) {
		t.Errorf("the new body of b has %d bytes, want %d, or they differ", len(got.Body), len(b.Body))
	}
}

func hostileIDs(t *testing.T, s Store) {
	all := []string{"'; DROP TABLE records; --", `"`, `\`, `\x41`, "$1", "?", "%", "_", "a\x00b", "a\x00", "\x00", "\xff\xfe", "\xc3\x28", "ä", "a\u0308", "Ä", "A", "a", " ", "  ", "\n",
		"\t", "../../etc/passwd", "INC-1/opened 1/slack", "NULL", "0", "00", "0.0", "1e3", "true", "☃", "\u202e", strings.Repeat("x", 1024), strings.Repeat("\xff", 1024)}
	var batch []store.Record
	for _, id := range all {
		rec := record("notice", id, noon)
		rec.Parent = id
		batch = append(batch, rec)
	}
	put(t, s, batch...)
	for _, id := range all {
		if got := get(t, s, "notice", id); got.ID != id || got.Parent != id {
			t.Errorf("%q came back as %q of %q", id, got.ID, got.Parent)
		}
		same(t, []string{id}, ids(t, s, store.Query{Kind: "notice", Parent: id}))
		if err := update(t.Context(), s, "notice", id, func(r *store.Record) { r.State = "sent" }); err != nil {
			t.Errorf("%q: %v", id, err)
		}
	}
	got := ids(t, s, store.Query{Kind: "notice", State: "sent"})
	same(t, len(all), len(got))
	for i := 1; i < len(got); i++ {
		if got[i-1] >= got[i] {
			t.Errorf("%q before %q: ids are ordered byte by byte", got[i-1], got[i])
		}
	}
	same(t, got[5:7], ids(t, s, store.Query{Kind: "notice", After: store.Cursor{Time: noon, ID: got[4]}, Limit: 2}))
}

func cancelled(t *testing.T, s Store) {
	put(t, s, record("incident", "a", noon))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, getErr := s.Get(ctx, "incident", "a")
	_, listErr := s.List(ctx, store.Query{Kind: "incident"})
	_, deleteErr := s.Delete(ctx, "incident", noon.Add(time.Hour))
	_, leadErr := s.Lead(ctx, "detect", "a", time.Minute)
	for name, err := range map[string]error{"Get": getErr, "List": listErr, "Put": s.Put(ctx, record("incident", "b", noon)), "Delete": deleteErr, "Lead": leadErr} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v, want context.Canceled", name, err)
		}
	}
	same(t, []string{"a"}, ids(t, s, store.Query{Kind: "incident"}))

	// One that ends in the middle of a large write: whole, or nothing, and the store goes on.
	batch := numbered("entry", 20000)
	for i := range 8 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(1+10*i)*time.Millisecond)
		err := s.Put(ctx, batch...)
		cancel()
		n := len(list(t, s, store.Query{Kind: "entry", Limit: len(batch) + 1}))
		if err == nil && n == len(batch) || n == len(batch) && isConflict(err) {
			break // the machine is fast
		}
		if n != 0 && n != len(batch) || err == nil {
			t.Fatalf("a Put that was cut off left %d of %d records (%v)", n, len(batch), err)
		}
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a Put that was cut off: %v, want context.DeadlineExceeded", err)
		}
	}
	put(t, s, record("incident", "c", noon))
}
