package pipeline

import (
	"fmt"
	"regexp"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/signalboxhq/signalbox/proto/plan"
)

var gpuType = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`)

// resources reads what one attempt asks of an agent.
func (c *compiler) resources(e entry, base plan.Resources) plan.Resources {
	const mostSlots, mostGPUs = 10_000, 1024
	r := base
	o, ok := c.object(e, resourceKeys)
	if !ok {
		return r
	}
	if e, ok := o.get("cpu"); ok {
		r.CPUMillis, _ = c.cpu(e)
	}
	if e, ok := o.get("memory"); ok {
		r.MemoryBytes, _ = c.size(e)
	}
	if e, ok := o.get("slots"); ok {
		n, _ := c.integer(e, 1, mostSlots)
		r.Slots = int(n)
	}
	if e, ok := o.get("gpu"); ok {
		n, _ := c.integer(e, 0, mostGPUs)
		r.GPUs = int(n)
		if n == 0 {
			r.GPUTypes = nil // a task without a GPU does not care which one the defaults ask for
		}
	}
	if e, ok := o.get("gpu_type"); ok {
		r.GPUTypes = c.gpuTypes(e)
		if r.GPUs == 0 {
			c.fail(e.path, e.key, Problem{Message: "`gpu_type` without a GPU", Hint: "add `gpu: 1`"})
		}
	}
	return r
}

// gpuTypes reads one type or a list of them, any of which will do.
func (c *compiler) gpuTypes(e entry) []string {
	const most = 16
	items := []entry{e}
	if e.value.Kind == yaml.SequenceNode {
		items, _ = c.list(e, "GPU types, as in [a100, h100]", most)
	}
	var types []string
	for _, item := range items {
		t, ok := parsed(c, item, "a GPU type such as a100", func(s string) (string, error) {
			if !gpuType.MatchString(s) {
				return "", fmt.Errorf("%q is not a GPU type", clip(s))
			}
			return s, nil
		})
		if ok && !slices.Contains(types, t) {
			types = append(types, t)
		}
	}
	return types
}
