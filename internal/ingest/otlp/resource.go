package otlp

import (
	"cmp"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/inquesthq/inquest/internal/ingest"
)

// resource is who sends, by the attributes of https://opentelemetry.io/docs/specs/semconv/resource/.
type resource struct {
	service, namespace string
	instance, id       string // what people know the instance by; service.instance.id
	version            string
	attributes         [][]byte // KeyValues
}

// maxPrefixValue is the longest value that stands in each line of a resource.
const maxPrefixValue = 256

// readResource finds the resource of a ResourceLogs, ResourceSpans or ResourceMetrics, in which it has number 1.
func readResource(b []byte) (r resource, err error) {
	pod, host := "", ""
	err = each(b, func(f *wireField) error {
		if f.num != 1 || f.typ != protowire.BytesType {
			return nil
		}
		return each(f.bytes, func(f *wireField) error {
			if f.num != 1 || f.typ != protowire.BytesType {
				return nil
			}
			key, value, err := keyValue(f.bytes)
			if err != nil {
				return err
			}
			if r.attributes = append(r.attributes, f.bytes); len(r.attributes) > maxAttributes {
				return errAttributes
			}
			var to *string
			switch string(key) {
			case "service.name":
				to = &r.service
			case "service.namespace":
				to = &r.namespace
			case "service.instance.id":
				to = &r.id
			case "service.version":
				to = &r.version
			case "k8s.pod.name":
				to = &pod
			case "host.name":
				to = &host
			default:
				return nil
			}
			*to, err = text(value)
			return err
		})
	})
	r.service = ingest.CleanName(r.service)
	r.instance = cmp.Or(pod, r.id, host) // a pod's name is what metrics and events know the instance by; a uuid says nothing to people
	return r, err
}

// appendPrefix appends what each line of the resource says of it.
func (r *resource) appendPrefix(b []byte) []byte {
	for _, f := range [...]struct{ key, value string }{{`,"service":`, r.service}, {`,"instance":`, r.instance}, {`,"version":`, r.version}} {
		if f.value != "" {
			b = ingest.AppendJSON(append(b, f.key...), f.value[:min(len(f.value), maxPrefixValue)])
		}
	}
	return b
}
