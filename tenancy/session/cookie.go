package session

import (
	"net/http"
	"time"

	"github.com/signalboxhq/signalbox/tenancy/token"
)

// Cookies writes and reads the cookie of a login session.
type Cookies struct {
	// Plain is for a server that is reached over plain HTTP on this machine:
	// browsers refuse Secure cookies there, and with them the prefix __Host-.
	Plain bool
}

// Name is the cookie's name. The prefix makes browsers refuse one that another
// host of the domain, or an unencrypted page, tries to set.
func (c Cookies) Name() string {
	if c.Plain {
		return "sb"
	}
	return "__Host-sb"
}

// Set begins a session in the browser. It lasts until expires, whatever the
// browser does; the server may end it sooner.
func (c Cookies) Set(header http.Header, secret token.Cookie, expires time.Time) {
	c.write(header, secret.Secret(), expires, 0)
}

// Clear ends it.
func (c Cookies) Clear(header http.Header) {
	c.write(header, "", time.Unix(0, 0), -1)
}

func (c Cookies) write(header http.Header, value string, expires time.Time, maxAge int) {
	cookie := http.Cookie{ //nolint:gosec // Secure but for Plain, which its comment explains.
		Name: c.Name(), Value: value, Path: "/", Expires: expires.UTC(), MaxAge: maxAge,
		Secure: !c.Plain, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
	header.Add("Set-Cookie", cookie.String())
}

func (c Cookies) read(r *http.Request) (string, bool) {
	cookie, err := r.Cookie(c.Name())
	if err != nil || cookie.Value == "" {
		return "", false
	}
	return cookie.Value, true
}
