package token_test

import "time"

const (
	issuer    = "https://portal.example"
	accessTTL = 5 * time.Minute
)

var (
	secret   = []byte("9f#Lk2!qVw7$Zr4^Tb8&Ny1*Hc5(Jd0)")
	previous = []byte("Q3@mXe6%Ug9-Pi2+Fo5=Sa8_Rh1~Wt4,")
)

// clock returns the fixed time of the tests.
type clock struct{}

func newClock() clock { return clock{} }

func (clock) now() time.Time { return time.Date(2026, 3, 1, 8, 30, 0, 250_000_000, time.UTC) }
