package pattern_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/inquesthq/inquest/internal/pattern"
)

func letters(r *rand.Rand, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte('a' + r.IntN(26))
	}
	return string(b)
}

func pick(r *rand.Rand, s ...string) string { return s[r.IntN(len(s))] }

func clock(r *rand.Rand) time.Time {
	return time.Unix(1_500_000_000+r.Int64N(1<<28), r.Int64N(1e9)).UTC()
}

// values draws one value of each kind that logs carry. Those of one kind may look as different as real ones do.
var values = map[string]func(r *rand.Rand) string{
	"integer":  func(r *rand.Rand) string { return fmt.Sprint(r.IntN(1 << r.IntN(31))) },
	"negative": func(r *rand.Rand) string { return fmt.Sprint(-1 - r.IntN(1<<r.IntN(31))) },
	"fraction": func(r *rand.Rand) string { return fmt.Sprintf("%.3f", r.Float64()*1e4) },
	"percent":  func(r *rand.Rand) string { return fmt.Sprintf("%d%%", r.IntN(101)) },
	"pointer":  func(r *rand.Rand) string { return fmt.Sprintf("0x%x", r.Uint64()) },
	"duration": func(r *rand.Rand) string { return time.Duration(1 + r.Int64N(1<<(1+r.IntN(50)))).String() },
	"duration with a blank": func(r *rand.Rand) string {
		return fmt.Sprintf("%d %s", r.IntN(5000), pick(r, "ms", "s", "sec", "seconds", "second", "min", "minutes", "h", "us"))
	},
	"size": func(r *rand.Rand) string {
		return fmt.Sprintf("%.1f %s", r.Float64()*1e3, pick(r, "B", "bytes", "KB", "MiB", "GB"))
	},
	"trace id": func(r *rand.Rand) string { return fmt.Sprintf("%016x%016x", r.Uint64(), r.Uint64()) },
	"uuid": func(r *rand.Rand) string {
		return fmt.Sprintf("%08x-%04x-4%03x-%04x-%012x", r.Uint32(), r.IntN(1<<16), r.IntN(1<<12), r.IntN(1<<16), r.Uint64()>>16)
	},
	"IPv4 address": func(r *rand.Rand) string {
		return fmt.Sprintf("%d.%d.%d.%d", r.IntN(256), r.IntN(256), r.IntN(256), r.IntN(256))
	},
	"IPv4 address with port": func(r *rand.Rand) string {
		return fmt.Sprintf("%d.%d.%d.%d:%d", r.IntN(256), r.IntN(256), r.IntN(256), r.IntN(256), r.IntN(1<<16))
	},
	"IPv6 address": func(r *rand.Rand) string {
		return pick(r, "::1", "fe80::1", "2001:db8::ff00:42:8329", "fd12:aced:beef:cafe::7", "2607:f140:6000:8:c6b3:1ff:fecd:467f")
	},
	"hardware address": func(r *rand.Rand) string {
		return fmt.Sprintf("%02x:%02x:%02x:%02x:%02x:1%x", r.IntN(256), r.IntN(256), r.IntN(256), r.IntN(256), r.IntN(256), r.IntN(16))
	},
	"path": func(r *rand.Rand) string {
		return "/" + letters(r, 3) + strings.Repeat("/"+letters(r, 4), r.IntN(5)) + ".x"
	},
	"Windows path": func(r *rand.Rand) string { return `C:\` + letters(r, 3) + strings.Repeat(`\`+letters(r, 4), r.IntN(5)) },
	"URL": func(r *rand.Rand) string {
		return "https://" + letters(r, 5) + "/" + letters(r, 3) + "?q=" + letters(r, 2)
	},
	"e-mail":  func(r *rand.Rand) string { return letters(r, 1+r.IntN(9)) + "@" + letters(r, 4) + ".example" },
	"host":    func(r *rand.Rand) string { return letters(r, 2) + "." + letters(r, 5) + ".example" },
	"pod":     func(r *rand.Rand) string { return fmt.Sprintf("shop-%07x-%s7", r.IntN(1<<28), letters(r, 4)) },
	"version": func(r *rand.Rand) string { return fmt.Sprintf("v%d.%d.%d", r.IntN(9), r.IntN(30), r.IntN(9)) },
	"object":  func(r *rand.Rand) string { return fmt.Sprintf("com.acme.Order@%07x", r.IntN(1<<28)) },
	"time": func(r *rand.Rand) string {
		return clock(r).Format(pick(r, time.RFC3339Nano, "2006-01-02 15:04:05,000", "2006/01/02 15:04:05", time.ANSIC, time.StampMilli,
			"02/Jan/2006:15:04:05 +0000", "15:04:05.000", "Mon, 02 Jan 2006 15:04:05", "1/2/2006 3:04:05 PM"))
	},
}

func TestValuesOfOneKindGiveOneTemplate(t *testing.T) {
	contexts := []string{"saw %s here", "saw (%s) here", "saw [%s] here", "saw %s, then went", "saw %s: gone", "saw: %s", "%s went", "x=%s went", "saw %s."}
	r := rand.New(rand.NewPCG(5, 66))
	for _, kind := range slices.Sorted(maps.Keys(values)) {
		value := values[kind]
		for _, context := range contexts {
			first := ""
			for range 100 {
				line := fmt.Sprintf(context, value(r))
				got := pattern.Template([]byte(line))
				if want := strings.Replace(context, "%s", "<*>", 1); got != want {
					t.Fatalf("%s:\n  line  %q\n  got   %q\n  want  %q\n  first %q", kind, line, got, want, first)
				}
				first = got
			}
		}
	}
}

func TestQuotedValuesGiveOneTemplate(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 66))
	for _, kind := range []string{"integer", "path", "URL", "host", "uuid", "e-mail", "pod"} {
		for _, context := range []string{`open "%s" failed`, "open '%s' failed", "open `%s` failed", `{"target":"%s"}`, `target="%s" failed`} {
			for range 50 {
				line := fmt.Sprintf(context, values[kind](r))
				got := pattern.Template([]byte(line))
				if want := strings.Replace(context, "%s", "<*>", 1); got != want {
					t.Fatalf("%s: %q gives %q, want %q", kind, line, got, want)
				}
			}
		}
	}
}

func TestListsOfAnyLengthGiveOneTemplate(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 66))
	for _, kind := range slices.Sorted(maps.Keys(values)) {
		value := values[kind]
		if strings.Contains(kind, "blank") || kind == "size" || kind == "time" || kind == "Windows path" {
			continue // they hold blanks, and lists of them are not written with blanks
		}
		for _, sep := range []string{", ", " ", ","} {
			if sep == "," && (kind == "URL" || kind == "path") {
				continue // a comma may be part of them
			}
			for n := 1; n < 6; n++ {
				list := value(r)
				for range n {
					list += sep + value(r)
				}
				line := "lost " + list + " today"
				if got := pattern.Template([]byte(line)); got != "lost <*> today" {
					t.Fatalf("%s: %q gives %q", kind, line, got)
				}
			}
		}
	}
}

// Sentences of words are their own templates: then no two of them can share an id.
func TestWordsStay(t *testing.T) {
	words := strings.Fields(`connection refused reset by peer timed out after waiting for lock on table while reading response from
		upstream server closed unexpectedly invalid argument no such file or directory cannot allocate memory disk full retry
		Failed ERROR WARN Unable to acquire Deadlock found when trying get null pointer dereference yes off read-only shutdown
		may march now second minute bytes GET POST TimeoutError ValueError NullPointerException isn't can't I/O and/or
		ECONNREFUSED EOF SIGTERM foo_bar doThing orders.refresh Store::commit`)
	r := rand.New(rand.NewPCG(9, 16))
	for range 5000 {
		n := 1 + r.IntN(12)
		sentence := make([]string, n)
		for i := range sentence {
			sentence[i] = words[r.IntN(len(words))]
		}
		line := strings.Join(sentence, " ")
		if got := pattern.Template([]byte(line)); got != line {
			t.Fatalf("%q became %q", line, got)
		}
		line = strings.Join(sentence, ": ") + "!"
		if got := pattern.Template([]byte(line)); got != line {
			t.Fatalf("%q became %q", line, got)
		}
	}
}

// A header that the reader left on must not keep lines of one kind apart.
func TestHeadersLeftOnDoNotSplit(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 16))
	headers := map[string]func() string{
		"time":    func() string { return values["time"](r) + " " },
		"logback": func() string { return clock(r).Format("2006-01-02 15:04:05.000") + " INFO [" + letters(r, 5) + "-1] " },
		"log4j":   func() string { return clock(r).Format("2006-01-02 15:04:05,000") + " [" + letters(r, 5) + "] INFO " },
		"syslog": func() string {
			return clock(r).Format(time.Stamp) + " " + letters(r, 6) + " app[" + fmt.Sprint(r.IntN(9999)) + "]: "
		},
		"klog": func() string {
			return fmt.Sprintf("I%s %7d main.go:%d] ", clock(r).Format("0102 15:04:05.000000"), r.IntN(99999), r.IntN(999))
		},
		"bracketed": func() string {
			return "[" + clock(r).Format(time.ANSIC) + "] [error] [pid " + fmt.Sprint(r.IntN(9999)) + "] "
		},
		"container": func() string { return clock(r).Format(time.RFC3339Nano) + " stdout F " },
	}
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		header := headers[name]
		first := pattern.Template([]byte(header() + "disk is full"))
		if !strings.HasSuffix(first, " disk is full") {
			t.Errorf("%s: the message became %q", name, first)
		}
		for range 100 {
			line := header() + "disk is full"
			if got := pattern.Template([]byte(line)); got != first {
				t.Fatalf("%s: %q gives %q, others %q", name, line, got, first)
			}
		}
	}
}
