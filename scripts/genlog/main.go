// Command genlog writes large logs for benchmarks: the same flags always give the same bytes.
//
//	go run ./scripts/genlog -format nginx -size 1G >access.log
//	go run ./scripts/genlog -format json -size 500M >app.jsonl
//
// nginx is the combined format followed by timings (rt uct uht urt ua us), json is one object a line as pino, zap and
// zerolog write them. Paths follow a Zipf law over 4,000 routes, half of them with a random number in them, so that raw
// paths are many. 0.2% of the requests fail all along and 6.2% between 60% and 65% of the file, all at one upstream.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"
)

func main() {
	format := flag.String("format", "nginx", "nginx or json")
	length := flag.String("size", "1G", "bytes to write, with K, M or G")
	seed := flag.Uint64("seed", 20240, "seed of the generator")
	out := flag.String("o", "", "file to write, default standard output")
	flag.Parse()
	if err := run(*format, *length, *seed, *out); err != nil {
		fmt.Fprintln(os.Stderr, "genlog:", err)
		os.Exit(1)
	}
}

func run(format, length string, seed uint64, out string) error {
	n, err := bytesOf(length)
	if err != nil {
		return err
	}
	w := os.Stdout
	if out != "" {
		if w, err = os.Create(out); err != nil {
			return err
		}
		defer w.Close()
	}
	t := newTables(seed)
	lines := map[string]func(*tables, []byte, *request) []byte{"nginx": (*tables).nginx, "json": (*tables).json}
	line, ok := lines[format]
	if !ok {
		return fmt.Errorf("-format %q: say nginx or json", format)
	}
	return t.write(w, n, line)
}

func bytesOf(s string) (int64, error) {
	unit := int64(1)
	if i := strings.IndexByte("KMG", s[len(s)-1]); i >= 0 {
		unit = 1 << (10 * (i + 1))
		s = s[:len(s)-1]
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n <= 0 {
		return 0, fmt.Errorf("-size %q: say a positive number with K, M or G", s)
	}
	return n * unit, nil
}

// request is one line before it is written in a format.
type request struct {
	at     time.Time
	bits   [2]uint64 // randomness of this line
	path   string
	failed bool
	burst  bool
	status int
	took   float64 // seconds
	peer   string  // upstream address
}

// linesPerSecond of log time.
const linesPerSecond = 600

func (t *tables) write(w io.Writer, size int64, line func(*tables, []byte, *request) []byte) error {
	out := bufio.NewWriterSize(w, 1<<20)
	start := time.Date(2026, 1, 15, 8, 0, 0, 0, time.UTC)
	var buf []byte
	var done int64
	for n := int64(0); done < size; n++ {
		q := request{at: start.Add(time.Duration(n) * time.Second / linesPerSecond), bits: [2]uint64{t.rand.Uint64(), t.rand.Uint64()}}
		q.burst = done >= size/100*60 && done < size/100*65
		t.fill(&q)
		buf = line(t, buf[:0], &q)
		if _, err := out.Write(buf); err != nil {
			return err
		}
		done += int64(len(buf))
	}
	return out.Flush()
}

// fill decides what became of a request.
func (t *tables) fill(q *request) {
	a, b := q.bits[0], q.bits[1]
	q.path = t.routes[t.popular[a&0xFFFF]]
	if strings.Contains(q.path, "{id}") {
		q.path = strings.ReplaceAll(q.path, "{id}", strconv.FormatUint(1+b%900000, 10))
	}
	limit := uint64(20)
	if q.burst {
		limit = 620
	}
	q.failed = (a>>16)%10000 < limit
	q.took = t.latency[(a>>30)&0xFFFF]
	q.peer = t.upstreams[(a>>46)%12]
	q.status = pick(okStatuses, a>>50)
	if !q.failed {
		return
	}
	if q.burst {
		q.peer = t.upstreams[3]
	}
	q.status = pick(badStatuses, a>>50)
	switch q.status {
	case 504:
		q.took += 60
	case 502:
		q.took = 0.001 + q.took/50
	}
}

func pick[T any](list []T, bits uint64) T { return list[bits%uint64(len(list))] }

func (t *tables) nginx(b []byte, q *request) []byte {
	x, y := q.bits[0], q.bits[1]
	size := (y >> 30) % 40000
	if q.failed {
		size = 150 + (y>>30)%50
	} else if q.status == 204 || q.status == 304 {
		size = 0
	}
	b = append(b, t.addresses[t.callers[(x>>20)&0xFFFF]]...)
	b = append(b, " - - ["...)
	b = q.at.AppendFormat(b, "02/Jan/2006:15:04:05 -0700")
	b = append(b, `] "`...)
	b = append(b, pick(methods, y>>20)...)
	b = append(b, ' ')
	b = append(b, q.path...)
	b = append(b, ` HTTP/`...)
	b = append(b, pick([]string{"1.1", "2.0"}, y>>63)...)
	b = append(b, `" `...)
	b = strconv.AppendInt(b, int64(q.status), 10)
	b = append(b, ' ')
	b = strconv.AppendUint(b, size, 10)
	b = append(b, ` "`...)
	b = append(b, pick(referers, y>>40)...)
	b = append(b, `" "`...)
	b = append(b, pick(t.agents, y>>44)...)
	b = append(b, `" rt=`...)
	if strings.HasPrefix(q.path, "/static") && !q.failed {
		return append(b, "0.000 uct=\"-\" uht=\"-\" urt=\"-\" ua=\"-\" us=\"-\"\n"...)
	}
	b = strconv.AppendFloat(b, q.took, 'f', 3, 64)
	b = append(b, ` uct="0.00`...)
	b = strconv.AppendUint(b, (y>>60)%3, 10)
	b = append(b, `" uht="`...)
	b = strconv.AppendFloat(b, q.took*0.98, 'f', 3, 64)
	b = append(b, `" urt="`...)
	b = strconv.AppendFloat(b, q.took, 'f', 3, 64)
	b = append(b, `" ua="`...)
	b = append(b, q.peer...)
	b = append(b, `" us="`...)
	b = strconv.AppendInt(b, int64(q.status), 10)
	return append(b, "\"\n"...)
}

func (t *tables) json(b []byte, q *request) []byte {
	x, y := q.bits[0], q.bits[1]
	service := pick(services, x>>46)
	level := "info"
	switch {
	case q.failed:
		level = "error"
	case (y>>50)%64 == 0:
		level = "warn"
	case (y>>56)%4 == 0 && (y>>58)&1 == 1:
		level = "debug"
	}
	b = fmt.Appendf(b, `{"level":"%s","time":"`, level)
	b = q.at.AppendFormat(b, "2006-01-02T15:04:05.000Z")
	b = fmt.Appendf(b, `","pid":%d,"hostname":"%s-%x","service":"%s","trace_id":"%016x%08x",`, 1+(y>>32)%9, service, y>>48&0xFFF, service, y, uint32(x))
	switch {
	case q.failed:
		e := pick(failures, y>>60)
		if q.burst {
			e = failures[1]
		}
		return fmt.Appendf(b, `"req":{"method":"%s","path":"%s"},"status":%d,"duration_ms":%.2f,"err":{"type":"%s","message":"%s","stack":"%s"},"msg":"request failed"}`+"\n",
			pick(methods, y>>20), q.path, q.status, q.took*1000, e.kind, e.message, e.stack)
	case (y>>56)%4 == 0:
		return fmt.Appendf(b, `"msg":"%s","key":"%s:%d","elapsed_ms":%.2f}`+"\n", pick(chatter, y>>52), service, y%900000, q.took*100)
	}
	return fmt.Appendf(b, `"req":{"method":"%s","path":"%s"},"status":%d,"duration_ms":%.2f,"msg":"request completed"}`+"\n", pick(methods, y>>20), q.path, q.status, q.took*1000)
}
