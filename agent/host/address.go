package host

import (
	"net"
	"os"
)

// Address is by which other machines may reach this one: its first IP that is
// not loopback, else its name; empty if it has neither. A machine of several
// networks is asked by its owner.
func Address() string {
	list, _ := net.InterfaceAddrs() // none is no error here
	for _, a := range list {
		if ip, ok := a.(*net.IPNet); ok && ip.IP.IsGlobalUnicast() {
			return ip.IP.String()
		}
	}
	name, _ := os.Hostname()
	return name
}
