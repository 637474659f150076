package otlp

import (
	"context"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/inquesthq/inquest/internal/spool"
)

// takeSpans takes an ExportTraceServiceRequest: one line a resource, as an export request of its own.
func (o *Receiver) takeSpans(ctx context.Context, t *taking) error {
	p := o.parts(t)
	defer p.release()
	err := each(t.body, func(f *wireField) error {
		if f.num != 1 || f.typ != protowire.BytesType {
			return nil
		}
		return o.resourceSpans(p, f.bytes)
	})
	if err != nil {
		return err
	}
	return p.flush(ctx)
}

func (o *Receiver) resourceSpans(p *parts, b []byte) error {
	who, err := readResource(b)
	if err != nil {
		return err
	}
	if err := p.t.allow(who.service); err != nil {
		return err
	}
	source := o.cfg.Intake.Source(who.service, unnamed)
	n, err := countItems(b)
	if err != nil {
		return err
	}
	if n == 0 {
		return nil
	}
	p.t.count(source, n)
	out := p.of(spool.Source{Name: source, Kind: KindSpans})
	line := append(*out, `{"resourceSpans":[`...)
	before := len(*out)
	if line, err = appendMessage(line, b, o.json.resourceSpans, 0); err != nil {
		return err
	}
	*out = append(line, "]}\n"...)
	return p.grew(len(*out) - before)
}

// countItems counts the items in the scopes of a resource.
func countItems(b []byte) (n int, err error) {
	err = each(b, func(f *wireField) error {
		if f.num != 2 || f.typ != protowire.BytesType {
			return nil
		}
		return each(f.bytes, func(f *wireField) error {
			if f.num == 2 && f.typ == protowire.BytesType {
				n++
			}
			return nil
		})
	})
	return n, err
}
