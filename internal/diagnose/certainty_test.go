package diagnose_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/inquesthq/inquest"
)

// unfronted is a case whose requests only the services themselves logged.
func unfronted(c *inquest.Case) {
	c.Proxy, c.Observer = false, "cart"
	c.Layers[inquest.LayerResponse] = false
}

func noLogOf(who string) part {
	return func(c *inquest.Case) {
		for i := range c.Components {
			if c.Components[i].Name == who {
				c.Components[i].Logs = false
			}
		}
	}
}

// throughFreight sends every other failed request to a service that cart has nothing to do with.
func throughFreight(c *inquest.Case) {
	c.Components = append(c.Components, inquest.Component{Name: "freight", Kind: inquest.KindApp, Logs: true, Aliases: []string{"10.0.0.7:8080"}})
	c.Impact.Services = []string{"cart", "freight"}
	c.Edges = append(c.Edges, inquest.Edge{From: "gateway", To: "freight"})
	for i := range c.Failures {
		if i%2 == 1 {
			c.Failures[i].Upstream = "10.0.0.7:8080"
		}
	}
}

func TestWhatNobodyLookedAtMakesAVerdictLessSure(t *testing.T) {
	surging := says("cart", "TypeError: Cannot read properties of undefined (reading 'price')", 0.9, 0, thrown("TypeError", "Cannot read properties of undefined (reading 'price')"), func(p *inquest.LogPattern) { p.New, p.Surging, p.During = false, true, 20 })
	unlinked := func(p part) part {
		return func(c *inquest.Case) { p(c); c.Patterns[len(c.Patterns)-1].Share = -1 }
	}
	stuck := says("gateway", "upstream timed out (110: Connection timed out) while reading response header from upstream", -1, 0)
	atAddress := failing(func(_ int, r *inquest.Request) {
		r.Status, r.Upstream, r.UpstreamStatus, r.Duration = 504, "10.0.0.8:8080", "504", 8
	})
	for _, c := range []struct {
		name       string
		full, less []part
	}{
		{"ids that only the service itself links say no more than the time does", []part{unlinked(surging)}, []part{surging, unfronted}},
		{"a pool that ran dry, and the database's log is not there", []part{poolError, poolFull}, []part{poolError, poolFull, noLogOf("db-1")}},
		{"an address of ours that did not answer, and no application speaks", []part{stuck, atAddress}, []part{stuck, atAddress, without(inquest.LayerApplication)}},
		{"half of the failed requests went elsewhere", []part{nullDereference}, []part{nullDereference, throughFreight}},
		{"a tenth of the failed requests went elsewhere", []part{nullDereference}, []part{nullDereference, throughFreight, failing(func(i int, r *inquest.Request) {
			if i%10 != 1 {
				r.Upstream = "10.0.0.1:8080"
			}
		})}},
		{"half of the failed requests went to an address of nobody", []part{nullDereference}, []part{nullDereference, failing(func(i int, r *inquest.Request) {
			if i%2 == 1 {
				r.Upstream = "10.0.0.77:9000"
			}
		})}},
	} {
		full, less := verdict(c.full...), verdict(c.less...)
		if full.Mechanism == "" || full.Mechanism != less.Mechanism {
			t.Errorf("%s: %s became %s", c.name, name(full), name(less))
		}
		if less.Level == inquest.Established || less.Confidence >= full.Confidence {
			t.Errorf("%s: %s %.2f became %s %.2f", c.name, full.Level, full.Confidence, less.Level, less.Confidence)
		}
	}
}

func TestALeakWithTheDatabasesLogReadIsEstablished(t *testing.T) {
	if v := verdict(poolError, poolFull); v.Level != inquest.Established {
		t.Errorf("%s is %s: every layer was read, and the server tells of no slow statement", name(v), v.Level)
	}
}

func TestWhatAProxySaysOfAnotherServiceIsNoConsequence(t *testing.T) {
	d := catalogue.Diagnose(incident(nullDereference, throughFreight, failing(func(i int, r *inquest.Request) { r.UpstreamStatus = "500" }))).Diagnosis
	i := slices.IndexFunc(d.Alternatives, func(c inquest.Candidate) bool { return c.Culprit == "freight" })
	if i < 0 {
		t.Fatalf("no alternative at freight: %+v", d.Alternatives)
	}
	if against := strings.Join(d.Alternatives[i].Against, " "); strings.Contains(against, "consequence") {
		t.Errorf("freight does not call cart: %s", against)
	}
}

func TestAPrivateAddressIsNotForeign(t *testing.T) {
	for addr, want := range map[string]inquest.TriggerKind{"10.0.0.8:9000": "", "192.168.7.7:9000": "", "100.64.3.2:9000": "", "203.0.113.8:443": inquest.TriggerExternal} {
		v := verdict(says("cart", "connect ECONNREFUSED "+addr, 0.9, 0))
		got := inquest.TriggerKind("")
		if v.Trigger != nil {
			got = v.Trigger.Kind
		}
		if got != want {
			t.Errorf("%s: set off by %q, want %q", addr, got, want)
		}
	}
}

// Two callers that know one database by different names are one witness more, and no rival.
func TestOneDatabaseUnderTwoNamesIsNoRivalOfItself(t *testing.T) {
	refused := func(who, addr string) part {
		return says(who, "dial tcp "+addr+": connect: connection refused", -1, 0)
	}
	one, two := verdict(refused("cart", "10.0.0.50:5432")), verdict(refused("cart", "10.0.0.50:5432"), refused("pay", "db-primary:5432"))
	if one.Mechanism != "database/down" || two.Mechanism != one.Mechanism || two.Confidence < one.Confidence {
		t.Errorf("%s %.2f, with a second caller %s %.2f", name(one), one.Confidence, name(two), two.Confidence)
	}
}

// Whoever cannot reach a dependency and does not say which one is not the one to act on for certain.
func TestADependencyWithoutANameIsNotEstablished(t *testing.T) {
	named, nameless := verdict(says("cart", "Get https://rates.example/v1: x509: certificate has expired or is not yet valid", 0.9, 0)), verdict(says("cart", "certificate has expired", 0.9, 0))
	if named.Level != inquest.Established || named.Culprit != "rates.example" {
		t.Errorf("named: %s %s", named.Level, name(named))
	}
	if nameless.Level != inquest.Probable || nameless.Mechanism != named.Mechanism || nameless.Confidence >= named.Confidence {
		t.Errorf("without a name: %s %.2f %s; with it %.2f", nameless.Level, nameless.Confidence, name(nameless), named.Confidence)
	}
}

// That a service of ours did not answer is seen by others; what it did meanwhile only it could tell.
func TestAServiceThatIsWaitedForInVainAndSaysNothingIsNotEstablished(t *testing.T) {
	waited := says("gateway", "upstream timed out (110: Connection timed out) while reading response header from upstream, upstream: http://10.0.0.1:8080/cart", -1, 0)
	timed := func(c *inquest.Case) {
		failing(func(_ int, r *inquest.Request) { r.Status, r.Duration, r.UpstreamStatus = 504, 5, "504" })(c)
	}
	v := verdict(waited, timed, slow)
	if v.Mechanism != "dependency-failure/timeout" || v.Culprit != "cart" || v.Level != inquest.Probable {
		t.Errorf("%s %s %.2f", v.Level, name(v), v.Confidence)
	}
}

// Half a trace at the end of a rotated file is one line more, and nothing that makes a cause surer.
func TestAFaintConsequenceAddsNothing(t *testing.T) {
	once := says("cart", "panic: runtime error: assignment to entry in nil map", -1, 30*time.Second, func(p *inquest.LogPattern) { p.Total, p.During, p.Last = 1, 1, p.First })
	if a, b := verdict(nullDereference), verdict(nullDereference, once); a.Confidence != b.Confidence {
		t.Errorf("confidence %.2f, with the line %.2f", a.Confidence, b.Confidence)
	}
}

// SQLAlchemy says how long it waited: a wait of four seconds that ends a minute after the first failure did not begin it.
func TestAPoolThatRanDryLaterIsNoCause(t *testing.T) {
	dry := func(d time.Duration) *inquest.Verdict {
		return verdict(says("cart", "sqlalchemy.exc.TimeoutError: QueuePool limit of size 5 overflow 2 reached, connection timed out, timeout 4.00", 0.9, d))
	}
	early, late := dry(4*time.Second), dry(40*time.Second)
	if early.Mechanism != "database/pool-exhausted" || early.Level != inquest.Established {
		t.Errorf("told after its wait: %s %s", early.Level, name(early))
	}
	if late.Level == inquest.Established || late.Confidence >= early.Confidence {
		t.Errorf("told a minute later: %s %.2f, early %.2f", late.Level, late.Confidence, early.Confidence)
	}
}
