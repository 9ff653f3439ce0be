// Package config is everything that a person can set about an agent: one struct,
// read from four places that use the same names. The first that says something
// wins:
//
//	flag          --log-retention 168h
//	environment   SIGNALBOX_AGENT_LOG_RETENTION=168h
//	file (TOML)   log_retention = "168h"
//	default
//
// A key of the file that is not known is an error. An unknown variable is not:
// Kubernetes invents variables with this prefix for a service that is called
// signalbox-agent.
//
// The package reads configuration and checks it. What the settings do is written
// beside them and done elsewhere; what a *pipeline* may do is agent/policy.
package config
