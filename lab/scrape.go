package main

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"sort"
	"strings"
	"sync"
	"time"
)

// target is one exposition that is read every few seconds, as Prometheus does.
type target struct {
	job, instance, url string
	only               *regexp.Regexp // when set, the series that are kept
}

type point struct {
	at    float64
	value string
}

type scraper struct {
	mu      sync.Mutex
	Every   time.Duration
	Drop    *regexp.Regexp // names that are not worth their bytes
	targets []target
	series  map[string][]point // by "job\x00name{labels}"
	types   map[string]string
	stopc   chan struct{}
	wg      sync.WaitGroup
}

func newScraper() *scraper {
	return &scraper{Every: 3 * time.Second, series: map[string][]point{}, types: map[string]string{}, stopc: make(chan struct{}),
		Drop: regexp.MustCompile(`^(go_(gc|memstats|sched|cpu|godebug|threads|info|sync)|promhttp_|pg_settings_|nodejs_(version|gc|heap_space|active_(resources|requests|handles)($|\{))|pg_exporter|redis_exporter|node_scrape|node_cpu_guest|python_(gc|info)|caddy_admin|pg_stat_(bgwriter|archiver|database_(blk|temp|tup|confl|stats)|activity_max)|pg_(static|locks_count)|redis_(command|start|config|latency_p|db_(avg|keys_exp|avg)|(slave|repl|master|rdb|aof|cluster|loading|io_|lazy|defrag|module|mem_(frag|clients|not|repl)|memory_used_(dataset|lua|over|scripts|startup|vm)|active_defr|allocator|number_of_cached|sentinel|cpu_|dump_|last_|latest|migrate|process_id|replic|pubsub|total_(read|write)|tracking|unexpected|acl|expire|keys_exp|errors|exporter|instance|script|second|server|target|up_|uptime))|node_(network|disk|softnet|sockstat_(F|U|R)|arp|boot|context|cooling|cpu_(sec.*(guest|steal|nice|soft|irq))|entropy|exporter|forks|hwmon|intr|ipvs|mdadm|memory_(Active|Inactive|Anon|Bounce|Commit|Direct|Hard|Huge|Kern|KRec|Kernel|Map|Mlock|NFS|Page|Per|SRec|SUn|Shmem|Slab|Swap|Unev|Vmall|Write|Zswap|File|Cached|Sec|Balloon|AnonH)|nf_|nfs|pressure|procs|rapl|schedstat|selinux|thermal|time|timex|uname|vmstat|xfs|dmi|os_info|netstat|zfs|power|udp|nvme|filesystem_(readonly|device|files_free|purge)|disk))`)}
}

// Scrape adds a target; url is a full address.
func (e *Env) Scrape(job, instance, url string) {
	e.scraper.mu.Lock()
	defer e.scraper.mu.Unlock()
	e.scraper.targets = append(e.scraper.targets, target{job: job, instance: instance, url: url})
}

// ScrapeOnly adds a target of which only the series that match are kept.
func (e *Env) ScrapeOnly(job, instance, url, only string) {
	e.scraper.mu.Lock()
	defer e.scraper.mu.Unlock()
	e.scraper.targets = append(e.scraper.targets, target{job, instance, url, regexp.MustCompile(only)})
}

func (s *scraper) start() {
	s.wg.Add(1)
	go func() {
		defer s.wg.Done()
		tick := time.NewTicker(s.Every)
		defer tick.Stop()
		for {
			s.mu.Lock()
			targets := append([]target(nil), s.targets...)
			s.mu.Unlock()
			var round sync.WaitGroup
			for _, t := range targets {
				round.Go(func() { s.scrape(t) })
			}
			round.Wait()
			select {
			case <-tick.C:
			case <-s.stopc:
				return
			}
		}
	}()
}

func (s *scraper) stop() { close(s.stopc); s.wg.Wait() }

func (s *scraper) scrape(t target) {
	now := time.Now()
	at := float64(now.UnixMilli()) / 1000
	client := http.Client{Timeout: 2500 * time.Millisecond, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get(t.url)
	up := "0"
	if err == nil {
		defer resp.Body.Close()
		body, rerr := io.ReadAll(resp.Body)
		if rerr == nil && resp.StatusCode == 200 {
			up = "1"
			s.take(t, string(body), at)
		}
	}
	labels := fmt.Sprintf(`instance="%s",job="%s"`, t.instance, t.job)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.types["up"] = "gauge"
	s.add(t.job, "up{"+labels+"}", point{at, up})
}

func (s *scraper) add(job, key string, p point) {
	k := job + "\x00" + key
	s.series[k] = append(s.series[k], p)
}

func (s *scraper) take(t target, body string, at float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if strings.HasPrefix(body, "Active connections:") {
		body = fromStub(body)
	}
	sc := bufio.NewScanner(strings.NewReader(body))
	sc.Buffer(nil, 1<<20)
	for sc.Scan() {
		line := sc.Text()
		if f := strings.Fields(line); len(f) == 4 && f[0] == "#" && f[1] == "TYPE" {
			s.types[f[2]] = f[3]
			continue
		}
		if line == "" || line[0] == '#' || s.Drop.MatchString(line) || t.only != nil && !t.only.MatchString(line) {
			continue
		}
		name, labels, value, ok := split(line)
		if !ok {
			continue
		}
		l := fmt.Sprintf(`instance="%s",job="%s"`, t.instance, t.job)
		if labels != "" {
			l += "," + strings.TrimSuffix(labels, ",")
		}
		s.add(t.job, name+"{"+l+"}", point{at, value})
	}
}

// split takes an exposition line apart.
func split(line string) (name, labels, value string, ok bool) {
	if i := strings.IndexByte(line, '{'); i >= 0 {
		j := strings.LastIndexByte(line, '}')
		if j < i {
			return
		}
		name, labels, value = line[:i], line[i+1:j], strings.TrimSpace(line[j+1:])
	} else {
		name, value, _ = strings.Cut(line, " ")
	}
	value, _, _ = strings.Cut(strings.TrimSpace(value), " ")
	return name, labels, value, value != ""
}

// fromStub turns nginx' stub_status page into the metrics that nginx-prometheus-exporter makes of it.
func fromStub(body string) string {
	var active, accepts, handled, requests, reading, writing, waiting int64
	fmt.Sscanf(body, "Active connections: %d \nserver accepts handled requests\n %d %d %d \nReading: %d Writing: %d Waiting: %d",
		&active, &accepts, &handled, &requests, &reading, &writing, &waiting)
	return fmt.Sprintf(`# TYPE nginx_connections_active gauge
nginx_connections_active %d
# TYPE nginx_connections_waiting gauge
nginx_connections_waiting %d
# TYPE nginx_connections_writing gauge
nginx_connections_writing %d
# TYPE nginx_http_requests_total counter
nginx_http_requests_total %d
`, active, waiting, writing, requests)
}

// write puts what was scraped of the given jobs (all if none) into one OpenMetrics file.
func (s *scraper) write(path string, only string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	families := map[string][]string{}
	for k := range s.series {
		job, key, _ := strings.Cut(k, "\x00")
		if only != "" && job != only {
			continue
		}
		name := key[:strings.IndexByte(key, '{')]
		families[s.family(name)] = append(families[s.family(name)], k)
	}
	if len(families) == 0 {
		return nil
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	w := bufio.NewWriter(f)
	names := make([]string, 0, len(families))
	for n := range families {
		names = append(names, n)
	}
	sort.Strings(names)
	for _, n := range names {
		typ := s.types[n]
		base := n
		if typ == "counter" {
			if base = strings.TrimSuffix(n, "_total"); base == n {
				typ = "unknown" // OpenMetrics wants _total on every counter sample
			}
		}
		if typ == "" || typ == "untyped" {
			typ = "unknown"
		}
		fmt.Fprintf(w, "# TYPE %s %s\n", base, typ)
		keys := families[n]
		sort.Strings(keys)
		for _, k := range keys {
			_, key, _ := strings.Cut(k, "\x00")
			for _, p := range s.series[k] {
				fmt.Fprintf(w, "%s %s %.3f\n", key, p.value, p.at)
			}
		}
	}
	fmt.Fprintln(w, "# EOF")
	return w.Flush()
}

func (s *scraper) family(name string) string {
	if _, ok := s.types[name]; ok {
		return name
	}
	for _, suffix := range []string{"_bucket", "_count", "_sum", "_created"} {
		if base := strings.TrimSuffix(name, suffix); base != name {
			if _, ok := s.types[base]; ok {
				return base
			}
		}
	}
	return name
}

func (s *scraper) jobs() []string {
	seen := map[string]bool{}
	for _, t := range s.targets {
		seen[t.job] = true
	}
	var out []string
	for j := range seen {
		out = append(out, j)
	}
	sort.Strings(out)
	return out
}
