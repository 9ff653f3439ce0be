// Package cli is the command line of Signalbox: what a person or a script types
// to work with a server, its own or ours.
//
// A command is one call of the service, plus sealing where values are involved;
// with --curl it is written down instead of made. All rules live in the service:
// this package owns the spelling of commands, the forms of their answers and
// the exit codes. It must not import the control plane; `dev`, `server` and
// their like are added by package main.
package cli
