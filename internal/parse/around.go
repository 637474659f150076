package parse

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// NumberedLine is one line of a file with its number.
type NumberedLine struct {
	Number int
	Text   string
}

// maxAroundBytes bounds a line that Around returns; longer ones are cut.
const maxAroundBytes = 4 << 10

// Around returns the lines within n lines of the given line of a file (decompressed), for showing a quote in its place.
// root is the folder, or the file itself, that was read.
func Around(root, name string, line, n int) ([]NumberedLine, error) {
	entries, _, err := Walk(root)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if e.Name == name {
			return around(e, line, n)
		}
	}
	return nil, fmt.Errorf("%s: no such file in %s", name, root)
}

func around(e Entry, line, n int) ([]NumberedLine, error) {
	src, err := openSource(e.Dir, e.Name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", e.Name, err)
	}
	defer src.Close()
	r := bufio.NewReaderSize(src.r, 64<<10)
	var out []NumberedLine
	for no := 1; no <= line+n; no++ {
		text, err := boundedLine(r)
		if err == io.EOF && text == "" {
			break
		}
		if err != nil && err != io.EOF {
			return out, fmt.Errorf("%s:%d: %w", e.Name, no, err)
		}
		if no >= line-n {
			out = append(out, NumberedLine{no, strings.TrimRight(text, "\r\n")})
		}
	}
	return out, nil
}

// boundedLine reads a line and keeps its first maxAroundBytes.
func boundedLine(r *bufio.Reader) (string, error) {
	var b strings.Builder
	for {
		part, more, err := r.ReadLine()
		if err != nil {
			return b.String(), err
		}
		if room := maxAroundBytes - b.Len(); room > 0 {
			b.Write(part[:min(room, len(part))])
		}
		if !more {
			return b.String(), nil
		}
	}
}
