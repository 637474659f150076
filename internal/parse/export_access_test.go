package parse

// ParseLineForTest parses one line with the named format, whose sample it is as well; fuzz targets use it.
func ParseLineForTest(format string, line []byte) (*Record, bool) {
	for _, f := range table() {
		if f.name != format || f.new == nil {
			continue
		}
		p := f.new(line)
		if a, ok := p.(fieldsParser); ok {
			a.allFields(true)
		}
		r := new(Record)
		r.Reset()
		ok := p.parse(line, r)
		return r, ok
	}
	return nil, false
}

// RequestFormatsForTest names the access-log formats.
func RequestFormatsForTest() []string {
	var names []string
	for _, f := range requestFormats() {
		names = append(names, f.name)
	}
	return names
}
