package execute

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// maxArgument is the longest single argument Linux accepts (MAX_ARG_STRLEN,
// 32 pages, its final NUL included). The kernel's own refusal is "argument list
// too long", which names neither the argument nor the limit.
const maxArgument = 131_072 - 1

// Spec is everything an executor needs to know of an attempt.
type Spec struct {
	Name string // for logs and errors, for instance run_…/train/1

	// Exactly one of Argv (no shell) and Script (for Shell) is set.
	Argv   []string
	Script string

	Env []string // NAME=value, complete: nothing is inherited
	Dir string   // an existing folder

	Stdout, Stderr io.Writer // written to by one goroutine each
	Progress       string    // a file whose change counts as progress; may be empty

	Limits Limits
}

// Limits are an attempt's clocks; zero means no limit, but for Grace.
type Limits struct {
	Start    time.Duration // from Start until the command runs
	Run      time.Duration // while the command runs
	Progress time.Duration // without any output or change of the progress file
	Grace    time.Duration // between TERM and KILL when one of these is up
}

// Shell runs Spec.Script. -e ends a script at its first failing command:
// without it only the last line of a script could fail a task. The name sb-step
// stands where a script's messages name their program.
func Shell(script string) []string {
	return []string{"/bin/sh", "-e", "-c", script, "sb-step"}
}

// Command returns the argv to run, or why there is none.
func (s *Spec) Command() ([]string, error) {
	argv := s.Argv
	switch {
	case s.Script != "" && len(s.Argv) > 0:
		return nil, errors.New("a step is a script or a command, not both")
	case s.Script != "":
		argv = Shell(s.Script)
	case len(s.Argv) == 0 || s.Argv[0] == "":
		return nil, errors.New("a step needs a script or a command")
	}
	for i, arg := range argv {
		if len(arg) > maxArgument {
			return nil, fmt.Errorf("argument %d has %d bytes, the system's limit is %d", i, len(arg), maxArgument)
		}
		if strings.ContainsRune(arg, 0) {
			return nil, fmt.Errorf("argument %d holds a NUL byte", i)
		}
	}
	for _, pair := range s.Env {
		name, _, _ := strings.Cut(pair, "=")
		if len(pair) > maxArgument {
			return nil, fmt.Errorf("environment variable %s has %d bytes, the system's limit is %d: read $SB_INPUTS/%[1]s instead",
				name, len(pair), maxArgument)
		}
		if strings.ContainsRune(pair, 0) {
			return nil, fmt.Errorf("environment variable %s holds a NUL byte", name)
		}
	}
	return argv, nil
}
