package diagnose_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/inquesthq/inquest"
)

// read says in which format a file of the case was read.
func read(format string) part {
	return func(c *inquest.Case) {
		c.Coverage.Files = append(c.Coverage.Files, inquest.FileCoverage{File: "f.log", Format: format})
	}
}

// labelled adds a series that only its labels make telling.
func labelled(name string, labels ...string) part {
	return func(c *inquest.Case) {
		l := map[string]string{}
		for i := 0; i < len(labels); i += 2 {
			l[labels[i]] = labels[i+1]
		}
		c.Series = append(c.Series, inquest.Series{Name: name, Labels: l})
	}
}

// restarting is the command by which the report restarts the service whose pool leaks.
func restarting(parts ...part) string {
	d := catalogue.Diagnose(incident(append(parts, poolError, poolFull)...)).Diagnosis
	i := slices.IndexFunc(d.Verdict.Actions, func(a inquest.Action) bool { return strings.HasPrefix(a.Text, "A restart frees") })
	return d.Verdict.Actions[i].Command
}

func TestCommandsFitWhatRunsTheServices(t *testing.T) {
	for _, c := range []struct {
		name  string
		parts []part
		want  string
	}{
		{"nothing tells", nil, "kubectl rollout restart deployment/cart"},
		{"logs of a container runtime of Kubernetes", []part{read("json in cri")}, "kubectl rollout restart deployment/cart"},
		{"docker compose logs", []part{read("json in compose")}, "docker compose restart cart"},
		{"docker's json-file", []part{read("logger-text in docker")}, "docker restart cart"},
		{"a node's journal below a cluster", []part{read("journald-json"), labelled("up", "namespace", "shop", "pod", "cart-1")}, "kubectl rollout restart deployment/cart"},
		{"a journal alone", []part{read("journald-json")}, "systemctl restart cart"},
		{"supervisord", []part{component("supervisord", inquest.KindSupervisor, true)}, "supervisorctl restart cart"},
		{"CloudWatch's figures of ECS", []part{labelled("CPUUtilization", "ClusterName", "prod", "ServiceName", "cart")}, "aws ecs update-service --cluster <cluster> --service cart --force-new-deployment"},
	} {
		if got := restarting(c.parts...); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestQueriesFitTheDatabase(t *testing.T) {
	confirm := func(parts ...part) string {
		var all []string
		for _, c := range catalogue.Diagnose(incident(append(parts, poolError, poolFull)...)).Diagnosis.Verdict.Confirm {
			all = append(all, c.Command)
		}
		return strings.Join(all, "\n")
	}
	if got := confirm(read("mysql-error")); !strings.Contains(got, "information_schema.processlist") || strings.Contains(got, "psql") {
		t.Errorf("with MySQL's log:\n%s", got)
	}
	if got := confirm(read("mysql-error"), read("postgresql")); !strings.Contains(got, "pg_stat_activity") || strings.Contains(got, "mysql ") {
		t.Errorf("with both, the one that the catalogue is written for stands:\n%s", got)
	}
}

const scanPlan = "duration: 1502.265 ms  plan:\n\tQuery Text: select 1 from orders where email = $1 and placed_at > now()\n" +
	"\tAggregate  (cost=1.0..2.0 rows=1 width=40)\n\t  ->  Seq Scan on orders  (cost=0.00..16777.10 rows=59 width=8)\n" +
	"\t        Filter: (((email)::text = 'a@b.example'::text) AND (placed_at > (now() - '365 days'::interval)))"

func TestAPlanNamesTheIndexThatIsMissing(t *testing.T) {
	v := verdict(slowStatement, slow, poolError, poolFull, says("db-1", scanPlan, -1, 0))
	if want := "the plan reads all of orders and filters by email and placed_at: no index serves it"; !strings.Contains(v.Summary, want) {
		t.Errorf("summary %q lacks %q", v.Summary, want)
	}
	index := slices.IndexFunc(v.Actions, func(a inquest.Action) bool {
		return strings.Contains(a.Command, "CREATE INDEX CONCURRENTLY ON orders (email,placed_at)")
	})
	if index < 0 {
		t.Errorf("no action names the index: %+v", v.Actions)
	}
	// The planner writes conditions in an order of its own; an index that begins with a range is read from end to end of it.
	swapped := strings.Replace(scanPlan, "(((email)::text = 'a@b.example'::text) AND (placed_at > (now() - '365 days'::interval)))", "((placed_at > (now() - '365 days'::interval)) AND ((email)::text = 'a@b.example'::text))", 1)
	if v := verdict(slowStatement, slow, poolError, poolFull, says("db-1", swapped, -1, 0)); swapped == scanPlan || !slices.ContainsFunc(v.Actions, func(a inquest.Action) bool { return strings.Contains(a.Command, "ON orders (email,placed_at)") }) {
		t.Errorf("the range first: %+v", v.Actions)
	}
	for name, text := range map[string]string{
		"a scan without a filter": "plan:\n\tSeq Scan on orders  (cost=0.00..16777.10 rows=59 width=8)",
		"an index scan":           "plan:\n\tIndex Scan using orders_email on orders\n\t  Index Cond: (email = 'x')\n\t  Filter: (placed_at > now())",
	} {
		if v := verdict(slowStatement, slow, poolError, poolFull, says("db-1", "duration: 1502.265 ms  "+text, -1, 0)); strings.Contains(v.Summary, "no index") {
			t.Errorf("%s: %q", name, v.Summary)
		}
	}
}

func TestNobodyRestartsAThirdParty(t *testing.T) {
	command := func(text string) string {
		v := verdict(says("cart", text, 0.9, 0))
		i := slices.IndexFunc(v.Actions, func(a inquest.Action) bool { return strings.HasPrefix(a.Text, "Start the dependency") })
		return v.Actions[i].Command
	}
	if got := command("connect ECONNREFUSED 203.0.113.7:443"); got != "" {
		t.Errorf("a stranger's address: %q", got)
	}
	if got := command("request to http://pay:9000/charge failed, reason: connect ECONNREFUSED"); got != "kubectl rollout restart deployment/pay" {
		t.Errorf("a service of ours: %q", got)
	}
}
