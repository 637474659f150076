package symptom_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/diagnose/symptom"
)

// levels prints the checklist of a case, the resources without data left out.
func levels(c *inquest.Case) []string {
	var out []string
	for _, l := range symptom.Levels(c, symptom.NewResolver(c)) {
		if l.Component != "" {
			out = append(out, fmt.Sprintf("%s at %s: %.0f%% (%.0f%% before)", l.Resource, l.Component, 100*l.Share, 100*l.Before))
		}
	}
	return out
}

func TestEveryResourceIsCheckedAndShowsItsFigure(t *testing.T) {
	for _, c := range []struct {
		name string
		in   *inquest.Case
		want []string
	}{
		{"nothing measures anything", incident(), nil},
		{"a pool that is far from full is told all the same", incident(series("hikaricp_connections_active", in(4, 1)), series("hikaricp_connections_max", always(10))),
			[]string{"pool at api: 40% (10% before)"}},
		{"of two instances the fuller one", incident(series("hikaricp_connections_active", in(4, 1)), series("hikaricp_connections_max", always(10)),
			series("hikaricp_connections_active", in(9, 1), "instance", "api2:9090"), series("hikaricp_connections_max", always(10), "instance", "api2:9090")),
			[]string{"pool at api: 90% (10% before)"}},
		{"open files of the process itself", incident(series("process_open_fds", in(500, 100)), series("process_max_fds", always(1000))),
			[]string{"descriptors at api: 50% (10% before)"}},
		{"the open files of an exporter are not those of what it exports", incident(series("process_open_fds", in(500, 100), "instance", "db-1:9187"), series("process_max_fds", always(1000), "instance", "db-1:9187"),
			series("pg_up", always(1), "instance", "db-1:9187")), nil},
		{"cAdvisor's figures are about the container, not the node that it runs on", incident(series("container_memory_working_set_bytes", in(90, 50), "instance", "node-7", "job", "cadvisor", "container", "api", "pod", "api-7d9c5f6b8-4xw9t"),
			series("container_spec_memory_limit_bytes", always(100), "instance", "node-7", "job", "cadvisor", "container", "api", "pod", "api-7d9c5f6b8-4xw9t")), []string{"memory at api: 90% (50% before)"}},
		{"a value without a limit is no level", incident(series("process_open_fds", in(500, 100))), nil},
	} {
		if diff := cmp.Diff(c.want, levels(c.in)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

func TestACaseWithoutAnIncidentShowsTheWholeRecording(t *testing.T) {
	c := incident(series("hikaricp_connections_active", in(6, 1)), series("hikaricp_connections_max", always(10)))
	c.Incident, c.Window, c.Baseline = false, inquest.Window{}, inquest.Window{}
	c.Onset, c.End = c.Window.From, c.Window.To
	all := symptom.Levels(c, symptom.NewResolver(c))
	if len(all) != 7 {
		t.Fatalf("%d resources, want each of the seven", len(all))
	}
	if all[0].Resource != "pool" || math.Abs(all[0].Share-0.6) > 1e-9 || !math.IsNaN(all[0].Before) {
		t.Errorf("pool: %+v, want 60%% and nothing before", all[0])
	}
}
