package parse

import "strings"

// requestIDNames are how services call the id of a request in prose, lower-cased without separators.
var requestIDNames = [...]string{"requestid", "reqid", "rid", "xrequestid", "correlationid", "correlation", "traceid"}

// requestIDIn finds the id of the request in the first line of a message: "requestId=7f3c...", "[request_id: 7f3c...]". An id
// has at least eight characters of the usual alphabet, one of them a digit; words do not.
func requestIDIn(message string) string {
	if i := strings.IndexByte(message, '\n'); i >= 0 {
		message = message[:i]
	}
	for from := 0; ; {
		i := strings.IndexAny(message[from:], "=:")
		if i < 0 {
			return ""
		}
		i += from
		from = i + 1
		if !namesRequestID(message[:i]) {
			continue
		}
		if id := leadingID(strings.TrimLeft(message[i+1:], " \"'")); id != "" {
			return id
		}
	}
}

// failedPhrases are the reason phrases before which Django's handler logs the path that it answered so: "Internal Server
// Error: /article". django.utils.log.log_response, django.core.handlers.exception.
var failedPhrases = [...]string{"Internal Server Error", "Bad Request", "Service Unavailable", "Bad Gateway", "Gateway Timeout"}

// failedPath finds the path of a failed request at the end of the first line of a message.
func failedPath(message string) string {
	if i := strings.IndexByte(message, '\n'); i >= 0 {
		message = message[:i]
	}
	i := strings.LastIndex(message, ": /")
	if i < 0 || strings.IndexByte(message[i+2:], ' ') >= 0 {
		return ""
	}
	for _, phrase := range failedPhrases {
		if strings.HasSuffix(message[:i], phrase) {
			return message[i+2:]
		}
	}
	return ""
}

func namesRequestID(before string) bool {
	var name [20]byte
	n := len(name)
	for i := len(before) - 1; i >= 0 && n > 0; i-- {
		switch c := before[i]; {
		case c == '_' || c == '-' || c == '"' || c == '\'':
			continue
		case c >= 'a' && c <= 'z':
			n--
			name[n] = c
		case c >= 'A' && c <= 'Z':
			n--
			name[n] = c + 'a' - 'A'
		default:
			i = 0
		}
	}
	got := string(name[n:])
	for _, want := range requestIDNames {
		if got == want {
			return true
		}
	}
	return false
}

func leadingID(s string) string {
	n, digits := 0, 0
	for n < len(s) && n < 128 {
		c := s[n]
		if c >= '0' && c <= '9' {
			digits++
		} else if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '-' || c == '_') {
			break
		}
		n++
	}
	if n < 8 || digits == 0 {
		return ""
	}
	return s[:n]
}
