package password

import (
	"encoding/binary"
	_ "unsafe" // for go:linkname
	"weak"

	"golang.org/x/crypto/blake2b"
)

// argon2.IDKey allocates its memory anew for each hash, and offers no way to
// keep it. idKey is that function over memory that is used again; whatever is
// computed still is in golang.org/x/crypto. What that brings, and what keeps
// the two from drifting apart, is in docs/adr/0014-argon2-memory.md.

//go:linkname initHash golang.org/x/crypto/argon2.initHash
func initHash(password, salt, key, data []byte, time, memory, threads, keyLen uint32, mode int) [blake2b.Size + 8]byte

//go:linkname blake2bHash golang.org/x/crypto/argon2.blake2bHash
func blake2bHash(out []byte, in []byte)

//go:linkname processBlocks golang.org/x/crypto/argon2.processBlocks
func processBlocks(B []block, time, memory, threads uint32, mode int)

//go:linkname extractKey golang.org/x/crypto/argon2.extractKey
func extractKey(B []block, memory, threads, keyLen uint32) []byte

// block is 1 KiB of the memory of a hash, as the library has it.
type block [128]uint64

const (
	argon2id   = 2 // the library's number of the variant
	syncPoints = 4 // RFC 9106 §3.4: into so many slices a lane is divided
)

// idKey returns what argon2.IDKey does.
func idKey(password, salt []byte, time, memory uint32, threads uint8, keyLen uint32) []byte {
	lanes := uint32(threads)
	h0 := initHash(password, salt, nil, nil, time, memory, lanes, keyLen, argon2id)
	length := max(memory/(syncPoints*lanes), 2) * syncPoints // blocks of a lane
	blocks := takeMemory(lanes * length)
	defer returnMemory(blocks)
	// RFC 9106 §3.2: the first two blocks of each lane.
	for lane := range lanes {
		binary.LittleEndian.PutUint32(h0[blake2b.Size+4:], lane)
		for i := range uint32(2) {
			binary.LittleEndian.PutUint32(h0[blake2b.Size:], i)
			var first [1024]byte
			blake2bHash(first[:], h0[:])
			for j := range blocks[0] {
				blocks[lane*length+i][j] = binary.LittleEndian.Uint64(first[8*j:])
			}
		}
	}
	processBlocks(blocks, time, lanes*length, lanes, argon2id)
	return extractKey(blocks, lanes*length, lanes, keyLen)
}

// memories are what earlier hashes were computed in. They are held weakly: what
// no hash is using goes with the next collection, so an idle server has none.
var memories = make(chan weak.Pointer[[]block], 64)

// takeMemory returns n blocks, all zero: the library adds to what is there.
func takeMemory(n uint32) []block {
	for {
		select {
		case kept := <-memories:
			if blocks := kept.Value(); blocks != nil && uint32(cap(*blocks)) >= n {
				return (*blocks)[:n]
			}
		default:
			return make([]block, n)
		}
	}
}

// returnMemory keeps blocks for the next hash, and nothing of this one in them.
func returnMemory(blocks []block) {
	clear(blocks)
	select {
	case memories <- weak.Make(&blocks):
	default: // more than so many hashes at a time
	}
}
