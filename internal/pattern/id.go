package pattern

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"strconv"
)

// ID identifies a template. It is a hash of the template's text and nothing else.
type ID uint64

// Other is the ID of the entry that counts what is beyond Config.MaxTemplates. No template hashes to it.
const Other ID = 0

// String prints the ID as 16 hexadecimal digits.
func (id ID) String() string {
	var buf [16]byte
	const digits = "0123456789abcdef"
	for i := range buf {
		buf[15-i] = digits[id&15]
		id >>= 4
	}
	return string(buf[:])
}

// ParseID reads what String printed.
func ParseID(s string) (ID, error) {
	n, err := strconv.ParseUint(s, 16, 64)
	if err != nil || len(s) != 16 {
		return 0, fmt.Errorf("pattern id %q: want 16 hexadecimal digits as inquest prints them", s)
	}
	return ID(n), nil
}

// Hash returns the ID of the line's template.
func Hash(line []byte) ID {
	var m masker
	return hashText(m.mask(firstLine(line)))
}

// Template returns the line with its values masked, such as "connect to <*> refused after <*>".
func Template(line []byte) string {
	var m masker
	return string(m.mask(firstLine(line)))
}

// The hash folds eight bytes at a time with a 64x64->128 bit multiplication. IDs are stored and quoted, so this function
// must never change; hash/maphash would be seeded anew in every process.
const (
	hashSeed = 0x9e3779b97f4a7c15 // 2^64 divided by the golden ratio: no structure
	hashMul1 = 0xd6e8feb86659fd93 // odd, with as many ones as zeros
	hashMul2 = 0xa0761d6478bd642f
)

func hashText(s []byte) ID {
	h := hashSeed ^ uint64(len(s))*hashMul1
	for len(s) > 8 {
		h = fold(h^binary.LittleEndian.Uint64(s), hashMul2)
		s = s[8:]
	}
	var tail [8]byte
	copy(tail[:], s)
	h = fold(h^binary.LittleEndian.Uint64(tail[:]), hashMul2)
	h = fold(h^hashSeed, hashMul1)
	if h == uint64(Other) {
		return 1
	}
	return ID(h)
}

func fold(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}
