package config

import (
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// listenAddr reads the listen address and returns it with its port. Both are
// empty if there is a problem.
func (l *loader) listenAddr(name string) (addr, port string) {
	addr = l.value(name)
	_, port, err := net.SplitHostPort(addr)
	if err != nil || !validPort(port) {
		l.problem(name, "is %s; set it to host:port with a port from 1 to 65535, such as localhost:8080 or :8080", quote(addr))
		return "", ""
	}
	return addr, port
}

// publicURL reads the public URL and returns it as a browser writes an origin
// (RFC 6454 §6.2). It also returns the origin beside a problem that leaves no
// doubt about it, so that other variables can be checked against it. It returns
// "" if the origin is unknown: the value is not a URL, or it is unset and the
// port is unknown because the listen address has a problem.
func (l *loader) publicURL(name, port string, insecure bool) string {
	value := l.value(name)
	if value == "" {
		if port == "" {
			return ""
		}
		value = "http://localhost:" + port
	}
	u, fault := parseOrigin(value)
	if fault != "" {
		l.problem(name, "%s; set it to scheme and host only, such as https://id.example.org", fault)
	}
	if u == nil {
		return ""
	}
	origin := u.Scheme + "://" + u.Host
	if u.Scheme == "http" && !isLoopback(u.Hostname()) {
		if !insecure {
			l.problem(name, "is %s, which sends passwords in the clear; use https, or set %s=1 on a network you trust", quote(origin), nameInsecureHTTP)
			return origin
		}
		l.warn(nameInsecureHTTP, "is on: passwords and sessions cross the network to %s in the clear, and cookies are not Secure", origin)
	}
	return origin
}

// list reads values separated by commas or spaces.
func (l *loader) list(name string) []string {
	return strings.FieldsFunc(l.value(name), func(r rune) bool { return r == ',' || r == ' ' })
}

// originList reads a list of origins, each as a browser writes it (RFC 6454
// §6.2).
func (l *loader) originList(name string) []string {
	var list []string
	for i, field := range l.list(name) {
		u, fault := parseOrigin(field)
		if fault != "" {
			l.problem(name, "has an entry (number %d) that %s; list origins such as https://app.example.org, separated by commas", i+1, fault)
			continue
		}
		list = append(list, u.Scheme+"://"+u.Host)
	}
	return list
}

// parseOrigin parses an origin and normalises its host. fault is "" or describes
// the problem without repeating the value, which may contain a password. u is
// nil if scheme or host are faulty. It is set if only the rest of the value is.
func parseOrigin(value string) (u *url.URL, fault string) {
	if strings.Contains(value, "@") {
		return nil, "holds a user name or an @"
	}
	u, err := url.Parse(value)
	if err != nil || u.Opaque != "" {
		return nil, "is not a URL"
	}
	if u.Scheme != "http" && u.Scheme != "https" {
		return nil, "does not begin with http:// or https://"
	}
	host, ok := normalHost(u.Hostname())
	if !ok {
		return nil, "does not name a host as browsers write it (an IP address, or letters, digits, hyphens and dots)"
	}
	port := u.Port()
	if !validPort(port) && (port != "" || strings.HasSuffix(u.Host, ":")) {
		return nil, "has no port from 1 to 65535 after the colon"
	}
	switch {
	case strings.ContainsAny(value, "?#"):
		fault = "has a query or a fragment"
	case u.Path != "" && u.Path != "/":
		fault = "has a path"
	}
	if port == "" || (u.Scheme == "http" && port == "80") || (u.Scheme == "https" && port == "443") {
		if strings.Contains(host, ":") {
			host = "[" + host + "]"
		}
		u.Host = host
		return u, fault
	}
	u.Host = net.JoinHostPort(host, port)
	return u, fault
}

// normalHost returns a host name in lower case or an IP address in its shortest
// form, and reports whether a browser would send exactly that.
func normalHost(host string) (string, bool) {
	if addr, err := netip.ParseAddr(host); err == nil {
		return addr.String(), addr.Zone() == "" && !addr.Is4In6()
	}
	host = strings.ToLower(host)
	labels := strings.Split(host, ".")
	for _, label := range labels {
		if !validLabel(label) {
			return "", false
		}
	}
	// Browsers read 127.1 and 0x7f.1 as IPv4 addresses and send 127.0.0.1.
	return host, len(host) <= 253 && !isNumber(labels[len(labels)-1])
}

// isNumber reports whether a browser reads a label in lower case as a number.
func isNumber(label string) bool {
	const digits = "0123456789"
	rest, hexadecimal := strings.CutPrefix(label, "0x")
	if hexadecimal {
		return strings.Trim(rest, digits+"abcdef") == ""
	}
	return strings.Trim(label, digits) == ""
}

// validLabel reports whether s is a label of a host name (RFC 1123 §2.1) in lower
// case. It allows underscores, which some private networks use.
func validLabel(s string) bool {
	if s == "" || len(s) > 63 || s[0] == '-' || s[len(s)-1] == '-' {
		return false
	}
	for _, c := range []byte(s) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

// validPort reports whether s is a port from 1 to 65535 without leading zeros.
func validPort(s string) bool {
	n, err := strconv.ParseUint(s, 10, 16)
	return err == nil && n > 0 && s[0] != '0'
}

// isLoopback reports whether a host name or address means this machine.
func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}

// prefixes reads a list of networks and addresses.
func (l *loader) prefixes(name string) []netip.Prefix {
	var list []netip.Prefix
	for _, field := range l.list(name) {
		p, ok := parsePrefix(field)
		if !ok {
			l.problem(name, "holds %s; list networks such as 10.0.0.0/8 or plain addresses, separated by commas", quote(field))
			continue
		}
		if p.Bits() == 0 {
			l.warn(name, "holds %s: every client is trusted, so anyone can pretend to come from any address; list only your proxies", p)
		}
		list = append(list, p)
	}
	return list
}

// parsePrefix parses a network, or an address as a network of one.
func parsePrefix(s string) (netip.Prefix, bool) {
	p, err := netip.ParsePrefix(s)
	if err != nil {
		addr, err := netip.ParseAddr(s)
		if err != nil || addr.Zone() != "" {
			return netip.Prefix{}, false
		}
		p = netip.PrefixFrom(addr, addr.BitLen())
	}
	// An IPv4 address written as IPv6 would never match an IPv4 client.
	if p.Addr().Is4In6() {
		return netip.Prefix{}, false
	}
	return p.Masked(), true
}
