package parse

import (
	"cmp"
	"slices"
)

// signalsFormats are the document formats: metrics, traces, changes, topology, error events. Each is recognised by
// keys that no other format has, so their order does not matter.
func signalsFormats() []format {
	return []format{
		openMetricsFormat(), promAPIFormat(), cloudWatchFormat(),
		otlpFormat(), jaegerFormat(), zipkinFormat(),
		webhookFormat(), changesFormat(), gitLogFormat(), topologyFormat(), incidentFormat(),
		sentryFormat(), snapshotFormat(), harFormat(),
	}
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K {
	keys := make([]K, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
