package parse

import (
	"strconv"
	"strings"

	"github.com/inquesthq/inquest"
)

// dotnetFrame reads "at Ns.Type.Method(Type arg) in /src/File.cs:line 12" and Mono's "… [0x00007] in /src/File.cs:12".
func dotnetFrame(s string) (inquest.Frame, bool) {
	s, ok := strings.CutPrefix(s, "at ")
	if !ok {
		return inquest.Frame{}, false
	}
	open := strings.IndexByte(s, '(')
	if open <= 0 || strings.IndexByte(s[open:], ')') < 0 {
		return inquest.Frame{}, false
	}
	fn := strings.TrimRight(s[:open], " ")
	if strings.Contains(fn, " ") && !strings.Contains(fn, "`") && !strings.Contains(fn, "<") || !strings.Contains(fn, ".") {
		return inquest.Frame{}, false
	}
	f := inquest.Frame{Function: fn}
	i := strings.LastIndex(s, ") in ")
	if j := strings.LastIndex(s, "] in "); j > i {
		i = j
	}
	if i < 0 {
		return f, strings.HasSuffix(strings.TrimSpace(s), ")") || strings.HasSuffix(s, "]")
	}
	where := s[i+len(") in "):]
	if j := strings.LastIndexByte(where, ':'); j > 0 {
		if n, err := strconv.Atoi(strings.TrimPrefix(where[j+1:], "line ")); err == nil {
			where, f.Line = where[:j], n
		}
	}
	if where != "<filename unknown>" {
		f.File = where
	}
	return f, true
}

// dotnetLibrary: the framework's namespaces and the usual data and HTTP packages. NuGet packages carry no path.
func dotnetLibrary(fn string) bool {
	for _, p := range [...]string{"System.", "Microsoft.", "Newtonsoft.", "Npgsql.", "MySql.", "MySqlConnector.", "Dapper.",
		"StackExchange.", "Polly.", "Grpc.", "Serilog.", "NLog.", "MediatR.", "AutoMapper.", "Swashbuckle.", "Oracle.",
		"RabbitMQ.", "MassTransit.", "MongoDB.", "Amazon.", "Azure.", "lambda_method", "Castle.", "FluentValidation.", "Autofac."} {
		if strings.HasPrefix(fn, p) {
			return true
		}
	}
	return false
}

// dotnetTrace reads Exception.ToString(): heads joined by "--->" outermost first, then the frames innermost first,
// each inner exception closed by an end marker.
func dotnetTrace(lines []string) *trace {
	t := &trace{lang: "dotnet"}
	open := -1 // the link that owns the next frames
	for i := 0; i < len(lines); i++ {
		s := strings.TrimSpace(lines[i])
		if f, ok := dotnetFrame(s); ok {
			if open >= 0 {
				t.links[open].frame(f, dotnetLibrary(f.Function))
			}
			continue
		}
		switch {
		case strings.HasPrefix(s, "--- End of inner exception stack trace"):
			open = max(open-1, min(0, open))
		case strings.HasPrefix(s, "--- End of stack trace from previous location"):
		case strings.HasPrefix(s, "---> (Inner Exception #"):
			// An aggregate repeats its inner exceptions in full; the first is in the chain already, and one of
			// several must stand for all.
			return t.orNil()
		case strings.HasPrefix(s, "---> "):
			if len(t.links) > 0 {
				open = t.dotnetHeads(s[len("---> "):])
			}
		case len(t.links) == 0:
			if s = dotnetHead(lines, i); s != "" {
				open = t.dotnetHeads(s)
			}
		case open >= 0 && t.links[open].frames == 0 && s != "":
			l := &t.links[open] // a message of several lines, which may end in the inner exception's head
			if j := strings.Index(s, " ---> "); j >= 0 {
				l.msg += "\n" + s[:j]
				open = t.dotnetHeads(s[j+len(" ---> "):])
			} else if len(l.msg) < maxTraceMessage {
				l.msg += "\n" + s
			}
		}
	}
	return t.orNil()
}

func (t *trace) orNil() *trace {
	if len(t.links) == 0 {
		return nil
	}
	return t
}

// dotnetHead returns the text from the type on, if line i holds the head.
func dotnetHead(lines []string, i int) string {
	s := strings.TrimSpace(lines[i])
	for _, p := range [...]string{"Unhandled exception. ", "Unhandled Exception: "} {
		if j := strings.Index(s, p); j >= 0 {
			s = s[j+len(p):]
		}
	}
	if _, _, ok := errHead(s, true); ok {
		return s
	}
	if i+1 < len(lines) {
		if _, ok := dotnetFrame(strings.TrimSpace(lines[i+1])); ok {
			if typ, msg, ok := findHead(s); ok {
				return typ + ": " + msg
			}
			if typ, _, ok := errHead(s, false); ok && strings.Contains(typ, ".") {
				return s
			}
		}
	}
	return ""
}

// dotnetHeads appends the exceptions of "A: a ---> B: b" and returns the index of the innermost.
func (t *trace) dotnetHeads(s string) int {
	for _, part := range strings.Split(s, " ---> ") {
		typ, msg, ok := errHead(strings.TrimSpace(part), false)
		if !ok {
			typ, msg = "", part
			if a, b, cut := strings.Cut(part, " (0x"); cut { // "System.Net.Sockets.SocketException (111): Connection refused"
				typ = a
				_, msg, _ = strings.Cut(b, ": ")
			} else if a, b, cut := strings.Cut(part, " ("); cut && !strings.Contains(a, " ") {
				typ = a
				_, msg, _ = strings.Cut(b, "): ")
			}
		}
		t.links = append(t.links, link{typ: typ, msg: msg})
		if len(t.links) >= maxChain {
			break
		}
	}
	return len(t.links) - 1
}
