package casefile

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/parse"
)

// coverage says per file and layer what was read, and what its absence forbids to claim.
func (b *builder) coverage(c *inquest.Case) inquest.Coverage {
	cov := inquest.Coverage{Layers: map[inquest.Layer]inquest.LayerCoverage{}}
	files := map[inquest.Layer]int{}
	for i := range b.cfg.Reports {
		r := &b.cfg.Reports[i]
		cov.Files = append(cov.Files, fileCoverage(r))
		if r.Records > 0 {
			files[b.layerOf(r)]++
		}
	}
	if b.st.Traces().Len() > 0 {
		files[inquest.LayerApplication] = max(1, files[inquest.LayerApplication])
	}
	c.Layers = map[inquest.Layer]bool{}
	for _, l := range []inquest.Layer{inquest.LayerResponse, inquest.LayerApplication, inquest.LayerInfrastructure, inquest.LayerChange} {
		lc := inquest.LayerCoverage{State: "missing", Files: files[l]}
		// What the services themselves wrote about their requests is the application's word; what the client got, only who
		// answered last can say.
		if l == inquest.LayerResponse && b.proxy || l != inquest.LayerResponse && files[l] > 0 {
			lc.State = "checked"
		}
		c.Layers[l] = lc.State == "checked"
		cov.Layers[l] = lc
	}
	cov.Missing = append(cov.Missing, b.cfg.Notes...)
	for l, text := range missingText {
		if !c.Layers[inquest.Layer(l)] {
			cov.Missing = append(cov.Missing, text)
		}
	}
	slices.Sort(cov.Missing)
	return cov
}

var missingText = map[string]string{
	string(inquest.LayerResponse):       "No request log (access log of a gateway or server): how many requests failed, on which routes, and since when is not measured.",
	string(inquest.LayerApplication):    "No application log or trace: what failed inside the service is not seen; an exception can be neither named nor ruled out.",
	string(inquest.LayerInfrastructure): "No metrics and no log of database, cache, kernel or supervisor: pool, memory, disk, descriptors and CPU can be neither blamed nor ruled out.",
	string(inquest.LayerChange):         "No record of changes: whether a deploy, configuration change or migration set it off is unknown.",
}

func fileCoverage(r *parse.FileReport) inquest.FileCoverage {
	f := inquest.FileCoverage{File: r.File, Format: r.Format, Records: r.Records, Skipped: r.Skipped, From: r.From, To: r.To}
	if r.Wrapper != "" {
		f.Format = strings.TrimSpace(r.Format + " in " + r.Wrapper)
	}
	f.Notes = append(f.Notes, r.Notes...)
	switch {
	case r.Shift%(15*time.Minute) != 0 && r.Shift.Abs() < 24*time.Hour: // no zone is
		f.Notes = append(f.Notes, fmt.Sprintf("the clock was wrong: the same requests in other files show that it takes a shift of %s", r.Shift))
	case r.Shift != 0:
		f.Notes = append(f.Notes, fmt.Sprintf("times carry no zone or year: shifted by %s, which fits the other files", r.Shift))
	case r.Clock == parse.ClockLocal:
		f.Notes = append(f.Notes, "times carry no zone: read as UTC")
	case r.Clock == parse.ClockNoYear:
		f.Notes = append(f.Notes, "times carry no year: the year was inferred")
	}
	for _, s := range r.Skips {
		f.Notes = append(f.Notes, fmt.Sprintf("line %d skipped: %s", s.Line, s.Reason))
	}
	if r.Err != nil {
		f.Notes = append(f.Notes, r.Err.Error())
	}
	return f
}

// LayerOf says which layer a file is evidence of, by its format and, where that leaves it open, its name.
func LayerOf(file, format string) inquest.Layer {
	return layerBy(format, func() inquest.ComponentKind { return kindOf(ServiceOf(file, format)) })
}

func (b *builder) layerOf(r *parse.FileReport) inquest.Layer {
	return layerBy(r.Format, func() inquest.ComponentKind {
		if c := b.names.resolve(writer(r)); c != nil {
			return c.Kind
		}
		return ""
	})
}

func layerBy(f string, kind func() inquest.ComponentKind) inquest.Layer {
	switch {
	case strings.HasPrefix(f, "changes") || f == "git-log":
		return inquest.LayerChange
	case isMetricsFormat(f):
		return inquest.LayerInfrastructure
	case f == "topology" || f == "incident":
		return ""
	case isProxyFormat(f):
		return inquest.LayerResponse
	}
	k := kindOfFormat(f)
	if k == "" {
		k = kind()
	}
	switch k {
	case inquest.KindDatabase, inquest.KindCache, inquest.KindBroker, inquest.KindKernel, inquest.KindSupervisor, inquest.KindHost:
		return inquest.LayerInfrastructure
	case inquest.KindProxy:
		return inquest.LayerResponse
	}
	return inquest.LayerApplication
}

func isMetricsFormat(f string) bool {
	for _, p := range []string{"openmetrics", "prometheus", "cloudwatch", "metrics", "snapshot"} {
		if strings.HasPrefix(f, p) {
			return true
		}
	}
	return false
}
