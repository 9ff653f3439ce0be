package session

import (
	"net"
	"net/http"
	"strings"
)

// RemoteIP is the address that the connection came from.
func RemoteIP(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// Forwarded returns a function that finds the client's address behind so many
// proxies of ours, each of which appends to X-Forwarded-For what it saw. What
// stands further left the client itself may have written. With no proxies, or
// fewer entries than proxies, it is RemoteIP.
func Forwarded(proxies int) func(*http.Request) string {
	return func(r *http.Request) string {
		entries := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
		if proxies < 1 || len(entries) < proxies {
			return RemoteIP(r)
		}
		entry := strings.TrimSpace(entries[len(entries)-proxies])
		if net.ParseIP(entry) == nil {
			return RemoteIP(r)
		}
		return entry
	}
}
