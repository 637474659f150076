package symptom

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/inquesthq/inquest"
)

// restarts finds processes that started anew around the incident, by their start time metric.
func restarts(c *inquest.Case, r *Resolver) []inquest.Symptom {
	var out []inquest.Symptom
	w := look(c)
	for i := range c.Series {
		s := &c.Series[i]
		if !strings.HasSuffix(s.Name, "process_start_time_seconds") && !strings.HasSuffix(s.Name, "kube_pod_container_status_restarts_total") && !strings.HasSuffix(s.Name, "node_boot_time_seconds") {
			continue
		}
		times := 0
		var first inquest.Sample
		for j := 1; j < len(s.Samples); j++ {
			// A start time is computed from boot time and clock and may shift by some ticks; a second is a new process.
			if x := s.Samples[j]; w.Contains(x.Time) && x.Value >= s.Samples[j-1].Value+1 {
				if times++; times == 1 {
					first = x
				}
			}
		}
		if times == 0 {
			continue
		}
		who := owner(s, r)
		detail := "restart"
		if times >= 3 {
			detail = "crash-loop"
		}
		text := fmt.Sprintf("%s (%s) started anew", who, s.Labels["instance"])
		if times > 1 {
			text += fmt.Sprintf(" %d times", times)
		}
		out = append(out, inquest.Symptom{Kind: inquest.SymptomRestart, Detail: detail, Component: who, Onset: first.Time, Count: times, Share: -1,
			Value: float64(times), Baseline: none, Limit: none, Text: text,
			Evidence: []inquest.Evidence{{Layer: inquest.LayerInfrastructure, Kind: "restart", Time: first.Time, Text: text, Source: metricSource(s)}}})
	}
	return out
}

// gaps finds targets that monitoring lost: up, pg_up, redis_up and the like at 0, or no samples any more.
func gaps(c *inquest.Case, r *Resolver) []inquest.Symptom {
	var out []inquest.Symptom
	w := look(c)
	for i := range c.Series {
		s := &c.Series[i]
		if s.Name != "up" && !strings.HasSuffix(s.Name, "_up") && s.Name != "probe_success" {
			continue
		}
		down := 0
		var first inquest.Sample
		for _, x := range points(s, w) {
			if x.Value == 0 {
				if down++; down == 1 {
					first = x
				}
			}
		}
		if n := len(points(s, w)); down == 0 || down*10 < n {
			continue // a single missed scrape while a service restarts is no gap
		}
		if quantile(points(s, before(c)), 0.5) == 0 {
			continue // it was down all along
		}
		who := owner(s, r)
		text := fmt.Sprintf("%s: %s = 0 (%s) in %d scrapes", who, s.Name, cmp.Or(s.Labels["instance"], s.Labels["job"]), down)
		out = append(out, inquest.Symptom{Kind: inquest.SymptomGap, Detail: "up", Component: who, Onset: first.Time, Count: down, Share: -1,
			Value: 0, Baseline: 1, Limit: none, Text: text,
			Evidence: []inquest.Evidence{{Layer: inquest.LayerInfrastructure, Kind: "metric", Time: first.Time, Text: text, Source: metricSource(s)}}})
	}
	return out
}
