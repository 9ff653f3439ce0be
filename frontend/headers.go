package frontend

import (
	"crypto/rand"
	"net/http"
	"strings"
)

// nonceMark stands in index.html where the nonce of the answer goes. The app
// hands the nonce to the component library, which writes its colours into a
// style element at run time.
const nonceMark = "__CSP_NONCE__"

// policy is the content security policy without the source of style elements.
// Nothing but our own files runs, is shown or is called: the app opens
// customers' values in the browser, so a script that is not ours could read
// them.
const policy = "default-src 'none'; script-src 'self'; connect-src 'self'; img-src 'self' data:; font-src 'self'; " +
	"base-uri 'none'; form-action 'self'; frame-ancestors 'none'; style-src 'self'"

// setHeaders writes the headers that every answer carries. An empty nonce
// allows no style element.
func setHeaders(h http.Header, r *http.Request, nonce string) {
	csp := policy
	if nonce != "" {
		csp += " 'nonce-" + nonce + "'"
	}
	h.Set("Content-Security-Policy", csp)
	h.Set("X-Content-Type-Options", "nosniff")
	// Links of mails carry tokens in the URL; no other site may learn them.
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
	if r.TLS != nil || strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https") {
		h.Set("Strict-Transport-Security", "max-age=63072000; includeSubDomains")
	}
}

// newNonce makes 128 bits of randomness; crypto/rand never fails.
func newNonce() string { return rand.Text() }
