package pipeline

import (
	"fmt"
	"maps"

	"github.com/signalboxhq/signalbox/proto/plan"
)

// maxEnv bounds the names of one `env` or `secrets`, which every task may inherit.
const maxEnv = 256

// readEnvironment reads `env` and `secrets` on top of what s inherited. Both end
// in one environment, so a name stands in one of them only.
func (c *compiler) readEnvironment(o object, s *settings) {
	env, _ := o.get("env")
	secrets, _ := o.get("secrets")
	s.env, s.secrets = maps.Clone(s.env), maps.Clone(s.secrets)
	own := map[string]entry{}
	if env.value != nil {
		for _, f := range c.environment(env, "names and values, as in {EPOCHS: 10}") {
			own[f.name] = f
			if c.envValue(f) {
				put(&s.env, f.name, f)
				delete(s.secrets, f.name)
			}
		}
	}
	if secrets.value == nil {
		return
	}
	for _, f := range c.environment(secrets, "names and references, as in {TOKEN: env:TOKEN}") {
		if other, ok := own[f.name]; ok {
			c.fail(f.path, f.key, Problem{
				Message: fmt.Sprintf("`%s` stands under `env` and under `secrets`", f.name),
				Hint:    fmt.Sprintf("the other one is in line %d", other.key.Line),
			})
			continue
		}
		if ref, ok := c.secret(f); ok {
			put(&s.secrets, f.name, ref)
			delete(s.env, f.name)
		}
	}
}

func (c *compiler) environment(e entry, want string) []entry {
	list := c.named(e, want, envName)
	if len(list) > maxEnv {
		c.fail(e.path, e.where(), Problem{Message: "too many names", Want: fmt.Sprintf("at most %d", maxEnv)})
		return nil
	}
	return list
}

// envValue checks what can be said of an env value before its expressions are.
func (c *compiler) envValue(f entry) bool {
	text, ok := c.rawText(f, "text, which may hold `${{ }}`")
	if !ok {
		return false
	}
	if len(text) > plan.MaxValueBytes {
		c.fail(f.path, f.where(), Problem{Message: "the value is too long", Want: fmt.Sprintf("at most %d KiB", plan.MaxValueBytes>>10)})
		return false
	}
	c.warnSecretLiteral(f, f.name, text, fmt.Sprintf("name where the agent finds it: `secrets: {%s: \"env:%s\"}`", f.name, f.name))
	return true
}

func put[V any](m *map[string]V, key string, v V) {
	if *m == nil {
		*m = map[string]V{}
	}
	(*m)[key] = v
}
