package report

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/inquesthq/inquest"
)

// resourceRow is one line of the checklist of the third layer.
type resourceRow struct {
	Name  string
	Share float64 // 0 to 1 and more; NaN without data
	Text  string
}

// resourceRows is the checklist: every resource that can run out, with its figure or "no data". What is not measured is not
// ruled out.
func (s *story) resourceRows() []resourceRow {
	if !slices.ContainsFunc(s.d.Resources, func(r inquest.ResourceLevel) bool { return r.Component != "" }) {
		return nil // seven times "no data" says no more than the sentence below it
	}
	out := make([]resourceRow, 0, len(s.d.Resources))
	for _, r := range s.d.Resources {
		out = append(out, resourceRow{Name: resourceNames[r.Resource], Share: r.Share, Text: resourceText(r)})
	}
	return out
}

// resourceText is "checkout (checkout:8080), 10 of 10, 10% before".
func resourceText(r inquest.ResourceLevel) string {
	if r.Component == "" {
		return "no data"
	}
	who := r.Component
	if r.Instance != "" && r.Instance != who {
		who += " (" + r.Instance + ")"
	}
	parts := []string{who}
	if !math.IsNaN(r.Value) && !math.IsNaN(r.Limit) {
		say := number
		if r.Resource == "memory" || r.Resource == "disk" {
			say = sized
		}
		parts = append(parts, say(r.Value)+" of "+say(r.Limit))
	}
	if r.Resource == "cpu" {
		parts = append(parts, "of one core")
	}
	if !math.IsNaN(r.Before) {
		parts = append(parts, percent(r.Before)+" before")
	}
	return strings.Join(parts, ", ")
}

// sized writes bytes as people say them; below a megabyte it is hardly bytes that were measured (inodes, percent).
func sized(v float64) string {
	switch {
	case math.Abs(v) >= 1<<30:
		return fmt.Sprintf("%.1f GiB", v/(1<<30))
	case math.Abs(v) >= 1<<20:
		return fmt.Sprintf("%.0f MiB", v/(1<<20))
	}
	return number(v)
}

var resourceNames = map[string]string{
	"pool": "pool", "connections": "connections", "threads": "threads", "memory": "memory", "disk": "disk", "descriptors": "open files", "cpu": "CPU",
}
