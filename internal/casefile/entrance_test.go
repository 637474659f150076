package casefile_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/inquesthq/inquest/internal/casefile"
)

// entrance is the log of a proxy: ten minutes of requests to a route, so many a second, of which a share fails from a time on.
func entrance(name, route, upstream string, perSecond int, failing float64, since float64) *file {
	f := &file{name: name + "-access.log", format: "nginx-combined"}
	n := 0
	for s := range 600 {
		for i := range perSecond {
			n++
			at, status := float64(s)+float64(i)/float64(perSecond), 200
			if at >= since && float64(n*37%100) < failing*100 { // spread evenly
				status = 502
			}
			f.asked(sec(at), route, status, via(upstream, fmt.Sprint(status)), took(0.02))
		}
	}
	return f
}

func TestEachEntranceCounts(t *testing.T) {
	inner := func() *file { return entrance("inner", "POST /cart", "10.0.0.9:80", 3, 0.5, 400) }
	for name, c := range map[string]struct {
		files []*file
		about []string
		want  string // observer, routes that failed, requests
	}{
		"the smaller of two that have nothing to do with each other fails": {
			[]*file{entrance("search-gw", "GET /search", "10.0.0.1:80", 4, 0, 600), entrance("shop-gw", "POST /cart", "10.0.0.2:80", 2, 0.5, 400)}, nil, "shop-gw [POST /cart] of 400"},
		"the larger has failed for ever, a little": {
			[]*file{entrance("search-gw", "GET /search", "10.0.0.1:80", 4, 0.03, 0), entrance("shop-gw", "POST /cart", "10.0.0.2:80", 2, 0.5, 400)}, nil, "shop-gw [POST /cart] of 400"},
		"and much": {
			[]*file{entrance("search-gw", "GET /search", "10.0.0.1:80", 4, 0.3, 0), entrance("shop-gw", "POST /cart", "10.0.0.2:80", 2, 0.5, 400)}, nil, "shop-gw [POST /cart] of 400"},
		"both fail, and nobody says which": {
			[]*file{entrance("search-gw", "GET /search", "10.0.0.1:80", 4, 0.5, 400), entrance("shop-gw", "POST /cart", "10.0.0.2:80", 2, 0.5, 400)}, nil, "search-gw [GET /search] of 800"},
		"both fail, and the alert says which": {
			[]*file{entrance("search-gw", "GET /search", "10.0.0.1:80", 4, 0.5, 400), entrance("shop-gw", "POST /cart", "10.0.0.2:80", 2, 0.5, 400)}, []string{"shop-gw"}, "shop-gw [POST /cart] of 400"},
		"what the alert is about does not fail here": {
			[]*file{entrance("search-gw", "GET /search", "10.0.0.1:80", 4, 0.5, 400), entrance("shop-gw", "POST /cart", "10.0.0.2:80", 2, 0, 600)}, []string{"shop-gw"}, "search-gw [GET /search] of 800"},
		"all is well": {
			[]*file{entrance("search-gw", "GET /search", "10.0.0.1:80", 4, 0, 600), entrance("shop-gw", "POST /cart", "10.0.0.2:80", 2, 0, 600)}, []string{"shop-gw"}, "none"},
		"one behind another, by its routes: what it saw did not reach anybody": {
			[]*file{entrance("edge", "POST /cart", "10.0.0.3:80", 4, 0, 600), inner()}, nil, "none"},
		"one behind another that cuts a prefix off": {
			[]*file{entrance("edge", "POST /shop/cart", "10.0.0.3:80", 4, 0, 600), inner()}, nil, "none"},
		"one behind another that adds one": {
			[]*file{entrance("edge", "POST /cart", "10.0.0.3:80", 4, 0, 600), entrance("inner", "POST /v2/cart", "10.0.0.9:80", 3, 0.5, 400)}, nil, "none"},
		"one behind another, which names it": {
			[]*file{entrance("edge", "GET /page", "inner:80", 4, 0, 600), inner()}, nil, "none"},
	} {
		t.Run(name, func(t *testing.T) {
			for range 2 {
				got := "none"
				if k := buildWith(casefile.Config{About: c.about}, c.files...); len(k.Groups) > 0 {
					var routes []string
					for _, r := range k.Impact.Routes {
						routes = append(routes, r.Route)
					}
					got = fmt.Sprintf("%s %s of %d", k.Observer, routes, k.Impact.Requests)
				}
				if got != c.want {
					t.Errorf("%s, want %s", got, c.want)
				}
				slices.Reverse(c.files)
			}
		})
	}
}

// A larger entrance with requests of the same ids is the same requests.
func TestRequestsWithTheSameIDsAreOfOneEntrance(t *testing.T) {
	between := &file{name: "pages.log", format: "json"}
	edge, inner := &file{name: "edge-access.log", format: "nginx-combined"}, &file{name: "inner-access.log", format: "nginx-combined"}
	for s := range 600 {
		status := 200
		if s > 400 && s%2 == 0 {
			status = 502
		}
		who := id(fmt.Sprintf("%032x", s))
		edge.asked(sec(float64(s)), "GET /page", 200, via("10.0.0.1:80", "200"), who)
		edge.asked(sec(float64(s)+0.5), "GET /other", 200, via("10.0.0.1:80", "200"))
		between.asked(sec(float64(s)), "GET /composed", 200, who)
		inner.asked(sec(float64(s)), "GET /rewritten", status, via("10.0.0.2:80", fmt.Sprint(status)), who)
	}
	if k := build(edge, between, inner); len(k.Groups) > 0 && !strings.HasPrefix(k.Observer, "edge") {
		t.Errorf("%s: %+v", k.Observer, k.Groups)
	}
}
