package mechanism

import "github.com/inquesthq/inquest"

// parseError: malformed input that nobody expected.
func parseError() Mechanism {
	return Mechanism{
		ID:    "unhandled-exception/parse-error",
		Title: "Unexpected malformed input",
		What: "The code parsed JSON, XML, a number or a date and the text was not what it promised to be. The parser's exception was not turned " +
			"into a 400 (bad request of a client) or a 502 (bad answer of a dependency), so the request ended as a 500.",
		Signs: []string{
			"quick 500 answers for some requests only: one client, one record, one file",
			"a parser's exception with position and offending character",
		},
		Needs:       []string{"a parser's exception in the requests that failed"},
		Contradicts: []string{"a dependency that answers HTML or nothing at the same time: then it is the dependency's bad response", "a file that was cut short because the disk is full"},
		Explains:    fallout(),
		Above:       failingAbove(),
		Triggers:    []inquest.TriggerKind{inquest.TriggerClient, inquest.TriggerData, "deploy", inquest.TriggerExternal, "config"},
		Roles:       []Role{RoleSelf, RolePeer},
		Clues:       parseErrorClues(),
		Confirm: []inquest.Command{
			check("Find out whose text it is: does the failure follow one client, one record or one dependency?", "inquest error {request} {folder}", "the frame that parses, and what was handed to it"),
			check("Send a request with a broken body.", `curl -sS -i -X POST -H 'Content-Type: application/json' -d '{"a":' http://{host}:{port}{path}`, "500 confirms it; 400 would be right"),
		},
		Actions: []inquest.Action{
			rollback(),
			later("symptom", "Catch the parser's error where the text comes in.", ""),
			later("symptom", "Answer 400 with the position of the error when the client sent it, 502 when a dependency did.", ""),
			later("cause", "Repair the producer of the text: client, record, file or dependency.", ""),
			prevent("Fuzz the parser's entry points; check Content-Type and length before parsing.", ""),
		},
		Owner:  "code",
		Status: 500,
	}
}

func parseErrorClues() []Clue {
	return []Clue{
		says(0.9, "V8's JSON.parse", "in json at position", "unexpected end of json input", "is not valid json", "unexpected token * in json", "expected property name or '}' in json").but(htmlInstead()...),
		says(0.7, "an HTML page where JSON was due: mostly somebody's error page", htmlInstead()...),
		thrown(0.9, "parsers' exceptions of Java, Python, Ruby, PHP, .NET", "JsonParseException", "JSONDecodeError", "JsonSyntaxException", "MismatchedInputException", "JsonMappingException",
			"MalformedJsonException", "HttpMessageNotReadableException", "JSON::ParserError", "JsonReaderException", "XmlException", "SAXParseException", "XMLSyntaxError",
			"ExpatError", "YAMLException", "ScannerError", "InvalidFormatException", "JsonDecodingException", "BadJsonException"),
		says(0.9, "encoding/json of Go, serde_json of Rust", "invalid character * looking for beginning of", "invalid character * after", "unexpected end of json input", "json: cannot unmarshal",
			"eof while parsing", "expected value at line", "expected ident at line", "trailing characters at line").but("config", "character '<' looking"),
		says(0.9, "Python, Ruby, PHP, System.Text.Json", "expecting value: line", "expecting property name enclosed in double quotes", "unexpected token at '", "json_decode(): syntax error", "json could not be decoded",
			"the json value could not be converted", "is an invalid start of a value", "the input does not contain any json tokens").but(htmlInstead()...),
		says(0.9, "XML and YAML parsers", "content is not allowed in prolog", "premature end of file", "xml syntax error on line", "start tag expected, '<' not found", "mismatched tag: line",
			"root element is missing", "mapping values are not allowed here"),
		thrown(0.7, "numbers, dates and text that could not be read", "NumberFormatException", "DateTimeParseException", "DateTimeParseError", "ParseException", "UnicodeDecodeError",
			"MalformedInputException", "InvalidDateException").but("sql", "query", "template"),
		says(0.7, "numbers and dates, in the runtimes' words", "invalid literal for int() with base", "could not convert string to float", "for input string:", "strconv.atoi: parsing", "strconv.parseint: parsing",
			"strconv.parsefloat: parsing", "parsing time \"", "invalid value for integer():", "input string was not in a correct format", "does not match format", "rangeerror: invalid time value",
			"invalid byte sequence in utf-8", "codec can't decode byte", "invalid utf-8 sequence"),
		says(0.6, "protobuf, Avro and friends", "proto: cannot parse invalid wire-format data", "invalidprotocolbufferexception", "protocol message contained an invalid tag", "msgpack: invalid code", "malformed utf-8"),
	}
}

// htmlInstead are the words of parsers of JSON that met the first character of a page.
func htmlInstead() []string {
	return []string{"unexpected token <", "unexpected token '<'", "'<' is an invalid start of a value", "unexpected token at '<"}
}
