package main

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"time"
)

const gzipOver = 48 << 10 // larger files are compressed, as a log shipper would

// bundle puts the case's files in place and writes what was true beside them.
func (e *Env) bundle(target string) error {
	if err := e.writeChanges(); err != nil {
		return err
	}
	want := e.truth()
	if e.S.Kind != "healthy" && want.Onset == "" {
		return fmt.Errorf("no request failed after the fault: nothing was recorded that %s could be found in", e.S.Name)
	}
	if err := os.RemoveAll(filepath.Join(target, "case")); err != nil {
		return err
	}
	caseDir, wantFile := filepath.Join(target, "case"), filepath.Join(target, "want.json")
	if e.S.Out != "" { // the example: the folder itself, the truth beside it
		caseDir, wantFile = target, target+".truth.json"
		if err := os.RemoveAll(target); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(caseDir, 0o755); err != nil {
		return err
	}
	if err := e.writeMetrics(); err != nil {
		return err
	}
	if err := e.copyLogs(caseDir); err != nil {
		return err
	}
	e.Note("%s", toJSON(want))
	return os.WriteFile(wantFile, append(toJSON(want), '\n'), 0o644)
}

func (e *Env) writeChanges() error {
	if len(e.changes) == 0 {
		return nil
	}
	sort.SliceStable(e.changes, func(i, j int) bool { return e.changes[i].at.Before(e.changes[j].at) })
	f, err := os.Create(filepath.Join(e.Logs, "changes.jsonl"))
	if err != nil {
		return err
	}
	defer f.Close()
	enc := json.NewEncoder(f)
	enc.SetEscapeHTML(false)
	for _, c := range e.changes {
		if err := enc.Encode(c); err != nil {
			return err
		}
	}
	return nil
}

func (e *Env) writeMetrics() error {
	if name, ok := e.S.Rename["metrics.om"]; ok && name == "metrics/" { // one file per job
		dir := filepath.Join(e.Logs, "metrics")
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		for _, j := range e.scraper.jobs() {
			if err := e.scraper.write(filepath.Join(dir, j+".om"), j); err != nil {
				return err
			}
		}
		return nil
	}
	return e.scraper.write(filepath.Join(e.Logs, "metrics.om"), "")
}

func (e *Env) copyLogs(caseDir string) error {
	return filepath.Walk(e.Logs, func(path string, fi os.FileInfo, err error) error {
		if err != nil || fi.IsDir() || fi.Size() == 0 {
			return err
		}
		rel, err := filepath.Rel(e.Logs, path)
		if err != nil || !e.kept(rel) {
			return err
		}
		name := rel
		if to, ok := e.S.Rename[rel]; ok {
			name = to
		} else if fi.Size() > gzipOver && !strings.HasSuffix(rel, ".gz") {
			name += ".gz"
		}
		if name == "-" {
			return nil
		}
		return copyFile(path, filepath.Join(caseDir, name))
	})
}

func (e *Env) kept(rel string) bool {
	if len(e.S.Keep) == 0 {
		return true
	}
	for _, g := range e.S.Keep {
		if ok, _ := filepath.Match(g, rel); ok || strings.HasPrefix(rel, g+"/") {
			return true
		}
	}
	return false
}

func copyFile(from, to string) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	defer out.Close()
	if strings.HasSuffix(to, ".gz") && !strings.HasSuffix(from, ".gz") {
		z, _ := gzip.NewWriterLevel(out, gzip.BestCompression)
		if _, err := io.Copy(z, in); err != nil {
			return err
		}
		return z.Close()
	}
	_, err = io.Copy(out, in)
	return err
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// truth completes the scenario's truth with what the load generator measured.
func (e *Env) truth() Truth {
	w := e.S.Truth
	w.ID, w.Title, w.Split, w.EndOfRecord = e.S.Name, e.S.Title, e.S.split(), stamp(e.Ended)
	w.IsIncident = e.S.Kind != "healthy"
	w.Open = e.S.Kind == "open"
	if e.S.Out != "" {
		w.Split = ""
	}
	if w.Trigger != nil && w.Trigger.Time == "" {
		t := *w.Trigger
		t.Time = stamp(e.Injected)
		if !e.TriggerAt.IsZero() {
			t.Time = stamp(e.TriggerAt)
		}
		for _, c := range e.changes {
			if c.Summary == t.Summary {
				t.Time = stamp(c.at)
			}
		}
		w.Trigger = &t
	}
	if !w.IsIncident {
		e.summary()
		return w
	}
	sort.Slice(e.results, func(i, j int) bool { return e.results[i].ended.Before(e.results[j].ended) })
	total, bad := map[string]int{}, map[string]int{}
	for _, r := range e.results {
		if r.ended.Before(e.Injected) || r.ended.Before(e.Settled) || r.route.Background {
			continue
		}
		if r.failed && w.Onset == "" && (e.S.OnsetStatus == 0 || r.status == e.S.OnsetStatus) {
			w.Onset, w.OnsetStarted = stamp(r.ended), stamp(r.started)
		}
		if w.Onset != "" {
			total[r.route.Name]++
			if r.failed {
				bad[r.route.Name]++
			}
		}
	}
	w.Failures = map[string]string{}
	for name, n := range bad {
		w.Routes = append(w.Routes, name)
		w.Failures[name] = fmt.Sprintf("%d of %d requests after the onset", n, total[name])
	}
	sort.Slice(w.Routes, func(i, j int) bool { return bad[w.Routes[i]] > bad[w.Routes[j]] })
	e.summary()
	return w
}

// summary tells the person who records how the timeline looked.
func (e *Env) summary() {
	type key struct {
		sec    int
		status int
	}
	n := map[key]int{}
	for _, r := range e.results {
		s := r.status
		if r.failed && s == 200 {
			s = -200
		}
		n[key{int(r.ended.Sub(e.Injected).Seconds()+1000)/10*10 - 1000, s}]++
	}
	var keys []key
	for k := range n {
		keys = append(keys, k)
	}
	sort.Slice(keys, func(i, j int) bool {
		return keys[i].sec < keys[j].sec || keys[i].sec == keys[j].sec && keys[i].status < keys[j].status
	})
	last := -99999
	for _, k := range keys {
		if k.sec != last {
			fmt.Printf("\n%+4ds ", k.sec)
			last = k.sec
		}
		fmt.Printf(" %d:%d", k.status, n[k])
	}
	fmt.Println()
}
