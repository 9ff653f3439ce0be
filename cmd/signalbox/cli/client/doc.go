// Package client makes the generated clients of the service for one server and
// one caller.
//
// It owns what every call carries: the credential, the organization and the
// workspace, the program's name, a time limit; and the `--curl` mode, in which a
// call is written down instead of made. It must not know any command and must
// not write a credential anywhere.
package client
