package pattern

import "encoding/binary"

// Most lines differ from an earlier one in digits only. Which digits they are matters to hardly any rule, so that a line
// whose every digit reads as 0, its shape, has the template of all lines of that shape. The Miner remembers the entries of
// recent shapes and so skips the masking of such lines; the result is the same. Where a rule did look at a digit (the
// 5 of a status 503) the masker says so, and the shape is not remembered.

// cachedShapes is the size of the direct-mapped cache: 64 KiB, so that it stays in a core's own cache.
const cachedShapes = 1 << 12

type shape struct {
	key   uint64
	entry *Entry
}

// shapeOf hashes the shape of a line. Two shapes of one hash would be counted as one: at 64 bits that is not expected
// within the lifetime of a log.
func shapeOf(s []byte) uint64 {
	h := hashSeed ^ uint64(len(s))*hashMul1
	for len(s) >= 8 {
		h = fold(h^zeroDigits(binary.LittleEndian.Uint64(s)), hashMul2)
		s = s[8:]
	}
	var tail [8]byte
	copy(tail[:], s)
	h = fold(h^zeroDigits(binary.LittleEndian.Uint64(tail[:])), hashMul2)
	return fold(h^hashSeed, hashMul1)
}

// zeroDigits replaces those of eight bytes that are digits by '0', all at once.
func zeroDigits(x uint64) uint64 {
	const ones = 0x0101010101010101
	y := x ^ '0'*ones                           // a digit becomes its value
	over := (y&(0x7f*ones) + (0x7f-9)*ones) | y // high bit of each byte: value over 9, or no ASCII
	digit := ^over & (0x80 * ones)              // high bit of each byte: a digit
	return x &^ (digit >> 7 * 0x0f)             // clears the value, leaves 0x30
}
