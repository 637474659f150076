package archtest_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const (
	maxFunction = 60
	maxFile     = 600
	maxPackage  = 2500
)

// longer are breaches of the budgets that are explained, by file, file:function or room.
var longer = map[string]string{
	"cmd/inquest":       "one file per command",
	"internal/diagnose": "one analysis with its explaining away, triggers and actions; what knows no analysis has left for symptom and mechanism",
	"internal/conformance/cases_pass.go:passing": "a table, one behaviour a row",
	"internal/conformance/cases_wire.go:headers": "a table, one behaviour a row",
	"internal/incident":                          "every file changes one record under one version; a room of its own for a part would need the whole of the record's insides",
	"internal/parse":                             "one file per format; the rule excepts it",
	"internal/diagnose/mechanism":                "one file per mechanism; the rule excepts it",
	"internal/casefile":                          "who wrote which file is told by the same names, kinds and aliases as who is who; a room of its own would take half of these along",
	"internal/report":                            "five renderings and the wire format of one value share its order and its words; apart they would drift",
	"internal/web":                               "one file per kind of page; pages, forms and API share one table of routes and one call, and what knows no request has left for words and wire",
	"internal/servicegraph":                      "channels of clues over one timeline and one graph; each is a file, none is of use alone",
	"internal/store/mem":                         "collectors, tally and bounds fill and widen the same streams under one budget of memory; half of them apart would need the insides of the other",
}

// calls that only some rooms may make.
var calls = []struct {
	pkg     string
	names   []string
	allowed []string // rooms
	why     string
}{
	{"time", []string{"Now", "Since", "Until", "After", "Tick", "NewTimer", "NewTicker", "Sleep", "AfterFunc"}, []string{"cmd/inquest", "cmd/inquest-gateway", "scripts", "guard", "guard/policy", "guard/health", "guard/preflight", "guard/maintenance",
		"internal/gateway", "internal/gateway/upstream", "internal/gateway/accesslog", "internal/gateway/serve", "internal/conformance", "internal/store/storetest", "internal/store/pgtest", "internal/store/promtest", "internal/web/browsertest",
		"internal/spool",    // the pace of commits and sweeps
		"internal/rates",    // ticks
		"internal/incident", // what time makes due
		"internal/notify",
		"internal/server", // how often it tells the rules what the settings say
		"internal/store/tsdb", "internal/store/remote", "internal/detect",
		"internal/ingest", "internal/ingest/tail", "internal/ingest/otlp", "internal/ingest/prom", "internal/ingest/syslog", "internal/ingest/hook", // patience with bodies, and the pace of looks
	},
		"a clock makes two runs over one folder differ; times come from the evidence (guard, the gateway and the rooms of the server live in running services)"},
	{"os", []string{"Getenv", "LookupEnv", "Environ", "ExpandEnv"}, []string{"cmd/inquest", "internal/config", "scripts", "guard/preflight"},
		"the environment is an input that nobody sees; only the command and its configuration read it"},
	{"os", []string{"Exit"}, []string{"cmd/inquest", "cmd/inquest-gateway", "scripts", "guard/preflight"}, "a room returns errors"},
	{"flag", []string{"String", "Bool", "Int", "Parse", "StringVar", "BoolVar", "IntVar"}, []string{"scripts"}, "the global flag set belongs to scripts"},
}

type source struct {
	room, file string // file is relative to the module
	ast        *ast.File
	lines      int
	fset       *token.FileSet
}

// sources parses the product's files; tests are not among them.
func sources(t *testing.T) []source {
	t.Helper()
	var out []source
	for _, p := range packages(t) {
		for _, name := range p.GoFiles {
			fset := token.NewFileSet()
			path := filepath.Join(p.Dir, name)
			f, err := parser.ParseFile(fset, path, nil, parser.SkipObjectResolution|parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			rel := strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module)+"/"+name, "/")
			out = append(out, source{p.room(), rel, f, fset.File(f.FileStart).LineCount(), fset})
		}
	}
	return out
}

func TestFunctionsFilesAndPackagesKeepTheirBudgets(t *testing.T) {
	size := map[string]int{}
	used := map[string]bool{}
	over := func(name string, got, most int) {
		if got <= most {
			return
		}
		used[name] = true
		if longer[name] == "" {
			t.Errorf("%s has %d lines, at most %d: mend it, or explain it in archtest's longer", name, got, most)
		}
	}
	for _, s := range sources(t) {
		size[s.room] += s.lines
		over(s.file, s.lines, maxFile)
		for _, d := range s.ast.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Body == nil {
				continue
			}
			n := s.fset.Position(f.End()).Line - s.fset.Position(f.Pos()).Line + 1
			over(s.file+":"+f.Name.Name, n, maxFunction)
		}
	}
	for room, n := range size {
		if room != "scripts" { // programs that share a folder
			over(room, n, maxPackage)
		}
	}
	for name := range longer {
		if !used[name] {
			t.Errorf("%s keeps its budget now: take it out of longer", name)
		}
	}
}

func TestOnlySomeRoomsReadTheClockOrTheEnvironment(t *testing.T) {
	for _, s := range sources(t) {
		names := importNames(s.ast)
		ast.Inspect(s.ast, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			x, ok := sel.X.(*ast.Ident)
			if !ok {
				return true
			}
			for _, c := range calls {
				if names[x.Name] == c.pkg && slices.Contains(c.names, sel.Sel.Name) && !slices.Contains(c.allowed, s.room) {
					t.Errorf("%s: %s.%s: %s", s.fset.Position(n.Pos()), c.pkg, sel.Sel.Name, c.why)
				}
			}
			return true
		})
	}
}

// importNames maps the names that a file uses for packages to their paths.
func importNames(f *ast.File) map[string]string {
	out := map[string]string{}
	for _, i := range f.Imports {
		path := strings.Trim(i.Path.Value, `"`)
		name := path[strings.LastIndexByte(path, '/')+1:]
		if i.Name != nil {
			name = i.Name.Name
		}
		out[name] = path
	}
	return out
}

func TestNoRoomRegistersItself(t *testing.T) {
	for _, s := range sources(t) {
		for _, d := range s.ast.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
				t.Errorf("%s: an init function: lists are explicit, start-up is in main", s.fset.Position(f.Pos()))
			}
		}
	}
}

func TestEachRoomSaysWhatItIs(t *testing.T) {
	documented, rooms := map[string]bool{}, map[string]bool{}
	for _, s := range sources(t) {
		dir := filepath.Dir(s.file)
		rooms[dir] = true
		if s.ast.Doc != nil && len(strings.Fields(s.ast.Doc.Text())) >= 8 {
			documented[dir] = true
		}
	}
	for dir := range rooms {
		if !documented[dir] {
			t.Errorf("%s has no package comment that says what it is", dir)
		}
	}
}

func TestNoNamesThatSayNothing(t *testing.T) {
	empty := []string{"Manager", "Helper", "Util", "Common", "Base", "Info", "Process"}
	for _, s := range sources(t) {
		for _, d := range s.ast.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != token.TYPE {
				continue
			}
			for _, spec := range g.Specs {
				name := spec.(*ast.TypeSpec).Name.Name
				for _, e := range empty {
					if name == e || strings.HasSuffix(name, e) && e != "Base" && e != "Process" {
						t.Errorf("%s: type %s: say what it does", s.fset.Position(spec.Pos()), name)
					}
				}
			}
		}
	}
}
