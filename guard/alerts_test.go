package guard_test

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/inquesthq/inquest/guard"
)

func TestAnAlertIsToldAgainWhenItsWindowHasEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &pager{}
		g, _ := newGuard(t, guard.Config{Notifier: p}) // ten minutes
		h := g.Handle(returning(errors.New("boom")))
		for _, c := range []struct {
			wait             time.Duration
			told, suppressed int
		}{
			{0, 1, 0},
			{time.Minute, 1, 0},
			{9*time.Minute - time.Nanosecond, 1, 0},
			{time.Nanosecond, 2, 2}, // two were not told
			{10*time.Minute - time.Nanosecond, 2, 2},
			{time.Hour, 3, 1},
			{10 * time.Minute, 4, 0},
		} {
			time.Sleep(c.wait)
			serve(h, get("/"))
			g.Wait()
			if last := p.alerts[len(p.alerts)-1]; len(p.alerts) != c.told || last.Suppressed != c.suppressed {
				t.Errorf("after %v: %d alerts, the last with %d suppressed; want %d, %d", c.wait, len(p.alerts), last.Suppressed, c.told, c.suppressed)
			}
		}
	})
}

//go:noinline
func explode(w http.ResponseWriter, n int) { panic(fmt.Sprintf("order %d is lost in %p", n, w)) }

func TestTheSameFailureIsOneAlertWhateverItSays(t *testing.T) {
	for name, c := range map[string]struct {
		f    func(w http.ResponseWriter, n int) error
		want int // alerts of eight failures
	}{
		"an error that names what it is about": {func(_ http.ResponseWriter, n int) error { return fmt.Errorf("order %d not found", n) }, 1},
		"one that wraps":                       {func(_ http.ResponseWriter, n int) error { return fmt.Errorf("order %d: %w", n, errors.ErrUnsupported) }, 1},
		"one with a trace":                     {func(_ http.ResponseWriter, n int) error { return guard.Trace(fmt.Errorf("order %d not found", n)) }, 1},
		"a panic, its arguments other each time": {func(w http.ResponseWriter, n int) error {
			explode(w, n)
			return nil
		}, 1},
		"an answer of its own with an id": {func(w http.ResponseWriter, n int) error {
			w.WriteHeader(http.StatusInternalServerError)
			_, err := fmt.Fprintf(w, `{"error":"failed","request":%d}`, n)
			return err
		}, 1},
		"panics at two places": {func(w http.ResponseWriter, n int) error {
			if n%2 == 0 {
				panic("even")
			}
			explode(w, n)
			return nil
		}, 2},
		"answers with two statuses": {func(w http.ResponseWriter, n int) error {
			w.WriteHeader(http.StatusBadGateway + n%2)
			return nil
		}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			p := &pager{}
			g, k := newGuard(t, guard.Config{Notifier: p})
			n := 0
			h := g.Handle(func(w http.ResponseWriter, _ *http.Request) error {
				n++
				return c.f(w, n)
			})
			for i := range 8 { // without a mux: the path is all that is known
				serve(h, get(fmt.Sprintf("/orders/ab%d-4f", i)))
			}
			g.Wait()
			if len(p.alerts) != c.want || len(k.records()) != 8 {
				t.Errorf("%d alerts of %d records, want %d", len(p.alerts), len(k.records()), c.want)
			}
		})
	}
}
