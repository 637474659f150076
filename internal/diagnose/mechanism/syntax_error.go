package mechanism

import "github.com/inquesthq/inquest"

// syntaxError: the release holds code that its language cannot read.
func syntaxError() Mechanism {
	return Mechanism{
		ID:    "bad-deploy/syntax-error",
		Title: "Syntax error in the release",
		What: "The release holds a file that its interpreter cannot parse: a stray bracket, conflict markers, syntax of a newer language version. Interpreted languages " +
			"notice it only when the file is loaded, at the start or in the first request that needs it.",
		Signs: []string{
			"start fails, or some routes answer 500, from the deploy on and on the new version only",
			"`SyntaxError`, `Parse error`, `IndentationError` with file and line of our own code",
		},
		Needs:       []string{"a syntax error in a source file or template of the service, since the deploy"},
		Contradicts: []string{"the syntax error being in data, JSON or SQL that the code read"},
		Explains:    ids(fallout(), these("misconfiguration/error-mapping")),
		Above:       ids(goneAbove(), failingAbove()),
		Triggers:    []inquest.TriggerKind{"deploy", "restart", "config", "flag"},
		Roles:       []Role{RoleSelf},
		Clues:       syntaxClues(),
		Confirm: []inquest.Command{
			check("Read the start of the new version.", "kubectl logs deployment/{service} --previous --tail=100", "file and line of the syntax error"),
			check("Let the language check the file.", "node --check {path}", "the same error (Python: python3 -m py_compile; PHP: php -l; Ruby: ruby -c)"),
		},
		Actions: []inquest.Action{
			rollback(),
			later("cause", "Fix the file.", ""),
			later("cause", "Redeploy; migrations first where the release has any.", "kubectl rollout status deployment/{service} --timeout=120s"),
			prevent("Parse every source file and template in CI, with the language version of production.", "python3 -m compileall -q {path}"),
		},
		Owner:  "code",
		Status: 500,
	}
}

// syntaxClues are shared with startup-crash: the same words mean a crash when the process does not come up, and a broken file
// among working ones when it does.
func syntaxClues() []Clue {
	return []Clue{
		says(0.9, "Node.js: a syntax error of the source", "syntaxerror: unexpected token", "syntaxerror: invalid or unexpected token", "syntaxerror: unexpected identifier", "syntaxerror: missing ) after argument list", "syntaxerror: unexpected end of input", "syntaxerror: cannot use import statement outside a module",
			"syntaxerror: unexpected strict mode reserved word", "syntaxerror: identifier * has already been declared", "syntaxerror: await is only valid", "syntaxerror: unexpected reserved word", "syntaxerror: illegal return statement").but("json", "<"),
		says(1, "Python", "syntaxerror: invalid syntax", "syntaxerror: unterminated string literal", "syntaxerror: f-string", "syntaxerror: eol while scanning", "was never closed", "indentationerror", "taberror: inconsistent use of tabs", "syntaxerror: unmatched", "syntaxerror: expected ':'", "syntaxerror: unexpected eof while parsing"),
		thrown(0.9, "Python's and PHP's names for it", "IndentationError", "ParseError").carrying("unexpected", "syntax error", "indent", "unindent").but("json", "xml", "yaml", "csv", "at or near"),
		says(1, "PHP and Ruby", "php parse error: syntax error", "parse error: syntax error, unexpected", "syntax error, unexpected", "syntax errors found", "syntax error found", "compile error*unexpected"),
		says(0.8, "templates", "templatesyntaxerror", "syntax error in template", "actionview::template::error*syntax error", "template: * unexpected", "ejs*syntaxerror"),
		says(0.8, "shell scripts that start the service", "syntax error: unexpected end of file", "syntax error near unexpected token", "syntax error: unterminated quoted string", "bad interpreter: no such file"),
	}
}
