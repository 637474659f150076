package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/inquesthq/inquest"
)

// scenario is one way to break the shop. What is true of it is only for the last line of the demo: nobody tells the server.
type scenario struct {
	name, title string
	release     string        // of checkout, by its build tag, before it breaks
	scan        time.Duration // what reading all orders takes at least, on this machine with nothing else to do
	broke       string        // what was done, for people
	act         func(context.Context, *shop) error
	truth       truth
}

// truth is what a right verdict says.
type truth struct {
	mechanisms []inquest.MechanismID
	culprits   []string
	triggers   []inquest.TriggerKind // "" is: none is named
}

// ordinary is how many requests a second come on a usual day.
const ordinary = 12

func scenarios() []scenario {
	return []scenario{
		{
			name: "black-friday", title: "a traffic surge meets a dropped index", release: "hasty", scan: loggedFrom,
			broke: "A migration dropped the index of orders by customer; nobody noticed. Then the sale begins, with more customers every second. Each request reads the whole table, ten at a time, and holds its connection without a bound; the others wait two seconds for one, get none, and use the account that they did not get.",
			act:   blackFriday,
			truth: truth{mechanisms: []inquest.MechanismID{"database/slow-query"}, culprits: []string{"orders-db"}, triggers: []inquest.TriggerKind{inquest.TriggerKind(inquest.ChangeMigration)}},
		},
		{
			name: "bad-deploy", title: "a release dereferences null",
			broke: "Release 2.5.0 takes coupons, and dereferences the one that most carts do not have.",
			act:   badDeploy,
			truth: truth{mechanisms: []inquest.MechanismID{"unhandled-exception/null-dereference"}, culprits: []string{"checkout"},
				triggers: []inquest.TriggerKind{inquest.TriggerKind(inquest.ChangeDeploy)}},
		},
		{
			name: "database-down", title: "the database stops",
			broke: "PostgreSQL was stopped. No change was recorded.",
			act:   func(_ context.Context, s *shop) error { return s.database.Stop() },
			truth: truth{mechanisms: []inquest.MechanismID{"database/down"}, culprits: []string{"orders-db"}, triggers: []inquest.TriggerKind{""}},
		},
		{
			name: "payment-down", title: "the payment provider is gone",
			broke: "The payment provider went away: connections to it are refused. No change was recorded.",
			act:   func(_ context.Context, s *shop) error { return s.payment.die() },
			truth: truth{mechanisms: []inquest.MechanismID{"dependency-failure/refused"}, culprits: []string{"payment"},
				triggers: []inquest.TriggerKind{"", inquest.TriggerExternal}},
		},
	}
}

func names() []string {
	var out []string
	for _, s := range scenarios() {
		out = append(out, s.name)
	}
	return out
}

func find(name string) (scenario, error) {
	for _, s := range scenarios() {
		if s.name == name {
			return s, nil
		}
	}
	return scenario{}, fmt.Errorf("no scenario %q: say one of %v", name, names())
}

// right says whether a verdict is the truth, and else what is not.
func (t truth) right(v *inquest.Verdict) (string, bool) {
	if v == nil || v.Level == inquest.Open {
		return "no cause is named", false
	}
	if !slices.Contains(t.mechanisms, v.Mechanism) {
		return fmt.Sprintf("the mechanism is not one of %v", t.mechanisms), false
	}
	if !slices.Contains(t.culprits, v.Culprit) {
		return fmt.Sprintf("the culprit is not one of %v", t.culprits), false
	}
	var trigger inquest.TriggerKind
	if v.Trigger != nil {
		trigger = v.Trigger.Kind
	}
	if !slices.Contains(t.triggers, trigger) {
		return fmt.Sprintf("the trigger is not one of %q", t.triggers), false
	}
	return "", true
}

func blackFriday(ctx context.Context, s *shop) error {
	if _, err := s.database.SQL(`\c shop
DROP INDEX orders_by_user;`); err != nil {
		return err
	}
	if err := s.change(ctx, inquest.ChangeMigration, "orders-db", "0042", "0042 drop index orders_by_user"); err != nil {
		return err
	}
	// With the ordinary load that does not hurt. How much does depends on the machine.
	if err := wait(ctx, 2*time.Second); err != nil {
		return err
	}
	for rate := int64(5 * ordinary); s.load.tally().first.IsZero() && rate < 100*ordinary; rate += rate / 2 {
		s.load.rate.Store(rate)
		if err := wait(ctx, 2*time.Second); err != nil {
			return err
		}
	}
	return nil
}

func badDeploy(ctx context.Context, s *shop) error {
	if err := s.deploy(ctx, "coupons", "2.5.0"); err != nil {
		return err
	}
	return s.change(ctx, inquest.ChangeDeploy, "checkout", "2.5.0", "deploy checkout 2.5.0: coupons")
}
