package gpu

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"strings"
	"time"
)

// Program is what knows of GPUs, wherever PATH has it.
const Program = "nvidia-smi"

// patience bounds one look. nvidia-smi takes seconds where nothing keeps the
// driver loaded, and for ever where a card has gone wrong.
const patience = 30 * time.Second

// Finder looks for GPUs.
type Finder struct {
	Program string // Program, but for tests
	Wish    Wish
}

// Find returns the devices that the wish leaves. A machine without nvidia-smi
// has none, unless the wish says how many; nvidia-smi that fails is an error,
// and the machine had better be taken for one without GPUs.
func (f Finder) Find(ctx context.Context) (Found, error) {
	if f.Wish.Most == 0 {
		return Found{}, nil
	}
	path, err := exec.LookPath(f.Program)
	if err != nil {
		return f.Wish.counted(), nil // absent is an answer
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	table, err := ask(ctx, path, "--query-gpu="+columns, "--format=csv,noheader,nounits")
	if err != nil {
		return Found{}, err
	}
	cards, err := parseCards(table)
	if err != nil {
		return Found{}, err
	}
	var list []byte
	for _, c := range cards {
		if c.partitioned {
			if list, err = ask(ctx, path, "-L"); err != nil {
				return Found{}, err
			}
			break
		}
	}
	return f.Wish.pick(instances(cards, list)), nil
}

// noDevices is how nvidia-smi says that there is a driver and no card, with an
// exit code that differs among its versions.
const noDevices = "No devices were found"

// ask runs nvidia-smi. It returns when ctx ends even if the process cannot be
// killed, as one that waits for a broken card.
func ask(ctx context.Context, path string, args ...string) ([]byte, error) {
	type answer struct {
		text []byte
		err  error
	}
	answers := make(chan answer, 1)
	go func() {
		cmd := exec.CommandContext(ctx, path, args...)
		cmd.WaitDelay = time.Second
		text, err := cmd.CombinedOutput() // it prints what is wrong on either
		answers <- answer{text, err}
	}()
	select {
	case <-ctx.Done():
		return nil, fmt.Errorf("%s does not answer: %w", path, ctx.Err())
	case a := <-answers:
		if bytes.Contains(a.text, []byte(noDevices)) {
			return nil, nil
		}
		if a.err != nil {
			return nil, fmt.Errorf("%s: %w: %.200s", path, a.err, strings.TrimSpace(string(a.text)))
		}
		return a.text, nil
	}
}
