package mechanism

import (
	"regexp"
	"sort"
	"strings"

	"github.com/inquesthq/inquest"
)

// Text is one thing that was said: a log line's message, the exception with it, its cause chain and error codes, and
// what kind of component said it. An Origin of zero counts as OriginApp: most lines are applications' lines.
type Text struct {
	Message          string
	ExceptionType    string
	ExceptionMessage string
	Chain            []inquest.Cause
	Codes            []string // SQLSTATE, errno name, "mysql:1040"; codes named in the message are found without it
	Origin           Origin
}

// Hit says that a text speaks for a mechanism, how strongly (the weight of its heaviest clue) and why.
type Hit struct {
	Mechanism inquest.MechanismID
	Weight    float64
	Why       string
}

const (
	wildcard = 120      // bytes that "*" in a phrase may stand for
	gramSize = 4        // every phrase needs a literal of at least this length, by which the index finds it
	textSize = 32 << 10 // bytes of a field that are looked at: what a line has to say stands at its beginning
	wordSize = 8        // shorter exception names are looked for in the type only: "Timeout" in a sentence means little
)

// prepared is a Text, lower-cased once. The fields are parted by NUL, so that no wildcard reaches from one to the next.
type prepared struct {
	hay    string
	types  []string
	codes  []string
	origin Origin
}

func (t Text) prepare() prepared {
	parts := []string{clip(t.Message)}
	var types []string
	add := func(typ, msg string) {
		if typ != "" {
			types = append(types, strings.ToLower(typ))
		}
		if typ != "" || msg != "" {
			parts = append(parts, clip(typ+": "+msg))
		}
	}
	add(t.ExceptionType, t.ExceptionMessage)
	for _, c := range t.Chain {
		if c.Type != t.ExceptionType || c.Message != t.ExceptionMessage {
			add(c.Type, c.Message)
		}
	}
	parts = append(parts, t.Codes...)
	if name := settingName.FindString(parts[0]); name != "" {
		parts = append(parts, settingMark+name)
	}
	p := prepared{hay: squeeze(strings.ToLower(strings.Join(parts, "\x00"))), types: types, origin: t.Origin}
	if p.origin == 0 {
		p.origin = OriginApp
	}
	for _, c := range t.Codes {
		p.codes = append(p.codes, strings.ToLower(c))
	}
	p.codes = append(p.codes, codesIn(p.hay)...)
	return p
}

// settingName is a name as environment variables have it (POSIX: capitals, digits, underscores). Phrases do not tell capitals from
// small letters, so a text that holds one is marked, and a clue can ask for the mark.
var settingName = regexp.MustCompile(`\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b`)

const settingMark = "names setting "

func clip(s string) string { return s[:min(len(s), textSize)] }

var (
	reState = regexp.MustCompile(`sqlstate\W{0,4}([0-9a-z]{5})\b(?:\W{1,4}(\d{4})\b)?`)
	reCode  = regexp.MustCompile(`code["']?\s?[:=]\s?["']?([0-9a-z_]{4,40})\b`)
	reMySQL = regexp.MustCompile(`\berror:? (\d{4}) \([0-9a-z]{5}\)|\berrno["']?[:=] ?(\d{4})\b|\((\d{4}), ["']`)
)

// codesIn finds the error codes that drivers print into their messages; hay is in lower case.
func codesIn(hay string) []string {
	var out []string
	add := func(code, prefix string) {
		if code != "" {
			out = append(out, prefix+code)
		}
	}
	if strings.Contains(hay, "sqlstate") {
		for _, m := range reState.FindAllStringSubmatch(hay, 4) {
			add(m[1], "")
			add(m[2], "mysql:")
		}
	}
	if strings.Contains(hay, "code") {
		for _, m := range reCode.FindAllStringSubmatch(hay, 4) {
			add(m[1], "")
		}
	}
	if strings.Contains(hay, "err") {
		for _, m := range reMySQL.FindAllStringSubmatch(hay, 4) {
			add(m[1]+m[2]+m[3], "mysql:")
		}
	}
	return out
}

// Match reports whether the clue holds for the text: every condition that is set.
func (c *Clue) Match(t Text) bool {
	k := compile(c)
	p := t.prepare()
	return k.match(&p)
}

// phrase is a phrase cut at its wildcards. An empty last segment stands for a wildcard at the end ("status 5*").
type phrase []string

func cut(s string) phrase {
	return strings.Split(strings.TrimLeft(squeeze(strings.ToLower(s)), "*"), "*")
}

// squeeze makes one blank of each run of white space: PostgreSQL writes two after "ERROR:", messages break lines.
func squeeze(s string) string {
	run := func(i int) bool {
		return s[i] == '\n' || s[i] == '\t' || s[i] == '\r' || s[i] == ' ' && i > 0 && s[i-1] == ' '
	}
	for i := range len(s) {
		if run(i) {
			return squeezed(s)
		}
	}
	return s
}

func squeezed(s string) string {
	out := make([]byte, 0, len(s))
	blank := false
	for i := range len(s) {
		switch c := s[i]; c {
		case ' ', '\t', '\n', '\r':
			if !blank {
				out = append(out, ' ')
			}
			blank = true
		default:
			out = append(out, c)
			blank = false
		}
	}
	return string(out)
}

// in reports whether the segments follow each other in hay, at most wildcard bytes apart and within one field. Two rules
// keep it from matching inside something longer: a number does not match within a longer number (":5432" is not in
// ":54321"), and a phrase of one word only matches at the beginning of a word ("enotfound" is not in "FileNotFound").
func (p phrase) in(hay string) bool {
	if p[0] == "" {
		return false
	}
	word := len(p) == 1 && letters(p[0])
	for from := 0; ; {
		i := strings.Index(hay[from:], p[0])
		if i < 0 {
			return false
		}
		i += from
		inside := digit(p[0], 0) && digit(hay, i-1) || word && i > 0 && hay[i-1] >= 'a' && hay[i-1] <= 'z'
		if !inside && p[1:].after(hay, i+len(p[0]), p[0]) {
			return true
		}
		from = i + 1
	}
}

func letters(s string) bool {
	for i := range len(s) {
		if s[i] < 'a' || s[i] > 'z' {
			return false
		}
	}
	return true
}

func (p phrase) after(hay string, at int, last string) bool {
	if len(p) == 1 && p[0] == "" {
		return true
	}
	if digit(last, len(last)-1) && digit(hay, at) {
		return false
	}
	if len(p) == 0 {
		return true
	}
	window := hay[at:min(len(hay), at+wildcard+len(p[0]))]
	if i := strings.IndexByte(window, 0); i >= 0 {
		window = window[:i]
	}
	for from := 0; ; {
		i := strings.Index(window[from:], p[0])
		if i < 0 {
			return false
		}
		if p[1:].after(hay, at+from+i+len(p[0]), p[0]) {
			return true
		}
		from += i + 1
	}
}

func digit(s string, i int) bool { return i >= 0 && i < len(s) && s[i] >= '0' && s[i] <= '9' }

// compiled is a Clue made ready: phrases cut, names in lower case.
type compiled struct {
	any, all, not []phrase
	types, codes  []string
	from          []Origin
	mechanism     int
	weight        float64
	why           string
}

func compile(c *Clue) compiled {
	cuts := func(list []string) []phrase {
		out := make([]phrase, 0, len(list))
		for _, s := range list {
			out = append(out, cut(s))
		}
		return out
	}
	lower := func(list []string) []string {
		out := make([]string, 0, len(list))
		for _, s := range list {
			out = append(out, strings.ToLower(s))
		}
		return out
	}
	return compiled{any: cuts(c.Any), all: cuts(c.All), not: cuts(c.Not), types: lower(c.Exception), codes: lower(c.Code),
		from: c.From, weight: c.Weight, why: c.Why}
}

func (k *compiled) match(p *prepared) bool {
	if len(k.any)+len(k.all)+len(k.types)+len(k.codes) == 0 {
		return false
	}
	found := len(k.any) == 0
	for _, ph := range k.any {
		if found = ph.in(p.hay); found {
			break
		}
	}
	return found && k.rest(p)
}

// rest reports whether all conditions hold but that of any, which the caller has seen to.
func (k *compiled) rest(p *prepared) bool {
	if len(k.from) > 0 && !contains(k.from, p.origin) {
		return false
	}
	if len(k.types) > 0 && !p.threw(k.types) || len(k.codes) > 0 && !p.carries(k.codes) {
		return false
	}
	for _, ph := range k.all {
		if !ph.in(p.hay) {
			return false
		}
	}
	for _, ph := range k.not {
		if ph.in(p.hay) {
			return false
		}
	}
	return true
}

func contains(list []Origin, o Origin) bool {
	for _, x := range list {
		if x == o {
			return true
		}
	}
	return false
}

// threw reports whether one of the names is the type of the exception or of a cause, or stands as a word in the text:
// many loggers print "java.io.IOException: ..." into the line, and nobody took it apart.
func (p *prepared) threw(names []string) bool {
	for _, n := range names {
		for _, t := range p.types {
			if t == n || strings.HasSuffix(t, n) && strings.IndexByte(".:\\/$", t[len(t)-len(n)-1]) >= 0 {
				return true
			}
		}
		if len(n) >= wordSize && WordIn(p.hay, n) {
			return true
		}
	}
	return false
}

// WordIn reports whether the word stands in the text by itself; both in lower case.
func WordIn(hay, word string) bool {
	letter := func(i int) bool {
		return i >= 0 && i < len(hay) && (hay[i] >= 'a' && hay[i] <= 'z' || hay[i] == '_' || digit(hay, i))
	}
	for from := 0; ; {
		i := strings.Index(hay[from:], word)
		if i < 0 {
			return false
		}
		i += from
		if !letter(i-1) && !letter(i+len(word)) {
			return true
		}
		from = i + 1
	}
}

func (p *prepared) carries(codes []string) bool {
	for _, want := range codes {
		prefix, open := strings.CutSuffix(want, "*")
		for _, c := range p.codes {
			if c == want || open && strings.HasPrefix(c, prefix) {
				return true
			}
		}
	}
	return false
}

// Matcher holds the clues of a list of mechanisms, compiled and indexed. It is safe for concurrent use.
type Matcher struct {
	ids     []inquest.MechanismID
	clues   []compiled
	entries []entry
	byGram  map[uint32][]int32 // entries that may hold when these four bytes occur in the text
	maybe   [1 << 10]uint64    // a bit per hash of the keys of byGram: most positions of a text need no look-up
	coded   []int32            // clues that only ask for a code
}

// entry is one alternative of a clue: it can only hold if the phrase is there.
type entry struct {
	clue   int32
	phrase phrase
}

// New compiles the clues of the mechanisms. The order of the list settles ties.
func New(list []Mechanism) *Matcher {
	m := &Matcher{byGram: map[uint32][]int32{}}
	for i := range list {
		m.ids = append(m.ids, list[i].ID)
		for j := range list[i].Clues {
			k := compile(&list[i].Clues[j])
			k.mechanism = i
			m.clues = append(m.clues, k)
			m.enter(int32(len(m.clues) - 1))
		}
	}
	m.index()
	return m
}

// enter lists the alternatives of a clue: its phrases, or else the first that all asks for, or else the type names.
func (m *Matcher) enter(n int32) {
	k := &m.clues[n]
	switch {
	case len(k.any) > 0:
		for _, ph := range k.any {
			m.entries = append(m.entries, entry{n, ph})
		}
	case len(k.all) > 0:
		m.entries = append(m.entries, entry{n, k.all[0]})
	case len(k.types) > 0:
		for _, t := range k.types {
			m.entries = append(m.entries, entry{n, phrase{t, ""}})
		}
	case len(k.codes) > 0:
		m.coded = append(m.coded, n)
	}
}

// index files each entry under the four bytes of its phrase that the fewest phrases have.
func (m *Matcher) index() {
	count := map[uint32]int{}
	for _, e := range m.entries {
		e.grams(func(g uint32) { count[g]++ })
	}
	for i, e := range m.entries {
		best, found := uint32(0), false
		e.grams(func(g uint32) {
			if !found || count[g] < count[best] {
				best, found = g, true
			}
		})
		if !found {
			continue // Validate refuses such a phrase
		}
		m.byGram[best] = append(m.byGram[best], int32(i))
		h := hash(best)
		m.maybe[h>>6] |= 1 << (h & 63)
	}
}

func (e entry) grams(visit func(uint32)) {
	for _, seg := range e.phrase {
		for i := 0; i+gramSize <= len(seg); i++ {
			visit(gram(seg, i))
		}
	}
}

func gram(s string, i int) uint32 {
	return uint32(s[i]) | uint32(s[i+1])<<8 | uint32(s[i+2])<<16 | uint32(s[i+3])<<24
}

func hash(g uint32) uint32 { return g * 2654435761 >> 16 }

// Match returns the mechanisms that the text speaks for, each once with its heaviest clue: heaviest first, equal ones in
// the order of the catalogue.
func (m *Matcher) Match(t Text) []Hit {
	p := t.prepare()
	best := map[int]int32{} // mechanism -> clue
	lighter := func(k *compiled) bool {
		b, ok := best[k.mechanism]
		return ok && m.clues[b].weight >= k.weight
	}
	asked := make([]uint64, len(m.entries)/64+1) // a bit per entry: each is asked once, however often its bytes occur
	for i := 0; i+gramSize <= len(p.hay); i++ {
		g := gram(p.hay, i)
		if h := hash(g); m.maybe[h>>6]&(1<<(h&63)) == 0 {
			continue
		}
		for _, n := range m.byGram[g] {
			if asked[n>>6]&(1<<(n&63)) != 0 {
				continue
			}
			asked[n>>6] |= 1 << (n & 63)
			e := &m.entries[n]
			if k := &m.clues[e.clue]; !lighter(k) && e.phrase.in(p.hay) && k.rest(&p) {
				best[k.mechanism] = e.clue
			}
		}
	}
	if len(p.codes) > 0 {
		for _, n := range m.coded {
			if k := &m.clues[n]; !lighter(k) && k.rest(&p) {
				best[k.mechanism] = n
			}
		}
	}
	return m.hits(best)
}

func (m *Matcher) hits(best map[int]int32) []Hit {
	order := make([]int, 0, len(best))
	for mech := range best {
		order = append(order, mech)
	}
	weight := func(mech int) float64 { return m.clues[best[mech]].weight }
	sort.Slice(order, func(a, b int) bool {
		if x, y := weight(order[a]), weight(order[b]); x != y {
			return x > y
		}
		return order[a] < order[b]
	})
	var out []Hit
	for _, mech := range order {
		k := &m.clues[best[mech]]
		out = append(out, Hit{Mechanism: m.ids[mech], Weight: k.weight, Why: k.why})
	}
	return out
}
