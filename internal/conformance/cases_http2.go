package conformance

import (
	"bytes"
	"fmt"
	"io"

	h2 "golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// frames is a connection that speaks HTTP/2 with prior knowledge.
type frames struct {
	*h2.Framer
	p *peer
}

// talk reads the client's preface and settings, and then hands each request to the script when its header, and its body if it
// has one, is there. The script returns false to close.
func talk(script func(f *frames, stream uint32) (more bool)) func(*peer) {
	return func(p *peer) {
		preface := make([]byte, len(h2.ClientPreface))
		if _, err := io.ReadFull(p.r, preface); err != nil {
			return
		}
		f := &frames{h2.NewFramer(p.Conn, p.r), p}
		_ = f.WriteSettings() // a broken connection shows in the next read
		for {
			fr, err := f.ReadFrame()
			if err != nil {
				return
			}
			switch fr := fr.(type) {
			case *h2.SettingsFrame:
				if !fr.IsAck() {
					_ = f.WriteSettingsAck()
				}
			case *h2.HeadersFrame:
				p.w.attempts.Add(1)
				if fr.StreamEnded() && !script(f, fr.StreamID) {
					return
				}
			case *h2.DataFrame:
				if fr.StreamEnded() && !script(f, fr.StreamID) {
					return
				}
			}
		}
	}
}

// header sends a status and no more.
func (f *frames) header(stream uint32, end bool) {
	f.fields(stream, end, ":status", "200", "content-type", "text/plain")
}

// fields sends a header or trailer of these names and values.
func (f *frames) fields(stream uint32, end bool, namesAndValues ...string) {
	var b bytes.Buffer
	e := hpack.NewEncoder(&b)
	for i := 0; i < len(namesAndValues); i += 2 {
		_ = e.WriteField(hpack.HeaderField{Name: namesAndValues[i], Value: namesAndValues[i+1]}) // to memory
	}
	_ = f.WriteHeaders(h2.HeadersFrameParam{StreamID: stream, BlockFragment: b.Bytes(), EndHeaders: true, EndStream: end})
}

func (f *frames) ok(stream uint32) bool {
	f.header(stream, false)
	return f.WriteData(stream, true, []byte("ok")) == nil
}

// http2: what HTTP/2 says about resending, and about bodies that end early.
func http2() []behaviour {
	const group = "HTTP/2 upstreams"
	goaway := talk(func(f *frames, stream uint32) bool {
		if f.p.n > 1 {
			return f.ok(stream)
		}
		_ = f.WriteGoAway(0, h2.ErrCodeNo, nil)
		f.p.hang()
		return false
	})
	refused := func() func(*peer) {
		return talk(func(f *frames, stream uint32) bool {
			if stream > 1 || f.p.n > 1 {
				return f.ok(stream)
			}
			return f.WriteRSTStream(stream, h2.ErrCodeRefusedStream) == nil
		})
	}
	internal := talk(func(f *frames, stream uint32) bool { return f.WriteRSTStream(stream, h2.ErrCodeInternal) == nil })
	post := ask{method: "POST", body: "x=1"}
	over := func(name, sentence, expected string, script func(*peer), a ask, w want) behaviour {
		return behaviour{group: group, name: name, sentence: sentence, expected: expected, script: script, ask: a, scheme: "h2c", judge: w.judge}
	}
	good := want{status: []int{200}, body: "ok"}
	return []behaviour{
		over("h2c", "HTTP/2 without TLS is spoken to an upstream that is configured so", "200", talk(func(f *frames, s uint32) bool { return f.ok(s) }), ask{}, good),
		over("goaway-unprocessed", "GOAWAY that says the request was not processed: sent again", "200", goaway, ask{}, good),
		over("goaway-unprocessed-post", "the same for a POST", "200", goaway, post, good),
		over("rst-refused", "REFUSED_STREAM: sent again", "200", refused(), ask{}, good),
		over("rst-refused-post", "the same for a POST", "200", refused(), post, good),
		over("rst-internal", "INTERNAL_ERROR for a POST is 502, sent once", "502, 1 attempt", internal, post, want{status: []int{502}, attempts: 1, reason: "cut"}),
		over("rst-mid-body", "a stream that is reset in the body looks cut", "cut", talk(func(f *frames, s uint32) bool {
			f.header(s, false)
			_ = f.WriteData(s, false, []byte("half"))
			return f.WriteRSTStream(s, h2.ErrCodeInternal) == nil
		}), ask{}, want{cut: true, early: []int{502}, reason: "cut"}),
		over("refused-for-ever", "a stream that is refused every time is attempted at most three times", "502 or 504, at most 3 attempts",
			talk(func(f *frames, s uint32) bool { return f.WriteRSTStream(s, h2.ErrCodeRefusedStream) == nil }), post, want{status: []int{502, 504}, attempts: 3}),
		{group: group, name: "trailers-with-length", sentence: "trailers beside a length reach a client of HTTP/1.1", expected: "200, trailer grpc-status", scheme: "h2c",
			script: talk(func(f *frames, stream uint32) bool {
				f.fields(stream, false, ":status", "200", "content-type", "application/grpc", "content-length", "2", "trailer", "grpc-status")
				_ = f.WriteData(stream, false, []byte("ok")) // a broken connection shows in the next read
				f.fields(stream, true, "grpc-status", "0")
				return true
			}), judge: func(v *view) string {
				if v.Trailer.Get("Grpc-Status") != "0" {
					return fmt.Sprintf("trailer %v", v.Trailer)
				}
				return want{status: []int{200}, whole: true, body: "ok"}.judge(v)
			}},
	}
}
