package parse

import "slices"

// table lists every format, the most specific first: of two formats that take the same share of a file's lines, the
// earlier one wins. Document formats come first (each is told by keys that no other format has), catch-alls last.
func table() []format {
	return slices.Concat(signalsFormats(), requestFormats(), appsFormats())
}

// requestFormats are the access logs of proxies, gateways, servers and load balancers.
func requestFormats() []format {
	out := []format{
		{name: "iis-httperr", kind: KindAccess, new: newHTTPErr, sequential: true}, // W3C columns, more particular
		{name: "w3c", kind: KindAccess, new: newW3C, sequential: true},
		{name: "alb", kind: KindAccess, new: newALB},
		{name: "elb", kind: KindAccess, new: newELB},
		{name: "api-gateway-xml", kind: KindAccess, new: newAPIGatewayXML},
		{name: "api-gateway-csv", kind: KindAccess, new: newAPIGatewayCSV},
		{name: "haproxy", kind: KindAccess, new: newHAProxy},
		{name: "envoy", kind: KindAccess, new: newEnvoy},
		{name: "uwsgi", kind: KindAccess, new: newUWSGI},
		{name: "nginx-proxy-manager", kind: KindAccess, new: newNPM},
		{name: "ingress-nginx", kind: KindAccess, new: newIngress},
		{name: "traefik", kind: KindAccess, new: newTraefik},
		{name: "combined", kind: KindAccess, new: newCLF},
		{name: "time-first", kind: KindAccess, new: newTimeFirst},
	}
	for _, v := range accessJSON() {
		out = append(out, format{name: v.name, kind: KindAccess, new: newJSON(v)})
	}
	return out
}
