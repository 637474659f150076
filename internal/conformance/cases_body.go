package conformance

func leaks() []behaviour   { return nil }
func mapping() []behaviour { return nil }
func http2() []behaviour   { return nil }
