package parse

// table lists every format, the most specific first: of two formats that take the same share of a file's lines, the
// earlier one wins. Document formats come first, catch-alls last.
func table() []format {
	return []format{
		// documents

		// requests
		{name: "nginx", kind: KindAccess, new: newCLF},

		// application and server logs

		// catch-alls
	}
}
