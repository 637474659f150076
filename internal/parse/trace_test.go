package parse_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/inquesthq/inquest/internal/parse"
)

// traceWant is what a reader of the trace would note down.
type traceWant struct {
	lang, typ, msg string
	chain          string // types, outermost first
	root           string // message of the root
	top, app       string // frames of the exception thrown last
	rootTop        string // where the root was raised, if not top
	ownFrame       string // AppFrame, if not app
	thrown, code   string
}

func (w traceWant) check(t *testing.T, text string) {
	t.Helper()
	e := parse.ParseTrace(text)
	if e == nil {
		t.Fatal("no exception found")
	}
	var types []string
	for _, c := range e.Chain {
		types = append(types, c.Type)
	}
	if w.rootTop == "" {
		w.rootTop = w.top
	}
	if w.ownFrame == "" {
		w.ownFrame = w.app
	}
	got := traceWant{lang: e.Language, typ: e.Type, msg: e.Message, chain: strings.Join(types, " < "), root: e.Root().Message,
		top: e.Top.String(), app: e.App.String(), rootTop: e.TopFrame, ownFrame: e.AppFrame, thrown: e.Thrown.String(), code: e.Code}
	if w.top == "" && w.thrown != "" && w.rootTop == "" {
		w.rootTop = w.thrown
	}
	if diff := cmp.Diff(w, got, cmp.AllowUnexported(traceWant{})); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestParseTrace(t *testing.T) {
	for name, tc := range map[string]struct {
		text string
		want traceWant
	}{
		"java: cause chain under a log line, Suppressed left out": {`2026-11-20 10:00:00 ERROR [http-1] c.a.Web - Servlet.service() threw exception [Request processing failed; nested exception is java.lang.IllegalStateException: no cart] with root cause
java.lang.IllegalStateException: no cart
	at com.acme.Cart.load(Cart.java:12) ~[classes/:na]
	at java.base/java.lang.Thread.run(Thread.java:840)
	Suppressed: java.io.IOException: close failed
		at com.acme.Res.close(Res.java:3)
	Caused by: java.lang.Error: inside suppressed
		at com.acme.Res.x(Res.java:4)
Caused by: org.postgresql.util.PSQLException: ERROR: column "x" does not exist
  Position: 8
	at org.postgresql.core.v3.QueryExecutorImpl.receiveErrorResponse(QueryExecutorImpl.java:2553)
	at com.acme.Db.query(Db.java:9)
	... 12 common frames omitted`,
			traceWant{lang: "java", typ: "java.lang.IllegalStateException", msg: "no cart",
				chain: "java.lang.IllegalStateException < org.postgresql.util.PSQLException",
				root:  "ERROR: column \"x\" does not exist\n  Position: 8",
				top:   "com.acme.Cart.load (Cart.java:12)", app: "com.acme.Cart.load (Cart.java:12)",
				rootTop:  "org.postgresql.core.v3.QueryExecutorImpl.receiveErrorResponse (QueryExecutorImpl.java:2553)",
				ownFrame: "com.acme.Db.query (Db.java:9)"}},
		"java: Spring writes the cause into the message": {
			"org.springframework.dao.DataAccessResourceFailureException: Unable to acquire JDBC Connection; nested exception is java.sql.SQLTransientConnectionException: HikariPool-1 - Connection is not available\n\tat org.springframework.orm.X.y(X.java:1)\n\tat com.acme.Dao.find(Dao.java:20)",
			traceWant{lang: "java", typ: "org.springframework.dao.DataAccessResourceFailureException",
				msg:   "Unable to acquire JDBC Connection; nested exception is java.sql.SQLTransientConnectionException: HikariPool-1 - Connection is not available",
				chain: "org.springframework.dao.DataAccessResourceFailureException < java.sql.SQLTransientConnectionException",
				root:  "HikariPool-1 - Connection is not available",
				top:   "org.springframework.orm.X.y (X.java:1)", app: "com.acme.Dao.find (Dao.java:20)"}},
		"java: logback's root cause first is turned round": {
			"java.net.ConnectException: Connection refused\n\tat sun.nio.ch.Net.pollConnect(Native Method)\n\tat com.acme.Rpc.call(Rpc.java:5)\nWrapped by: com.acme.UpstreamException: payment\n\tat com.acme.Pay.go(Pay.java:7)",
			traceWant{lang: "java", typ: "com.acme.UpstreamException", msg: "payment", chain: "com.acme.UpstreamException < java.net.ConnectException",
				root: "Connection refused", top: "com.acme.Pay.go (Pay.java:7)", app: "com.acme.Pay.go (Pay.java:7)",
				rootTop: "sun.nio.ch.Net.pollConnect", ownFrame: "com.acme.Rpc.call (Rpc.java:5)", code: "ECONNREFUSED"}},
		"kotlin: a class that is not called an exception": {
			"Exception in thread \"main\" com.acme.OutOfStock: none left\n\tat com.acme.ShopKt.main(Shop.kt:6)",
			traceWant{lang: "java", typ: "com.acme.OutOfStock", msg: "none left", chain: "com.acme.OutOfStock", root: "none left",
				top: "com.acme.ShopKt.main (Shop.kt:6)", app: "com.acme.ShopKt.main (Shop.kt:6)"}},
		"python: handling one exception raises another": {`Traceback (most recent call last):
  File "/app/cart.py", line 10, in total
    return items["price"]
           ~~~~~^^^^^^^^^
KeyError: 'price'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/usr/lib/python3/dist-packages/flask/app.py", line 1484, in full_dispatch_request
    rv = self.dispatch_request()
  File "/app/views.py", line 33, in cart
    log(e)
  File "/usr/lib/python3.11/json/encoder.py", line 180, in default
    raise TypeError(x)
TypeError: Object of type KeyError is not JSON serializable`,
			traceWant{lang: "python", typ: "TypeError", msg: "Object of type KeyError is not JSON serializable", chain: "TypeError < KeyError", root: "'price'",
				top: "default (/usr/lib/python3.11/json/encoder.py:180)", app: "cart (/app/views.py:33)",
				rootTop: "total (/app/cart.py:10)", ownFrame: "total (/app/cart.py:10)"}},
		"python: syntax error has a frame without a function": {`Traceback (most recent call last):
  File "/app/run.py", line 1, in <module>
    import shop
  File "/app/shop.py", line 7
    def f(:
          ^
SyntaxError: invalid syntax`,
			traceWant{lang: "python", typ: "SyntaxError", msg: "invalid syntax", chain: "SyntaxError", root: "invalid syntax",
				top: "/app/shop.py:7", app: "/app/shop.py:7"}},
		"python: exception group, first branch is the root": {`  + Exception Group Traceback (most recent call last):
  |   File "/app/main.py", line 20, in main
  |     async with asyncio.TaskGroup() as tg:
  | ExceptionGroup: unhandled errors in a TaskGroup (2 sub-exceptions)
  +-+---------------- 1 ----------------
    | Traceback (most recent call last):
    |   File "/app/main.py", line 8, in fetch
    |     raise ValueError("bad")
    | ValueError: bad
    +---------------- 2 ----------------
    | Traceback (most recent call last):
    |   File "/app/main.py", line 12, in other
    |     raise OSError("x")
    | OSError: x
    +------------------------------------`,
			traceWant{lang: "python", typ: "ExceptionGroup", msg: "unhandled errors in a TaskGroup (2 sub-exceptions)", chain: "ExceptionGroup < ValueError", root: "bad",
				top: "main (/app/main.py:20)", app: "main (/app/main.py:20)", rootTop: "fetch (/app/main.py:8)", ownFrame: "fetch (/app/main.py:8)"}},
		"python: message of several lines, psycopg class": {`ERROR in app: Exception on /orders [GET]
Traceback (most recent call last):
  File "/venv/lib/python3.11/site-packages/sqlalchemy/engine/base.py", line 1963, in _exec
    self.dialect.do_execute(
psycopg2.errors.UndefinedColumn: column o.gift does not exist
LINE 1: select o.gift from orders o
               ^

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "/app/orders.py", line 5, in list
    db.execute(q)
sqlalchemy.exc.ProgrammingError: (psycopg2.errors.UndefinedColumn) column o.gift does not exist
[SQL: select o.gift from orders o]`,
			traceWant{lang: "python", typ: "sqlalchemy.exc.ProgrammingError",
				msg:   "(psycopg2.errors.UndefinedColumn) column o.gift does not exist\n[SQL: select o.gift from orders o]",
				chain: "sqlalchemy.exc.ProgrammingError < psycopg2.errors.UndefinedColumn",
				root:  "column o.gift does not exist\nLINE 1: select o.gift from orders o\n               ^",
				top:   "list (/app/orders.py:5)", app: "list (/app/orders.py:5)",
				rootTop:  "_exec (/venv/lib/python3.11/site-packages/sqlalchemy/engine/base.py:1963)",
				ownFrame: "list (/app/orders.py:5)", code: "42703"}},
		"node: banner, async frame, cause and property dump": {`/srv/app/pay.js:12
    throw new Error('payment failed', { cause: err });
    ^

Error: payment failed
    at charge (/srv/app/pay.js:12:11)
    at process.processTicksAndRejections (node:internal/process/task_queues:95:5)
    at async checkout (/srv/app/checkout.js:30:3) {
  [cause]: Error: connect ECONNREFUSED 10.0.0.9:443
      at TCPConnectWrap.afterConnect [as oncomplete] (node:net:1555:16) {
    errno: -111,
    code: 'ECONNREFUSED',
    syscall: 'connect'
  }
}

Node.js v20.11.0`,
			traceWant{lang: "node", typ: "Error", msg: "payment failed", chain: "Error < Error", root: "connect ECONNREFUSED 10.0.0.9:443",
				top: "charge (/srv/app/pay.js:12)", app: "charge (/srv/app/pay.js:12)",
				rootTop:  "TCPConnectWrap.afterConnect [as oncomplete] (node:net:1555)",
				ownFrame: "charge (/srv/app/pay.js:12)", thrown: "/srv/app/pay.js:12", code: "ECONNREFUSED"}},
		"node: pg error with SQLSTATE": {`error: relation "gifts" does not exist
    at Parser.parseErrorMessage (/app/node_modules/pg-protocol/dist/parser.js:283:98)
    at /app/node_modules/pg/lib/client.js:526:17
    at async list (file:///app/src/gifts.mjs:9:15) {
  length: 104,
  severity: 'ERROR',
  code: '42P01',
  routine: 'parserOpenTable'
}`,
			traceWant{lang: "node", typ: "error", msg: `relation "gifts" does not exist`, chain: "error", root: `relation "gifts" does not exist`,
				top: "Parser.parseErrorMessage (/app/node_modules/pg-protocol/dist/parser.js:283)",
				app: "list (/app/src/gifts.mjs:9)", code: "42P01"}},
		"node: aggregate error": {`AggregateError [ECONNREFUSED]: 
    at internalConnectMultiple (node:net:1114:18)
    at afterConnectMultiple (node:net:1667:5) {
  code: 'ECONNREFUSED',
  [errors]: [
    Error: connect ECONNREFUSED ::1:5432
        at createConnectionError (node:net:1634:14) {
      code: 'ECONNREFUSED'
    },
    Error: connect ECONNREFUSED 127.0.0.1:5432
        at createConnectionError (node:net:1634:14)
  ]
}`,
			traceWant{lang: "node", typ: "AggregateError", chain: "AggregateError < Error", root: "connect ECONNREFUSED ::1:5432",
				top: "internalConnectMultiple (node:net:1114)", rootTop: "createConnectionError (node:net:1634)", code: "ECONNREFUSED"}},
		"node: unhandled rejection warning": {
			"(node:77) UnhandledPromiseRejectionWarning: TypeError: Cannot read properties of undefined (reading 'id')\n    at handler (/app/index.js:4:20)",
			traceWant{lang: "node", typ: "TypeError", msg: "Cannot read properties of undefined (reading 'id')", chain: "TypeError",
				root: "Cannot read properties of undefined (reading 'id')", top: "handler (/app/index.js:4)", app: "handler (/app/index.js:4)"}},
		"firefox": {"TypeError: can't access property \"x\", a is undefined\nrender@https://shop.example/static/app.js:10:5\n@https://shop.example/static/app.js:40:1",
			traceWant{lang: "node", typ: "TypeError", msg: "can't access property \"x\", a is undefined", chain: "TypeError",
				root: "can't access property \"x\", a is undefined", top: "render (https://shop.example/static/app.js:10)", app: "render (https://shop.example/static/app.js:10)"}},
		"go: panic in a handler, recovered and re-panicked": {`panic: assignment to entry in nil map [recovered]
	panic: assignment to entry in nil map

goroutine 34 [running]:
testing.tRunner.func1.2({0x1, 0x2})
	/usr/local/go/src/testing/testing.go:1545 +0x238
panic({0x10?, 0x20?})
	/usr/local/go/src/runtime/panic.go:914 +0x21f
github.com/acme/shop/cart.(*Store).Put(...)
	/src/cart/store.go:31
main.main()
	/src/main.go:9 +0x1d
exit status 2`,
			traceWant{lang: "go", typ: "panic", msg: "assignment to entry in nil map", chain: "panic", root: "assignment to entry in nil map",
				top: "github.com/acme/shop/cart.(*Store).Put (/src/cart/store.go:31)", app: "github.com/acme/shop/cart.(*Store).Put (/src/cart/store.go:31)"}},
		"go: fatal error": {"fatal error: concurrent map writes\n\ngoroutine 7 [running]:\nmain.count(0xc0000)\n\t/src/main.go:14 +0x5b\ncreated by main.main in goroutine 1\n\t/src/main.go:9 +0x44\n\ngoroutine 1 [sleep]:\ntime.Sleep(0x1)\n\t/usr/local/go/src/runtime/time.go:195 +0x125",
			traceWant{lang: "go", typ: "fatal error", msg: "concurrent map writes", chain: "fatal error", root: "concurrent map writes",
				top: "main.count (/src/main.go:14)", app: "main.count (/src/main.go:14)"}},
		"dotnet: inner exceptions come first, heads outermost first": {`Unhandled exception. System.AggregateException: One or more errors occurred. (No connection)
 ---> System.Net.Http.HttpRequestException: No connection
 ---> System.Net.Sockets.SocketException (111): Connection refused
   at System.Net.Sockets.Socket.Connect(EndPoint e)
   --- End of inner exception stack trace ---
   at System.Net.Http.HttpClient.Send(HttpRequestMessage m)
   at Acme.Pay.Client.Charge(Order o) in /src/Pay/Client.cs:line 42
   --- End of inner exception stack trace ---
   at Acme.Program.Main(String[] args) in /src/Program.cs:line 7`,
			traceWant{lang: "dotnet", typ: "System.AggregateException", msg: "One or more errors occurred. (No connection)",
				chain: "System.AggregateException < System.Net.Http.HttpRequestException < System.Net.Sockets.SocketException", root: "Connection refused",
				top: "Acme.Program.Main (/src/Program.cs:7)", app: "Acme.Program.Main (/src/Program.cs:7)",
				rootTop: "System.Net.Sockets.Socket.Connect", ownFrame: "Acme.Pay.Client.Charge (/src/Pay/Client.cs:42)", code: "ECONNREFUSED"}},
		"ruby: the interpreter's own form": {"app/models/cart.rb:12:in `total': undefined method `price' for nil:NilClass (NoMethodError)\n\tfrom app/controllers/carts.rb:5:in `show'\n\tfrom /usr/lib/ruby/gems/3.2.0/gems/rack-3.0/lib/rack.rb:9:in `call'",
			traceWant{lang: "ruby", typ: "NoMethodError", msg: "undefined method `price' for nil:NilClass", chain: "NoMethodError",
				root: "undefined method `price' for nil:NilClass", top: "total (app/models/cart.rb:12)", app: "total (app/models/cart.rb:12)"}},
		"ruby: rails with a gem's frames above the own one": {"ActiveRecord::StatementInvalid (PG::UndefinedTable: ERROR:  relation \"gifts\" does not exist):\n  \nactiverecord (7.0.4) lib/active_record/adapter.rb:19:in `exec'\napp/models/gift.rb:3:in `all_open'",
			traceWant{lang: "ruby", typ: "ActiveRecord::StatementInvalid", msg: "PG::UndefinedTable: ERROR:  relation \"gifts\" does not exist", chain: "ActiveRecord::StatementInvalid",
				root: "PG::UndefinedTable: ERROR:  relation \"gifts\" does not exist", top: "exec (lib/active_record/adapter.rb:19)", app: "all_open (app/models/gift.rb:3)"}},
		"ruby 3.4: qualified method in straight quotes": {"/app/lib/pay.rb:3:in 'Pay#charge': connection refused (Errno::ECONNREFUSED)\n\tfrom /app/main.rb:1:in '<main>'",
			traceWant{lang: "ruby", typ: "Errno::ECONNREFUSED", msg: "connection refused", chain: "Errno::ECONNREFUSED", root: "connection refused",
				top: "Pay#charge (/app/lib/pay.rb:3)", app: "Pay#charge (/app/lib/pay.rb:3)", code: "ECONNREFUSED"}},
		"php: previous exception printed first": {`PHP Fatal error:  Uncaught PDOException: SQLSTATE[HY000] [2002] Connection refused in /app/src/Db.php:12
Stack trace:
#0 /app/src/Db.php(12): PDO->__construct('mysql:...')
#1 /app/vendor/acme/orm/Orm.php(5): Db->open()
#2 {main}

Next RuntimeException: no database in /app/src/Repo.php:30
Stack trace:
#0 /app/public/index.php(9): Repo->all()
#1 {main}
  thrown in /app/src/Repo.php on line 30`,
			traceWant{lang: "php", typ: "RuntimeException", msg: "no database", chain: "RuntimeException < PDOException", root: "SQLSTATE[HY000] [2002] Connection refused",
				top: "Repo->all (/app/src/Repo.php:30)", app: "Repo->all (/app/src/Repo.php:30)",
				rootTop: "PDO->__construct (/app/src/Db.php:12)", ownFrame: "PDO->__construct (/app/src/Db.php:12)",
				thrown: "/app/src/Repo.php:30", code: "ECONNREFUSED"}},
		"php: out of memory is no exception": {"PHP Fatal error:  Allowed memory size of 134217728 bytes exhausted (tried to allocate 20480 bytes) in /app/report.php on line 88",
			traceWant{lang: "php", typ: "Fatal error", msg: "Allowed memory size of 134217728 bytes exhausted (tried to allocate 20480 bytes)", chain: "Fatal error",
				root: "Allowed memory size of 134217728 bytes exhausted (tried to allocate 20480 bytes)",
				top:  "/app/report.php:88", app: "/app/report.php:88", thrown: "/app/report.php:88"}},
		"rust: panic with backtrace": {`thread 'tokio-runtime-worker' panicked at src/cart.rs:41:22:
called ` + "`Option::unwrap()` on a `None` value" + `
stack backtrace:
   0: rust_begin_unwind
             at /rustc/07dca489/library/std/src/panicking.rs:645:5
   1: core::panicking::panic_fmt
             at /rustc/07dca489/library/core/src/panicking.rs:72:14
   2: shop::cart::total
             at ./src/cart.rs:41:22
   3: tokio::runtime::task::core::poll
             at /root/.cargo/registry/src/tokio-1.36/src/core.rs:328:17
note: Some details are omitted`,
			traceWant{lang: "rust", typ: "panic", msg: "called `Option::unwrap()` on a `None` value", chain: "panic", root: "called `Option::unwrap()` on a `None` value",
				top: "shop::cart::total (./src/cart.rs:41)", app: "shop::cart::total (./src/cart.rs:41)", thrown: "src/cart.rs:41"}},
		"rust: anyhow's report": {"Error: failed to load orders\n\nCaused by:\n    0: pool timed out\n    1: Connection refused (os error 111)",
			traceWant{lang: "rust", typ: "error", msg: "failed to load orders", chain: "error < error < error", root: "Connection refused (os error 111)", code: "ECONNREFUSED"}},
		"elixir": {"** (exit) an exception was raised:\n    ** (KeyError) key :price not found in: %{}\n        (shop 0.1.0) lib/shop/cart.ex:7: Shop.Cart.total/1\n        (phoenix 1.7.10) lib/phoenix/router.ex:432: Phoenix.Router.__call__/5",
			traceWant{lang: "elixir", typ: "exit", msg: "an exception was raised:", chain: "exit < KeyError", root: "key :price not found in: %{}",
				rootTop: "Shop.Cart.total/1 (lib/shop/cart.ex:7)", ownFrame: "Shop.Cart.total/1 (lib/shop/cart.ex:7)"}},
		"c++: uncaught exception": {"terminate called after throwing an instance of 'std::out_of_range'\n  what():  vector::_M_range_check\nAborted (core dumped)",
			traceWant{lang: "native", typ: "std::out_of_range", msg: "vector::_M_range_check", chain: "std::out_of_range", root: "vector::_M_range_check"}},
		"go: gin's recovery dumps the request first": {"[Recovery] 2026/11/20 - 10:00:00 panic recovered:\nGET /cart HTTP/1.1\r\nHost: localhost:8080\r\n\r\nruntime error: index out of range [3]\n" +
			"/usr/local/go/src/runtime/panic.go:114 (0x43)\n\tgoPanicIndex: panic(boundsError{})\n/app/cart.go:25 (0x7b)\n\tTotal: return c.items[3]\n/go/pkg/mod/github.com/gin-gonic/gin@v1.9.1/context.go:174 (0x7a)\n\t(*Context).Next: c.handlers[c.index](c)",
			traceWant{lang: "go", typ: "panic", msg: "runtime error: index out of range [3]", chain: "panic", root: "runtime error: index out of range [3]",
				top: "Total (/app/cart.go:25)", app: "Total (/app/cart.go:25)"}},
		"dotnet: indented by the console logger": {"fail: Microsoft.AspNetCore.Server.Kestrel[13]\n      An unhandled exception was thrown by the application.\n      System.NullReferenceException: Object reference not set\n" +
			"         at Shop.Cart.Get(Int32 id) in /src/Cart.cs:line 31\n         at Microsoft.AspNetCore.Mvc.Executor.Run(X x)",
			traceWant{lang: "dotnet", typ: "System.NullReferenceException", msg: "Object reference not set", chain: "System.NullReferenceException", root: "Object reference not set",
				top: "Shop.Cart.Get (/src/Cart.cs:31)", app: "Shop.Cart.Get (/src/Cart.cs:31)"}},
		"node: out of heap is no exception": {"<--- Last few GCs --->\n\nFATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory",
			traceWant{lang: "node", typ: "FATAL ERROR", msg: "Reached heap limit Allocation failed - JavaScript heap out of memory", chain: "FATAL ERROR",
				root: "Reached heap limit Allocation failed - JavaScript heap out of memory"}},
		"ruby: inspected": {"rescued #<ActiveRecord::ConnectionTimeoutError: could not obtain a connection>",
			traceWant{lang: "ruby", typ: "ActiveRecord::ConnectionTimeoutError", msg: "could not obtain a connection", chain: "ActiveRecord::ConnectionTimeoutError", root: "could not obtain a connection"}},
		"one line": {"TypeError: Cannot read properties of null (reading 'percent')",
			traceWant{typ: "TypeError", msg: "Cannot read properties of null (reading 'percent')", chain: "TypeError", root: "Cannot read properties of null (reading 'percent')"}},
		"one line behind a prefix": {"checkout failed for order 12: java.net.SocketTimeoutException: Read timed out",
			traceWant{lang: "java", typ: "java.net.SocketTimeoutException", msg: "Read timed out", chain: "java.net.SocketTimeoutException", root: "Read timed out"}},
	} {
		t.Run(name, func(t *testing.T) { tc.want.check(t, tc.text) })
	}
}

func TestParseTraceFindsNoneWhereThereIsNone(t *testing.T) {
	for _, text := range []string{
		"",
		"Internal Server Error: /cart",
		"Error rate is 3 percent",
		"request finished: status=500 at 10:00",
		"user (admin) logged in at noon",
		"GET /static/error.js 404",
		"connect() failed (111: Connection refused) while connecting to upstream",
		"No errors found at start (ok)",
	} {
		if e := parse.ParseTrace(text); e != nil {
			t.Errorf("%q: got %+v", text, *e)
		}
	}
}

func TestExceptionDoesNotAliasTheText(t *testing.T) {
	buf := []byte("java.lang.IllegalStateException: broken\n\tat com.acme.A.b(A.java:1)")
	e := parse.ParseTrace(unsafeString(buf))
	for i := range buf {
		buf[i] = 'X'
	}
	want := []string{"java.lang.IllegalStateException", "broken", "com.acme.A.b (A.java:1)"}
	if diff := cmp.Diff(want, []string{e.Type, e.Message, e.TopFrame}); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func FuzzParseTrace(f *testing.F) {
	for _, s := range []string{"panic: x\n\ngoroutine 1 [running]:\nmain.f()\n\t/a.go:1 +0x1", "A: b\n\tat a.b.C(D.java:1)\nCaused by: x.Y: nested exception is z.E: q",
		"Traceback (most recent call last):\n  File \"a\", line 1, in b\nE: f", "  + Exception Group Traceback (most recent call last):\n  +-+---- 1 ----",
		"E: m\n    at f (a.js:1:2) {\n code: 'X'", "a.rb:1:in `b': c (D)", "PHP Fatal error:  Uncaught E: m in a:1\nStack trace:\n#0 a(1): b()\nNext F: g in a:2",
		"thread 'a' panicked at 'b', c:1:2", "Error: a\n\nCaused by:\n    0: b", "X.Y: z ---> A.B: c\n   at A.B.C() in d:line 1\n   --- End of inner exception stack trace ---",
		"[object] (A(code: 0): b at c:1)\n[stacktrace]\n#0 a(1): b", "** (A) b\n (c 1) d.ex:1: f", "#0 0x1 in f a.c:1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		e := parse.ParseTrace(s)
		if e == nil {
			return
		}
		if len(e.Chain) == 0 {
			t.Fatal("an exception without a chain")
		}
		var n int
		for _, c := range e.Chain {
			n += len(c.Message)
		}
		if n > inquestChainBound {
			t.Fatalf("%d bytes of messages from %d bytes of text", n, len(s))
		}
	})
}

// inquestChainBound is 32 links of 8 KB.
const inquestChainBound = 32 * 8 << 10
