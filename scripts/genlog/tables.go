package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"sort"
	"strings"
)

// tables are what lines are made of, all from one seed.
type tables struct {
	rand      *rand.Rand
	routes    []string // with {id} where a number goes
	popular   []int    // route of each of 65,536 draws, by Zipf's law
	addresses []string // of clients
	callers   []int    // address of each of 65,536 draws
	upstreams []string
	latency   []float64 // seconds
	agents    []string
}

const draws = 1 << 16

func newTables(seed uint64) *tables {
	t := &tables{rand: rand.New(rand.NewPCG(seed, 0))}
	for i := range 4000 {
		t.routes = append(t.routes, t.route(i))
	}
	t.popular = t.zipf(len(t.routes), 1.1)
	for range 50000 {
		r := t.rand
		t.addresses = append(t.addresses, fmt.Sprintf("%d.%d.%d.%d", 11+r.IntN(200), r.IntN(256), r.IntN(256), 1+r.IntN(254)))
	}
	t.callers = t.zipf(len(t.addresses), 0.8)
	for i := range 12 {
		t.upstreams = append(t.upstreams, fmt.Sprintf("10.0.%d.%d:8080", 1+i/4, 10+i))
	}
	for range draws { // log-normal with a median of 27 ms, as request times are
		t.latency = append(t.latency, min(30, max(0.001, math.Exp(t.rand.NormFloat64()*1.1-3.6))))
	}
	for _, a := range agents {
		for range a.weight {
			t.agents = append(t.agents, a.name)
		}
	}
	return t
}

func (t *tables) route(i int) string {
	if i%2 == 0 && i%10 == 0 {
		return fmt.Sprintf("/static/js/%08x.chunk.js", t.rand.Uint32())
	}
	parts := make([]string, 1+t.rand.IntN(3))
	for j := range parts {
		parts[j] = words[t.rand.IntN(len(words))]
	}
	p := fmt.Sprintf("/api/v%d/%s", 1+t.rand.IntN(3), strings.Join(parts, "/"))
	if i%2 == 1 {
		p += "/{id}"
	}
	if i%7 == 3 {
		p += "?page={id}&per_page=50&sort=-created_at"
	}
	return p
}

// zipf returns draws indexes below n, index k with a weight of 1/(k+1)^s.
func (t *tables) zipf(n int, s float64) []int {
	sums := make([]float64, n)
	total := 0.0
	for i := range sums {
		total += 1 / math.Pow(float64(i+1), s)
		sums[i] = total
	}
	out := make([]int, draws)
	for i := range out {
		out[i] = min(n-1, sort.SearchFloat64s(sums, t.rand.Float64()*total))
	}
	return out
}

var (
	words = strings.Fields(`users orders cart items products search checkout payments invoices sessions login logout profile settings
		reviews images static assets catalog inventory shipping returns coupons wishlist feed notifications messages teams
		projects reports exports imports webhooks tokens health metrics`)
	services    = strings.Fields("checkout payments catalog accounts search shipping gateway notifier")
	methods     = repeat(map[string]int{"GET": 78, "POST": 15, "PUT": 4, "DELETE": 2, "HEAD": 1}, "GET", "POST", "PUT", "DELETE", "HEAD")
	okStatuses  = repeat(map[int]int{200: 180, 201: 8, 204: 6, 301: 2, 302: 3, 304: 12, 400: 2, 401: 2, 403: 1, 404: 6, 429: 1}, 200, 201, 204, 301, 302, 304, 400, 401, 403, 404, 429)
	badStatuses = []int{500, 500, 500, 500, 500, 502, 502, 502, 503, 503, 504, 504}
	referers    = []string{"-", "-", "-", "https://shop.example.com/", "https://shop.example.com/cart", "https://search.example.org/"}
	chatter     = []string{
		"cache hit", "cache miss", "query executed", "message published to topic", "job finished",
		"connection acquired from pool", "session refreshed", "feature flag evaluated",
	}
)

func repeat[T comparable](weight map[T]int, order ...T) []T {
	var out []T
	for _, v := range order {
		for range weight[v] {
			out = append(out, v)
		}
	}
	return out
}

var agents = []struct {
	name   string
	weight int
}{
	{"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36", 30},
	{"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36", 12},
	{"Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1", 18},
	{"Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Mobile Safari/537.36", 16},
	{"Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:133.0) Gecko/20100101 Firefox/133.0", 7},
	{"Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", 6},
	{"okhttp/4.12.0", 5},
	{"kube-probe/1.31", 3},
	{"python-requests/2.32.3", 2},
	{"curl/8.5.0", 1},
}

// failures are errors as Node services log them; newlines are escaped as in JSON.
var failures = []struct{ kind, message, stack string }{
	{"TypeError", "Cannot read properties of undefined (reading 'id')",
		`TypeError: Cannot read properties of undefined (reading 'id')\n    at OrderService.total (/app/src/orders/service.js:88:31)\n    at async CheckoutController.create (/app/src/checkout/controller.js:41:19)`},
	{"PoolTimeoutError", "timeout exceeded when trying to connect",
		`PoolTimeoutError: timeout exceeded when trying to connect\n    at Pool.connect (/app/node_modules/pg-pool/index.js:45:11)\n    at async Repo.find (/app/src/db/repo.js:22:18)`},
	{"ConnectionRefusedError", "connect ECONNREFUSED 10.0.3.17:5432",
		`Error: connect ECONNREFUSED 10.0.3.17:5432\n    at TCPConnectWrap.afterConnect [as oncomplete] (node:net:1607:16)`},
}
