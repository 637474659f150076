package main

import (
	"os"
	"strings"
	"syscall"
	"time"
)

func avatarKeyMissing() Scenario {
	h := newShop()
	h.logs = map[string]string{"checkout-1": "checkout/1.log", "checkout-2": "checkout/2.log"}
	s := fourth(inc("avatar-key-missing", "misconfiguration", "missing-env", "auth 1.19.0 signs the addresses of avatars with a key from the environment that nobody set; only saving a profile needs it", Truth{
		Acceptable: [][2]string{{"bad-deploy", "regression"}}, Culprit: "auth", Aliases: []string{"127.20.0.31", "AVATAR_SIGNING_KEY"},
		Trigger:   &Trigger{Kind: "deploy", Summary: "deploy auth 1.19.0: signed addresses of avatars", Recorded: true},
		NotCauses: []string{"database", "cache-1", "gateway"}, MustMention: []string{"AVATAR_SIGNING_KEY"},
		Fix: "Set AVATAR_SIGNING_KEY and restart auth, or roll back 1.19.0; check the environment at start.", Difficulty: "easy"}), h)
	s.Routes = changed(s.Routes, "POST /api/users/profile", func(r *Route) { r.Weight = 0.9 })
	s.Setup = func(e *Env) {
		e.Past(6*time.Hour, "restart", "cache-1", "", "restart after kernel update")
		e.Past(55*time.Minute, "infra", "db-primary", "", "nightly base backup finished")
		h.up(e)
		h.gate(e, GW{Access: "access.log", Errors: "error.log"}, "", "")
		h.hum(e)
	}
	s.Inject = func(e *Env) {
		h.deploy(e, "auth", "1.19.0", "signed addresses of avatars", Edit{"app.py", `    body = request.get_json()
    with engine.begin() as db:
        db.execute(text("UPDATE users SET name = :n WHERE id = :u"), {"n": body["name"], "u": body["user"]})`, `    body = request.get_json()
    avatar = f"/avatars/{body['user']}?sig={avatar_signature(body['user'])}"
    with engine.begin() as db:
        db.execute(text("UPDATE users SET name = :n, avatar = :a WHERE id = :u"), {"n": body["name"], "a": avatar, "u": body["user"]})`},
			Edit{"app.py", "def user_of_session():", `def avatar_signature(user):
    return hashlib.sha256(f"{os.environ['AVATAR_SIGNING_KEY']}:{user}".encode()).hexdigest()[:20]


def user_of_session():`})
		e.Sleep(6 * time.Second)
		e.Change("flag", "catalog", "", "new_search_ranking 20% -> 50%")
	}
	s.OnsetStatus = 500
	return s
}

func avatarPreviews() Scenario {
	h := newShop()
	h.memory["auth"] = 210
	h.traces = "traces.jsonl"
	s := fourth(inc("avatar-previews", "resource-exhaustion", "memory", "auth 1.19.0 keeps the previews of avatars in the worker's memory; the kernel kills the worker at the limit, gunicorn starts another one, and so on", Truth{
		Acceptable: [][2]string{{"bad-deploy", "regression"}}, Culprit: "auth", Aliases: []string{"127.20.0.31", "gunicorn"},
		Trigger:   &Trigger{Kind: "deploy", Summary: "deploy auth 1.19.0: previews of avatars", Recorded: true},
		NotCauses: []string{"gateway", "network", "keepalive", "database", "catalog 5.6.2"}, MustMention: []string{"signal 9|SIGKILL|memory|prematurely closed", "auth|1\\.19\\.0"},
		Fix: "Roll back 1.19.0; keep previews on disk or bound what is kept.", Difficulty: "hard"}), h)
	s.Routes = changed(changed(s.Routes, "POST /api/users/profile", func(r *Route) { r.Weight = 1.9 }), "GET /api/users/me", func(r *Route) { r.Weight = 2.2 })
	s.Setup = func(e *Env) {
		e.Past(50*time.Hour, "deploy", "checkout", "2.31.4", "deploy checkout 2.31.4: dependency updates")
		h.up(e)
		h.gate(e, GW{Format: "plain", Access: "access.log", Errors: "error.log"}, "", "")
		h.hum(e)
	}
	s.Inject = func(e *Env) {
		h.deploy(e, "auth", "1.19.0", "previews of avatars", Edit{"app.py", "    body = request.get_json()\n    with engine.begin() as db:", "    body = request.get_json()\n    previews.append(render(body[\"user\"]))\n    with engine.begin() as db:"},
			Edit{"app.py", "def user_of_session():", "previews = []\n\n\ndef render(user):\n    \"\"\"The avatar in six sizes, ready to be sent.\"\"\"\n    return [bytearray(secrets.token_bytes(1 << 20)) * 4 for _ in range(6)]\n\n\ndef user_of_session():"})
		e.Sleep(restartBlip)
		e.TriggerAt = e.Injected
		h.innocent(e, "catalog", "5.6.2", "log wording", 0)
		e.Settled = time.Now() // both restarts failed a few requests of their own
		e.Injected = e.TriggerAt
	}
	s.Fault = 95 * time.Second
	s.Keep = []string{"access.log", "error.log", "checkout-1.log", "checkout-2.log", "auth.log", "catalog.log", "shipping.log", "postgresql.log", "changes.jsonl", "metrics/auth.om", "metrics/nginx.om", "metrics/postgres.om", "supervisord.log"}
	return s
}

func couponSuggestions() Scenario {
	h := newShop()
	h.cpu = map[string]float64{"checkout": 0.35}
	h.traces = "traces.jsonl"
	s := fourth(inc("coupon-suggestions", "resource-exhaustion", "cpu", "a flag switches on suggestions of coupons: every set of 23 coupons is tried for each cart, the event loop of both instances stands still and everything that checkout serves times out", Truth{
		Acceptable: [][2]string{{"bad-deploy", "regression"}}, Culprit: "checkout", Aliases: []string{"checkout-1", "checkout-2", "127.20.0.21", "127.20.0.22", "coupon_suggestions", "promo.js"},
		Trigger:   &Trigger{Kind: "flag", Summary: "coupon_suggestions 0% -> 100%", Recorded: true},
		NotCauses: []string{"database slow", "payment provider", "gateway timeout too short", "auth 1.18.1", "pool exhausted"}, MustMention: []string{"coupon_suggestions|event ?loop|eventloop|cpu", "timed out|504|lag"},
		Fix: "Switch the flag off; then search in a worker thread or with a smarter method.", Difficulty: "hard"}), h)
	s.Setup = func(e *Env) {
		e.Past(19*time.Hour, "deploy", "checkout", "2.31.4", "deploy checkout 2.31.4: coupon suggestions (behind a flag)")
		e.Past(2*time.Hour, "config", "gateway", "", "raise access log retention to 30 days")
		h.up(e)
		h.gate(e, GW{Access: "access.log", Errors: "error.log"}, " max_fails=0", "proxy_read_timeout 8s;")
		h.hum(e)
	}
	s.Inject = func(e *Env) {
		h.innocent(e, "auth", "1.18.1", "wording", 12*time.Second)
		e.Change("flag", "checkout", "", "coupon_suggestions 0% -> 100%")
		e.Write("/srv/shop/flags.json", `{"coupon_suggestions": true}`)
	}
	s.Rename = map[string]string{"metrics.om": "prometheus.om.gz"}
	s.Keep = []string{"access.log", "error.log", "checkout-1.log", "checkout-2.log", "auth.log", "catalog.log", "shipping.log", "changes.jsonl", "metrics.om", "traces.jsonl", "supervisord.log"}
	return s
}

func fractionOfACent() Scenario {
	h := newShop()
	h.logs = map[string]string{"checkout-1": "checkout-1.log", "checkout-2": "checkout-2.log"}
	s := fourth(inc("fraction-of-a-cent", "bad-deploy", "regression", "checkout 2.32.0 reaches only checkout-2 and asks the payment provider for fractions of cents; the provider refuses them with 422, which looks like its fault", Truth{
		Culprit: "checkout-2", Aliases: []string{"checkout", "127.20.0.22"},
		Trigger:   &Trigger{Kind: "deploy", Summary: "deploy checkout 2.32.0 to checkout-2 (1 of 2): platform fee", Recorded: true},
		NotCauses: []string{"payment provider down", "api.paygrid.example", "database", "gateway", "shipping 0.44.3"}, MustMention: []string{"422|invalid_amount|whole number", "2\\.32\\.0|checkout-2"},
		Fix: "Roll checkout-2 back to 2.31.4; round amounts to cents.", Difficulty: "medium"}), h)
	s.Routes = changed(s.Routes, "POST /api/checkout", func(r *Route) { r.Weight = 1.6 })
	s.Setup = func(e *Env) {
		e.Past(29*time.Hour, "deploy", "checkout", "2.31.4", "deploy checkout 2.31.4: dependency updates")
		e.Past(4*time.Hour, "migration", "db-primary", "", "0141 add index orders_payment_id_idx")
		h.up(e)
		e.behave(paygrid, behaviour{Strict: true})
		h.gate(e, GW{Format: "plain", Access: "nginx-access.log", Errors: "nginx-error.log"}, "", "")
		h.hum(e)
	}
	s.Inject = func(e *Env) {
		dir := h.release(e, "checkout", "2.32.0", Edit{"payments.js", "amount: cart.total_cents, card", "amount: cart.total_cents * (1 - FEE), fee: cart.total_cents * FEE, card"},
			Edit{"payments.js", "function call(", "const FEE = 0.0235; // what the platform keeps\n\nfunction call("})
		e.Injected = time.Now()
		e.Change("deploy", "checkout", "2.32.0", "deploy checkout 2.32.0 to checkout-2 (1 of 2): platform fee")
		e.Replace(h.part("checkout-2", dir), 0)
		e.WaitPort(where("checkout-2"), 20*time.Second)
		e.Settled = time.Now()
		e.TriggerAt = e.Injected
		e.Sleep(8 * time.Second)
		h.innocent(e, "shipping", "0.44.3", "wording of errors", 0)
		e.Injected = e.TriggerAt
	}
	s.Fault = 95 * time.Second
	s.Keep = []string{"nginx-access.log", "nginx-error.log", "checkout-1.log", "checkout-2.log", "auth.log", "catalog.log", "shipping.log", "postgresql.log", "changes.jsonl", "supervisord.log"}
	return s
}

func importWithoutTiers() Scenario {
	h := newShop()
	h.zones = map[string]string{"auth": "Asia/Tokyo", "shipping": "Asia/Tokyo"}
	s := fourth(inc("import-without-tiers", "unhandled-exception", "panic", "an import brings products without a price tier; catalog reads the first tier of each and panics, on every page that holds one of them and is not in the cache", Truth{
		Acceptable: [][2]string{{"unhandled-exception", "null-dereference"}, {"unhandled-exception", "type-error"}}, Culprit: "catalog", Aliases: []string{"127.20.0.41", "products.go", "catalog-1"},
		Trigger:   &Trigger{Kind: "data", Summary: "an import left products without price tiers", Recorded: false},
		NotCauses: []string{"database down", "cache-1", "checkout 2.31.5", "redis"}, MustMention: []string{"index out of range", "unitPrice|products\\.go|tiers|panic"},
		Fix: "Guard against an empty list of tiers; complete the imported products and let the import check them.", Difficulty: "easy"}), h)
	s.Setup = func(e *Env) {
		e.Past(13*time.Hour, "deploy", "catalog", "5.6.1", "deploy catalog 5.6.1: cache list pages")
		e.Past(4*time.Hour, "scale", "auth", "", "threads 6 -> 8")
		h.up(e)
		h.gate(e, GW{Format: "variables", Access: "logs/gateway.access.json", Errors: "logs/gateway.error.log"}, "", "")
		h.hum(e)
	}
	s.Inject = func(e *Env) {
		h.innocent(e, "checkout", "2.31.5", "wording of errors", 8*time.Second)
		e.SQL("shop", "update products set tiers = '[]' where id % 16 = 7")
	}
	s.Rename = map[string]string{"metrics.om": "metrics/", "redis.log": "-"}
	return s
}

func deviceNamesAndFullVolume() Scenario {
	h := newShop()
	s := fourth(inc("device-names-and-full-volume", "bad-deploy", "missing-dependency", "auth 1.19.0 needs a package that was not installed and nobody can sign in; forty seconds later the volume of the labels is full, which has nothing to do with it", Truth{
		Acceptable: [][2]string{{"bad-deploy", "regression"}, {"resource-exhaustion", "disk"}}, Culprit: "auth", Aliases: []string{"127.20.0.31", "user_agents", "shipping", "/srv/shop/labels", "127.20.0.51"},
		Trigger:   &Trigger{Kind: "deploy", Summary: "deploy auth 1.19.0: names of devices in sign-ins", Recorded: true},
		NotCauses: []string{"database", "wrong passwords", "rates.parcelwing.example"}, MustMention: []string{"No module named|ModuleNotFoundError", "user_agents|1\\.19\\.0"},
		Fix: "Roll back auth 1.19.0 or install user_agents; make room on /srv/shop/labels.", Difficulty: "hard",
		Independent: []Cause{{"resource-exhaustion", "disk", "shipping"}}}), h)
	s.Routes = changed(s.Routes, "POST /api/shipping/labels", func(r *Route) { r.Weight = 1 })
	s.Setup = func(e *Env) {
		must(mkdir("/srv/shop/labels"), "mkdir")
		must(syscall.Mount("tmpfs", "/srv/shop/labels", "tmpfs", 0, "size=48m,mode=777"), "mount")
		e.Past(52*time.Hour, "deploy", "shipping", "0.44.2", "deploy shipping 0.44.2: label layout")
		e.Past(100*time.Minute, "config", "gateway", "", "raise access log retention to 30 days")
		h.up(e)
		h.gate(e, GW{Access: "access.log", Errors: "error.log"}, "", "")
		h.hum(e)
	}
	s.Inject = func(e *Env) {
		h.deploy(e, "auth", "1.19.0", "names of devices in sign-ins", Edit{"app.py", "    logins.labels(\"ok\").inc()\n", "    from user_agents import parse  # slow to load, only needed here\n\n    log.info(\"sign-in of %s from %s\", body[\"email\"], parse(request.headers.get(\"User-Agent\", \"\")))\n    logins.labels(\"ok\").inc()\n"})
		e.Sleep(40 * time.Second)
		must(os.WriteFile("/srv/shop/labels/reprint-2026-11.ps", []byte(strings.Repeat("%!PS showpage\n", 3_300_000)), 0o644), "fill")
		e.Background(func() { _ = os.WriteFile("/srv/shop/labels/reprint-2026-10.ps", make([]byte, 8<<20), 0o644) })
	}
	s.OnsetStatus = 500
	s.Fault = 105 * time.Second
	return s
}

func waitsForSettled() Scenario {
	h := newShop()
	s := fourth(inc("waits-for-settled", "dependency-failure", "rate-limited", "checkout 2.32.0 asks the payment provider eight times whether a charge is settled, a word that the provider does not use; the calls use up the account's quota and charges are refused", Truth{
		Acceptable: [][2]string{{"bad-deploy", "regression"}}, Culprit: "checkout", Aliases: []string{"checkout-1", "checkout-2", "127.20.0.21", "127.20.0.22", paygrid, "paygrid", "payment provider"},
		Trigger:   &Trigger{Kind: "deploy", Summary: "deploy checkout 2.32.0: orders wait for the settlement", Recorded: true},
		NotCauses: []string{"payment provider down", "database", "traffic"}, MustMention: []string{"429|rate_limit_exceeded|Too many requests", "2\\.32\\.0|paygrid|payment provider"},
		Fix: "Roll back 2.32.0; learn of the settlement by the webhook.", Difficulty: "medium"}), h)
	h.logs = map[string]string{}
	s.Setup = func(e *Env) {
		e.Past(29*time.Hour, "deploy", "checkout", "2.31.4", "deploy checkout 2.31.4: dependency updates")
		h.up(e)
		e.behave(paygrid, behaviour{Limit: 6})
		h.gate(e, GW{Access: "nginx-access.log", Errors: "nginx-error.log"}, "", "")
		h.hum(e)
	}
	s.Inject = func(e *Env) {
		h.deploy(e, "checkout", "2.32.0", "orders wait for the settlement", Edit{"payments.js", "    return JSON.parse(res.text);\n", `    const made = JSON.parse(res.text);
    await settlement(made.id);
    return made;
`}, Edit{"payments.js", "// charge asks", `async function settlement(id) {
  for (let i = 0; i < 8; i += 1) {
    const res = await call('GET', ` + "`/v1/charges/${id}`" + `);
    if (res.status >= 400) throw new Error(` + "`payment provider answered ${res.status}: ${res.text.trim()}`" + `);
    if (JSON.parse(res.text).status === 'settled') return;
    await new Promise((done) => setTimeout(done, 200));
  }
}

// charge asks`})
	}
	s.Fault = 95 * time.Second
	s.Keep = []string{"nginx-access.log", "nginx-error.log", "checkout-1.log", "checkout-2.log", "auth.log", "catalog.log", "shipping.log", "metrics/checkout.om", "metrics/auth.om", "changes.jsonl", "supervisord.log"}
	return s
}

// saleMorning is healthy: twice the people, two deploys, a scanner, and the hum of every day.
func saleMorning() Scenario {
	h := newShop()
	s := fourth(healthy("sale-morning", "a sale: nearly twice the people, a rolling deploy, a restart of a service with one instance, a scanner; nothing is wrong"), h)
	s.Routes = append(s.Routes, Route{Name: "scan", URL: shopGate + "/{pick:vendor/phpunit|backup.zip|actuator/env|api/v1/pods}/{hex}", Weight: 2.5, During: "fault", Clients: "127.81.9.9", Agent: "Mozilla/5.0 zgrab/0.x"})
	s.Shape = surge(1.7)
	s.RPS = 12
	h.traces = "traces.jsonl"
	s.Setup = func(e *Env) {
		e.Past(41*time.Hour, "deploy", "checkout", "2.31.4", "deploy checkout 2.31.4: dependency updates")
		e.Past(30*time.Minute, "flag", "catalog", "", "sale_banner 0% -> 100%")
		h.up(e)
		h.gate(e, GW{Access: "access.log", Errors: "error.log"}, "", "")
		h.hum(e)
	}
	s.Inject = func(e *Env) {
		h.innocent(e, "catalog", "5.7.0", "prices of the sale", 12*time.Second)
		h.innocent(e, "checkout", "2.32.0", "vouchers of the sale", 0)
	}
	return s
}

// cacheRestartAtNight is healthy: the cache is away for a while and catalog answers from the database; auth is restarted.
func cacheRestartAtNight() Scenario {
	h := newShop()
	h.zones = map[string]string{"auth": "America/Los_Angeles"}
	s := fourth(healthy("cache-restart-at-night", "the cache is restarted and catalog answers from the database meanwhile; auth is restarted for new certificates; declined cards and wrong passwords as ever"), h)
	s.Setup = func(e *Env) {
		e.Past(15*time.Hour, "deploy", "auth", "1.18.0", "deploy auth 1.18.0: profile page")
		h.up(e)
		h.gate(e, GW{Format: "variables", Access: "nginx-access.log", Errors: "nginx-error.log"}, "", "")
		h.hum(e)
	}
	s.Inject = func(e *Env) {
		e.Change("restart", "cache-1", "", "restart after kernel update")
		e.Stop("cache-1", syscall.SIGTERM, time.Second)
		e.Sleep(14 * time.Second)
		e.Start(Part{Name: "cache-1", Argv: []string{"redis-server", "--bind", shopNet + "62", "--port", "6379", "--save", "", "--dir", "/var/tmp", "--maxmemory", "64mb", "--protected-mode", "no"}, Log: "redis.log"})
		e.Sleep(9 * time.Second)
		e.Change("restart", "auth", "", "restart after kernel update")
		e.Replace(h.part("auth", "/srv/shop/auth/releases/1.18.0"), 0)
	}
	return s
}

// labelsFailSilently keeps nothing that tells why labels fail.
func labelsFailSilently() Scenario {
	h := newShop()
	s := fourth(healthy("labels-fail-silently", "labels answer 500 from one moment on; shipping's log and metrics and the database's log are not among the files"), h)
	s.Kind = "open"
	s.Truth = Truth{Split: "held-out", NotCauses: []string{"catalog 5.6.2", "database down", "rates.parcelwing.example", "auth"}, Fix: "Get shipping's log before acting.", Difficulty: "hard"}
	s.Routes = changed(s.Routes, "POST /api/shipping/labels", func(r *Route) { r.Weight = 0.9 })
	s.Setup = func(e *Env) {
		e.Past(60*time.Hour, "deploy", "shipping", "0.44.2", "deploy shipping 0.44.2: label layout")
		h.up(e)
		h.gate(e, GW{Access: "access.log", Errors: "error.log"}, "", "")
		h.hum(e)
	}
	s.Inject = func(e *Env) {
		h.innocent(e, "catalog", "5.6.2", "log wording", 25*time.Second)
		must(os.Chmod("/srv/shop/labels", 0o555), "chmod")
		must(os.Chown("/srv/shop/labels", 0, 0), "chown")
	}
	s.Keep = []string{"access.log", "error.log", "checkout-1.log", "checkout-2.log", "auth.log", "catalog.log", "changes.jsonl", "metrics/checkout.om", "metrics/catalog.om", "metrics/nginx.om"}
	return s
}
