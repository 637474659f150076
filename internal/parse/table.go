package parse

// table lists every format, the most specific first: of two formats that take the same share of a file's lines, the
// earlier one wins. Document formats come first, catch-alls last.
func table() []format {
	return []format{
		// documents

		// requests
		{name: "w3c", kind: KindAccess, new: newW3C, sequential: true},
		{name: "alb", kind: KindAccess, new: newALB},
		{name: "elb", kind: KindAccess, new: newELB},
		{name: "haproxy", kind: KindAccess, new: newHAProxy},
		{name: "envoy", kind: KindAccess, new: newEnvoy},
		{name: "uwsgi", kind: KindAccess, new: newUWSGI},
		{name: "nginx-proxy-manager", kind: KindAccess, new: newNPM},
		{name: "ingress-nginx", kind: KindAccess, new: newIngress},
		{name: "traefik", kind: KindAccess, new: newTraefik},
		{name: "combined", kind: KindAccess, new: newCLF},
		{name: "time-first", kind: KindAccess, new: newTimeFirst},

		// application and server logs

		// catch-alls
	}
}
