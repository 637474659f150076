package parse

import "strings"

// errnoPhrases are the texts of strerror and of Go's and Rust's runtimes, with the name that people search for.
var errnoPhrases = [...]struct{ text, code string }{
	{"connection refused", "ECONNREFUSED"}, {"connection reset", "ECONNRESET"}, {"broken pipe", "EPIPE"},
	{"no such host", "ENOTFOUND"}, {"name or service not known", "ENOTFOUND"}, {"temporary failure in name resolution", "EAI_AGAIN"},
	{"too many open files", "EMFILE"}, {"no space left on device", "ENOSPC"}, {"cannot allocate memory", "ENOMEM"},
	{"connection timed out", "ETIMEDOUT"}, {"i/o timeout", "ETIMEDOUT"}, {"permission denied", "EACCES"},
	{"address already in use", "EADDRINUSE"}, {"cannot assign requested address", "EADDRNOTAVAIL"},
	{"no route to host", "EHOSTUNREACH"}, {"network is unreachable", "ENETUNREACH"}, {"no such file or directory", "ENOENT"},
	{"disk quota exceeded", "EDQUOT"}, {"read-only file system", "EROFS"},
}

var errnoNames = map[string]bool{"ECONNREFUSED": true, "ECONNRESET": true, "ECONNABORTED": true, "EPIPE": true, "ENOTFOUND": true,
	"EAI_AGAIN": true, "EMFILE": true, "ENFILE": true, "ENOSPC": true, "ENOMEM": true, "ETIMEDOUT": true, "ESOCKETTIMEDOUT": true,
	"EACCES": true, "EPERM": true, "EADDRINUSE": true, "EADDRNOTAVAIL": true, "EHOSTUNREACH": true, "ENETUNREACH": true, "ENOENT": true,
	"EISDIR": true, "ENOTDIR": true, "EROFS": true, "EDQUOT": true, "EIO": true, "EBUSY": true, "EAGAIN": true, "EPROTO": true,
	"CERT_HAS_EXPIRED": true, "DEPTH_ZERO_SELF_SIGNED_CERT": true, "UNABLE_TO_VERIFY_LEAF_SIGNATURE": true}

// errorCode finds the code of one exception: an errno name in its text, an SQLSTATE, the class that psycopg names
// after the SQLSTATE, or the errno that a phrase of the C library stands for.
func errorCode(typ, msg string) string {
	state := sqlstate(msg)
	if state != "" && state != "HY000" { // HY000 is "general error": an errno beside it says more
		return state
	}
	for i := 0; i < len(msg); i++ {
		if msg[i] < 'A' || msg[i] > 'Z' || i > 0 && (isLetter(msg[i-1]) || msg[i-1] == '_') {
			continue
		}
		j := i
		for j < len(msg) && (msg[j] >= 'A' && msg[j] <= 'Z' || msg[j] == '_') {
			j++
		}
		if j-i >= 3 && errnoNames[msg[i:j]] {
			return msg[i:j]
		}
		i = j
	}
	if s := psycopgStates[lastName(typ)]; s != "" && strings.Contains(typ, "psycopg") {
		return s
	}
	if i := strings.Index(msg, "(psycopg2.errors."); i >= 0 {
		name, _, _ := strings.Cut(msg[i+len("(psycopg2.errors."):], ")")
		if s := psycopgStates[name]; s != "" {
			return s
		}
	}
	if r, ok := strings.CutPrefix(typ, "Errno::"); ok {
		return r
	}
	low := strings.ToLower(msg)
	for _, p := range errnoPhrases {
		if strings.Contains(low, p.text) {
			return p.code
		}
	}
	return state
}

// psycopgStates are the classes of psycopg that an incident is likely to show (PostgreSQL manual, appendix A).
var psycopgStates = map[string]string{"UndefinedColumn": "42703", "UndefinedTable": "42P01", "UndefinedFunction": "42883",
	"UniqueViolation": "23505", "ForeignKeyViolation": "23503", "NotNullViolation": "23502", "CheckViolation": "23514",
	"DeadlockDetected": "40P01", "SerializationFailure": "40001", "LockNotAvailable": "55P03", "QueryCanceled": "57014",
	"TooManyConnections": "53300", "DiskFull": "53100", "OutOfMemory": "53200", "AdminShutdown": "57P01", "CannotConnectNow": "57P03",
	"InsufficientPrivilege": "42501", "SyntaxError": "42601", "InvalidPassword": "28P01", "ReadOnlySqlTransaction": "25006"}

// sqlstateMarks stand before an SQLSTATE in the messages of drivers: pgx, lib/pq, PDO, JDBC, Hibernate, node-postgres,
// Npgsql, MySQL's client ("ERROR 1045 (28000):" has its own rule).
var sqlstateMarks = [...]string{"SQLSTATE[", "SQLSTATE ", "SQLSTATE: ", "SQLSTATE=", "SQLState: ", "SQL state [", "SQLState=", "sqlstate=",
	"sqlState: '", "SqlState: ", "\"sqlstate\":\"", "\"sqlState\":\"", "SQLState ["}

// sqlstate finds an SQLSTATE or a vendor's error number written like one.
func sqlstate(s string) string {
	if strings.Contains(s, "SQL") || strings.Contains(s, "sql") || strings.Contains(s, "Sql") {
		for _, m := range sqlstateMarks {
			if i := strings.Index(s, m); i >= 0 {
				rest := strings.TrimLeft(s[i+len(m):], "'\"")
				if len(rest) >= 5 && isSQLState(rest[:5]) && (len(rest) == 5 || !isWordByte(rest[5])) {
					return rest[:5]
				}
			}
		}
	}
	// "ERROR 1045 (28000): Access denied", "Error 1040 (08004): Too many connections" (go-sql-driver).
	for _, m := range [...]string{"ERROR ", "Error "} {
		if i := strings.Index(s, m); i >= 0 {
			rest := s[i+len(m):]
			if j := strings.Index(rest, " ("); j >= 3 && j <= 5 && len(rest) >= j+8 && rest[j+7] == ')' && isSQLState(rest[j+2:j+7]) && digits(rest[:j]) {
				return rest[j+2 : j+7]
			}
		}
	}
	if i := strings.Index(s, "ORA-"); i >= 0 && len(s) >= i+9 && digits(s[i+4:i+9]) {
		return s[i : i+9]
	}
	// lib/pq ends its messages in the code since 1.11: "pq: relation \"x\" does not exist (42P01)".
	if n := len(s); n > 8 && s[n-1] == ')' && s[n-7] == '(' && isSQLState(s[n-6:n-1]) && strings.Contains(s, "pq: ") {
		return s[n-6 : n-1]
	}
	// Npgsql: "42P01: relation does not exist"; Hibernate and Npgsql print it at the start of the message.
	if len(s) > 7 && s[5] == ':' && s[6] == ' ' && isSQLState(s[:5]) && !digits(s[:5]) {
		return s[:5]
	}
	return ""
}

// isSQLState reports five characters of digits and capitals with at least two digits, the shape of every class in use.
func isSQLState(s string) bool {
	if len(s) != 5 {
		return false
	}
	n := 0
	for i := 0; i < 5; i++ {
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			n++
		case c >= 'A' && c <= 'Z':
		default:
			return false
		}
	}
	return n >= 2
}

func digits(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

func isWordByte(c byte) bool { return c == '_' || isLetter(c) || c >= '0' && c <= '9' }
