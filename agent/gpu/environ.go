package gpu

import "strings"

// Environ is what makes an attempt see its devices and no others, on an agent
// that has some. One without devices gets an empty list, not none: without the
// variable CUDA takes every GPU of the machine, and a step that did not ask for
// one would take memory from those that did. "void" says the same to the
// container toolkit.
func Environ(ids []string) []string {
	list := strings.Join(ids, ",")
	if list == "" {
		return []string{"CUDA_VISIBLE_DEVICES=", "NVIDIA_VISIBLE_DEVICES=void"}
	}
	return []string{"CUDA_VISIBLE_DEVICES=" + list, "NVIDIA_VISIBLE_DEVICES=" + list}
}
