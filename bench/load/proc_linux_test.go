package main

import (
	"context"
	"os"
	"testing"
	"time"
)

func TestCPU(t *testing.T) {
	self := os.Getpid()
	before, err := processCPU(self)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for after := before; after < before+2*tick; {
		if after, err = processCPU(self); err != nil || ctx.Err() != nil {
			t.Fatalf("CPU time stays at %v: %v", after, err)
		}
	}
	family, err := familyCPU(self)
	if err != nil || family < before+2*tick {
		t.Errorf("the family used %v, this process alone more than %v: %v", family, before, err)
	}
}

func TestMemory(t *testing.T) {
	got, err := readMemory(os.Getpid())
	if err != nil || got.resident < 1<<20 || got.peak < got.resident/2 {
		t.Errorf("got %+v, %v", got, err)
	}
}
