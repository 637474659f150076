package parse

import "bytes"

// elastic reads the text logs of Elasticsearch, OpenSearch and Logstash: `[2018-05-17T08:19:36,089][INFO
// ][o.e.e.NodeEnvironment    ] [node] message`; Logstash puts the pipeline in another bracket.
type elastic struct {
	stamp    stampCache
	logstash bool
}

func newElastic([]byte) lineParser  { return &elastic{} }
func newLogstash([]byte) lineParser { return &elastic{logstash: true} }

func (p *elastic) parse(line []byte, r *Record) bool {
	if len(line) < 30 || line[0] != '[' {
		return false
	}
	ns, n, c := p.stamp.parse(line[1:])
	if n == 0 || c == ClockNone || n+3 >= len(line) || line[n+1] != ']' || line[n+2] != '[' {
		return false
	}
	level, b := bracketPart(line[n+2:])
	logger, b := bracketPart(b)
	logger = bytes.TrimSpace(logger)
	if len(logger) == 0 || p.logstash == elasticLogger(logger) || !setLevel(r, bytes.TrimSpace(level)) {
		return false
	}
	r.Time, r.Clock, r.Logger = ns, c, str(logger)
	if p.logstash {
		if in, rest := bracketPart(b); len(in) > 0 && len(rest) > 0 && (rest[0] == ' ' || rest[0] == '[') {
			r.Add("pipeline", str(in))
			if b = rest; rest[0] == '[' {
				in, b = bracketPart(rest)
				r.Add("plugin", str(in))
			}
		}
	} else if b = bytes.TrimLeft(b, " "); len(b) > 0 && b[0] == '[' {
		in, rest := bracketPart(b)
		if bytes.IndexByte(in, ' ') < 0 && len(rest) > 0 && rest[0] == ' ' {
			r.Add("node", str(in))
			b = rest
			// Then the index, if the message is about one: [index] or [index/id].
			if in, rest := bracketPart(b[1:]); len(in) > 0 && bytes.IndexByte(in, ' ') < 0 && len(rest) > 0 && rest[0] == ' ' {
				r.Add("index", str(in))
				b = rest
			}
		}
	}
	r.Message = str(bytes.TrimPrefix(b, []byte{' '}))
	return true
}

// bracketPart is bracket without the blank behind.
func bracketPart(b []byte) (in, rest []byte) {
	end := bytes.IndexByte(b, ']')
	if len(b) == 0 || b[0] != '[' || end < 0 {
		return nil, b
	}
	return b[1:end], b[end+1:]
}

// elasticLogger reports whether a logger is of Elasticsearch or OpenSearch and not of Logstash.
func elasticLogger(b []byte) bool {
	for _, p := range [...]string{"o.e.", "o.o.", "o.a.", "o.s.", "org.elasticsearch", "org.opensearch", "org.apache", "i.", "c.", "r.",
		"d.", "e.", "index.", "gateway", "cluster.", "node", "env", "plugins", "transport", "http", "deprecation"} {
		if bytes.HasPrefix(b, []byte(p)) {
			return true
		}
	}
	return false
}
