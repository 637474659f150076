package main

import (
	"time"
)

// academy brings up the courses service of a learning platform: Java, HikariCP, logback, PostgreSQL.
type academy struct {
	service string
	version string
	rename  []string
	edits   []Edit
	env     []string
	wrap    string
	jvm     []string
	nofile  int
	pids    int
	pg      Postgres
}

const academyIP = "10.63.0.21"

func (a academy) part(dir string) Part {
	p := javaPart(a.service, dir, "academy.Main", append([]string{"HOST=" + academyIP, "PORT=8080", "APP_VERSION=" + base(dir),
		"DATABASE_URL=jdbc:postgresql://academy-db:5432/academy?socketTimeout=8", "DATABASE_USER=academy"}, a.env...)...)
	p.Argv = append(append([]string{"java"}, a.jvm...), p.Argv[1:]...)
	p.Wrap, p.NoFile, p.Pids, p.Restart = a.wrap, a.nofile, a.pids, 3*time.Second
	return p
}

func (a academy) up(e *Env) {
	pg := a.pg
	pg.Name, pg.IP, pg.DB = "academy-db", "10.63.0.31", "academy"
	if pg.Schema == "" {
		pg.Schema = e.schema("java/courses", a.rename...)
	}
	e.Postgres(pg)
	dir := e.Release(a.service, "java/courses", a.version, a.rename, a.edits...)
	e.up(a.part(dir), academyIP+":8080")
	e.Scrape(a.service, a.service+":8080", "http://"+academyIP+":8080/metrics")
}

func (a academy) deploy(e *Env, version string, edits ...Edit) {
	e.Replace(a.part(e.Release(a.service, "java/courses", version, a.rename, edits...)), 0)
	e.WaitPort(academyIP+":8080", 20*time.Second)
}

func javaScenarios() []Scenario {
	return []Scenario{droppedIndex(), classMissing(), heapFull(), threadLeak(), workersBusy(), headersTooBig(), certificateNull(), noDataPool()}
}

func droppedIndex() Scenario {
	gw := "http://10.63.0.10"
	s := inc("progress-index-dropped", "database", "slow-query", "a clean-up migration drops the index that the progress page needs", Truth{
		Acceptable: [][2]string{{"database", "pool-exhausted"}}, Culprit: "academy-db", Aliases: []string{"postgres", "postgresql", "database", "10.63.0.31", "courses", "lesson_views"},
		Trigger:   &Trigger{Kind: "migration", Summary: "drop unused indexes", Recorded: true},
		NotCauses: []string{"pool too small", "database down", "courses release"}, MustMention: []string{"lesson_views|Connection is not available", "drop unused indexes|duration"},
		Fix: "Create the index again; then a statement time-out.", Difficulty: "hard"})
	s.Routes = changed(courseRoutes(gw), "GET /courses/{id}/progress", func(r *Route) { r.Weight = 6 })
	s.RPS = 30
	a := academy{service: "courses", version: "3.12.0", pg: Postgres{CPU: 0.35, Export: true, Conf: map[string]string{"log_min_duration_statement": "250"}}}
	s.Setup = func(e *Env) {
		a.pg.Schema = e.schema("java/courses") + "insert into lesson_views (learner_id, lesson) select g%1500, g%20 from generate_series(1,450000) g; analyze;"
		e.Past(30*time.Hour, "deploy", "courses", "3.12.0", "deploy courses 3.12.0: progress bar")
		e.Past(3*time.Minute, "deploy", "forum", "1.1.8", "deploy forum 1.1.8: emojis")
		a.up(e)
		e.Gateway(GW{Kind: "haproxy", Name: "haproxy", IP: "10.63.0.10", Access: "haproxy.log", Routes: []Upstream{{Name: "courses", Prefix: "/", Servers: []string{academyIP + ":8080"}}}})
	}
	s.Inject = func(e *Env) {
		e.Change("migration", "academy-db", "", "drop unused indexes")
		e.SQL("academy", "drop index lesson_views_learner")
	}
	s.Fault = 60 * time.Second
	return s
}

func classMissing() Scenario {
	gw := "http://10.63.0.10"
	s := inc("seal-class-missing", "bad-deploy", "missing-dependency", "the package of 2.5.0 lacks a class that only the certificates need", Truth{
		Acceptable: [][2]string{{"bad-deploy", "regression"}}, Culprit: "certs", Aliases: []string{academyIP, "certificates"},
		Trigger:   &Trigger{Kind: "deploy", Summary: "deploy certs 2.5.0: smaller package", Recorded: true},
		NotCauses: []string{"database", "gateway"}, MustMention: []string{"NoClassDefFoundError|ClassNotFoundException", "2\\.5\\.0"},
		Fix: "Roll back 2.5.0; put the class back into the package.", Difficulty: "easy"})
	s.TZ, s.Host = "America/Sao_Paulo", "campus-1"
	s.Routes = changed(courseRoutes(gw), "GET /certificates/{id}", func(r *Route) { r.Weight = 3 })
	edits := []Edit{{"Http.java", "} catch (Exception e) {", "} catch (Throwable e) {"}}
	a := academy{service: "certs", version: "2.4.9", edits: edits}
	s.Setup = func(e *Env) {
		e.Past(6*24*time.Hour, "deploy", "certs", "2.4.9", "deploy certs 2.4.9")
		a.up(e)
		e.Gateway(GW{Kind: "apache", Name: "httpd", IP: "10.63.0.10", Format: "combined", Routes: []Upstream{{Name: "certs", Prefix: "/", Servers: []string{academyIP + ":8080"}}}})
	}
	s.Inject = func(e *Env) {
		dir := e.Release("certs", "java/courses", "2.5.0", nil, edits...)
		e.Run("rm", dir+"/classes/academy/Signature.class")
		e.Change("deploy", "certs", "2.5.0", "deploy certs 2.5.0: smaller package")
		e.Replace(a.part(dir), 0)
	}
	s.OnsetStatus = 500
	s.Keep = []string{"access.log", "certs.log", "changes.jsonl", "error.log"}
	return s
}

func heapFull() Scenario {
	gw := "http://10.63.0.10"
	s := inc("certificates-fill-heap", "resource-exhaustion", "memory", "an unbounded cache of certificates fills the heap", Truth{
		Acceptable: [][2]string{{"bad-deploy", "regression"}}, Culprit: "campus", Aliases: []string{academyIP, "certificates"},
		Trigger:   &Trigger{Kind: "flag", Summary: "certificate-cache on for everyone", Recorded: true},
		NotCauses: []string{"database", "gateway", "traffic"}, MustMention: []string{"OutOfMemoryError|Java heap space|jvm_memory_used_bytes", "certificate-cache|cache"},
		Fix: "Switch the flag off and restart; bound the cache.", Difficulty: "medium"})
	s.Routes = changed(courseRoutes(gw), "GET /certificates/{id}", func(r *Route) { r.Weight = 5 })
	edits := []Edit{{"Http.java", "} catch (Exception e) {", "} catch (Throwable e) {"},
		{"Certificates.java", "        return new Http.Answer(200, Signature.seal(", "        if (java.nio.file.Files.exists(java.nio.file.Path.of(\"/srv/flags/certificate-cache\"))) {\n          rendered.put(id, new byte[300_000]); // the page as PDF\n        }\n        return new Http.Answer(200, Signature.seal("},
		{"Certificates.java", "  private final DatabasePool pool;\n", "  private final DatabasePool pool;\n  private final java.util.Map<Long, byte[]> rendered = new java.util.concurrent.ConcurrentHashMap<>();\n"}}
	a := academy{service: "campus", version: "8.0.2", edits: edits, wrap: "docker"}
	s.Setup = func(e *Env) {
		e.Past(18*time.Hour, "deploy", "campus", "8.0.2", "deploy campus 8.0.2: certificate cache behind a flag")
		must(mkdir("/srv/flags"), "mkdir")
		a.up(e)
		e.Gateway(GW{Kind: "nginx", Name: "nginx", IP: "10.63.0.10", Routes: []Upstream{{Name: "campus", Prefix: "/", Servers: []string{academyIP + ":8080 max_fails=0"}, Opts: "proxy_read_timeout 5s;"}}})
	}
	s.Inject = func(e *Env) {
		e.Change("flag", "campus", "", "certificate-cache on for everyone")
		e.Write("/srv/flags/certificate-cache", "on\n")
	}
	s.Fault = 130 * time.Second
	s.RPS = 30
	return s
}

func threadLeak() Scenario {
	gw := "http://10.63.0.10"
	s := inc("mailer-thread-leak", "resource-exhaustion", "threads", "release 6.1.0 makes an executor per enrolment and never ends it", Truth{
		Acceptable: [][2]string{{"bad-deploy", "regression"}}, Culprit: "enrolment", Aliases: []string{academyIP},
		Trigger:   &Trigger{Kind: "deploy", Summary: "deploy enrolment 6.1.0: welcome mail in the background", Recorded: true},
		NotCauses: []string{"heap memory", "database"}, MustMention: []string{"unable to create native thread|jvm_threads_live_threads", "6\\.1\\.0"},
		Fix: "Roll back 6.1.0; one shared executor.", Difficulty: "medium"})
	s.Routes = changed(courseRoutes(gw), "POST /enrolments", func(r *Route) { r.Weight = 4 })
	edits := []Edit{{"Http.java", "} catch (Exception e) {", "} catch (Throwable e) {"}}
	a := academy{service: "enrolment", version: "6.0.4", edits: edits, pids: 260}
	s.Setup = func(e *Env) {
		e.Past(25*time.Hour, "deploy", "enrolment", "6.0.4", "deploy enrolment 6.0.4")
		a.up(e)
		e.Gateway(GW{Kind: "nginx", Name: "edge", IP: "10.63.0.10", Format: "json", Routes: []Upstream{{Name: "enrolment", Prefix: "/", Servers: []string{academyIP + ":8080 max_fails=0"}}}})
	}
	s.Inject = func(e *Env) {
		e.Change("deploy", "enrolment", "6.1.0", "deploy enrolment 6.1.0: welcome mail in the background")
		a.deploy(e, "6.1.0", append(edits, Edit{"Courses.java", "        r.next();\n        return new Http.Answer(201", "        r.next();\n        var mailer = java.util.concurrent.Executors.newScheduledThreadPool(1);\n        mailer.schedule(() -> {}, 1, java.util.concurrent.TimeUnit.SECONDS);\n        return new Http.Answer(201"})...)
		e.Sleep(2 * time.Second)
		e.Settled = time.Now()
	}
	s.Fault = 90 * time.Second
	return s
}

func workersBusy() Scenario {
	gw := "http://10.63.0.10"
	s := inc("export-takes-workers", "resource-exhaustion", "threads", "long exports occupy all worker threads; the queue overflows and everything is refused", Truth{
		Culprit: "lms", Aliases: []string{academyIP},
		Trigger:   &Trigger{Kind: "client", Summary: "report-bot began to fetch progress exports in parallel", Recorded: false},
		NotCauses: []string{"database", "memory"}, MustMention: []string{"RejectedExecutionException|worker_pool|workers", "export|progress"},
		Fix: "Give exports a pool of their own; limit the bot.", Difficulty: "hard"})
	s.Routes = append(courseRoutes(gw), Route{Name: "GET /courses/{id}/progress", URL: gw + "/courses/{n:1-1500}/progress?export=full", Weight: 5, During: "fault", Clients: "203.0.113.9", Agent: "report-bot/0.9", Timeout: 25 * time.Second})
	edits := []Edit{{"Main.java", "Executors.newFixedThreadPool(60)", "Workers.make(24, 16)"},
		{"Courses.java", "  private Http.Answer progress(long learner) throws SQLException {", "  private Http.Answer progress(long learner) throws Exception {"},
		{"Courses.java", "      return progress(Long.parseLong(p[2]));", "      if (\"export=full\".equals(x.getRequestURI().getQuery())) {\n        Workers.renderExport(Long.parseLong(p[2]));\n      }\n      return progress(Long.parseLong(p[2]));"},
		{"Metrics.java", "    Runtime rt", "    gauge(s, \"worker_pool_active_threads\", Workers.pool.getActiveCount());\n    gauge(s, \"worker_pool_max_threads\", Workers.pool.getMaximumPoolSize());\n    gauge(s, \"worker_pool_queued_tasks\", Workers.pool.getQueue().size());\n    Runtime rt"},
		{"Main.java", "ExecutorService workers", "java.util.concurrent.Executor workers"}, {"Main.java", "import java.util.concurrent.ExecutorService;\nimport java.util.concurrent.Executors;\n", ""},
		{"Signature.java", "/** Seals a", "/** The threads that answer requests. */\nfinal class Workers {\n  static java.util.concurrent.ThreadPoolExecutor pool;\n  private static final org.slf4j.Logger log = org.slf4j.LoggerFactory.getLogger(Workers.class);\n\n  static java.util.concurrent.Executor make(int threads, int queue) {\n    pool = new java.util.concurrent.ThreadPoolExecutor(threads, threads, 1, java.util.concurrent.TimeUnit.MINUTES, new java.util.concurrent.ArrayBlockingQueue<>(queue));\n    return task -> {\n      try {\n        pool.execute(task);\n      } catch (java.util.concurrent.RejectedExecutionException e) {\n        log.error(\"request refused\", e);\n        throw e;\n      }\n    };\n  }\n\n  /** Typesets a learner's whole history, page by page. */\n  static void renderExport(long learner) throws InterruptedException {\n    for (int page = 0; page < 40; page++) {\n      Thread.sleep(300);\n    }\n  }\n}\n\n/** Seals a"}}
	a := academy{service: "lms", version: "20.4.1", edits: edits}
	s.Setup = func(e *Env) {
		e.Past(10*24*time.Hour, "deploy", "lms", "20.4.1", "deploy lms 20.4.1: full exports")
		a.up(e)
		e.Gateway(GW{Kind: "nginx", Name: "nginx", IP: "10.63.0.10", Routes: []Upstream{{Name: "lms", Prefix: "/", Servers: []string{academyIP + ":8080 max_fails=0"}}}})
	}
	s.Fault = 60 * time.Second
	return s
}

func headersTooBig() Scenario {
	gw := "http://10.63.0.10"
	s := inc("answer-header-too-big", "misconfiguration", "limit-too-small", "release 1.8.0 puts a learner's badges in a cookie; the gateway's header buffer is too small", Truth{
		Acceptable: [][2]string{{"bad-deploy", "regression"}}, Culprit: "gateway", Aliases: []string{"nginx", "badges", academyIP, "10.63.0.10"},
		Trigger:   &Trigger{Kind: "deploy", Summary: "deploy badges 1.8.0: badges travel in a cookie", Recorded: true},
		NotCauses: []string{"badges crashed", "database"}, MustMention: []string{"too big header", "1\\.8\\.0|proxy_buffer_size"},
		Fix: "Raise proxy_buffer_size, or keep the badges out of the cookie.", Difficulty: "medium"})
	s.Routes = courseRoutes(gw)
	a := academy{service: "badges", version: "1.7.4"}
	s.Setup = func(e *Env) {
		e.Past(40*time.Hour, "deploy", "badges", "1.7.4", "deploy badges 1.7.4")
		e.Past(12*time.Hour, "config", "gateway", "", "nginx: proxy_buffers trimmed for memory")
		a.up(e)
		e.Gateway(GW{Kind: "nginx", Name: "gateway", IP: "10.63.0.10", Routes: []Upstream{{Name: "badges", Prefix: "/", Servers: []string{academyIP + ":8080 max_fails=0"}}}})
	}
	s.Inject = func(e *Env) {
		e.Change("deploy", "badges", "1.8.0", "deploy badges 1.8.0: badges travel in a cookie")
		a.deploy(e, "1.8.0", Edit{"Courses.java", "    return course(Long.parseLong(p[2]));", "    long id = Long.parseLong(p[2]);\n    if (id % 3 == 0) { // has badges\n      x.getResponseHeaders().set(\"Set-Cookie\", \"badges=\" + \"learner-of-the-month.\".repeat(230) + \"; Path=/\");\n    }\n    return course(id);"})
		e.Settled = time.Now()
	}
	return s
}

func certificateNull() Scenario {
	gw := "http://10.63.0.10"
	s := inc("course-title-null", "unhandled-exception", "null-dereference", "an import left courses without a title; the list of certificates trips over them", Truth{
		Acceptable: [][2]string{{"unhandled-exception", "type-error"}}, Culprit: "catalogue", Aliases: []string{academyIP, "Courses.java"},
		Trigger:   &Trigger{Kind: "data", Summary: "import of partner courses without titles", Recorded: false},
		NotCauses: []string{"database down", "deploy of search"}, MustMention: []string{"NullPointerException", "Courses\\.java"},
		Fix: "Guard the missing title; correct the imported rows.", Difficulty: "easy"})
	s.Routes = append(courseRoutes(gw), Route{Name: "GET /courses/{id}", URL: gw + "/courses/{n:201-280}", Weight: 3, During: "fault"})
	rename := []string{"/courses", "/lessons"}
	s.Routes = renamed(s.Routes, rename...)
	a := academy{service: "catalogue", version: "4.4.4", rename: rename, wrap: "cri", edits: []Edit{{"Courses.java", `+ r.getString(1) + "\",\"lessons`, `+ r.getString(1).strip() + "\",\"lessons`}}}
	s.Setup = func(e *Env) {
		a.pg.Schema = e.schema("java/courses") + "alter table courses alter title drop not null;"
		e.Past(14*time.Hour, "deploy", "catalogue", "4.4.4", "deploy catalogue 4.4.4: trim titles")
		a.up(e)
		e.Gateway(GW{Kind: "caddy", Name: "caddy", IP: "10.63.0.10", Access: "caddy-access.log", Errors: "caddy.log", Routes: []Upstream{{Name: "catalogue", Prefix: "/", Servers: []string{academyIP + ":8080"}}}})
	}
	s.Inject = func(e *Env) {
		e.Change("deploy", "search", "9.0.1", "deploy search 9.0.1: synonyms")
		e.SQL("academy", "insert into courses (title, lessons) select null, 4 from generate_series(1,80) g")
	}
	return s
}

func noDataPool() Scenario {
	gw := "http://10.63.0.10"
	s := inc("pool-shrunk-to-two", "database", "pool-exhausted", "a settings change leaves the service two database connections", Truth{
		Acceptable: [][2]string{{"misconfiguration", "limit-too-small"}}, Culprit: "grades", Aliases: []string{academyIP},
		Trigger:   &Trigger{Kind: "config", Summary: "grades: database settings from the shared profile", Recorded: true},
		NotCauses: []string{"database down", "slow query"}, MustMention: []string{"Connection is not available|hikaricp_connections"},
		Fix: "Put the pool's size back to ten.", Difficulty: "medium"})
	s.TZ, s.Host = "Europe/Berlin", "schule-3"
	s.Routes = changed(courseRoutes(gw), "GET /courses/{id}/progress", func(r *Route) { r.Weight = 6 })
	s.RPS = 40
	edits := []Edit{{"DatabasePool.java", "int MAX = 10", "int MAX = Integer.parseInt(System.getenv().getOrDefault(\"POOL_MAX\", \"10\"))"},
		{"DatabasePool.java", "c.setConnectionTimeout(4000)", "c.setConnectionTimeout(1500)"}, {"Courses.java", "select count(*), coalesce(max(lesson), 0) from lesson_views where learner_id = ?", "select count(*), coalesce(max(lesson), 0), pg_sleep(0.15) from lesson_views where learner_id = ?"}}
	a := academy{service: "grades", version: "1.1.1", edits: edits, pg: Postgres{Export: true}}
	s.Setup = func(e *Env) {
		e.Past(3*24*time.Hour, "deploy", "grades", "1.1.1", "deploy grades 1.1.1")
		a.up(e)
		e.Gateway(GW{Kind: "haproxy", Name: "haproxy", IP: "10.63.0.10", Access: "haproxy.log", Wrap: "syslog", Routes: []Upstream{{Name: "grades", Prefix: "/", Servers: []string{academyIP + ":8080"}}}})
	}
	s.Inject = func(e *Env) {
		e.Change("config", "grades", "", "grades: database settings from the shared profile")
		a.env = []string{"POOL_MAX=2"}
		e.Replace(a.part("/srv/grades/releases/1.1.1"), 0)
	}
	s.OnsetStatus = 500
	return s
}
