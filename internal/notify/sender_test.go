package notify_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/notify"
	"github.com/inquesthq/inquest/internal/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestANoticeIsSentOnceAndWrittenDown(t *testing.T) {
	w := newWorld(t)
	s := serve(t, nil)
	id := w.due(inquest.OccasionOpened, "hook", began)
	w.runUntil(w.sender(nil, hook("hook", s)), w.settled)
	n := w.notice(id)
	if n.State != inquest.NoticeSent || n.Attempts != 1 || n.Sent.IsZero() || n.Error != "" || !n.Next.IsZero() {
		t.Errorf("notice %+v", n)
	}
	if got := s.requests(); len(got) != 1 || got[0].header.Get("Webhook-Id") != id {
		t.Errorf("%d requests", len(got))
	}
	if got := w.entries(); got != "notice opened: delivered to hook\n" {
		t.Errorf("timeline %q", got)
	}
}

func TestWhatFailsIsTriedAgainUnderTheSameID(t *testing.T) {
	for name, answer := range map[string]func(n int, w http.ResponseWriter, r *http.Request){
		"it answers 500": func(n int, w http.ResponseWriter, _ *http.Request) {
			if n < 3 {
				w.WriteHeader(http.StatusInternalServerError)
			}
		},
		"it hangs up": func(n int, w http.ResponseWriter, _ *http.Request) {
			if n < 3 {
				c, _, _ := w.(http.Hijacker).Hijack()
				_ = c.Close()
			}
		},
		"it answers 408": func(n int, w http.ResponseWriter, _ *http.Request) {
			if n < 3 {
				w.WriteHeader(http.StatusRequestTimeout)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			s := serve(t, answer)
			id := w.due(inquest.OccasionOpened, "hook", time.Now())
			w.runUntil(w.sender(nil, hook("hook", s)), w.settled)
			n := w.notice(id)
			got := s.requests()
			if n.State != inquest.NoticeSent || n.Attempts != 3 || len(got) != 3 {
				t.Errorf("%d requests, notice %+v", len(got), n)
			}
			for _, r := range got {
				if r.header.Get("Webhook-Id") != id || r.header.Get("Idempotency-Key") != id {
					t.Errorf("an attempt went out as %q", r.header.Get("Webhook-Id"))
				}
			}
			story := w.entries()
			if strings.Count(story, "could not tell hook yet") != 1 || !strings.Contains(story, "delivered to hook") {
				t.Errorf("timeline:\n%s", story)
			}
		})
	}
}

func TestRetryAfterIsHonouredByTheWholeChannel(t *testing.T) {
	w := newWorld(t)
	s := serve(t, func(n int, w http.ResponseWriter, _ *http.Request) {
		if n == 1 {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
		}
	})
	w.due(inquest.OccasionOpened, "hook", time.Now().Add(-time.Second))
	w.put("incident", "INC-2", "", "open", began, outage())
	w.put("notice", "INC-2/opened-1/hook", "INC-2", "due", began, inquest.Notice{ID: "INC-2/opened-1/hook", Incident: "INC-2", Occasion: inquest.OccasionOpened, Channel: "hook", State: inquest.NoticeDue, Created: time.Now(), Next: began})
	w.runUntil(w.sender(nil, hook("hook", s)), w.settled)
	if len(s.when) != 3 {
		t.Fatalf("%d requests", len(s.when))
	}
	for _, later := range s.when[1:] {
		if d := later.Sub(s.when[0]); d < 950*time.Millisecond {
			t.Errorf("asked again after %s", d)
		}
	}
}

func TestWhatWasPlannedBeforeTheClockWasSetBackIsSent(t *testing.T) {
	w := newWorld(t)
	s := serve(t, nil)
	ahead := time.Now().Add(30 * time.Minute)
	put := func(o inquest.Occasion, attempts int, created, next time.Time) string {
		incident := "INC-" + string(o)
		w.put("incident", incident, "", "open", began, outage())
		id := incident + "/" + string(o) + "-1/hook"
		w.put("notice", id, incident, "due", next, inquest.Notice{ID: id, Incident: incident, Occasion: o, Channel: "hook", State: inquest.NoticeDue, Created: created, Next: next, Attempts: attempts})
		return id
	}
	first := put(inquest.OccasionOpened, 0, ahead, ahead.Add(10*time.Second))
	again := put(inquest.OccasionWorse, 3, ahead, ahead.Add(2*time.Hour))
	waits := put(inquest.OccasionResolved, 1, time.Now().Add(-time.Minute), time.Now().Add(4*time.Minute))
	w.runUntil(w.sender(nil, hook("hook", s)), func() bool {
		return w.notice(first).State == inquest.NoticeSent && w.notice(again).State == inquest.NoticeSent
	})
	if n := w.notice(waits); n.State != inquest.NoticeDue || n.Attempts != 1 || len(s.requests()) != 2 {
		t.Errorf("%d requests, and the one that waits for its next attempt is %+v", len(s.requests()), n)
	}
}

func TestWhatTheChannelRefusesIsGivenUpAtOnce(t *testing.T) {
	elsewhere := serve(t, nil)
	for name, c := range map[string]struct {
		answer func(w http.ResponseWriter)
		want   string
	}{
		"400": {func(w http.ResponseWriter) { http.Error(w, "invalid_blocks", http.StatusBadRequest) }, "it answered 400: invalid_blocks"},
		"a redirect": {func(w http.ResponseWriter) {
			w.Header().Set("Location", elsewhere.URL)
			w.WriteHeader(http.StatusFound)
		}, "redirects are not followed"},
		"404":          {func(w http.ResponseWriter) { w.WriteHeader(http.StatusNotFound) }, "it answered 404"},
		"a long story": {func(w http.ResponseWriter) { http.Error(w, strings.Repeat("no ", 1<<20), http.StatusForbidden) }, "it answered 403: no no"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			s := serve(t, func(_ int, w http.ResponseWriter, _ *http.Request) { c.answer(w) })
			id := w.due(inquest.OccasionOpened, "hook", time.Now())
			w.runUntil(w.sender(nil, hook("hook", s)), w.settled)
			n := w.notice(id)
			if n.State != inquest.NoticeFailed || n.Attempts != 1 || !strings.Contains(n.Error, c.want) || len(n.Error) > 600 {
				t.Errorf("notice %+v, want %q", n, c.want)
			}
			if story := w.entries(); !strings.Contains(story, "could not tell hook, given up after 1 attempts") {
				t.Errorf("timeline:\n%s", story)
			}
		})
	}
	if got := elsewhere.requests(); len(got) != 0 {
		t.Error("the redirect was followed")
	}
}

func TestAHangingChannelDelaysNobody(t *testing.T) {
	w := newWorld(t)
	release := make(chan struct{})
	hangs := serve(t, func(_ int, _ http.ResponseWriter, _ *http.Request) { <-release })
	dead, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = dead.Close() // refuses
	fine := serve(t, nil)
	for i := range 20 {
		w.due(inquest.Occasion("hangs-"+string(rune('a'+i))), "hangs", time.Now())
		w.due(inquest.Occasion("dead-"+string(rune('a'+i))), "dead", time.Now())
	}
	id := w.due(inquest.OccasionOpened, "fine", time.Now())
	refused := notify.Channel{Name: "dead", Webhook: &notify.Webhook{URL: notify.Secret("http://" + dead.Addr().String())}, Allow: loopback}
	start := time.Now()
	w.runUntil(w.sender(func(c *notify.Config) { c.Timeout = 3 * time.Second }, hook("hangs", hangs), refused, hook("fine", fine)), func() bool {
		return w.notice(id).State == inquest.NoticeSent
	})
	took := fine.when[0].Sub(start)
	close(release)
	if took > 2*time.Second {
		t.Errorf("the healthy channel waited %s", took)
	}
}

func TestATimeoutSaysSo(t *testing.T) {
	w := newWorld(t)
	release := make(chan struct{})
	s := serve(t, func(_ int, _ http.ResponseWriter, _ *http.Request) { <-release })
	id := w.due(inquest.OccasionOpened, "hook", time.Now())
	w.runUntil(w.sender(func(c *notify.Config) { c.Timeout = 100 * time.Millisecond; c.Backoff = time.Minute }, hook("hook", s)), func() bool { return w.notice(id).Error != "" })
	close(release)
	n := w.notice(id)
	if n.Error != "no answer within 100ms" || n.State != inquest.NoticeDue || time.Until(n.Next) < 29*time.Second {
		t.Errorf("notice %+v", n)
	}
}

func TestItGivesUpAfterAWhile(t *testing.T) {
	w := newWorld(t)
	s := serve(t, func(_ int, w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	id := w.due(inquest.OccasionOpened, "hook", time.Now().Add(-6*time.Hour-time.Minute))
	w.runUntil(w.sender(nil, hook("hook", s)), w.settled)
	if n := w.notice(id); n.State != inquest.NoticeFailed || n.Error != "it answered 502" {
		t.Errorf("notice %+v", n)
	}
}

func TestMessagesOfAnIncidentKeepTheirOrderWithinAChannel(t *testing.T) {
	w := newWorld(t)
	s := serve(t, func(n int, w http.ResponseWriter, _ *http.Request) {
		if n <= 2 {
			w.WriteHeader(http.StatusBadGateway)
		}
	})
	at := time.Now()
	w.due(inquest.OccasionOpened, "hook", at)
	w.due(inquest.OccasionAcknowledged, "hook", at.Add(time.Millisecond))
	w.due(inquest.OccasionResolved, "hook", at.Add(2*time.Millisecond))
	w.runUntil(w.sender(nil, hook("hook", s)), w.settled)
	var got []string
	for _, r := range s.requests() {
		got = append(got, strings.Split(r.header.Get("Webhook-Id"), "/")[1])
	}
	if want := []string{"opened-1", "opened-1", "opened-1", "acknowledged-1", "resolved-1"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestSendersOfTwoServersShareTheWork(t *testing.T) {
	w := newWorld(t)
	s := serve(t, nil)
	const many = 60
	for i := range many {
		incident := outage()
		incident.ID = "INC-" + string(rune('A'+i/10)) + string(rune('0'+i%10))
		w.put("incident", incident.ID, "", "open", began, incident)
		id := incident.ID + "/opened-1/hook"
		w.put("notice", id, incident.ID, "due", began, inquest.Notice{ID: id, Incident: incident.ID, Occasion: inquest.OccasionOpened, Channel: "hook", State: inquest.NoticeDue, Created: began, Next: began})
	}
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() { w.runUntil(w.sender(nil, hook("hook", s)), w.settled) })
	}
	all.Wait()
	times := map[string]int{}
	for _, r := range s.requests() {
		times[r.header.Get("Webhook-Id")]++
	}
	if len(times) != many {
		t.Errorf("%d notices were sent, not %d", len(times), many)
	}
	for id, n := range times {
		if n != 1 {
			t.Errorf("%s was sent %d times", id, n)
		}
	}
}

func TestWhatAServerThatDiedHadClaimedIsSentByAnother(t *testing.T) {
	w := newWorld(t)
	s := serve(t, nil)
	id := w.due(inquest.OccasionOpened, "hook", began)
	n := w.notice(id)
	n.Attempts, n.Next = 1, time.Now().Add(time.Minute) // claimed, and never heard of again
	w.put("notice", id, n.Incident, "due", n.Next, n)

	var ahead atomic.Int64
	sender := w.sender(func(c *notify.Config) {
		c.Now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	}, hook("hook", s))
	go func() {
		time.Sleep(100 * time.Millisecond)
		if got := s.requests(); len(got) != 0 {
			t.Errorf("it was sent while another server may be at it")
		}
		ahead.Store(int64(time.Minute))
	}()
	w.runUntil(sender, w.settled)
	if got := w.notice(id); got.State != inquest.NoticeSent || got.Attempts != 2 || len(s.requests()) != 1 {
		t.Errorf("%d requests, notice %+v", len(s.requests()), got)
	}
}

func TestAnAttemptThatHasBegunIsBroughtToItsEnd(t *testing.T) {
	w := newWorld(t)
	begun := make(chan struct{})
	s := serve(t, func(_ int, _ http.ResponseWriter, _ *http.Request) {
		close(begun)
		time.Sleep(300 * time.Millisecond)
	})
	id := w.due(inquest.OccasionOpened, "hook", began)
	w.runUntil(w.sender(nil, hook("hook", s)), func() bool {
		select {
		case <-begun:
			return true
		default:
			return false
		}
	})
	if n := w.notice(id); n.State != inquest.NoticeSent {
		t.Errorf("the stop tore it: %+v", n)
	}
}

func TestAStoreThatIsAwayForAMomentCostsNoSecondMessage(t *testing.T) {
	w := newWorld(t)
	s := serve(t, nil)
	id := w.due(inquest.OccasionOpened, "hook", began)
	var failed atomic.Int32
	w.records.fail = func(records []store.Record) error {
		if len(records) == 2 && failed.Add(1) <= 2 { // the notice and its entry: what came of the attempt
			return errors.New("connection refused")
		}
		return nil
	}
	w.runUntil(w.sender(nil, hook("hook", s)), w.settled)
	if n := w.notice(id); n.State != inquest.NoticeSent || len(s.requests()) != 1 {
		t.Errorf("%d requests, notice %+v", len(s.requests()), n)
	}
}

func TestDryRunSendsNothingAndSaysWhatItWould(t *testing.T) {
	w := newWorld(t)
	s := serve(t, nil)
	id := w.due(inquest.OccasionOpened, "hook", began)
	c := hook("hook", s)
	c.DryRun = true
	w.runUntil(w.sender(nil, c), w.settled)
	if n := w.notice(id); n.State != inquest.NoticeDry || len(s.requests()) != 0 || !n.Sent.IsZero() {
		t.Errorf("%d requests, notice %+v", len(s.requests()), n)
	}
	if got := w.entries(); !strings.Contains(got, "would have told hook, which is in dry run") {
		t.Errorf("timeline %q", got)
	}
}

func TestNoticesThatCannotBeSent(t *testing.T) {
	w := newWorld(t)
	s := serve(t, nil)
	nowhere := w.due(inquest.OccasionOpened, "renamed", began)
	w.put("notice", "INC-0/opened-1/hook", "INC-0", "due", began, inquest.Notice{ID: "INC-0/opened-1/hook", Incident: "INC-0", Occasion: inquest.OccasionOpened, Channel: "hook", State: inquest.NoticeDue, Created: began})
	w.runUntil(w.sender(nil, hook("hook", s)), w.settled)
	if n := w.notice(nowhere); n.State != inquest.NoticeFailed || n.Error != "there is no channel renamed in the settings" {
		t.Errorf("%+v", n)
	}
	if n := w.notice("INC-0/opened-1/hook"); n.State != inquest.NoticeFailed || !strings.Contains(n.Error, "is not there any more") {
		t.Errorf("%+v", n)
	}
}

func TestARunThatIsNotNeededEnds(t *testing.T) {
	w := newWorld(t)
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := w.sender(nil).Run(ctx); err != nil {
		t.Error(err)
	}
}
