package param

import (
	"strings"

	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/exit"
)

// Assignment is one -p: a param's name and what it is to be.
type Assignment struct {
	Name string
	// Text is what was typed; File, where it is set, is what a file held.
	Text   string
	File   []byte
	isFile bool
}

// Parse reads `name=text`, `name=@path` for a file's content, and `name=@@text`
// for a text that begins with an @. read gets the path; "-" is standard input.
func Parse(spec string, read func(path string) ([]byte, error)) (Assignment, error) {
	name, text, ok := strings.Cut(spec, "=")
	if !ok || name == "" {
		return Assignment{}, exit.Usagef("--param: want NAME=VALUE, got %q", spec)
	}
	rest, at := strings.CutPrefix(text, "@")
	switch {
	case !at:
		return Assignment{Name: name, Text: text}, nil
	case strings.HasPrefix(rest, "@"):
		return Assignment{Name: name, Text: rest}, nil
	}
	content, err := read(rest)
	if err != nil {
		return Assignment{}, exit.Wrongf("parameter %s: %s", name, err.Error()).Because(err)
	}
	return Assignment{Name: name, File: content, isFile: true}, nil
}
