package server

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/audit"
	"github.com/inquesthq/inquest/internal/flow"
	"github.com/inquesthq/inquest/internal/redact"
	"github.com/inquesthq/inquest/internal/spool"
	"github.com/inquesthq/inquest/internal/store"
	"github.com/inquesthq/inquest/internal/web"
)

const (
	// findingsKept is how far back the page of findings goes: one day and night, with its peak and its batch jobs. Lines are kept as long by default.
	findingsKept = 24 * time.Hour
	// firstLook is how long after its start a server looks first: what the rest of the start needs comes before.
	firstLook = 15 * time.Second
	// unknownSince is how far back a source is read that was never looked at.
	unknownSince = time.Hour
)

// auditor applies the rules that the settings leave on.
func auditor(a *Audit) (*audit.Auditor, error) {
	return audit.New(audit.Config{Skip: a.Skip, HealthRoutes: a.HealthRoutes, HealthThreshold: a.HealthThreshold})
}

// findings looks every few minutes at the lines that this server has received since, and keeps what it found as one record for each hour
// (docs/format/findings.md). Where it stopped reading is in the same record, so that no line is counted twice, also after a crash.
type findings struct {
	p       *process
	auditor *audit.Auditor
	hour    hourFound // this hour's, or the last there was
	version int64

	mu   sync.Mutex
	next time.Time // when it looks next
}

// hourFound is the body of a record of kind "findings".
type hourFound struct {
	Server  string              `json:"server"`
	Hour    time.Time           `json:"hour"`
	Looked  time.Time           `json:"looked"`  // when this was written last
	Arrived int64               `json:"arrived"` // bytes
	Read    int64               `json:"read"`    // of them, that were looked at
	At      map[string]readUpTo `json:"at"`      // by folder of the source: up to where lines were looked at
	Audit   *inquest.Audit      `json:"audit"`
}

// readUpTo is a place in the segments of one source.
type readUpTo struct {
	Segment string `json:"segment"`
	Offset  int64  `json:"offset"`
}

func (p *process) openFindings(ctx context.Context) error {
	if p.Settings.Audit.Off {
		return nil
	}
	a, err := auditor(&p.Settings.Audit)
	if err != nil {
		return err
	}
	f := &findings{p: p, auditor: a, next: p.Now().Add(min(firstLook, p.Settings.Audit.Every))}
	if err := f.recall(ctx); err != nil {
		return err
	}
	p.findings = f
	p.also("findings", f.run)
	return nil
}

// recall goes on where this server stopped the last time.
func (f *findings) recall(ctx context.Context) error {
	all, err := f.p.records.List(ctx, store.Query{Kind: "findings", Parent: f.p.name, Newest: true, Limit: 1})
	if err != nil || len(all) == 0 {
		return err
	}
	if err := json.Unmarshal(all[0].Body, &f.hour); err != nil {
		f.hour = hourFound{}
		return nil //nolint:nilerr // of another release: what it had found is lost, and looked for again
	}
	f.version = all[0].Version
	return nil
}

func (f *findings) run(ctx context.Context) error {
	every := f.p.Settings.Audit.Every
	select {
	case <-ctx.Done():
		return nil
	case <-time.After(min(firstLook, every)):
	}
	return f.p.every(ctx, every, "findings", func() error { return f.look(ctx) })
}

// look audits what is new, and writes down what was found.
func (f *findings) look(ctx context.Context) error {
	now := f.p.Now().UTC()
	pieces, at, arrived := f.fresh(f.p.spool.Segments(inquest.Window{}), now)
	pieces, read := newestPieces(pieces, f.p.Settings.Audit.MaxBytes)
	found, err := flow.AuditLive(ctx, pieces, f.auditor, flow.Options{Workers: 1})
	if err != nil {
		return err
	}
	redactFound(found)
	h, version := f.hour, f.version
	if hour := now.Truncate(time.Hour); !h.Hour.Equal(hour) {
		h, version = hourFound{Server: f.p.name, Hour: hour}, 0
	}
	h.Looked, h.At, h.Arrived, h.Read = now, at, h.Arrived+arrived, h.Read+read
	if h.Audit == nil {
		h.Audit = &inquest.Audit{}
	}
	h.Audit = f.auditor.Merge([]*inquest.Audit{h.Audit, found})
	body, err := json.Marshal(h)
	if err != nil {
		return err
	}
	id := f.p.name + "/" + h.Hour.Format("2006-01-02T15")
	if err := f.p.records.Put(ctx, store.Record{Kind: "findings", ID: id, Parent: f.p.name, Time: h.Hour, Version: version, Body: body}); err != nil {
		if errors.Is(err, store.ErrConflict) {
			f.adopt(ctx, id, h.Hour)
		}
		return err
	}
	f.hour, f.version = h, version+1
	f.mu.Lock()
	f.next = now.Add(f.p.Settings.Audit.Every)
	f.mu.Unlock()
	_, err = f.p.records.Delete(ctx, "findings", now.Add(-findingsKept-time.Hour))
	return err
}

// adopt goes on from what is there, the next time: it was written after all when a connection broke, or the clock went back into that hour.
func (f *findings) adopt(ctx context.Context, id string, hour time.Time) {
	kept, err := f.p.records.Get(ctx, "findings", id)
	if err != nil {
		return
	}
	var h hourFound
	if json.Unmarshal(kept.Body, &h) != nil {
		h = hourFound{Server: f.p.name, Hour: hour}
	}
	h.At = further(h.At, f.hour.At)
	f.hour, f.version = h, kept.Version
}

// further is of each source the place that is further on: what either has counted is not counted again.
func further(a, b map[string]readUpTo) map[string]readUpTo {
	out := map[string]readUpTo{}
	maps.Copy(out, a)
	for folder, at := range b {
		if old := out[folder]; at.Segment > old.Segment || at.Segment == old.Segment && at.Offset > old.Offset {
			out[folder] = at
		}
	}
	return out
}

// fresh are the parts of segments that were not looked at, with the places up to where that will have happened, and their size.
func (f *findings) fresh(all []spool.Segment, now time.Time) (pieces []spool.Range, at map[string]readUpTo, size int64) {
	at = map[string]readUpTo{}
	for _, g := range all {
		folder, from := path.Dir(g.Name), int64(0)
		switch old, ok := f.hour.At[folder]; {
		case !ok && g.End.Before(now.Add(-unknownSince)), ok && g.Name < old.Segment:
			from = g.Size
		case ok && g.Name == old.Segment:
			from = min(old.Offset, g.Size)
		}
		at[folder] = readUpTo{g.Name, g.Size} // segments of a source come in order
		if from < g.Size && g.Source.Kind != "changes" {
			pieces = append(pieces, spool.Range{Segment: g, From: from, To: g.Size})
			size += g.Size - from
		}
	}
	return pieces, at, size
}

// newestPieces cuts pieces to a number of bytes in all: each source gets as much as any other that has so much, and of what it has the newest is
// read. A loud service must not keep the audit from hearing the others.
func newestPieces(pieces []spool.Range, most int64) (out []spool.Range, read int64) {
	left := map[string]int64{} // by source: first what there is, then what may still be read of it
	for _, p := range pieces {
		left[path.Dir(p.Segment.Name)] += p.To - p.From
	}
	quietest := slices.SortedFunc(maps.Keys(left), func(a, b string) int { return cmp.Or(cmp.Compare(left[a], left[b]), strings.Compare(a, b)) })
	for i, name := range quietest {
		left[name] = min(left[name], most/int64(len(quietest)-i))
		most -= left[name]
	}
	for _, p := range slices.Backward(pieces) { // the newest of each source first
		name := path.Dir(p.Segment.Name)
		p.From = max(p.From, p.To-left[name])
		if p.From < p.To {
			left[name] -= p.To - p.From
			read += p.To - p.From
			out = append(out, p)
		}
	}
	return out, read
}

// Findings sums up what all servers that share the records have found in a day and a night.
func (p *process) Findings(ctx context.Context) (*web.Findings, error) {
	now := p.Now().UTC()
	out := &web.Findings{From: now.Add(-findingsKept), To: now}
	if p.findings == nil {
		return out, nil
	}
	out.On, out.Next = true, p.findings.due()
	all, err := p.records.List(ctx, store.Query{Kind: "findings", From: now.Add(-findingsKept).Truncate(time.Hour)})
	if err != nil {
		return nil, err
	}
	var parts []*inquest.Audit
	for _, r := range all {
		var h hourFound
		if err := json.Unmarshal(r.Body, &h); err != nil || h.Audit == nil { // of another release
			continue
		}
		parts = append(parts, h.Audit)
		out.Arrived, out.Read = out.Arrived+h.Arrived, out.Read+h.Read
		if h.Looked.After(out.Looked) {
			out.Looked = h.Looked
		}
		if !slices.Contains(out.Servers, h.Server) {
			out.Servers = append(out.Servers, h.Server)
		}
	}
	if len(parts) > 0 {
		out.Audit = p.findings.auditor.Merge(parts)
	}
	return out, nil
}

// due is when this server looks next.
func (f *findings) due() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.next
}

// redactFound replaces secrets in what was quoted of lines, before it is kept.
func redactFound(a *inquest.Audit) {
	for i := range a.Findings {
		for k := range a.Findings[i].Examples {
			e := &a.Findings[i].Examples[k]
			e.Text = redact.Text(e.Text)
		}
		a.Findings[i].Route, a.Findings[i].Detail = redact.Text(a.Findings[i].Route), redact.Text(a.Findings[i].Detail)
	}
	for i := range a.Mappings {
		a.Mappings[i].Route = redact.Text(a.Mappings[i].Route)
	}
	for i := range a.Logs {
		a.Logs[i].Sample.Text, a.Logs[i].Rewritten = redact.Text(a.Logs[i].Sample.Text), redact.Text(a.Logs[i].Rewritten)
	}
}
