package storetest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/inquesthq/inquest/internal/store"
)

// batch is how many records of one Put must be there together.
const batch = 5

// WriteForever puts records in a loop, two writers at once, and acknowledges each Put with its number on a line of w, until a write fails or ctx
// ends. first tells the runs of one test apart.
func WriteForever(ctx context.Context, s store.Records, first string, w io.Writer) error {
	errs := make(chan error, 2)
	acks := make(chan string)
	for writer := range cap(errs) {
		go func() {
			for n := 0; ; n++ {
				id := fmt.Sprintf("%s-%d-%06d", first, writer, n)
				if err := writeBatch(ctx, s, id); err != nil {
					errs <- err
					return
				}
				acks <- id
			}
		}()
	}
	for {
		select {
		case err := <-errs:
			return err
		case id := <-acks:
			if _, err := io.WriteString(w, id+"\n"); err != nil {
				return err
			}
		}
	}
}

// writeBatch puts one incident with its entries, and a new version of the record that the batch before has left.
func writeBatch(ctx context.Context, s store.Records, id string) error {
	last, err := s.Get(ctx, "roster", id[:len(id)-7])
	if errors.Is(err, store.ErrNotFound) {
		last, err = store.Record{Kind: "roster", ID: id[:len(id)-7]}, nil
	}
	if err != nil {
		return err
	}
	last.State = id
	records := []store.Record{last, record("incident", id, noon)}
	for i := range batch - 1 {
		rec := record("entry", id+"/"+strconv.Itoa(i), noon)
		rec.Parent, rec.Body = id, []byte(`"`+strings.Repeat(strconv.Itoa(i), 3000)+`"`) // over several pages
		records = append(records, rec)
	}
	return s.Put(ctx, records...)
}

// Kill runs a process, which is to print the acknowledgements of WriteForever, lets it go for a while after the first one, ends it with strike, and
// returns what was acknowledged.
func Kill(t *testing.T, child *exec.Cmd, after time.Duration, strike func() error) []string {
	t.Helper()
	var stderr strings.Builder
	child.Stderr = &stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	var acked []string
	struck := make(chan error, 1)
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if len(acked) == 0 {
			time.AfterFunc(after, func() { struck <- strike() })
		}
		acked = append(acked, lines.Text())
	}
	if len(acked) == 0 {
		_ = child.Process.Kill()
		t.Fatalf("the child wrote nothing (%v): %s", child.Wait(), &stderr)
	}
	if err := <-struck; err != nil {
		t.Error(err)
	}
	var exit *exec.ExitError
	if err := child.Wait(); !errors.As(err, &exit) {
		t.Errorf("the child ended by itself: %v: %s", err, &stderr)
	} else if status, ok := exit.Sys().(syscall.WaitStatus); ok && !status.Signaled() {
		t.Logf("the child: %s", &stderr)
	}
	return acked
}

// Verify checks that every acknowledged Put of WriteForever is there, and none half.
func Verify(t *testing.T, s store.Records, acked []string) {
	t.Helper()
	incidents := map[string]bool{}
	all(t, s, "incident", func(rec store.Record) { incidents[rec.ID] = true })
	for _, id := range acked {
		if !incidents[id] {
			t.Errorf("%s was acknowledged and is not there", id)
		}
	}
	entries := map[string]int{}
	all(t, s, "entry", func(rec store.Record) {
		entries[rec.Parent]++
		if len(rec.Body) != 3002 || rec.Version != 1 {
			t.Errorf("entry %s has %d bytes and version %d", rec.ID, len(rec.Body), rec.Version)
		}
	})
	for id := range incidents {
		if entries[id] != batch-1 {
			t.Errorf("%s has %d of its %d entries", id, entries[id], batch-1)
		}
	}
	for id := range entries {
		if !incidents[id] {
			t.Errorf("there are entries of %s, but not itself", id)
		}
	}
	all(t, s, "roster", func(rec store.Record) { // the version counts the Puts of its writer
		n, err := strconv.Atoi(rec.State[len(rec.State)-6:])
		if err != nil || rec.Version != int64(n)+1 {
			t.Errorf("%s is at version %d after %s", rec.ID, rec.Version, rec.State)
		}
		if !incidents[rec.State] {
			t.Errorf("%s was written with %s, which is not there", rec.ID, rec.State)
		}
	})
}

// all gives every record of a kind to f.
func all(t *testing.T, s store.Records, kind string, f func(store.Record)) {
	t.Helper()
	q := store.Query{Kind: kind}
	for {
		page, err := s.List(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			return
		}
		for _, rec := range page {
			f(rec)
		}
		last := page[len(page)-1]
		q.After = store.Cursor{Time: last.Time, ID: last.ID}
	}
}
