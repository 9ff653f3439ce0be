package policy

import "fmt"

// ViolationError says which rule of the agent's policy refuses a task. It is safe to
// show to whoever may see the pipeline.
type ViolationError struct {
	Rule string // as in the file: "allow.commands"
	Text string
}

func (v *ViolationError) Error() string {
	return fmt.Sprintf("refused by the agent's policy, rule %s: %s", v.Rule, v.Text)
}

func refuse(rule, format string, args ...any) *ViolationError {
	return &ViolationError{Rule: rule, Text: fmt.Sprintf(format, args...)}
}
