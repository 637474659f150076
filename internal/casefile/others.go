package casefile

// askCounters judges the request counters where the services' own request logs show no failure: a process that dies in the middle of
// a request logs no answer, and who counts in front of it sees that.
func (b *builder) askCounters() {
	if b.proxy || b.counters {
		return
	}
	counted := counted(b.st.Series())
	if len(counted) == 0 {
		return
	}
	edge, span, blips := b.edge, b.span, b.blips
	b.edge, b.span, b.blips, b.counters = counted, spanOf(counted), nil, true
	b.search(b.candidates())
	if len(b.groups) == 0 {
		b.edge, b.span, b.blips, b.counters = edge, span, blips, false
	}
}

// unscraped lets the span end with the last error where counters end before: they are not scraped from a process that hangs.
func (b *builder) unscraped() {
	if !b.counters {
		return
	}
	for _, c := range b.errorsAlone() {
		for _, h := range c.failures {
			for t := range h.Buckets() {
				b.span.To = maxTime(b.span.To, at(t+int64(h.Width())))
			}
		}
	}
}
