// Package arrivals tells what has arrived at a server, and what has not: senders, files, scrape targets, counting.
package arrivals

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/inquesthq/inquest/internal/ingest"
	"github.com/inquesthq/inquest/internal/ingest/prom"
	"github.com/inquesthq/inquest/internal/ingest/tail"
	"github.com/inquesthq/inquest/internal/rates"
	"github.com/inquesthq/inquest/internal/redact"
	"github.com/inquesthq/inquest/internal/web"
	"github.com/inquesthq/inquest/internal/web/words"
)

const (
	lately = time.Hour   // for so long it is said that something was shed
	goesOn = time.Minute // a file that cannot be read is tried again every second; an error that is older is over
	// TooLate is from which lag on counting is said to be behind; the rule InquestLagsBehind has the same figure.
	TooLate = time.Minute
)

// Arrivals knows the ways in of a server.
type Arrivals struct {
	Server   string
	Since    time.Time     // when it began
	Tail     *tail.Tail    // nil: no file is followed
	Scraper  *prom.Scraper // nil: nothing is scraped
	Intake   *ingest.Intake
	Counting func() rates.Status
	Now      func() time.Time
}

// Arrivals tells what has arrived at this server, and what has not.
func (p *Arrivals) Arrivals(context.Context) (*web.Arrivals, error) {
	out := &web.Arrivals{Server: p.Server, Since: p.Since, Warnings: []string{}, Signals: []web.Signal{}, Files: []web.FilePattern{}, Targets: []web.ScrapeTarget{}}
	if p.Tail != nil {
		out.Warnings = append(out.Warnings, patterns(out, p.Tail.Stats(), p.Now())...)
	}
	if p.Scraper != nil {
		for _, s := range p.Scraper.States() {
			t := web.ScrapeTarget{URL: withoutQuery(s.URL), Job: s.Job, Up: s.Up, Last: s.Last.UTC(), Error: redact.Clean(redact.Text(strings.ReplaceAll(s.Error, s.URL, withoutQuery(s.URL))), 300)}
			if s.Last.IsZero() {
				t.Last = time.Time{}
			}
			out.Targets = append(out.Targets, t)
		}
		out.Warnings = append(out.Warnings, down(out.Targets)...)
	}
	stats := p.Intake.Stats()
	for _, s := range stats {
		out.Signals = append(out.Signals, web.Signal{Source: s.Source, Signal: s.Signal, Received: s.Received, Shed: s.Shed, Refused: s.Refused, Last: s.LastReceived, LastShed: s.LastShed, LastRef: s.LastRefused})
	}
	out.Warnings = append(out.Warnings, shed(stats, p.Now())...)
	f := p.Counting()
	out.Counting = web.Counting{Behind: web.Number(f.Lag.Seconds()), Unread: f.Unread}
	if f.Err != nil {
		out.Counting.Error = redact.Clean(f.Err.Error(), 300)
	}
	out.Warnings = append(out.Warnings, behind(f)...)
	return out, nil
}

// patterns fills in the files that are followed, and says which patterns and files give nothing.
func patterns(out *web.Arrivals, s tail.Stats, now time.Time) (wrong []string) {
	for _, f := range s.Patterns {
		out.Files = append(out.Files, web.FilePattern{Pattern: f.Glob, Service: f.Service, Matched: f.Matched, Files: f.Files, Behind: f.Behind})
		if f.Matched == 0 {
			wrong = append(wrong, fmt.Sprintf("No file matches %s: nothing is read. Is the path right, and may the server's user read the folder?", f.Glob))
		}
	}
	if s.LastError != "" && now.Sub(s.LastTime) < goesOn {
		wrong = append(wrong, fmt.Sprintf("%s is not read further: %s", s.LastFile, redact.Clean(s.LastError, 300)))
	}
	if s.TooMany > 0 {
		wrong = append(wrong, fmt.Sprintf("%d files are left alone because more match than are followed at a time.", s.TooMany))
	}
	return wrong
}

// down says which targets give no metrics.
func down(all []web.ScrapeTarget) (wrong []string) {
	for _, t := range all {
		switch {
		case t.Error == "":
		case t.Up:
			wrong = append(wrong, fmt.Sprintf("The metrics of %s (job %s) are not kept: %s", t.URL, t.Job, t.Error))
		default:
			wrong = append(wrong, fmt.Sprintf("The scrape target %s (job %s) is down: %s", t.URL, t.Job, t.Error))
		}
	}
	return wrong
}

// shed says in one sentence what was not taken lately for want of room, the most of it first.
func shed(all []ingest.Stat, now time.Time) []string {
	var hit []ingest.Stat
	for _, s := range all {
		if !s.LastShed.IsZero() && now.Sub(s.LastShed) < lately {
			hit = append(hit, s)
		}
	}
	if len(hit) == 0 {
		return nil
	}
	slices.SortStableFunc(hit, func(a, b ingest.Stat) int { return cmp.Compare(b.Shed, a.Shed) })
	const most = 3
	var named []string
	for _, s := range hit[:min(most, len(hit))] {
		named = append(named, fmt.Sprintf("%s %s of %s (the last %s ago)", words.Count(int(s.Shed)), s.Signal, s.Source, words.Span(now.Sub(s.LastShed))))
	}
	if n := len(hit) - most; n > 0 {
		named = append(named, fmt.Sprintf("and of %d others", n))
	}
	return []string{"Shed for want of room since the server began, some of it within the last hour: " + strings.Join(named, ", ") + ". Senders were told to send it again."}
}

// behind says that rules see too little.
func behind(s rates.Status) []string {
	switch {
	case s.Err != nil:
		return []string{"Counting does not work, so that no rule sees what arrives: " + redact.Clean(s.Err.Error(), 300)}
	case s.Lag >= TooLate:
		return []string{fmt.Sprintf("What arrives is counted %s late: alerts come that much later. The server may lack CPU.", words.Span(s.Lag))}
	}
	return nil
}

// withoutQuery leaves out the part of an address that may hold a secret.
func withoutQuery(address string) string {
	u, err := url.Parse(address)
	if err != nil { // New has read it
		return ""
	}
	u.RawQuery, u.Fragment, u.User = "", "", nil
	return u.String()
}
