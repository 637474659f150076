//go:build !hasty && !coupons

package main

import "context"

// poolSize is how many connections to the database there are at most.
const poolSize = 20

// rebate is where a release takes something off the price. This one takes nothing; those of `make demo` are in the files beside it.
func (s *service) rebate(context.Context, *order) error { return nil }
