// Package profile knows where the command line's settings come from: flags, the
// environment, the folder's file .signalbox.toml, and the profiles of the
// user's own config.toml, in this order.
//
// It owns both files and one rule of safety: a token goes to the server that it
// was got from. A folder's file, which may come with anybody's repository, can
// choose a server but can never make this program send a token there that
// belongs to another one. The package must not talk to a server.
package profile
