package pattern

// The classes of a byte. A token is a maximal run of bytes with clsToken; the union of the classes of its bytes says at
// once whether it is a plain word, holds a digit, or looks like a path, without reading it twice.
const (
	clsLetter uint16 = 1 << iota
	clsDigit
	clsDot
	clsSlash // '/' and '\'
	clsAt
	clsSign  // other bytes that occur inside identifiers and numbers
	clsSpace // blanks and control bytes: NUL and friends separate, they are not text
	clsHigh  // part of a multi-byte rune
	clsPunct // stands for itself
	clsUpper
	clsNonHex // letter that cannot be in a hexadecimal number

	clsToken = clsLetter | clsDigit | clsDot | clsSlash | clsAt | clsSign
)

// classOf is a constant table; it is never written after start-up.
var classOf = classes()

func classes() (t [256]uint16) {
	for i := range t {
		c := byte(i)
		switch {
		case c >= 0x80:
			t[i] = clsHigh
		case c <= ' ' || c == 0x7f:
			t[i] = clsSpace
		case c >= '0' && c <= '9':
			t[i] = clsDigit
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z':
			t[i] = clsLetter
			if l := c | 0x20; l > 'f' {
				t[i] |= clsNonHex
			}
			if c < 'a' {
				t[i] |= clsUpper
			}
		case c == '.':
			t[i] = clsDot
		case c == '/' || c == '\\':
			t[i] = clsSlash
		case c == '@':
			t[i] = clsAt
		case c == '_' || c == '-' || c == '~' || c == '$' || c == '%' || c == '+' || c == '#':
			t[i] = clsSign
		default:
			t[i] = clsPunct
		}
	}
	return t
}

func isLetter(c byte) bool { return classOf[c]&clsLetter != 0 }
func isDigit(c byte) bool  { return c-'0' <= 9 }
func isSpace(c byte) bool  { return classOf[c]&clsSpace != 0 }
func isAlnum(c byte) bool  { return classOf[c]&(clsLetter|clsDigit) != 0 }
func isToken(c byte) bool  { return classOf[c]&clsToken != 0 }

// closer returns the bracket that closes c, or 0.
func closer(c byte) byte {
	switch c {
	case '(':
		return ')'
	case '[':
		return ']'
	case '{':
		return '}'
	case '<':
		return '>'
	}
	return 0
}
