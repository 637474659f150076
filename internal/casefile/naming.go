package casefile

import (
	"path"
	"regexp"
	"strings"
)

var (
	rotation = regexp.MustCompile(`[._-]?(\d{4}-?\d{2}-?\d{2}([T_.-]?\d{2,6})?|\d{1,3})$`)
	// role words say what a log holds, not who wrote it.
	role = regexp.MustCompile(`(?i)(^|[._-])(access|error|errors|err|stdout|stderr|out|output|log|logs|application|server|current|main|messages|json|requests?|slow|general|console|combined|all)($|[._-])`)
	// instance numbers: checkout-2, api_01
	instance = regexp.MustCompile(`^(.*[A-Za-z])[._-]0*(\d{1,3})$`)
)

// ServiceOf names the writer of a log that does not say itself, by its file name: rotation, compression and role words
// taken off ("nginx-access.log.2.gz" is nginx). A name that is nothing but a role ("access.log") takes the folder's
// name, else the software that the format belongs to.
func ServiceOf(file, format string) string {
	if s := stem(path.Base(file)); s != "" {
		return s
	}
	for dir := path.Dir(file); dir != "." && dir != "/"; dir = path.Dir(dir) {
		if s := stem(path.Base(dir)); s != "" {
			return s
		}
	}
	if format != "" {
		software, _, _ := strings.Cut(format, "-")
		if software == "combined" || software == "common" { // a layout that every web server writes
			return "gateway"
		}
		return software
	}
	return "unknown"
}

func stem(base string) string {
	for {
		trimmed := base
		for _, ext := range []string{".gz", ".zst", ".zstd", ".bz2", ".xz", ".log", ".txt", ".json", ".jsonl", ".ndjson", ".out", ".err", ".csv"} {
			trimmed = strings.TrimSuffix(trimmed, ext)
		}
		if m := rotation.FindStringIndex(trimmed); m != nil && m[0] > 0 && (!strings.HasSuffix(base, trimmed) || strings.ContainsAny(base, ".")) && !instance.MatchString(trimmed) {
			trimmed = trimmed[:m[0]]
		}
		if trimmed == base {
			break
		}
		base = trimmed
	}
	for {
		m := role.FindStringSubmatchIndex(base)
		if m == nil {
			break
		}
		sep := ""
		if m[2] != m[3] && m[6] != m[7] { // a separator on both sides: keep one
			sep = base[m[2]:m[3]]
		}
		base = base[:m[0]] + sep + base[m[1]:]
	}
	return strings.Trim(base, "._- ")
}

// group strips an instance number: "checkout-2" belongs to "checkout". ok is false for a plain name.
func group(name string) (service string, ok bool) {
	m := instance.FindStringSubmatch(name)
	if m == nil {
		return name, false
	}
	return m[1], true
}
