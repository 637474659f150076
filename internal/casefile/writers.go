package casefile

import (
	"cmp"
	"maps"
	"net"
	"slices"
	"strings"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/parse"
	"github.com/inquesthq/inquest/internal/servicegraph"
	"github.com/inquesthq/inquest/internal/store/mem"
)

// Writers names the writer of each file's records that do not name it themselves, one name a file. The file's name decides as
// in ServiceOf. Where that tells nothing ("3.log", "app.log"), what the lines say does: lines without a name among those of
// one service are its own; most lines of a supervisor are about processes that start and end; a program whose loggers are
// called like one service that monitoring or the record of changes knows, and that no other file is from, is that service; so is
// one whose own code lies in a folder called like one.
func Writers(reports []parse.FileReport, clues []mem.Clues) []string {
	out := make([]string, len(reports))
	taken, known := map[string]bool{}, map[string]bool{}
	for i := range reports {
		if out[i] = ServiceOf(reports[i].File, reports[i].Format); out[i] != nobody {
			taken[strings.ToLower(out[i])] = true
		}
		for _, s := range clues[i].Itself {
			taken[serviceWord(s)] = true
		}
		for _, labels := range clues[i].Known {
			maps.Copy(known, knownBy(labels))
		}
	}
	named := maps.Clone(known) // the path of its code names a service whoever else writes of it
	maps.DeleteFunc(known, func(name string, _ bool) bool { return taken[name] })
	for i, name := range out {
		switch {
		case name != nobody:
		case len(clues[i].Itself) == 1: // a crash writes past the logger that knows the name
			out[i] = clues[i].Itself[0]
		case supervises(clues[i].Lines):
			out[i] = string(inquest.KindSupervisor)
		default:
			out[i] = cmp.Or(calledLike(clues[i].Loggers, known), calledLike(clues[i].Frames, named), nobody)
		}
	}
	return out
}

// writer is whose log a file is where its records name nobody.
func writer(r *parse.FileReport) string { return cmp.Or(r.Writer, ServiceOf(r.File, r.Format)) }

// knownBy are the applications that the labels of a series name.
func knownBy(labels map[string]string) map[string]bool {
	out := map[string]bool{}
	for _, key := range []string{"service", "app", "job", "instance"} {
		name := labels[key]
		if host, _, err := net.SplitHostPort(name); err == nil {
			name = host
		}
		// Loggers are called after a client as well ("redis", "postgres"), which does not make their program one.
		if word := serviceWord(name); len(word) > 2 && word != nobody && net.ParseIP(name) == nil && !servicegraph.Loopback(name) && kindOf(name) == "" {
			out[word] = true
		}
	}
	return out
}

// serviceWord is the plain name of a service or of its instance.
func serviceWord(name string) string {
	service, _ := group(name)
	return strings.ToLower(service)
}

// calledLike is the only known name that is a part of the names of loggers: "com.shop.shipping.Labels" is of shipping.
func calledLike(loggers []string, known map[string]bool) string {
	found := map[string]bool{}
	for _, l := range loggers {
		for _, part := range strings.FieldsFunc(strings.ToLower(l), func(c rune) bool { return !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '_') }) {
			if known[part] {
				found[part] = true
			}
		}
	}
	if len(found) != 1 {
		return ""
	}
	return slices.Collect(maps.Keys(found))[0]
}

// aboutProcesses are the words of process managers: supervisord, systemd, pm2, foreman, runit, kubelet.
var aboutProcesses = []string{"process spawned", "spawned: '", "process exited", "exited with code", "exited with status", "(exit status ",
	"entered running state", "entered fatal state", "to stop", "stopped: ", "exited: ", "main process exited", "scheduled restart job",
	"restart counter is at", "back-off restarting", "started container", "created container", "killing container", "starting in -fork mode-", "starting in -cluster mode-"}

// supervises reports whether most of the lines are about processes that start and end. A program that starts another one
// says so now and then, a supervisor says little else.
func supervises(lines map[string]uint64) bool {
	all, about := uint64(0), uint64(0)
	for template, n := range lines {
		all += n
		text := strings.ToLower(template)
		if slices.ContainsFunc(aboutProcesses, func(w string) bool { return strings.Contains(text, w) }) {
			about += n
		}
	}
	return about > 1 && about*2 > all
}
