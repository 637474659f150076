package redact

import "strings"

// cards replaces card numbers: 13 to 19 digits that pass the Luhn check, begin as cards do (2 to 6), and stand in one
// piece or in the groups that are printed on cards. One number in ten passes Luhn by chance; the first digit keeps
// clear of timestamps (epoch milli-, micro- and nanoseconds begin with 1), the groups of columns of counts.
func cards(s string) string {
	var b strings.Builder
	done := 0
	for i := 0; i < len(s); {
		if !isDigit(s[i]) {
			i++
			continue
		}
		end := numberEnd(s, i)
		run := s[i:end]
		if isCard(run) && boundary(s, i, end) && !idBefore(s[:i]) {
			b.WriteString(s[done:i])
			b.WriteString(Marker)
			done = end
		} else if sep := strings.IndexAny(run, " -"); sep > 0 {
			end = i + sep // the number may begin at a later group
		}
		i = end
	}
	if done == 0 {
		return s
	}
	b.WriteString(s[done:])
	return b.String()
}

// numberEnd returns the end of the digits from i on: a plain run, or the longest prefix in card groups.
func numberEnd(s string, i int) int {
	j := i
	for j < len(s) && isDigit(s[j]) {
		j++
	}
	if j-i != 4 || j >= len(s) || s[j] != ' ' && s[j] != '-' {
		return j
	}
	sep, end := s[j], j
	for groups := 1; groups < 5 && end < len(s) && s[end] == sep; groups++ {
		k := end + 1
		for k < len(s) && isDigit(s[k]) && k-end <= 7 {
			k++
		}
		n := k - end - 1
		if n == 0 || n > 6 {
			break
		}
		end = k
		if n != 4 && !(groups == 1 && n == 6) {
			break
		}
	}
	return end
}

func isCard(run string) bool {
	if run[0] < '2' || run[0] > '6' {
		return false
	}
	var digits [20]byte
	n := 0
	for i := 0; i < len(run); i++ {
		if !isDigit(run[i]) {
			continue
		}
		if n == 19 {
			return false
		}
		digits[n] = run[i] - '0'
		n++
	}
	if n < 13 || (n != len(run) && n < 14) {
		return false
	}
	sum := 0
	for i := 0; i < n; i++ {
		d := int(digits[n-1-i])
		if i%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return sum%10 == 0
}

// boundary keeps clear of parts of longer things: hex ids, UUIDs, decimals, versions.
func boundary(s string, from, to int) bool {
	if from > 0 {
		if c := s[from-1]; isAlnum(c) || c == '_' || c == '-' || c == '.' {
			return false
		}
	}
	if to < len(s) {
		if c := s[to]; isAlnum(c) || c == '_' || c == '-' || c == '.' && to+1 < len(s) && isDigit(s[to+1]) {
			return false
		}
	}
	return true
}

// idBefore reports whether the number is the value of a trace, span or request id: 64-bit decimal ids have up to 20
// digits, and hiding one would cut the thread of an investigation.
func idBefore(before string) bool {
	before = strings.TrimRight(before[max(0, len(before)-64):], " \t\"'\\=:")
	end := len(before)
	start := end
	for start > 0 && isKeyByte(before[start-1]) {
		start--
	}
	key := strings.ToLower(strings.NewReplacer("_", "", "-", "", ".", "").Replace(before[start:end]))
	for _, k := range []string{"traceid", "spanid", "requestid", "reqid", "parentid", "correlationid", "txid", "lsn", "offset"} {
		if strings.HasSuffix(key, k) {
			return true
		}
	}
	return false
}
