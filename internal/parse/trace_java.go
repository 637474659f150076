package parse

import (
	"strconv"
	"strings"

	"github.com/inquesthq/inquest"
)

// javaLibraries are packages of the runtime and of frameworks: a frame in them says where the failure surfaced,
// not whose code is to be read.
var javaLibraries = [...]string{"java.", "javax.", "jakarta.", "sun.", "jdk.", "com.sun.", "kotlin.", "kotlinx.", "scala.",
	"groovy.", "clojure.", "akka.", "play.", "org.springframework.", "org.apache.", "org.hibernate.", "org.eclipse.",
	"org.jboss.", "org.mortbay.", "org.postgresql.", "org.mariadb.", "org.h2.", "org.mongodb.", "org.glassfish.",
	"org.jooq.", "org.flywaydb.", "org.aspectj.", "org.slf4j.", "org.codehaus.", "org.junit.", "org.xnio.",
	"org.thymeleaf.", "org.elasticsearch.", "com.zaxxer.", "com.mysql.", "com.mongodb.", "com.fasterxml.", "com.google.common.",
	"com.google.gson.", "com.google.inject.", "com.netflix.", "com.amazonaws.", "com.microsoft.sqlserver.", "com.mchange.",
	"com.squareup.", "software.amazon.", "io.netty.", "io.grpc.", "io.micrometer.", "io.undertow.", "io.vertx.",
	"io.quarkus.", "io.micronaut.", "io.lettuce.", "io.opentelemetry.", "io.prometheus.", "io.reactivex.", "io.ktor.",
	"io.jsonwebtoken.", "reactor.", "rx.", "oracle.", "okhttp3.", "okio.", "retrofit2.", "feign.", "redis.clients.",
	"ch.qos.", "net.bytebuddy.", "net.sf.", "liquibase.", "cats.", "zio.", "com.typesafe.", "com.jetty.", "ognl."}

// javaFrame reads "at pkg.Class.method(File.java:12)", with or without a module and logback's packaging data.
func javaFrame(s string) (inquest.Frame, bool) {
	s, ok := strings.CutPrefix(s, "at ")
	if !ok {
		return inquest.Frame{}, false
	}
	open := strings.IndexByte(s, '(')
	if open <= 0 {
		return inquest.Frame{}, false
	}
	end := strings.IndexByte(s[open:], ')')
	if end < 0 || strings.IndexByte(s[:open], ' ') >= 0 || strings.IndexByte(s[:open], '.') < 0 {
		return inquest.Frame{}, false
	}
	where := s[open+1 : open+end]
	rest := strings.TrimSpace(s[open+end+1:])
	if rest != "" && rest[0] != '[' && rest[0] != '~' {
		return inquest.Frame{}, false
	}
	fn := s[:open]
	if i := strings.LastIndexByte(fn, '/'); i >= 0 {
		fn = fn[i+1:] // "java.base/java.lang.Thread.run", "app//com.acme.Main.main"
	}
	f := inquest.Frame{Function: fn}
	file, line, cut := strings.Cut(where, ":")
	switch {
	case where == "Native Method" || where == "Unknown Source" || where == "Redefined" || where == "<generated>":
	case cut:
		n, err := strconv.Atoi(line)
		if err != nil {
			return inquest.Frame{}, false
		}
		f.File, f.Line = file, n
	case sourceFile(where):
		f.File = where
	default:
		return inquest.Frame{}, false
	}
	return f, true
}

// sourceFile tells "Main.java" from a parameter list.
func sourceFile(s string) bool {
	for _, ext := range [...]string{".java", ".kt", ".scala", ".groovy", ".clj"} {
		if strings.HasSuffix(s, ext) {
			return true
		}
	}
	return false
}

func javaLibrary(fn string) bool {
	for _, p := range javaLibraries {
		if strings.HasPrefix(fn, p) {
			return true
		}
	}
	// Generated proxies stand between two own frames and are nobody's code.
	return strings.Contains(fn, "$$EnhancerBy") || strings.Contains(fn, "$$SpringCGLIB") || strings.HasPrefix(fn, "$Proxy") ||
		strings.Contains(fn, "$$FastClassBy")
}

// javaTrace reads a trace of the JVM languages: "Caused by" chains, suppressed exceptions left out, logback's
// root-cause-first order turned round.
func javaTrace(lines []string) *trace {
	t := &trace{lang: "java"}
	first, i := javaHead(lines)
	if first.typ != "" {
		t.links = append(t.links, first)
	}
	suppressed := -1 // indent of the "Suppressed:" line we are inside of
	outward := false // logback rootCauseFirst
	for ; i < len(lines); i++ {
		line := lines[i]
		s := strings.TrimLeft(line, " \t")
		indent := len(line) - len(s)
		if suppressed >= 0 && s != "" {
			// Its frames stand one deeper, its own cause level with it; without indentation only frames are its own.
			if indent > suppressed || indent == suppressed && suppressed > 0 {
				continue
			}
			suppressed = -1
		}
		if f, ok := javaFrame(s); ok {
			if len(t.links) == 0 {
				t.links = append(t.links, link{})
			}
			t.links[len(t.links)-1].frame(f, javaLibrary(f.Function))
			continue
		}
		switch {
		case strings.HasPrefix(s, "Suppressed: "):
			suppressed = indent
		case strings.HasPrefix(s, "Caused by: "), strings.HasPrefix(s, "Wrapped by: "):
			outward = outward || s[0] == 'W'
			l, n := javaCause(lines[i:], s[strings.Index(s, ": ")+2:])
			t.links = append(t.links, l)
			i += n
		}
	}
	if len(t.links) == 0 || t.links[0].typ == "" {
		return nil
	}
	if outward {
		reverseLinks(t.links)
	}
	splitNested(t)
	return t
}

// javaCause reads the head of a cause and the further lines of its message; n is how many there were.
func javaCause(lines []string, s string) (l link, n int) {
	typ, msg, ok := errHead(s, false)
	if !ok {
		typ, msg = "", s
	}
	for n = 0; n+1 < len(lines); n++ {
		next := strings.TrimLeft(lines[n+1], " \t")
		if strings.HasPrefix(next, "at ") || strings.HasPrefix(next, "... ") || strings.HasPrefix(next, "Caused by: ") ||
			strings.HasPrefix(next, "Suppressed: ") || strings.HasPrefix(next, "Wrapped by: ") {
			break
		}
		msg += "\n" + lines[n+1]
		if len(msg) > maxTraceMessage {
			break
		}
	}
	return link{typ: typ, msg: msg}, n
}

// javaHead finds the head of the exception thrown last: before the first frame, preferably at the start of a line,
// because the text above often quotes the exception ("threw exception [... nested exception is ...]").
func javaHead(lines []string) (link, int) {
	end := 0
	for end < len(lines) {
		s := strings.TrimLeft(lines[end], " \t")
		if _, ok := javaFrame(s); ok || strings.HasPrefix(s, "Caused by: ") || strings.HasPrefix(s, "Wrapped by: ") {
			break
		}
		end++
	}
	build := func(i int, typ, msg string) (link, int) {
		for _, more := range lines[i+1 : end] {
			if strings.HasPrefix(strings.TrimLeft(more, " \t"), "... ") {
				break
			}
			msg += "\n" + more
			if len(msg) > maxTraceMessage {
				break
			}
		}
		return link{typ: typ, msg: msg}, end
	}
	for i := 0; i < end; i++ {
		s := strings.TrimLeft(lines[i], " \t")
		if j := strings.Index(s, "Exception in thread \""); j >= 0 {
			if k := strings.Index(s[j+21:], "\" "); k >= 0 {
				s = s[j+21+k+2:]
			}
		}
		// Directly above the frames any qualified name is the exception, whatever it is called.
		loose := i == end-1 && end < len(lines) && strings.Contains(s[:typeLen(s)], ".")
		if typ, msg, ok := errHead(s, !loose); ok {
			// "com.acme.Loader: RuntimeException: text" is a logger's name before the exception.
			if t, m, ok := errHead(msg, true); ok && !isErrType(typ) {
				typ, msg = t, m
			}
			return build(i, typ, msg)
		}
	}
	for i := end - 1; i >= 0; i-- {
		if typ, msg, ok := findHead(lines[i]); ok {
			return build(i, typ, msg)
		}
	}
	return link{}, end
}

// splitNested adds the causes that Spring and JavaMail write into the message instead of a "Caused by" line. Only
// a chain of one is split: otherwise the causes stand below anyway.
func splitNested(t *trace) {
	const mark = "nested exception is"
	for len(t.links) < maxChain && len(t.links) > 0 {
		l := &t.links[len(t.links)-1]
		i := strings.Index(l.msg, mark)
		if i < 0 || len(t.links) > 1 && l.frames > 0 {
			return
		}
		typ, msg, ok := errHead(strings.TrimLeft(l.msg[i+len(mark):], ": \t\n"), true)
		if !ok {
			return
		}
		t.links = append(t.links, link{typ: typ, msg: msg})
		if i+len(mark) >= len(l.msg) { // cannot happen: head read something behind the mark
			return
		}
	}
}

func reverseLinks(l []link) {
	for i, j := 0, len(l)-1; i < j; i, j = i+1, j-1 {
		l[i], l[j] = l[j], l[i]
	}
}
