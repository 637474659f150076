package mechanism_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/diagnose/mechanism"
)

func TestClueMatch(t *testing.T) {
	for sentence, c := range map[string]struct {
		clue mechanism.Clue
		text mechanism.Text
		want bool
	}{
		"a phrase is found anywhere, whatever its case":      {mechanism.Clue{Any: []string{"Pool Exhausted"}}, mechanism.Text{Message: "the pool exhausted itself"}, true},
		"a star stands for something short":                  {mechanism.Clue{Any: []string{"limit of * reached"}}, mechanism.Text{Message: "limit of 5 reached"}, true},
		"a star stands for nothing as well":                  {mechanism.Clue{Any: []string{"limit*reached"}}, mechanism.Text{Message: "limitreached"}, true},
		"a star reaches 120 bytes":                           {mechanism.Clue{Any: []string{"limit*reached"}}, mechanism.Text{Message: "limit" + strings.Repeat("x", 120) + "reached"}, true},
		"a star does not reach further":                      {mechanism.Clue{Any: []string{"limit*reached"}}, mechanism.Text{Message: "limit" + strings.Repeat("x", 121) + "reached"}, false},
		"a star looks for a later beginning":                 {mechanism.Clue{Any: []string{"ab1*cd2"}}, mechanism.Text{Message: "ab1" + strings.Repeat("x", 200) + "ab1 cd2"}, true},
		"a star does not reach from one field to the next":   {mechanism.Clue{Any: []string{"limit*reached"}}, mechanism.Text{Message: "limit", ExceptionMessage: "reached"}, false},
		"a star at the end takes more digits":                {mechanism.Clue{Any: []string{"returned status 5*"}}, mechanism.Text{Message: "returned status 502"}, true},
		"a number is not found in a longer number":           {mechanism.Clue{Any: []string{"refused*:5432"}}, mechanism.Text{Message: "refused 10.0.0.1:54321"}, false},
		"a number is found at the end":                       {mechanism.Clue{Any: []string{"refused*:5432"}}, mechanism.Text{Message: "refused 10.0.0.1:5432"}, true},
		"a number is not found behind digits":                {mechanism.Clue{Any: []string{"500 oops"}}, mechanism.Text{Message: "1500 oops"}, false},
		"a word is not found inside another":                 {mechanism.Clue{Any: []string{"enotfound"}}, mechanism.Text{Message: "FileNotFoundError and filenotfound"}, false},
		"a word is found at its beginning":                   {mechanism.Clue{Any: []string{"oomkill"}}, mechanism.Text{Message: "reason=OOMKilled"}, true},
		"white space of any length is one blank":             {mechanism.Clue{Any: []string{"error: out of memory"}}, mechanism.Text{Message: "ERROR:  out of\nmemory"}, true},
		"all phrases are asked for":                          {mechanism.Clue{All: []string{"deadlock", "retr"}}, mechanism.Text{Message: "deadlock detected"}, false},
		"all phrases are there":                              {mechanism.Clue{All: []string{"deadlock", "retr"}}, mechanism.Text{Message: "deadlock detected, retrying"}, true},
		"a false friend excludes":                            {mechanism.Clue{Any: []string{"too many requests"}, Not: []string{"login"}}, mechanism.Text{Message: "too many requests to login"}, false},
		"an exception by its last part":                      {mechanism.Clue{Exception: []string{"NullPointerException"}}, mechanism.Text{ExceptionType: "java.lang.NullPointerException"}, true},
		"a Ruby class by its last part":                      {mechanism.Clue{Exception: []string{"SSLError"}}, mechanism.Text{ExceptionType: "OpenSSL::SSL::SSLError"}, true},
		"an exception is not a suffix of another":            {mechanism.Clue{Exception: []string{"PointerException"}}, mechanism.Text{ExceptionType: "java.lang.NullPointerException"}, false},
		"an exception in the cause chain":                    {mechanism.Clue{Exception: []string{"SocketException"}}, mechanism.Text{ExceptionType: "A", Chain: []inquest.Cause{{Type: "A"}, {Type: "java.net.SocketException"}}}, true},
		"a phrase in the cause chain":                        {mechanism.Clue{Any: []string{"broken thing"}}, mechanism.Text{Chain: []inquest.Cause{{Type: "A", Message: "a broken thing"}}}, true},
		"an exception that stands in the message":            {mechanism.Clue{Exception: []string{"NullPointerException"}}, mechanism.Text{Message: "boom: java.lang.NullPointerException: x"}, true},
		"a short exception name is not looked for in text":   {mechanism.Clue{Exception: []string{"Timeout"}}, mechanism.Text{Message: "Timeout is 30 s"}, false},
		"a code, exactly":                                    {mechanism.Clue{Code: []string{"42703"}}, mechanism.Text{Codes: []string{"42703"}}, true},
		"a code is not a prefix":                             {mechanism.Clue{Code: []string{"4270"}}, mechanism.Text{Codes: []string{"42703"}}, false},
		"a code with a star is a prefix":                     {mechanism.Clue{Code: []string{"57P*"}}, mechanism.Text{Codes: []string{"57p01"}}, true},
		"a SQLSTATE that a driver printed":                   {mechanism.Clue{Code: []string{"42703"}}, mechanism.Text{Message: "ERROR: oops (SQLSTATE 42703)"}, true},
		"a SQLSTATE and MySQL number of PDO":                 {mechanism.Clue{Code: []string{"mysql:1040"}}, mechanism.Text{Message: "SQLSTATE[HY000] [1040] oops"}, true},
		"the error number of PyMySQL":                        {mechanism.Clue{Code: []string{"mysql:2013"}}, mechanism.Text{Message: "OperationalError: (2013, 'oops')"}, true},
		"the code of node-postgres":                          {mechanism.Clue{Code: []string{"57P01"}}, mechanism.Text{Message: `{"code":"57P01","severity":"FATAL","err":1}`}, true},
		"somebody else may not say it":                       {mechanism.Clue{Any: []string{"shutdown"}, From: []mechanism.Origin{mechanism.OriginDatabase}}, mechanism.Text{Message: "shutdown", Origin: mechanism.OriginApp}, false},
		"who said it is an application when nobody knows":    {mechanism.Clue{Any: []string{"shutdown"}, From: []mechanism.Origin{mechanism.OriginApp}}, mechanism.Text{Message: "shutdown"}, true},
		"both exception and phrase are asked for":            {mechanism.Clue{Exception: []string{"ParseError"}, Any: []string{"indent"}}, mechanism.Text{ExceptionType: "ParseError", ExceptionMessage: "oops"}, false},
		"a clue that asks for nothing matches nothing":       {mechanism.Clue{Not: []string{"login"}}, mechanism.Text{Message: "anything"}, false},
		"bytes that are no UTF-8 are searched as they stand": {mechanism.Clue{Any: []string{"pool exhausted"}}, mechanism.Text{Message: "\xff\xfe pool exhausted \x80"}, true},
	} {
		if got := c.clue.Match(c.text); got != c.want {
			t.Errorf("%s: got %v", sentence, got)
		}
	}
}

func TestHitsAreHeaviestFirstAndOnceEach(t *testing.T) {
	m := mechanism.New([]mechanism.Mechanism{
		{ID: "a/1", Clues: []mechanism.Clue{{Any: []string{"boom"}, Weight: 0.4, Why: "light"}, {Any: []string{"boom today"}, Weight: 0.7, Why: "heavy"}}},
		{ID: "a/2", Clues: []mechanism.Clue{{Any: []string{"boom"}, Weight: 1, Why: "literal"}}},
		{ID: "a/3", Clues: []mechanism.Clue{{Any: []string{"boom"}, Weight: 0.7, Why: "later in the list"}}},
	})
	got := fmt.Sprint(m.Match(mechanism.Text{Message: "boom today"}))
	if want := "[{a/2 1 literal} {a/1 0.7 heavy} {a/3 0.7 later in the list}]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// texts returns every line of the clue files, which hold the wording of many ecosystems.
func texts(tb testing.TB) []string {
	tb.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "clues", "*", "*.txt"))
	if err != nil || len(files) == 0 {
		tb.Fatalf("no clue files: %v", err)
	}
	var out []string
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			tb.Fatal(err)
		}
		for line := range strings.Lines(string(b)) {
			if len(line) > 2 && line[0] != '#' {
				out = append(out, strings.TrimSpace(line[2:]))
			}
		}
	}
	return out
}

// The index must change nothing: the matcher finds what asking every clue finds.
func TestIndexAgreesWithAskingEveryClue(t *testing.T) {
	all := mechanism.All()
	m := mechanism.New(all)
	lines := texts(t)
	for i, line := range lines {
		if i%6 != 0 { // asking every clue is slow
			continue
		}
		text := mechanism.Text{Message: line, Origin: mechanism.Origin(i/6%7 + 1), Codes: []string{"42703"}[:i/6%2]}
		want := map[inquest.MechanismID]float64{}
		for _, x := range all {
			for j := range x.Clues {
				if x.Clues[j].Match(text) {
					want[x.ID] = max(want[x.ID], x.Clues[j].Weight)
				}
			}
		}
		got := map[inquest.MechanismID]float64{}
		for _, h := range m.Match(text) {
			got[h.Mechanism] = h.Weight
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%q\n got %v\nwant %v", line, got, want)
		}
	}
}

// BenchmarkMatch has the figure (12 µs a text on one core of 2026). This test only notices when the index stops working:
// asking every clue takes a hundred times as long. It is generous because machines are busy and -race is slow.
func TestMatchingIsQuick(t *testing.T) {
	lines := distinct(texts(t), 2000)
	lines = append(lines, strings.Repeat("connection refused ", 50_000), strings.Repeat("a", 1<<20), strings.Repeat("error error: ", 80_000))
	m := mechanism.New(mechanism.All())
	begin := time.Now()
	for _, l := range lines {
		m.Match(mechanism.Text{Message: l})
	}
	if d := time.Since(begin); d > 20*time.Second {
		t.Errorf("%d texts took %v", len(lines), d)
	}
}

// distinct makes n different lines by joining words of the given ones.
func distinct(from []string, n int) []string {
	r := rand.New(rand.NewPCG(1, 2))
	out := make([]string, n)
	for i := range out {
		words := strings.Fields(from[r.IntN(len(from))] + " " + from[r.IntN(len(from))])
		r.Shuffle(len(words)/3, func(a, b int) { words[a], words[b] = words[b], words[a] })
		out[i] = strings.Join(words, " ")
	}
	return out
}

func BenchmarkMatch(b *testing.B) {
	lines := distinct(texts(b), 1000)
	m := mechanism.New(mechanism.All())
	b.ResetTimer()
	for i := range b.N {
		m.Match(mechanism.Text{Message: lines[i%len(lines)]})
	}
}

func FuzzMatch(f *testing.F) {
	for _, l := range texts(f) {
		f.Add(l, "java.lang.Exception", "42703")
	}
	m := mechanism.New(mechanism.All())
	f.Fuzz(func(t *testing.T, message, typ, code string) {
		hits := m.Match(mechanism.Text{Message: message, ExceptionType: typ, Codes: []string{code}})
		if !slices.IsSortedFunc(hits, func(a, b mechanism.Hit) int {
			if a.Weight > b.Weight {
				return -1
			} else if a.Weight < b.Weight {
				return 1
			}
			return 0
		}) {
			t.Errorf("not sorted: %v", hits)
		}
	})
}
