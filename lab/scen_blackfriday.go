package main

import (
	"path/filepath"
	"time"
)

// javaPart runs a Java release.
func javaPart(name, dir, main string, env ...string) Part {
	return Part{Name: name, Dir: dir, Log: name + ".log", Env: env,
		Argv: []string{"java", "-Xmx160m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xss256k", "-cp", dir + "/classes:" + dir + ":" + javaCP, main}}
}

// blackFriday is the story of the product's first page: traffic rises, a query without an index gets slow, the pool of
// ten runs dry, checkout sessions expire while their requests wait, and the code trips over the missing account.
func blackFriday() Scenario {
	gw := "http://10.20.0.10"
	s := Scenario{
		Name: "black-friday", Kind: "incident", Host: "shop-1",
		Title:    "Black Friday: traffic x4, a table scan per loyalty lookup, the pool of ten runs dry, sessions expire, checkout dereferences null",
		Baseline: 130 * time.Second, Fault: 90 * time.Second,
		RPS: 16, Users: 340, Shape: func(d time.Duration) float64 {
			if d < 0 {
				return 1
			}
			return min(4.5, 1+d.Seconds()/6)
		},
		Routes: []Route{
			{Name: "GET /api/products", URL: gw + "/api/products", Weight: 3},
			{Name: "GET /api/cart/{id}", URL: gw + "/api/cart/{n:1-3000}", Weight: 3, Timeout: 60 * time.Second},
			{Name: "GET /api/loyalty", URL: gw + "/api/loyalty?email=user{n:1-4000}@mail.example", Weight: 2, Timeout: 60 * time.Second},
			{Name: "POST /api/checkout/complete", Method: "POST", URL: gw + "/api/checkout/complete", Body: `{"cart_id":{n:1-3000}}`, Weight: 2,
				Headers: map[string]string{"X-Checkout-Token": "{n:1-4000}.{nowms}"}, Timeout: 60 * time.Second},
			{Name: "POST /api/checkout/complete (no login)", Method: "POST", URL: gw + "/api/checkout/complete", Body: `{"cart_id":{n:1-3000}}`, Weight: 0.1},
			{Name: "GET /wp-login.php", URL: gw + "/wp-login.php", Weight: 0.1, Agent: "Mozilla/5.0 zgrab/0.x", Clients: "192.0.2."},
		},
	}
	s.Setup = func(e *Env) {
		e.Past(26*time.Hour, "infra", "db-1", "", "minor upgrade of the base image")
		e.Past(9*time.Hour+12*time.Minute, "deploy", "checkout", "5.18.0", "deploy checkout 5.18.0: loyalty points in the cart")
		e.Past(3*time.Hour+40*time.Minute, "config", "gateway", "", "nginx: access log gets upstream times")
		e.Past(95*time.Minute, "flag", "checkout", "", "enable black-friday-banner for everyone")
		e.Postgres(Postgres{IP: "10.20.0.31", DB: "shop", CPU: 0.34, Export: true,
			Conf: map[string]string{"log_min_duration_statement": "500", "session_preload_libraries": "'auto_explain'", "auto_explain.log_min_duration": "'1500ms'", "auto_explain.sample_rate": "0.2"},
			Schema: `create table accounts (id bigserial primary key, email text not null unique, balance bigint not null);
insert into accounts (email, balance) select 'user'||g||'@mail.example', 500000 from generate_series(1,4000) g;
create table orders (id bigserial primary key, customer_email text not null, cents bigint not null, placed_at timestamptz not null default now(), note text not null default repeat('x', 60));
insert into orders (customer_email, cents, placed_at) select 'user'||(g%4000)||'@mail.example', 100+g%9000, now()-(g%700)*interval '1 day' from generate_series(1,450000) g;
create table cart_items (cart_id bigint, sku text, quantity int); create index on cart_items(cart_id);
insert into cart_items select g%3000+1, 'SKU-'||g%97, 1+g%3 from generate_series(1,9000) g; analyze;`})
		dir := e.Release("checkout", "java/checkout", "5.18.0", nil)
		e.Start(javaPart("checkout", dir, "shop.checkout.Main", "HOST=10.20.0.21", "PORT=8080", "APP_VERSION=5.18.0",
			"DATABASE_URL=jdbc:postgresql://10.20.0.31:5432/shop", "DATABASE_USER=shop"))
		e.WaitPort("10.20.0.21:8080", 30*time.Second)
		e.Scrape("checkout", "checkout:8080", "http://10.20.0.21:8080/metrics")
		e.Gateway(GW{Kind: "nginx", Name: "gateway", IP: "10.20.0.10", Routes: []Upstream{{Name: "checkout", Prefix: "/", Servers: []string{"10.20.0.21:8080"}, Pool: "keepalive 16;"}}})
		e.Past(4*time.Minute, "scale", "frontend", "", "scale frontend 4 -> 8 ahead of the sale")
	}
	s.Truth = Truth{Class: "database", Mechanism: "slow-query",
		Acceptable: [][2]string{{"database", "slow-query"}, {"database", "pool-exhausted"}},
		Culprit:    "checkout", Aliases: []string{"db-1", "postgres", "postgresql", "database", "DatabasePool", "10.20.0.21", "10.20.0.31", "shop"},
		Trigger:     &Trigger{Kind: "traffic", Summary: "the sale began: four times the ordinary traffic"},
		NotCauses:   []string{"null dereference in PaymentProcessor", "expired sessions", "gateway timeout"},
		MustMention: []string{"Connection pool exhausted \\(max=10", "hikaricp_connections_(pending|active)", "customer_email"},
		Fix:         "Now: shed or slow the loyalty lookup. Then an index on orders(customer_email), a timeout on borrowing and on statements, and a guard for the missing account.",
		Difficulty:  "hard"}
	return s
}

// exampleBlackFriday writes the same recording to examples/, with the truth file beside the folder.
func exampleBlackFriday() Scenario {
	s := blackFriday()
	s.Out = filepath.Join(filepath.Dir(filepath.Dir(defaultOut())), "examples", "black-friday")
	return s
}
