package pipeline

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
)

// secretEnv is the name in `env:NAME`.
var secretEnv = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,127}$`)

// laterSecrets are the stores that a reference may name one day.
var laterSecrets = []string{"k8s:", "vault:", "aws-sm:", "gcp-sm:", "azure-kv:"}

const wantSecret = "a reference that the agent resolves: `env:NAME` or `file:/path`"

// secret reads a reference. What stands there instead may be the secret itself, so
// no message repeats it.
func (c *compiler) secret(e entry) (string, bool) {
	s, ok := c.rawText(e, wantSecret)
	if !ok {
		return "", false
	}
	for _, store := range laterSecrets {
		if strings.HasPrefix(s, store) {
			c.fail(e.path, e.value, Problem{Message: fmt.Sprintf("`%s…` is not supported yet", store), Want: wantSecret})
			return "", false
		}
	}
	p := Problem{Want: wantSecret}
	name, isEnv := strings.CutPrefix(s, "env:")
	file, isFile := strings.CutPrefix(s, "file:")
	switch {
	case isEnv && secretEnv.MatchString(name):
		return s, true
	case isEnv:
		p.Message = "this is not the name of an environment variable"
	case isFile && strings.HasPrefix(file, "/") && !strings.ContainsFunc(file, isControl):
		return s, true
	case isFile:
		p.Message = "a secret's file needs an absolute path"
	case strings.Contains(s, exprOpen):
		p.Message = "an expression cannot name a secret"
	case strings.HasPrefix(s, "secret://"):
		p.Message = "`secret://` is no way to name a secret"
	default:
		p.Message = "a secret itself may not stand in a pipeline file"
	}
	c.failSecret(e.path, e.value, p)
	return "", false
}

var (
	// secretPrefix matches tokens that say themselves what they are.
	secretPrefix = regexp.MustCompile(`(^|[^A-Za-z0-9])(AKIA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{30,}|github_pat_\w{30,}|glpat-[\w-]{20,}|` +
		`[sr]k_live_[A-Za-z0-9]{20,}|sk-[A-Za-z0-9_-]{20,}|xox[abprs]-[\w-]{10,}|hf_[A-Za-z0-9]{30,}|sb[ku]_[A-Za-z0-9]{20,}|` +
		`eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.|-----BEGIN [A-Z ]*PRIVATE KEY-----)`)
	// secretName matches names that promise a secret, as whole words between _.
	secretName = regexp.MustCompile(`(?i)(^|_)(password|passwd|pwd|secret|token|api_?key|private_?key|access_?key|credentials?)($|_)`)
)

// looksLikeSecret guesses; it may be wrong both ways, so it only ever warns.
func looksLikeSecret(name, literal string) bool {
	const shortest = 8
	if secretPrefix.MatchString(literal) {
		return true
	}
	if u, err := url.Parse(literal); err == nil && u.User != nil {
		if password, ok := u.User.Password(); ok && password != "" {
			return true
		}
	}
	pathLike := strings.ContainsAny(literal, "/ ") || strings.Contains(literal, exprOpen)
	return secretName.MatchString(name) && len(literal) >= shortest && !pathLike
}

// warnSecretLiteral warns where a literal looks like a secret: the server keeps
// and shows pipeline files in the clear.
func (c *compiler) warnSecretLiteral(e entry, name, literal, hint string) {
	if looksLikeSecret(name, literal) {
		c.warnSecret(e.path, e.value, Problem{
			Message: "this looks like a secret, and a pipeline file is kept and shown in the clear", Hint: hint,
		})
	}
}
