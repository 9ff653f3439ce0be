package main

import (
	"context"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheCollectorRunsByWhatLives(t *testing.T) {
	t.Parallel()
	require.Equal(t, 400, gogc(0))
	require.Equal(t, 400, gogc(10<<20))
	require.Equal(t, 96, gogc(100<<20))
	require.Equal(t, 32, gogc(300<<20), "ninety-six megabytes of garbage")
	require.Equal(t, 25, gogc(1<<30), "a gigabyte is not marked over and over")
}

// The collector is adjusted by its own rounds, while somebody wants it.
func TestTheCollectorTellsItsRounds(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	m := &memory{collected: make(chan struct{}, 1)}
	runtime.SetFinalizer(&sentinel{ctx.Done()}, m.note)
	for range 3 {
		runtime.GC()
		<-m.collected
	}
	stop()
}
