package notify_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/notify"
)

// sent sends one occasion and returns the body that the channel's server got.
func sent(t *testing.T, o inquest.Occasion, change func(*inquest.Incident), channel func(s *server) notify.Channel) (map[string]any, request) {
	t.Helper()
	w := newWorld(t)
	inc := outage()
	if change != nil {
		change(&inc)
		w.put("incident", inc.ID, "", string(inc.State), began, inc)
	}
	s := serve(t, func(_ int, w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) })
	c := channel(s)
	c.Name, c.Allow = "c", loopback
	id := w.due(o, "c", began)
	n := w.notice(id)
	n.To = "ada"
	w.put("notice", id, n.Incident, "due", began, n)
	w.runUntil(w.sender(nil, c), w.settled)
	if n := w.notice(id); n.State != inquest.NoticeSent {
		t.Fatalf("notice %+v", n)
	}
	got := s.requests()
	if len(got) != 1 {
		t.Fatalf("%d requests", len(got))
	}
	var body map[string]any
	if err := json.Unmarshal(got[0].body, &body); err != nil {
		t.Fatal(err)
	}
	return body, got[0]
}

// at walks through decoded JSON: keys of objects and indices of arrays.
func at(v any, path ...any) any {
	for _, p := range path {
		switch p := p.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[p]
		case int:
			a, _ := v.([]any)
			if p >= len(a) {
				return nil
			}
			v = a[p]
		}
	}
	return v
}

func same(t *testing.T, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

var facts = map[string]any{
	"State": "open", "Verdict": "probable (80%): The pool of checkout-db is exhausted.",
	"Blast radius": "checkout: 120 of 1000 requests failed (12.0%); 2 users have reported it; 9000 EUR so far",
	"First action": "Restart the <workers>", "Since": "2026-11-29 12:00:00 UTC", "For": "ada",
}

func TestPagerDutyGetsTriggerAcknowledgeAndResolveUnderOneKey(t *testing.T) {
	pager := func(s *server) notify.Channel {
		return notify.Channel{PagerDuty: &notify.PagerDuty{RoutingKey: "R0UT1NG", URL: s.URL + "/v2/enqueue"}}
	}
	body, r := sent(t, inquest.OccasionOpened, nil, pager)
	same(t, body, map[string]any{
		"routing_key": "R0UT1NG", "event_action": "trigger", "dedup_key": "INC-20261129-7KQ2", "client": "Inquest", "client_url": "https://inquest.example.com/incidents/INC-20261129-7KQ2",
		"payload": map[string]any{
			"summary": "SEV-2 opened: HighErrorRate on checkout [INC-20261129-7KQ2]", "source": "checkout", "severity": "error", "timestamp": "2026-11-29T12:00:00Z",
			"component": "checkout", "class": "database/pool-exhausted", "custom_details": facts,
		},
		"links": []any{map[string]any{"href": "https://inquest.example.com/incidents/INC-20261129-7KQ2", "text": "Incident INC-20261129-7KQ2"}},
	})
	same(t, r.path, "/v2/enqueue")
	for o, action := range map[inquest.Occasion]string{
		inquest.OccasionAcknowledged: "acknowledge", inquest.OccasionResolved: "resolve", inquest.OccasionReopened: "trigger", inquest.OccasionEscalated: "trigger", inquest.OccasionDiagnosed: "trigger",
	} {
		body, _ := sent(t, o, nil, pager)
		same(t, []any{body["event_action"], body["dedup_key"]}, []any{action, "INC-20261129-7KQ2"})
	}
}

func TestSlackGetsBlocksThatNobodyCanAbuse(t *testing.T) {
	body, _ := sent(t, inquest.OccasionOpened, func(i *inquest.Incident) { i.Title = "<!channel> down & *out*" }, func(s *server) notify.Channel {
		return notify.Channel{Slack: &notify.Slack{URL: notify.Secret(s.URL)}, People: map[string]string{"ada": "U123"}}
	})
	same(t, body["text"], "<@U123> SEV-2 opened: &lt;!channel&gt; down &amp; *out* [INC-20261129-7KQ2]")
	facts, _ := at(body, "blocks", 1, "text", "text").(string)
	for _, want := range []string{"*Verdict:* probable (80%)", "*Blast radius:* checkout: 120 of 1000", "*First action:* Restart the &lt;workers&gt;"} {
		if !strings.Contains(facts, want) {
			t.Errorf("no %q in %q", want, facts)
		}
	}
	same(t, at(body, "blocks", 2, "elements", 0, "url"), "https://inquest.example.com/incidents/INC-20261129-7KQ2#acknowledge")
	same(t, at(body, "blocks", 2, "elements", 1, "text", "text"), "Open incident")
}

func TestSlacksButtonAcknowledgesWhereItsAppIsSetUp(t *testing.T) {
	interactive := func(s *server) notify.Channel {
		return notify.Channel{Slack: &notify.Slack{URL: notify.Secret(s.URL), Interactive: true}}
	}
	body, _ := sent(t, inquest.OccasionOpened, nil, interactive)
	button := at(body, "blocks", 2, "elements", 0)
	same(t, []any{at(button, "action_id"), at(button, "value"), at(button, "url")}, []any{"acknowledge", "INC-20261129-7KQ2", nil})
	body, _ = sent(t, inquest.OccasionAcknowledged, func(i *inquest.Incident) { i.State, i.Owner = inquest.IncidentAcknowledged, "ben" }, interactive)
	same(t, at(body, "blocks", 2, "elements", 0, "action_id"), "open") // nothing is left to acknowledge
}

func TestTeamsGetsAnAdaptiveCard(t *testing.T) {
	body, _ := sent(t, inquest.OccasionResolved, func(i *inquest.Incident) { i.State = inquest.IncidentResolved }, func(s *server) notify.Channel {
		return notify.Channel{Teams: &notify.Teams{URL: notify.Secret(s.URL)}}
	})
	content := at(body, "attachments", 0, "content")
	same(t, at(body, "attachments", 0, "contentType"), "application/vnd.microsoft.card.adaptive")
	same(t, []any{at(content, "type"), at(content, "body", 0, "text"), at(content, "body", 0, "color"), at(content, "actions", 0, "url")},
		[]any{"AdaptiveCard", "SEV-2 resolved: HighErrorRate on checkout [INC-20261129-7KQ2]", "Good", "https://inquest.example.com/incidents/INC-20261129-7KQ2"})
	same(t, at(content, "body", 1, "facts", 0), map[string]any{"title": "State", "value": "resolved"})
}

func TestWebhooksAreSignedAsTheStandardHasIt(t *testing.T) {
	key := []byte("0123456789abcdef0123456789abcdef")
	for name, secret := range map[string]string{"base64": "whsec_" + base64.StdEncoding.EncodeToString(key), "text": string(key)} {
		t.Run(name, func(t *testing.T) {
			body, r := sent(t, inquest.OccasionOpened, nil, func(s *server) notify.Channel {
				return notify.Channel{Webhook: &notify.Webhook{URL: notify.Secret(s.URL), Secret: notify.Secret(secret), Authorization: "Bearer t0ken"}}
			})
			mac := hmac.New(sha256.New, key)
			fmt.Fprintf(mac, "%s.%s.%s", r.header.Get("Webhook-Id"), r.header.Get("Webhook-Timestamp"), r.body)
			same(t, r.header.Get("Webhook-Signature"), "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
			unix, err := strconv.ParseInt(r.header.Get("Webhook-Timestamp"), 10, 64)
			if err != nil || time.Since(time.Unix(unix, 0)).Abs() > time.Minute {
				t.Errorf("timestamp %q", r.header.Get("Webhook-Timestamp"))
			}
			same(t, r.header.Get("Authorization"), "Bearer t0ken")
			same(t, []any{body["schema"], body["occasion"], body["to"], at(body, "incident", "id"), body["link"]},
				[]any{"inquest/notice/v1", "opened", "ada", "INC-20261129-7KQ2", "https://inquest.example.com/incidents/INC-20261129-7KQ2"})
			if at(body, "incident", "desk") != nil {
				t.Error("what the desk notes for itself went out")
			}
		})
	}
}

func TestAnAlertOfItsOwnIsTold(t *testing.T) {
	w := newWorld(t)
	s := serve(t, nil)
	w.put("alert", "abc", "search", "firing", began, inquest.Alert{Rule: "NewPattern", Labels: map[string]string{"service": "search"}, Annotations: map[string]string{"summary": "A new error in search"}, State: inquest.AlertFiring, Fired: began})
	w.put("notice", "alert/abc/alert-1/c", "abc", "due", began, inquest.Notice{ID: "alert/abc/alert-1/c", Alert: "abc", Occasion: inquest.OccasionAlert, Channel: "c", State: inquest.NoticeDue, Created: began})
	w.runUntil(w.sender(nil, hook("c", s)), w.settled)
	var body map[string]any
	if err := json.Unmarshal(s.requests()[0].body, &body); err != nil {
		t.Fatal(err)
	}
	same(t, []any{body["title"], at(body, "alert", "rule")}, []any{"alert: A new error in search", "NewPattern"})
}

func TestVerdictsAndRadiiInWords(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*inquest.Incident)
		want   map[string]any
	}{
		"before the first investigation": {func(i *inquest.Incident) {
			i.Revision, i.Verdict, i.Requests, i.Reports, i.Cost = 0, inquest.VerdictSummary{}, 0, 1, 0
		},
			map[string]any{"Verdict": "not investigated yet", "Blast radius": "checkout; one user has reported it"}},
		"an open verdict": {func(i *inquest.Incident) {
			i.Verdict = inquest.VerdictSummary{Level: inquest.Open, Summary: "No layer but the response was read."}
		},
			map[string]any{"Verdict": "open: No layer but the response was read."}},
		"a repeat, taken": {func(i *inquest.Incident) { i.Repeats, i.Owner, i.State = "INC-1", "ada", inquest.IncidentAcknowledged },
			map[string]any{"Repeat": "the same cause as INC-1", "State": "acknowledged, ada has it"}},
		"control characters": {func(i *inquest.Incident) { i.Verdict.Summary = "a\x1b[31mb\r\nBcc: x" }, map[string]any{"Verdict": `probable (80%): a\x1b[31mb\r\nBcc: x`}},
	} {
		t.Run(name, func(t *testing.T) {
			body, _ := sent(t, inquest.OccasionOpened, c.change, func(s *server) notify.Channel {
				return notify.Channel{PagerDuty: &notify.PagerDuty{RoutingKey: "k", URL: s.URL}}
			})
			for k, want := range c.want {
				same(t, at(body, "payload", "custom_details", k), want)
			}
		})
	}
}

func TestTheInsideOfTheNetworkIsOutOfReach(t *testing.T) {
	s := serve(t, nil)
	_, port, _ := strings.Cut(strings.TrimPrefix(s.URL, "http://"), ":")
	for _, host := range []string{
		"127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "[::]", "127.1", "2130706433", "10.0.0.1", "172.16.3.4", "192.168.1.1", "169.254.169.254",
		"[fd00:ec2::254]", "[fe80::1]", "100.100.100.200", "[64:ff9b::a9fe:a9fe]", "[2002:7f00:1::]", "224.0.0.1", "255.255.255.255",
	} {
		t.Run(host, func(t *testing.T) {
			w := newWorld(t)
			id := w.due(inquest.OccasionOpened, "c", time.Now())
			c := notify.Channel{Name: "c", Webhook: &notify.Webhook{URL: notify.Secret("http://" + host + ":" + port)}}
			w.runUntil(w.sender(func(c *notify.Config) { c.Timeout = 2 * time.Second; c.Backoff = time.Hour }, c), func() bool { return w.notice(id).Error != "" })
			n := w.notice(id)
			numeric := !strings.Contains(host, ".") && !strings.Contains(host, ":") || host == "127.1" // names to a resolver; nothing to refuse when they resolve to nothing
			if n.State == inquest.NoticeSent || !numeric && (n.State != inquest.NoticeFailed || !strings.Contains(n.Error, "is inside of the network; if it is meant, list it under allow")) {
				t.Errorf("notice %+v", n)
			}
		})
	}
	if len(s.requests()) != 0 {
		t.Error("it was reached")
	}
}

func TestSecretsAreNeverShown(t *testing.T) {
	const secret = "T0PS3CRETPART"
	echo := serve(t, func(_ int, w http.ResponseWriter, r *http.Request) {
		http.Error(w, "bad "+r.URL.String()+" "+r.Header.Get("Authorization")+" key "+secret, http.StatusBadRequest)
	})
	channels := map[string]notify.Channel{
		"pagerduty":     {PagerDuty: &notify.PagerDuty{RoutingKey: secret, URL: echo.URL}},
		"slack":         {Slack: &notify.Slack{URL: notify.Secret(echo.URL + "/services/" + secret)}},
		"teams":         {Teams: &notify.Teams{URL: notify.Secret(echo.URL + "/?sig=" + secret)}},
		"webhook":       {Webhook: &notify.Webhook{URL: notify.Secret(echo.URL + "/" + secret), Authorization: secret, Secret: secret}},
		"nothing there": {Slack: &notify.Slack{URL: notify.Secret("http://127.0.0.1:1/services/" + secret)}},
		"no such name":  {Slack: &notify.Slack{URL: notify.Secret("http://nowhere.invalid/services/" + secret)}},
		"inside":        {Slack: &notify.Slack{URL: notify.Secret("http://10.1.2.3/services/" + secret)}},
		"password":      {Webhook: &notify.Webhook{URL: notify.Secret("http://me:" + secret + "@127.0.0.1:1/")}},
	}
	for name, c := range channels {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			c.Name, c.Allow = "c", loopback
			id := w.due(inquest.OccasionOpened, "c", time.Now())
			w.runUntil(w.sender(func(c *notify.Config) { c.Backoff = time.Hour }, c), func() bool { return w.notice(id).Error != "" })
			shown := []string{w.notice(id).Error, w.entries()}
			shown = append(shown, fmt.Sprintf("%v %+v %#v", c, c, c))
			for _, part := range []any{c.PagerDuty, c.Slack, c.Teams, c.Webhook} {
				b, err := json.Marshal(part)
				if err != nil {
					t.Fatal(err)
				}
				shown = append(shown, string(b), fmt.Sprintf("%v %+v %#v", part, part, part))
			}
			for _, s := range shown {
				if strings.Contains(s, secret) {
					t.Errorf("the secret stands in %q", s)
				}
			}
			for k, r := range w.records.records {
				if strings.Contains(string(r.Body), secret) {
					t.Errorf("the secret stands in the record %s", k)
				}
			}
		})
	}
}

func TestSettingsThatCannotBeMeantAreRefused(t *testing.T) {
	records := newMemory()
	for name, c := range map[string]struct {
		cfg  notify.Config
		want string
	}{
		"no records":           {notify.Config{}, "needs Records"},
		"no name":              {notify.Config{Records: records, Channels: []notify.Channel{{}}}, "a channel needs a name"},
		"no kind":              {notify.Config{Records: records, Channels: []notify.Channel{{Name: "a"}}}, "0 are set"},
		"two kinds":            {notify.Config{Records: records, Channels: []notify.Channel{{Name: "a", Slack: &notify.Slack{URL: "https://x"}, Teams: &notify.Teams{URL: "https://x"}}}}, "2 are set"},
		"twice the same name":  {notify.Config{Records: records, Channels: []notify.Channel{{Name: "a", Slack: &notify.Slack{URL: "https://x"}}, {Name: "a", Slack: &notify.Slack{URL: "https://x"}}}}, "two channels are called a"},
		"no routing key":       {notify.Config{Records: records, Channels: []notify.Channel{{Name: "a", PagerDuty: &notify.PagerDuty{}}}}, "needs a routing key"},
		"no url":               {notify.Config{Records: records, Channels: []notify.Channel{{Name: "a", Slack: &notify.Slack{}}}}, "it needs a url"},
		"a strange url":        {notify.Config{Records: records, Channels: []notify.Channel{{Name: "a", Webhook: &notify.Webhook{URL: "file:///etc/passwd"}}}}, "no http or https address"},
		"a broken secret":      {notify.Config{Records: records, Channels: []notify.Channel{{Name: "a", Webhook: &notify.Webhook{URL: "https://x", Secret: "whsec_!"}}}}, "no base64 follows"},
		"an address to allow":  {notify.Config{Records: records, Channels: []notify.Channel{{Name: "a", Allow: []string{"intranet"}, Slack: &notify.Slack{URL: "https://x"}}}}, "no network such as"},
		"a mail server":        {notify.Config{Records: records, Channels: []notify.Channel{{Name: "a", Email: &notify.Email{Host: "smtp"}}}}, "a server and a port"},
		"a sender of mail":     {notify.Config{Records: records, Channels: []notify.Channel{{Name: "a", Email: &notify.Email{Host: "smtp:25", From: "x"}}}}, "from: \"x\" is no mail address"},
		"a recipient":          {notify.Config{Records: records, Channels: []notify.Channel{{Name: "a", Email: &notify.Email{Host: "smtp:25", From: "a@b.c", To: []string{"a\r\nBcc: d@e.f"}}}}}, "is no mail address"},
		"no recipient":         {notify.Config{Records: records, Channels: []notify.Channel{{Name: "a", Email: &notify.Email{Host: "smtp:25", From: "a@b.c"}}}}, "needs addresses in to or people"},
		"a person's address":   {notify.Config{Records: records, Channels: []notify.Channel{{Name: "a", People: map[string]string{"ada": "x"}, Email: &notify.Email{Host: "smtp:25", From: "a@b.c"}}}}, "of ada is no mail address"},
		"a base":               {notify.Config{Records: records, BaseURL: "inquest.example.com"}, "is no http or https address"},
		"a timeout of an hour": {notify.Config{Records: records, Timeout: time.Hour}, "leaves no time"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := notify.New(c.cfg); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

func TestSlacksRequestsAreChecked(t *testing.T) {
	now := time.Unix(1_790_000_000, 0)
	const secret = notify.Secret("8f742231b10e8888abcd99yyyzzz85a5")
	payload := `{"type":"block_actions","user":{"id":"U1","username":"ada"},"actions":[{"action_id":"open"},{"action_id":"acknowledge","value":"INC-1"}]}`
	good := "payload=" + url.QueryEscape(payload)
	sign := func(secret notify.Secret, at time.Time, body string) http.Header {
		stamp := strconv.FormatInt(at.Unix(), 10)
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write([]byte("v0:" + stamp + ":" + body))
		h := http.Header{}
		h.Set("X-Slack-Request-Timestamp", stamp)
		h.Set("X-Slack-Signature", "v0="+hex.EncodeToString(mac.Sum(nil)))
		return h
	}
	got, err := notify.ReadSlackAction(secret, sign(secret, now, good), []byte(good), now.Add(time.Minute))
	if err != nil || got != (notify.SlackAction{Incident: "INC-1", User: "U1", Name: "ada"}) {
		t.Errorf("%+v, %v", got, err)
	}
	nothing := "payload=" + url.QueryEscape(`{"user":{"id":"U1"},"actions":[{"action_id":"open"}]}`)
	for name, c := range map[string]struct {
		secret    notify.Secret
		header    http.Header
		body      string
		signature bool
	}{
		"another secret":   {secret, sign("other", now, good), good, true},
		"another body":     {secret, sign(secret, now, good), good + "x", true},
		"an old one":       {secret, sign(secret, now.Add(-6*time.Minute), good), good, true},
		"one of tomorrow":  {secret, sign(secret, now.Add(24*time.Hour), good), good, true},
		"none":             {secret, http.Header{}, good, true},
		"no secret is set": {"", sign("", now, good), good, true},
		"no payload":       {secret, sign(secret, now, "a=b"), "a=b", false},
		"another button":   {secret, sign(secret, now, nothing), nothing, false},
	} {
		_, err := notify.ReadSlackAction(c.secret, c.header, []byte(c.body), now)
		if err == nil || errors.Is(err, notify.ErrSignature) != c.signature {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzSlackAction(f *testing.F) {
	f.Add("payload=%7B%22user%22%3A%7B%22id%22%3A%22U%22%7D%7D")
	f.Fuzz(func(t *testing.T, body string) {
		now := time.Unix(1_790_000_000, 0)
		mac := hmac.New(sha256.New, []byte("s"))
		mac.Write([]byte("v0:1790000000:" + body))
		h := http.Header{"X-Slack-Request-Timestamp": {"1790000000"}, "X-Slack-Signature": {"v0=" + hex.EncodeToString(mac.Sum(nil))}}
		a, err := notify.ReadSlackAction("s", h, []byte(body), now)
		if (err == nil) != (a.Incident != "") || errors.Is(err, notify.ErrSignature) {
			t.Fatalf("%+v, %v", a, err)
		}
	})
}
