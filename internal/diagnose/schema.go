package diagnose

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/diagnose/mechanism"
	"github.com/inquesthq/inquest/internal/diagnose/symptom"
)

// missing is what the errors of a schema mismatch name, as far as they do.
type missing struct {
	table   string   // "" when it is not named, or there are several
	columns []string // as the errors write them, without qualifier where that is a table
	place   string   // the line of the program that asked for it
	quote   string   // the part of a line that names it
}

// named is one way of saying that something of the schema is not there.
type named struct {
	says          *regexp.Regexp
	column, table int // submatches; 0: it names none
}

// thing is a name in a message: quoted in the manner of a database, qualified or not, maybe inside a JSON string.
const thing = "([\\\\\"'`\\[]*[\\pL_][\\pL\\w$.\\\\\"'`\\[\\]]*)"

func names(column, table int, says string) named {
	return named{regexp.MustCompile("(?i)" + strings.ReplaceAll(says, "{}", thing)), column, table}
}

// missingThings are the messages of databases and of what stands before them. The first that fits names what is missing, so those that say more come first.
var missingThings = []named{
	// Hibernate's check at start
	names(1, 2, `missing column {} in table {}`), names(1, 2, `wrong column type encountered in column {} in table {}`), names(0, 1, `schema-validation: missing table {}`),
	// PostgreSQL, and all drivers and ORMs that hand its message on
	names(1, 2, `\bcolumn {} of relation {} does not exist`), names(1, 0, `\bcolumn {} does not exist`), names(0, 1, `(?:^|[^ ]|[^f] )relation {} does not exist`),
	// Prisma, H2, JDBC, database/sql
	names(1, 0, `\bcolumn {} does not exist in the current database`), names(0, 1, `\btable {} does not exist in the current database`),
	names(1, 0, `\bcolumn(?: name)? {} (?:was )?not found`), names(0, 1, `\btable {} not found`), names(1, 0, `missing destination name {}`), names(1, 0, `no column found for name:? {}`),
	// MySQL and MariaDB
	names(1, 0, `unknown column {} in`), names(0, 1, `\btable {} doesn\\?'t exist`), names(0, 1, `unknown table {}`), names(1, 0, `\bfield {} doesn\\?'t have a default value`),
	// SQLite
	names(2, 1, `\btable {} has no column named {}`), names(1, 0, `no such column:? {}`), names(0, 1, `no such table:? {}`),
	// SQL Server
	names(1, 0, `invalid column name {}`), names(0, 1, `invalid object name {}`),
	// Oracle
	names(1, 0, `ORA-00904: {}`), names(0, 1, `ORA-00942: table or view {} does not exist`), names(0, 1, `ORA-04043: object {} does not exist`),
	// ActiveRecord, SQLAlchemy, Cassandra, ClickHouse
	names(1, 2, `unknown attribute {} for {}`), names(1, 0, `could not locate column in row for column {}`), names(0, 1, `NoSuchTableError:? {}`),
	names(1, 0, `undefined column name {}`), names(0, 1, `unconfigured table {}`), names(1, 0, `unknown (?:expression )?identifier:? {}`),
}

var (
	quotes     = strings.NewReplacer(`\`, "", `"`, "", "'", "", "`", "", "[", "", "]", "")
	identifier = regexp.MustCompile(`^[\pL_][\pL\w$]*(?:\.[\pL_][\pL\w$]*){0,3}$`)
	// fromTables are the tables of a statement with their short names.
	fromTables = regexp.MustCompile("(?i)\\b(?:FROM|JOIN|UPDATE|INTO)\\s+([\\\\\"`\\[]*[a-z_][\\w.\\\\\"`\\[\\]]*)(?:\\s+(?:AS\\s+)?([a-z_]\\w*))?")
)

// sentenceWords stand where a name could, in messages that give none. In quotes they are names.
var sentenceWords = map[string]bool{"was": true, "is": true, "name": true, "in": true, "on": true, "of": true, "for": true, "at": true, "to": true, "not": true, "that": true}

// plain is a name without its quotes, "" for what is none.
func plain(s string) string {
	s = strings.TrimRight(s, ".")
	name := quotes.Replace(s)
	if !identifier.MatchString(name) || name == s && sentenceWords[strings.ToLower(s)] {
		return ""
	}
	return name
}

// missingIn finds what a text says is not in the schema.
func missingIn(text string) (column, table, quote string) {
	for _, n := range missingThings {
		m := n.says.FindStringSubmatchIndex(text)
		if m == nil {
			continue
		}
		if n.column > 0 {
			column = plain(text[m[2*n.column]:m[2*n.column+1]])
		}
		if n.table > 0 {
			table = plain(text[m[2*n.table]:m[2*n.table+1]])
		}
		if column == "" && table == "" {
			continue
		}
		line, _, _ := strings.Cut(text[m[0]:], "\n")
		return column, table, line
	}
	return "", "", ""
}

// missing collects what the claims of a schema mismatch name.
func (c *candidate) missing() (out missing, ok bool) {
	if c.id != "bad-deploy/schema-mismatch" {
		return out, false
	}
	var tables []string
	for _, cl := range c.claims {
		if cl.symptom.Pattern == nil {
			continue
		}
		x := symptom.Example(cl.symptom.Pattern)
		texts := said(x)
		for _, text := range texts {
			column, table, quote := missingIn(text)
			if quote == "" {
				continue
			}
			if i := strings.LastIndexByte(column, '.'); i >= 0 && table == "" {
				if table = tableNamed(column[:i], texts); table != "" {
					column = column[i+1:]
				}
			}
			if column != "" && !slices.ContainsFunc(out.columns, func(have string) bool { return sameColumn(have, column) }) {
				out.columns = append(out.columns, column)
			}
			if table != "" && !slices.Contains(tables, table) {
				tables = append(tables, table)
			}
			if out.quote == "" {
				out.quote = quote
			}
			if out.place == "" && x.Exception != nil {
				out.place = placeOf(x.Exception)
			}
			break
		}
	}
	if len(tables) == 1 {
		out.table = tables[0]
	}
	out.columns = out.columns[:min(3, len(out.columns))]
	return out, len(out.columns) > 0 || out.table != ""
}

// sameColumn reports whether two names may be of one column: one with and one without the short name of its table.
func sameColumn(a, b string) bool {
	return a == b || strings.HasSuffix(a, "."+b) || strings.HasSuffix(b, "."+a)
}

// said are the texts of an occurrence: the line, what was thrown, and the statement.
func said(x *inquest.LogExample) []string {
	out := []string{x.Text}
	if x.Exception != nil {
		out = append(out, x.Exception.Message)
		for _, c := range x.Exception.Chain {
			out = append(out, c.Message)
		}
	}
	for _, k := range []string{"query_text", "statement", "error", "err"} {
		if v := x.Fields[k]; v != "" {
			out = append(out, v)
		}
	}
	return out
}

// tableNamed is the table for which a statement writes a short name, or the name itself where it is one of the statement's tables. "" when no statement tells.
func tableNamed(short string, texts []string) string {
	for _, text := range texts {
		for _, m := range fromTables.FindAllStringSubmatch(text, -1) {
			if table := plain(m[1]); table != "" && (m[2] == short || table == short || strings.HasSuffix(table, "."+short)) {
				return table
			}
		}
	}
	return ""
}

// placeOf is where the program was, of its own lines the one nearest to the error.
func placeOf(x *inquest.Exception) string { return quote(cmp.Or(x.AppFrame, x.TopFrame)) }

func (m missing) String() string {
	var s string
	switch len(m.columns) {
	case 0:
		s = "table " + m.table
	case 1:
		s = "column " + m.columns[0]
	default:
		s = "columns " + strings.Join(m.columns, ", ")
	}
	if len(m.columns) > 0 && m.table != "" {
		s += " of " + m.table
	}
	return s
}

// at is the place with a word before it.
func (m missing) at() string {
	if m.place == "" {
		return ""
	}
	return " (asked for at " + m.place + ")"
}

// sweep makes the search for other uses one of what the errors name: all columns, or the table where they name only that.
func (m missing) sweep(act inquest.Action) inquest.Action {
	const one = " -e '{column}'"
	if !strings.Contains(act.Command, one) {
		return act
	}
	words := []string{m.table}
	if len(m.columns) > 0 {
		words = words[:0]
		for _, c := range m.columns {
			words = append(words, c[strings.LastIndexByte(c, '.')+1:])
		}
	}
	var all strings.Builder
	for _, w := range words {
		all.WriteString(mechanism.Fill(one, map[string]string{"column": w}))
	}
	act.Command = strings.Replace(act.Command, one, all.String(), 1)
	act.Text = strings.TrimSuffix(act.Text, ".") + ": " + m.String() + m.at() + "."
	return act
}
