//go:build coupons

package main

import "context"

// This release is there to be broken (`make demo`): it takes coupons, and forgets that most carts have none.

// poolSize is how many connections to the database there are at most.
const poolSize = 20

// coupon is money off.
type coupon struct{ cents int64 }

// coupons by cart.
func (s *service) coupon(cart string) *coupon {
	return map[string]*coupon{"c7": {cents: 500}, "c77": {cents: 1000}}[cart]
}

func (s *service) rebate(_ context.Context, o *order) error {
	o.Cents -= s.coupon(o.CartID).cents // nil for most carts
	return nil
}
