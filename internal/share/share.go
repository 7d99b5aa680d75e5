// Package share divides places, such as those in a queue, among the networks that
// ask for them, so that none takes them all.
package share

import (
	"net/netip"
	"sync"
)

// parts is how many networks it takes to occupy every place.
const parts = 4

// Places is a number of places of which one network may take a quarter. It is
// safe for concurrent use.
type Places struct {
	mu    sync.Mutex
	most  int
	all   int
	taken map[netip.Prefix]int // networks that have at least one place
}

// New returns most places, all of them free.
func New(most int) *Places {
	return &Places{most: most, taken: map[netip.Prefix]int{}}
}

// Take takes a place and reports whether it could: not when all places are taken,
// or the quarter of the network. The zero Prefix may take all places.
func (p *Places) Take(network netip.Prefix) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.all >= p.most || network.IsValid() && p.taken[network] >= max(1, p.most/parts) {
		return false
	}
	p.all++
	p.taken[network]++
	return true
}

// Free gives back a place that Take took for network.
func (p *Places) Free(network netip.Prefix) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.all--
	if p.taken[network]--; p.taken[network] == 0 {
		delete(p.taken, network)
	}
}

// Taken returns how many places are taken.
func (p *Places) Taken() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.all
}

// Network returns the network to which the places of a client count: an IPv4
// address or an IPv6 /56, which is the usual size for one customer. It returns the
// zero Prefix when the address is unknown or on this machine: then it is that of
// a proxy that is not trusted to name its clients, such as nginx on the same host.
func Network(addr netip.Addr) netip.Prefix {
	addr = addr.Unmap().WithZone("")
	bits := 56
	if addr.Is4() {
		bits = 32
	}
	if !addr.IsValid() || addr.IsLoopback() {
		return netip.Prefix{}
	}
	network, _ := addr.Prefix(bits) // fails only for more bits than the address has
	return network
}
