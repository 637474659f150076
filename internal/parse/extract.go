package parse

// extract looks for a stack trace and for pool figures in a finished record.
func extract(r *Record) {}
