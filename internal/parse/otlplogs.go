package parse

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/inquesthq/inquest"
)

// otlpLogs reads OTLP/JSON logs as the OpenTelemetry collector's file exporter writes them: one ExportLogsServiceRequest a
// line, with many records in it. https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
func otlpLogsFormat() format {
	return format{name: "otlp-logs", read: readOTLPLogs, score: func(sample []byte) float64 {
		line, _ := cutLine(sample)
		if bytes.Contains(line, []byte(`"resourceLogs"`)) || bytes.Contains(line, []byte(`"resource_logs"`)) {
			return 1
		}
		return 0
	}}
}

// maxOTLPLine bounds one batch; the collector's own limit for a request is 4 MB.
const maxOTLPLine = 32 << 20

type otlpLogBatch struct {
	ResourceLogs []struct {
		Resource struct {
			Attributes []otlpAttribute `json:"attributes"`
		} `json:"resource"`
		ScopeLogs []struct {
			Scope struct {
				Name string `json:"name"`
			} `json:"scope"`
			LogRecords []otlpLogRecord `json:"logRecords"`
		} `json:"scopeLogs"`
	} `json:"resourceLogs"`
}

type otlpLogRecord struct {
	Time           otlpNumber      `json:"timeUnixNano"`
	Observed       otlpNumber      `json:"observedTimeUnixNano"`
	SeverityNumber int             `json:"severityNumber"`
	SeverityText   string          `json:"severityText"`
	Body           otlpAny         `json:"body"`
	Attributes     []otlpAttribute `json:"attributes"`
	TraceID        string          `json:"traceId"`
	SpanID         string          `json:"spanId"`
}

type otlpAttribute struct {
	Key   string  `json:"key"`
	Value otlpAny `json:"value"`
}

// otlpAny is an AnyValue; lists and maps keep their JSON text.
type otlpAny struct {
	text string
	num  bool
}

func (v *otlpAny) UnmarshalJSON(b []byte) error {
	var raw struct {
		String *string         `json:"stringValue"`
		Int    otlpNumber      `json:"intValue"`
		Double json.Number     `json:"doubleValue"`
		Bool   *bool           `json:"boolValue"`
		Array  json.RawMessage `json:"arrayValue"`
		Map    json.RawMessage `json:"kvlistValue"`
	}
	if err := json.Unmarshal(b, &raw); err != nil {
		return fmt.Errorf("value of an OTLP attribute: %w", err)
	}
	switch {
	case raw.String != nil:
		v.text = *raw.String
	case raw.Int != "":
		v.text, v.num = string(raw.Int), true
	case raw.Double != "":
		v.text, v.num = string(raw.Double), true
	case raw.Bool != nil:
		v.text = strconv.FormatBool(*raw.Bool)
	case raw.Array != nil:
		v.text = string(raw.Array)
	case raw.Map != nil:
		v.text = string(raw.Map)
	}
	return nil
}

// otlpNumber is a 64-bit number, which proto3's JSON writes as text.
type otlpNumber string

func (n *otlpNumber) UnmarshalJSON(b []byte) error {
	*n = otlpNumber(bytes.Trim(b, `"`))
	return nil
}

func readOTLPLogs(r io.Reader, file string, sink Sink, skip func(int, string)) (int, error) {
	br := bufio.NewReaderSize(r, 64<<10)
	records := 0
	for line := 1; ; line++ {
		b, err := readLimited(br, maxOTLPLine)
		if len(bytes.TrimSpace(b)) > 0 {
			var batch otlpLogBatch
			if jerr := json.Unmarshal(b, &batch); jerr != nil {
				skip(line, "no OTLP logs: "+jerr.Error())
			} else {
				records += batch.emit(line, sink)
			}
		}
		if errors.Is(err, io.EOF) {
			return records, nil
		}
		if err != nil {
			return records, err
		}
	}
}

// readLimited reads a line; what is beyond limit is dropped, so that the line fails to parse and is reported.
func readLimited(br *bufio.Reader, limit int) ([]byte, error) {
	var line []byte
	for {
		part, err := br.ReadSlice('\n')
		if len(line) < limit {
			line = append(line, part...)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, err
		}
	}
}

func (b *otlpLogBatch) emit(line int, sink Sink) (n int) {
	var r Record
	onLine := strconv.Itoa(b.size())
	for i := range b.ResourceLogs {
		res := &b.ResourceLogs[i]
		for k := range res.ScopeLogs {
			scope := &res.ScopeLogs[k]
			for m := range scope.LogRecords {
				r.Reset()
				r.Line, r.Logger = line, scope.Scope.Name
				r.AddNum("records", onLine)
				otlpAttributes(res.Resource.Attributes, &r)
				scope.LogRecords[m].fill(&r)
				if r.Level >= inquest.LevelWarn || r.Status >= 500 {
					extract(&r, nil)
				}
				sink.Log(&r)
				n++
			}
		}
	}
	return n
}

// size is how many records stand in the batch, which is how many share its line.
func (b *otlpLogBatch) size() (n int) {
	for i := range b.ResourceLogs {
		for k := range b.ResourceLogs[i].ScopeLogs {
			n += len(b.ResourceLogs[i].ScopeLogs[k].LogRecords)
		}
	}
	return n
}

func (l *otlpLogRecord) fill(r *Record) {
	when := l.Time
	if when == "" || when == "0" {
		when = l.Observed
	}
	if ns, err := strconv.ParseInt(string(when), 10, 64); err == nil && ns > 0 {
		r.Time, r.Clock = ns, ClockUTC
	}
	r.Level, _ = numberLevel(l.SeverityNumber, numbersOTel)
	if r.Level == inquest.LevelUnknown {
		r.Level = levelOf([]byte(l.SeverityText))
	}
	r.Add("level", l.SeverityText)
	r.Message, r.TraceID, r.SpanID = l.Body.text, l.TraceID, l.SpanID
	otlpAttributes(l.Attributes, r)
	finishRequest(r)
}

func otlpAttributes(all []otlpAttribute, r *Record) {
	for _, a := range all {
		switch {
		case a.Key == "service.version":
			r.Version = a.Value.text
		case a.Key == "service.instance.id" || a.Key == "k8s.pod.name" || a.Key == "host.name" && r.Instance == "":
			r.Instance = a.Value.text
		default:
			textPair([]byte(a.Key), []byte(a.Value.text), a.Value.text, a.Value.num, r)
		}
	}
}
