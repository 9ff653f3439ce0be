package pipeline

import (
	"fmt"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// nameRule says how the user may name things of one kind.
type nameRule struct {
	what    string
	pattern *regexp.Regexp
	want    string
	bad     func(name string) string // a reason against a name that fits the pattern
}

// Params, outputs and artifacts are identifiers of the expression language, files
// in the step's folders and often environment names: all three at once.
var (
	pipelineName = nameRule{
		what: "a pipeline", pattern: regexp.MustCompile(`^[a-z][a-z0-9_-]{0,62}$`),
		want: "lower-case letters, digits, - and _, at most 63, a letter first",
	}
	poolName = nameRule{
		what: "a pool", pattern: regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,62}$`),
		want: "lower-case letters, digits, - and _, at most 63",
	}
	scheduleName = nameRule{
		what: "a schedule", pattern: regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,30}$`),
		want: "lower-case letters, digits, - and _, at most 31",
	}
	taskName = nameRule{
		what: "a task", pattern: regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]{0,62}$`),
		want: "letters, digits, - and _, at most 63, a letter first",
	}
	valueName = nameRule{
		what: "a value", pattern: regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,62}$`),
		want: "letters, digits and _, at most 63, a letter first",
		bad: func(s string) string {
			if reserved[s] {
				return "is a word of the expression language"
			}
			return ""
		},
	}
	envName = nameRule{
		what: "an environment variable", pattern: regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,127}$`),
		want: "letters, digits and _, not a digit first",
		bad: func(s string) string {
			if strings.HasPrefix(s, "SB_") {
				return "begins with SB_, which belongs to Signalbox"
			}
			return ""
		},
	}
	// What is billed by, the same at a start.
	labelName = nameRule{
		what: "a label", pattern: regexp.MustCompile(`^[a-z0-9_.-]{1,63}$`),
		want: "lower-case letters, digits, . _ and -, at most 63",
	}
	// What agents call themselves, which may come from Kubernetes.
	selectName = nameRule{
		what: "an agent's label", pattern: regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9_./-]{0,61}[A-Za-z0-9])?$`),
		want: "letters, digits, . _ - and /, at most 63, a letter or digit at both ends",
	}
)

// reserved are the words that CEL keeps for itself.
var reserved = func() map[string]bool {
	words := map[string]bool{}
	for w := range strings.FieldsSeq("as break const continue else false for function if import in let loop " +
		"namespace null package return true var void while") {
		words[w] = true
	}
	return words
}()

// checkName reports a name that breaks its rule; n is where it stands.
func (c *compiler) checkName(path string, n *yaml.Node, name string, rule nameRule) bool {
	p := Problem{Message: fmt.Sprintf("`%s` cannot name %s", clip(name), rule.what), Want: rule.want}
	switch {
	case !rule.pattern.MatchString(name):
	case rule.bad != nil && rule.bad(name) != "":
		p.Message = fmt.Sprintf("`%s` %s", clip(name), rule.bad(name))
	default:
		return true
	}
	c.fail(path, n, p)
	return false
}

// name reads a scalar that is a name.
func (c *compiler) name(e entry, rule nameRule) (string, bool) {
	s, ok := c.text(e, rule.want)
	if !ok || !c.checkName(e.path, e.value, s, rule) {
		return "", false
	}
	return s, true
}
