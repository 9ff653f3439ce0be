package cli

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"

	"golang.org/x/term"

	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/exit"
	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/output"
)

// Terminal says whether a person sits at the two ends of the command.
type Terminal struct {
	// In and Out report whether standard input and output are a terminal.
	In, Out bool
	// Size is the terminal's size in characters; zeros where it is unknown.
	Size func() (width, height int)
	// ReadSecret reads a line without showing it.
	ReadSecret func() ([]byte, error)
}

func detectTerminal(stdin io.Reader, stdout io.Writer) *Terminal {
	t := &Terminal{Size: func() (int, int) { return 0, 0 }}
	if f, ok := stdin.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		t.In = true
		t.ReadSecret = func() ([]byte, error) { return term.ReadPassword(int(f.Fd())) }
	}
	if f, ok := stdout.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		t.Out = true
		t.Size = func() (int, int) {
			w, h, err := term.GetSize(int(f.Fd()))
			if err != nil {
				return 0, 0
			}
			return w, h
		}
	}
	return t
}

// painter follows NO_COLOR and CLICOLOR_FORCE, and is plain where nobody looks.
func (a *app) painter() output.Painter {
	force := a.opts.Getenv("CLICOLOR_FORCE")
	switch {
	case a.opts.Getenv("NO_COLOR") != "":
		return output.Painter{}
	case force != "" && force != "0":
		return output.Painter{Colour: true}
	}
	return output.Painter{Colour: a.opts.Terminal.Out && a.opts.Getenv("TERM") != "dumb"}
}

// ask reads a line that a person types. Where nobody can be asked it is an
// error that names the flag to give instead.
func (a *app) ask(label, flag string) (string, error) {
	if err := a.mayAsk(label, flag); err != nil {
		return "", err
	}
	_, _ = fmt.Fprintf(a.err, "%s: ", label)
	line, err := a.lines.ReadString('\n')
	if err != nil && line == "" {
		return "", fmt.Errorf("read the %s: %w", strings.ToLower(label), err)
	}
	return strings.TrimSpace(line), nil
}

// askSecret is ask for what must not be seen.
func (a *app) askSecret(label, flag string) (string, error) {
	if err := a.mayAsk(label, flag); err != nil {
		return "", err
	}
	_, _ = fmt.Fprintf(a.err, "%s: ", label)
	secret, err := a.opts.Terminal.ReadSecret()
	_, _ = fmt.Fprintln(a.err)
	if err != nil {
		return "", fmt.Errorf("read the %s: %w", strings.ToLower(label), err)
	}
	return string(secret), nil
}

func (a *app) mayAsk(label, flag string) error {
	if a.flags.noInput || !a.opts.Terminal.In {
		return exit.Usagef("the %s is missing and nobody can be asked for it", strings.ToLower(label)).
			Advise("give it with %s", flag)
	}
	return nil
}

// confirm asks before something that cannot be undone; --yes answers it.
func (a *app) confirm(yes bool, question string) error {
	if yes {
		return nil
	}
	if a.flags.noInput || !a.opts.Terminal.In {
		return exit.Usagef("nobody can be asked: %s", question).Advise("--yes says that it is meant")
	}
	answer, err := a.ask(question+" [y/N]", "--yes")
	if err != nil {
		return err
	}
	if a := strings.ToLower(answer); a != "y" && a != "yes" {
		return exit.New(exit.Failed, "nothing was done")
	}
	return nil
}

// secretFromInput reads all of standard input as one secret, without the
// newline that echo puts there.
func (a *app) secretFromInput() (string, error) {
	raw, err := io.ReadAll(io.LimitReader(a.lines, 64<<10))
	if err != nil {
		return "", fmt.Errorf("read standard input: %w", err)
	}
	return strings.TrimRight(string(raw), "\r\n"), nil
}

// browse opens a URL in the desktop's browser.
func browse(url string) error {
	name, args := "xdg-open", []string{url}
	switch runtime.GOOS {
	case "darwin":
		name = "open"
	case "windows":
		name, args = "rundll32", []string{"url.dll,FileProtocolHandler", url}
	}
	if err := exec.Command(name, args...).Start(); err != nil { //nolint:noctx // the browser outlives this program
		return fmt.Errorf("open the browser: %w", err)
	}
	return nil
}
