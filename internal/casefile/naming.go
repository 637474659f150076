package casefile

import (
	"net/url"
	"path"
	"regexp"
	"strings"
)

var (
	// rotation is a date, or a number behind a dot (logrotate, log4j); behind a dash it is an instance (checkout-2).
	rotation = regexp.MustCompile(`([._-]?\d{4}-?\d{2}-?\d{2}([T_.-]?\d{2,6})?|\.\d{1,3})$`)
	// dated is a rotation's date before the word that says what a log holds: gateway-20261121.error.log.
	dated = regexp.MustCompile(`[._-]\d{4}-?\d{2}-?\d{2}$`)
	// pod is what Kubernetes appends to a deployment's name, in the alphabet without vowels that it draws such names from.
	pod = regexp.MustCompile(`-[bcdfghjklmnpqrstvwxz2456789]{7,10}-[bcdfghjklmnpqrstvwxz2456789]{5}$`)
	// role words say what a log holds, not who wrote it.
	role = regexp.MustCompile(`(?i)(^|[._-])(access|error|errors|err|stdout|stderr|out|output|log|logs|application|server|current|main|messages|json|requests?|slow|general|console|combined|all)($|[._-])`)
	// instance numbers: checkout-2, api_01
	instance = regexp.MustCompile(`^(.*[A-Za-z])[._-]0*(\d{1,3})$`)
)

// loggers are the first parts of formats that a library or a layout gives its name to: whose log it is they do not say.
var loggers = map[string]bool{
	"json": true, "logfmt": true, "plain": true, "timed": true, "time": true, "timestamps": true, "level": true, "logger": true, "bunyan": true, "pino": true,
	"winston": true, "zap": true, "zerolog": true, "slog": true, "serilog": true, "logback": true, "logstash": true, "log4j2": true, "ecs": true, "gelf": true,
	"monolog": true, "python": true, "ruby": true, "rust": true, "dotnet": true, "klog": true, "otlp": true, "sentry": true,
}

// defaultNames are what frameworks and runtimes call their log file unless they are told otherwise (Laravel, Symfony, Rails, Tomcat,
// PM2, nohup): it says what wrote the file, not which service.
var defaultNames = map[string]bool{
	"laravel": true, "lumen": true, "symfony": true, "django": true, "rails": true, "catalina": true, "spring": true, "spring-boot-logger": true, "nohup": true,
	"production": true, "development": true, "staging": true, "prod": true, "dev": true, "debug": true, "gunicorn": true, "uvicorn": true, "puma": true, "unicorn": true, "pm2": true,
}

// nobody is the name of an application that nothing names.
const nobody = "app"

// ServiceOf names the writer of a log that does not say itself, by its file name: rotation, compression and role words
// taken off ("nginx-access.log.2.gz" is nginx). A name that is nothing but a role or a number ("access.log", "0.log") takes
// the folder's name, else the software that the format belongs to. Of a segment in a spool the name is known, not guessed: whoever
// sent the lines, or the settings, said it.
func ServiceOf(file, format string) string {
	if s := said(file); s != "" {
		return s
	}
	if s := stem(path.Base(file)); s != "" && s != nobody {
		return s
	}
	for dir := path.Dir(file); dir != "." && dir != "/"; dir = path.Dir(dir) {
		if s := stem(path.Base(dir)); s != "" && s != nobody {
			return s
		}
	}
	software, _, _ := strings.Cut(format, "-")
	if format == "inquest-gateway" { // it calls itself so in its event log
		software = format
	}
	switch {
	case stem(path.Base(file)) == nobody, loggers[software]:
		return nobody
	case software == "combined" || software == "common": // a layout that every web server writes
		return "gateway"
	case software != "":
		return software
	}
	return "unknown"
}

// said is the service in the name of a spool's folder, "checkout%2Fapp.log.log" (docs/format/spool.md); "" elsewhere.
func said(file string) string {
	escaped, _, ok := strings.Cut(path.Base(path.Dir(file)), "%2F")
	if !ok {
		return ""
	}
	name, err := url.PathUnescape(escaped)
	if err != nil {
		return "" // somebody's folder
	}
	return name
}

func stem(base string) string {
	for {
		trimmed := base
		for _, ext := range []string{".gz", ".zst", ".zstd", ".bz2", ".xz", ".log", ".txt", ".json", ".jsonl", ".ndjson", ".out", ".err", ".csv"} {
			trimmed = strings.TrimSuffix(trimmed, ext)
		}
		if m := rotation.FindStringIndex(trimmed); m != nil {
			trimmed = trimmed[:m[0]]
		}
		if trimmed == base {
			break
		}
		base = trimmed
	}
	base = pod.ReplaceAllString(base, "")
	for {
		m := role.FindStringSubmatchIndex(base)
		if m == nil {
			break
		}
		if date := dated.FindStringIndex(base[:m[0]]); m[1] == len(base) && date != nil {
			base = base[:date[0]] + base[m[0]:]
			continue
		}
		sep := ""
		if m[2] != m[3] && m[6] != m[7] { // a separator on both sides: keep one
			sep = base[m[2]:m[3]]
		}
		base = base[:m[0]] + sep + base[m[1]:]
	}
	if base = strings.Trim(base, "._- "); strings.Trim(base, "0123456789._-") == "" {
		return "" // numbers name nobody
	}
	if defaultNames[strings.ToLower(base)] {
		return nobody
	}
	return base
}

// group strips an instance number: "checkout-2" belongs to "checkout". ok is false for a plain name.
func group(name string) (service string, ok bool) {
	m := instance.FindStringSubmatch(name)
	if m == nil {
		return name, false
	}
	return m[1], true
}
