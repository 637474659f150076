package parse

import (
	"bytes"
	"unsafe"
)

// signIn reads who failed to sign in and from where: the one security event that nearly every application logs, and
// one that explains bursts of 401 and of database refusals.
func signIn(r *Record) {
	if len(r.Message) < 20 || len(r.Message) > 1000 {
		return
	}
	b := unsafe.Slice(unsafe.StringData(r.Message), len(r.Message))
	if !bytes.Contains(b, []byte("ogin")) && !bytes.Contains(b, []byte("uthentication")) {
		return
	}
	if !bytes.Contains(b, []byte("ail")) && !bytes.Contains(b, []byte("attempt")) && !bytes.Contains(b, []byte("denied")) {
		return
	}
	if r.ClientAddr == "" {
		r.ClientAddr = str(addressAfter(b))
	}
	for _, key := range [...]string{"login:", "username:", "user \"", "user '", "user=", "user:", "for user "} {
		if i := bytes.Index(b, []byte(key)); i >= 0 {
			v := b[i+len(key):]
			end := bytes.IndexAny(v, " \"',;)")
			if end < 0 {
				end = len(v)
			}
			if r.Get("user") == "" {
				r.Add("user", str(v[:end]))
			}
			return
		}
	}
}

// addressAfter returns the first IP address behind "from" or "ip:".
func addressAfter(b []byte) []byte {
	for _, key := range [...]string{" from ", "ip:", "ip=", "host: ", "address "} {
		i := bytes.Index(b, []byte(key))
		if i < 0 {
			continue
		}
		v := bytes.TrimLeft(b[i+len(key):], "[(\"' ")
		end := 0
		for end < len(v) && (isDigit(v[end]) || v[end] == '.' || v[end] == ':' || (v[end]|0x20)-'a' < 6) {
			end++
		}
		host, _ := splitAddr(bytes.TrimRight(v[:end], ".:"))
		if bytes.Count(host, dot) == 3 || bytes.Count(host, []byte{':'}) > 1 {
			return host
		}
	}
	return nil
}
