package incident

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/inquesthq/inquest"
)

// Cost is what an incident cost so far, and how that was reckoned.
type Cost struct {
	Amount   float64 `json:"amount"`
	Currency string  `json:"currency,omitempty"`
	Minutes  float64 `json:"minutes"`
	Formula  string  `json:"formula"` // "11 min x (9000 checkout + 500 search) EUR/min = 104500 EUR"; "" when no revenue is set for its services
}

// Cost reckons minutes times revenue per minute of the services whose requests fail, from the onset until users were served again.
func (d *Desk) Cost(ctx context.Context, id string) (Cost, error) {
	inc, err := d.Get(ctx, id)
	if err != nil {
		return Cost{}, err
	}
	return d.cost(inc), nil
}

func (d *Desk) cost(inc *inquest.Incident) Cost {
	from := inc.Onset
	for _, t := range []time.Time{inc.Detected, inc.Opened} {
		if from.IsZero() {
			from = t
		}
	}
	to := inc.Mitigated
	if to.IsZero() {
		to = inc.Resolved
	}
	if to.IsZero() {
		to = d.now()
	}
	c := Cost{Currency: d.policy.Currency, Minutes: max(0, to.Sub(from).Minutes())}
	var parts []string
	sum := 0.0
	for _, s := range inc.Services {
		if r := d.policy.Services[s].Revenue; r > 0 {
			sum += r
			parts = append(parts, fmt.Sprintf("%s %s", number(r), s))
		}
	}
	if len(parts) == 0 {
		return c
	}
	c.Amount = c.Minutes * sum
	rates := strings.Join(parts, " + ")
	if len(parts) > 1 {
		rates = "(" + rates + ")"
	}
	c.Formula = strings.TrimSpace(fmt.Sprintf("%s min x %s %s/min = %s %s", number(c.Minutes), rates, c.Currency, number(c.Amount), c.Currency))
	return c
}

// number writes a number with two decimals at most.
func number(v float64) string {
	return strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%.2f", v), "0"), ".")
}

// price notes the cost so far in the incident.
func (d *Desk) price(inc *inquest.Incident) {
	c := d.cost(inc)
	inc.Cost, inc.Currency = c.Amount, ""
	if c.Formula != "" {
		inc.Currency = c.Currency
	}
}
