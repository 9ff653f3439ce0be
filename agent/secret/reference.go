package secret

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Kind is where a secret lies.
type Kind string

// The kinds that this release resolves.
const (
	KindEnv  Kind = "env"
	KindFile Kind = "file"
)

// later names the kinds of format.md that are not built yet. They are refused by
// name, so that nobody looks for a typing error.
var later = []Kind{"k8s", "vault", "aws-sm", "gcp-sm", "azure-kv"}

var envName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// Reference names a secret. It is no secret itself.
type Reference struct {
	Kind Kind
	Name string // an environment variable, or a clean absolute path
}

// String is the reference as a pipeline and a policy write it.
func (r Reference) String() string { return string(r.Kind) + ":" + r.Name }

// ParseReference reads `env:NAME` or `file:/path`. Errors are sentences for the
// pipeline's author.
func ParseReference(text string) (Reference, error) {
	kind, name, found := strings.Cut(text, ":")
	if !found {
		return Reference{}, fmt.Errorf("%q is no reference to a secret: want `env:NAME` or `file:/path`", text)
	}
	switch Kind(kind) {
	case KindEnv:
		if !envName.MatchString(name) {
			return Reference{}, fmt.Errorf("%q: want the name of an environment variable behind `env:`", text)
		}
		return Reference{KindEnv, name}, nil
	case KindFile:
		if !filepath.IsAbs(name) || filepath.Clean(name) != name {
			return Reference{}, fmt.Errorf("%q: want an absolute path without `..` behind `file:`", text)
		}
		return Reference{KindFile, name}, nil
	}
	if slices.Contains(later, Kind(kind)) {
		return Reference{}, fmt.Errorf("%q: %s: is not supported yet; this agent knows `env:` and `file:`", text, kind)
	}
	return Reference{}, fmt.Errorf("%q: unknown kind of secret %q: want `env:` or `file:`", text, kind)
}
