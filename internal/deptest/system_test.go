package deptest_test

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// systemHandlers are the handler packages that may work as sb_engine, whom
// row-level security does not bind, each with its reason.
var systemHandlers = map[string]string{
	"controlplane/agentapi": "an agent's organization is known only after its key was looked up",
}

var usesEngine = regexp.MustCompile(`\.Engine\b`)

// TestHandlersWorkAsTheBoundRole keeps requests of customers under row-level
// security: a handler that used the engine's pool would be without it.
func TestHandlersWorkAsTheBoundRole(t *testing.T) {
	t.Parallel()
	sources(t, func(path string, text []byte) {
		rel, err := filepath.Rel(root, filepath.Dir(path))
		handler := strings.HasSuffix(rel, "api") && strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go")
		if err != nil || !handler || systemHandlers[filepath.ToSlash(rel)] != "" {
			return
		}
		if use := usesEngine.Find(text); use != nil {
			t.Errorf("%s uses %s: work as sb_api or sb_auth, or list the package with its reason", path, use)
		}
	})
}
