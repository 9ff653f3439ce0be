// Package host finds out what the machine has to give: cores and memory, within
// the limits that a container puts on the agent itself. It measures nothing and
// reserves nothing.
package host
