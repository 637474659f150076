package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/report"
)

// watch looks at what the customers, the server and the people on call see, prints each step when it happens, and returns when there is an
// incident, investigated and told, with the right verdict; or with the one that there is when patience ends.
func (s *shop) watch(ctx context.Context) (*outcome, error) {
	out := &outcome{}
	until := time.Now().Add(s.patience)
	for told := 0; ; {
		if err := wait(ctx, 100*time.Millisecond); err != nil {
			return nil, err
		}
		before := out.tally
		out.tally = s.load.tally()
		if before.first.IsZero() && !out.first.IsZero() {
			s.step(out, out.first, "first failing request")
		}
		if before.enough.IsZero() && !out.enough.IsZero() {
			s.step(out, out.enough, "enough failed for the rule: from here on it is Inquest's time")
		}
		if err := s.look(ctx, out); err != nil {
			return nil, err
		}
		for _, m := range s.receiver.messages()[told:] {
			told++
			if out.notified.IsZero() {
				out.notified, out.message = m.at, m
			}
			s.step(out, m.at, "notified: "+m.Title)
		}
		if !out.notified.IsZero() && out.diagnosis != nil && out.wrong == "" || time.Now().After(until) {
			return out, nil
		}
	}
}

// step prints one line of what happened, with the seconds since the first failing request.
func (s *shop) step(out *outcome, at time.Time, what string) {
	s.say("  %s  %+6.1f s  %s", at.UTC().Format("15:04:05"), at.Sub(out.first).Seconds(), what)
}

// look asks the server how far it is.
func (s *shop) look(ctx context.Context, out *outcome) error {
	var all struct {
		Items []inquest.Incident `json:"items"`
	}
	if err := s.ask(ctx, "/api/v1/incidents", &all); err != nil {
		return err
	}
	if len(all.Items) == 0 {
		return nil
	}
	i := all.Items[len(all.Items)-1] // the first one
	if out.opened.IsZero() {
		out.alert, out.opened = i.Detected, i.Opened
		s.step(out, out.alert, "alert: "+i.Alerts[0].Rule+", "+i.Alerts[0].Annotations["summary"])
		s.step(out, out.opened, "incident "+i.ID)
	}
	if i.Revision == out.incident.Revision {
		return nil
	}
	out.incident = i
	var view struct {
		Diagnosis json.RawMessage `json:"diagnosis"`
		Revisions []struct {
			Number int       `json:"revision"`
			Time   time.Time `json:"time"`
		} `json:"revisions"`
	}
	if err := s.ask(ctx, "/api/v1/incidents/"+i.ID, &view); err != nil {
		return err
	}
	d, err := report.ReadJSON(bytes.NewReader(view.Diagnosis))
	if err != nil {
		return err
	}
	now := time.Now()
	if out.diagnosis = d; out.investigated.IsZero() {
		out.investigated = now
	}
	wrong, right := s.scenario.truth.right(d.Verdict)
	if out.wrong = wrong; right {
		out.investigated = now
	}
	s.step(out, now, fmt.Sprintf("investigated, revision %d: %s", i.Revision, said(d.Verdict)))
	return nil
}

// said is a verdict in one line.
func said(v *inquest.Verdict) string {
	if v == nil {
		return "no incident"
	}
	if v.Level == inquest.Open {
		return "open"
	}
	text := fmt.Sprintf("%s, %s at %s, %.0f %%", v.Level, v.Mechanism, v.Culprit, 100*v.Confidence)
	if v.Trigger != nil {
		text += ", set off by " + string(v.Trigger.Kind)
	}
	return text
}

func (s *shop) ask(ctx context.Context, path string, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url()+path, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(resp.Body)
		return fmt.Errorf("%s answered %d: %s", path, resp.StatusCode, text)
	}
	return json.NewDecoder(resp.Body).Decode(into)
}

// conclude prints the message, the verdict and how long everything took.
func (s *shop) conclude(out *outcome) {
	if out.diagnosis == nil || out.notified.IsZero() {
		out.wrong = fmt.Sprintf("after %v: %d of %d requests failed, incident %q, %d messages", s.patience, out.failed, out.sent, out.incident.ID, len(s.receiver.messages()))
		s.say("\nIt did not come to a verdict that people were told of. %s", out.wrong)
		return
	}
	s.say("\nThe message that the people on call got:\n\n%s", indent(out.message.Title+"\n"+out.message.Text))
	v := out.diagnosis.Verdict
	s.say("\nThe verdict (%s):\n\n%s", said(v), indent(wrap(v.Summary)))
	if t := v.Trigger; t != nil {
		s.say("\n%s", indent(wrap(fmt.Sprintf("Set off by: %s at %s. %s", t.Summary, t.Time.UTC().Format("15:04:05"), t.Why))))
	}
	if len(v.Actions) > 0 {
		s.say("\n%s", indent(wrap("Do first: "+v.Actions[0].Text)))
	}
	if out.wrong == "" {
		s.say("\nThat is what was broken.")
	} else {
		s.say("\nThat is not what was broken: %s.", out.wrong)
	}
	done := out.notified
	if out.investigated.After(done) {
		done = out.investigated
	}
	s.say("From the first failing request to an incident that was investigated and told: %.1f s, %.1f s of them after enough had failed for the rule.",
		done.Sub(out.first).Seconds(), done.Sub(out.enough).Seconds())
	s.say("%s/incidents/%s", s.url(), out.incident.ID)
}

func indent(text string) string {
	return "  " + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n  ")
}
