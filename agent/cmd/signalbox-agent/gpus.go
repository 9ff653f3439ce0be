package main

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/signalboxhq/signalbox/agent/config"
	"github.com/signalboxhq/signalbox/agent/gpu"
)

// finderOf looks for the GPUs that the settings leave. They are checked before.
func finderOf(c *config.Config) gpu.Finder {
	most, _ := gpu.ParseMost(c.GPUs)
	return gpu.Finder{Program: gpu.Program, Wish: gpu.Wish{Most: most, Type: c.GPUType}}
}

// gpus looks for GPUs again and again, and complains once of what stays wrong.
type gpus struct {
	finder gpu.Finder
	log    *slog.Logger
	told   string
}

func gpusOf(c *config.Config, log *slog.Logger) *gpus { return &gpus{finder: finderOf(c), log: log} }

// find returns what there is. What cannot be told is none: a task that waits for
// a machine is better off than one that fails on a broken one.
func (g *gpus) find(ctx context.Context) gpu.Found {
	found, err := g.finder.Find(ctx)
	wrong := found.Remark
	if err != nil {
		found, wrong = gpu.Found{}, err.Error()
	}
	if wrong != g.told && ctx.Err() == nil {
		g.told = wrong
		if wrong != "" {
			g.log.LogAttrs(ctx, slog.LevelWarn, "look for GPUs", slog.String("found", wrong))
		}
	}
	return found
}

// describeGPUs is a line for people: 2 GPUs (a100).
func describeGPUs(found gpu.Found) string {
	if len(found.Devices) == 0 {
		return "no GPU"
	}
	text := fmt.Sprintf("%d GPUs", len(found.Devices))
	if len(found.Devices) == 1 {
		text = "1 GPU"
	}
	if found.Type != "" {
		text += " (" + found.Type + ")"
	}
	return text
}
