package password

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// somePassword is the password of hashes that the programs named beside them made.
const somePassword = "violet-harbour-mosaic-71"

// longPassword has 80 bytes, more than bcrypt reads.
var longPassword = strings.Repeat("é", 40)

// knownHashes are hashes with known passwords: published ones, and ones that the
// programs themselves made.
func knownHashes() []struct{ name, encoded, password, scheme string } {
	return []struct{ name, encoded, password, scheme string }{
		// The specification of SHA-crypt by Ulrich Drepper.
		{
			"Drepper 1", "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1",
			"Hello world!", "SHA-512 crypt",
		},
		{
			"Drepper 2", "$6$rounds=10000$saltstringsaltst$OW1/O6BYHV6BcXZu8QVeXbDWra3Oeqh0sbHbbMCVNSnCM/UrjmM0Dp8vOuZeHBy/YTBmSK6H9qs/y3RnOaw5v.",
			"Hello world!", "SHA-512 crypt",
		},
		{
			"Drepper 3", "$6$rounds=1400$anotherlongsalts$POfYwTEok97VWcjxIiSOjiykti.o/pQs.wPvMxQ6Fm7I6IoYN3CmLs66x9t0oSwbtEW7o7UmJEiDwGqd8p4ur1",
			"a very much longer text to encrypt.  This one even stretches over morethan one line.", "SHA-512 crypt",
		},
		{
			"Drepper 4", "$6$rounds=77777$short$WuQyW2YR.hBNpjjRhpYD/ifIw05xdfeEyQoMxIXbkvr0gge1a1x3yRULJ5CCaUeOxFmtlcGZelFl5CxtgfiAc0",
			"we have a short salt string but not a short password", "SHA-512 crypt",
		},
		// RFC 7914 §11 and §12.
		{
			"RFC 7914 PBKDF2", "$pbkdf2-sha256$1$c2FsdA$VawEblbjCJ/sFpHCJUS2BflBhSFt3gRl5oudV8INrLxJypzM8Xm2RZkWZLOdd.8xfHG4RbHjC9UJESBB06GXgw",
			"passwd", "PBKDF2-SHA-256",
		},
		{
			"RFC 7914 scrypt", "scrypt$1024$NaCl$8$16$/bq+HJ00cgB4VucZDQHp/nxq18vII3gw53N2Y0s3MWIurzDZLiKjiG/xCSedmDDaxyevuUqD7m2DYMvfoswGQA==",
			"password", "scrypt",
		},
		// passlib 1.7.4.
		{
			"passlib PBKDF2-SHA-512", "$pbkdf2-sha512$1000$dk4J4dw753zPeQ.BUAqBEA$oQdNQ.8.QpVqJWtEI7KshM/9lHZVUVB5VnLWC8H/VXUHtvMrilf8Td4tP0Ji3cqUsY6ItRYuy3E/btW8chyRCQ",
			somePassword, "PBKDF2-SHA-512",
		},
		{
			"passlib PBKDF2-SHA-512, long", "$pbkdf2-sha512$1000$uvf./z8HAKCU8h6jlHIuhQ$YIPimgSFytnkYxbt5tVpEjFzbNfqdQ5sLLU9l7Eu0OQ243CoHYDLLwqTg5Y1Xp5KZXLqSXGjk1dqQrKJ1DCW.Q",
			longPassword, "PBKDF2-SHA-512",
		},
		{"passlib PBKDF2-SHA-256", "$pbkdf2-sha256$1000$XqvVWquVspbynpPSurdWqg$n1rlvOdnlJLHALychF8JGYUoFHDogbtbusQ55UvkvO8", somePassword, "PBKDF2-SHA-256"},
		{
			"passlib SHA-512 crypt", "$6$M2nZorPsjh5s7unM$.QOlQtQ18MuqhN8o41sLiS2bhh7m4nm4pKy/TT5NtcxbFiGGvQWijr4wDuDuzBuyTKMnAT/4g8vTYH5XeeJxF0",
			somePassword, "SHA-512 crypt",
		},
		{
			"passlib SHA-512 crypt, long", "$6$rounds=1234$5DNvUWPr42B7tjRH$NOlMLXGUXaqYJlaQ42fxHKlqpiqA9sElFuQCpXBhnNlyP0gn5mH/eKHCU8XF9U93bxwEnD5yrOObjsHbWVu4h1",
			longPassword, "SHA-512 crypt",
		},
		{"passlib scrypt", "$scrypt$ln=8,r=8,p=1$fq/V+l/rPef8v3cuRSgFoA$v4iNVzfSibJuSYvLHjp+wcFWitP77gttZ3yhQ3nkkBc", somePassword, "scrypt"},
		// Django 3.2, and hashlib for its scrypt, which came later.
		{"Django PBKDF2", "pbkdf2_sha256$1000$kBXcM7dB3S4p$BwkUE+7QqX2dqEwuBCHwpX4Jj+4eBH3hq4pTOBe0D8w=", somePassword, "PBKDF2-SHA-256"},
		{
			"Django Argon2", "argon2$argon2id$v=19$m=256,t=2,p=2$QHR0aW+99lwS29hDrTW3xQ$86VOa9RMVsNz5tSe0OwvxA",
			somePassword, "Argon2id",
		},
		{"Django bcrypt of SHA-256", "bcrypt_sha256$$2b$04$s1rUF7a34gg9rQLHlb6tr.DcF1dlrVINfrOY56MU3gnpUiHixm6xq", somePassword, "bcrypt of SHA-256"},
		{"Django bcrypt of SHA-256, long", "bcrypt_sha256$$2b$04$SpZvcqrPNZ92k9at8OdareB9j.VoCbw3t3Limj9AJNKyszfHSO4xS", longPassword, "bcrypt of SHA-256"},
		{"Django bcrypt", "bcrypt$$2b$04$5saCYaM0l4ISAkY/E42R/.EiWlWuDydUAwAS5uraltnjC1wJKEVyy", somePassword, "bcrypt"},
		{
			"Django scrypt", "scrypt$256$zQpT2wH3kL9x$8$5$wRTa0yuRyQE6uHNmKwaiTUgsiW6vraKxwGovX97o8NCceIXIcoMz1H/w9mz5/d5mBwhsg77sWXbgwIrZnxqLaA==",
			somePassword, "scrypt",
		},
		// OpenLDAP and Authelia, whose default costs are higher than ours.
		{
			"Authelia", "$argon2id$v=19$m=65536,t=3,p=4$f4+8EQGPFX+gIppm4tjzyw$XagLTZMFw4VptoXXO9KUgpTrlytQez1nLs+24dsSEm0",
			somePassword, "Argon2id",
		},
		{
			"{CRYPT}", "{CRYPT}$6$M2nZorPsjh5s7unM$.QOlQtQ18MuqhN8o41sLiS2bhh7m4nm4pKy/TT5NtcxbFiGGvQWijr4wDuDuzBuyTKMnAT/4g8vTYH5XeeJxF0",
			somePassword, "SHA-512 crypt",
		},
	}
}

// TestImportKnownHashes checks that hashes of other programs are accepted under the
// name of their scheme, match their password and no other, and are outdated.
func TestImportKnownHashes(t *testing.T) {
	h := NewHasher(HasherOptions{})
	for _, test := range knownHashes() {
		t.Run(test.name, func(t *testing.T) {
			stored, scheme, err := Import(test.encoded, 0)
			if err != nil || scheme != test.scheme {
				t.Fatalf("Import: got scheme %q, %v, want %q", scheme, err, test.scheme)
			}
			if again, _, err := Import(stored, 0); err != nil || again != stored {
				t.Errorf("Import of what is stored: got %q, %v, want %q", again, err, stored)
			}
			if ok, outdated, err := h.Verify(t.Context(), stored, test.password); !ok || !outdated || err != nil {
				t.Errorf("right password: got %v, %v, %v, want true, true, nil", ok, outdated, err)
			}
			if ok, outdated, err := h.Verify(t.Context(), stored, test.password[:len(test.password)-1]); ok || outdated || err != nil {
				t.Errorf("wrong password: got %v, %v, %v, want false, false, nil", ok, outdated, err)
			}
		})
	}
}

// TestImportRefused checks the hashes that are refused, and that a comparison with
// them computes nothing of theirs either.
func TestImportRefused(t *testing.T) {
	const (
		pbkdf2Tail = "$dk4J4dw753zPeQ.BUAqBEA$oQdNQ.8.QpVqJWtEI7KshM/9lHZVUVB5VnLWC8H/VXUHtvMrilf8Td4tP0Ji3cqUsY6ItRYuy3E/btW8chyRCQ"
		djangoTail = "$kBXcM7dB3S4p$I3VHQ0mqka+S3T5Ix1NJ9nomW4n8fWUPOYKw9KftNQ8="
		sha512Tail = "M2nZorPsjh5s7unM$.QOlQtQ18MuqhN8o41sLiS2bhh7m4nm4pKy/TT5NtcxbFiGGvQWijr4wDuDuzBuyTKMnAT/4g8vTYH5XeeJxF0"
		scryptTail = "$fq/V+l/rPef8v3cuRSgFoA$v4iNVzfSibJuSYvLHjp+wcFWitP77gttZ3yhQ3nkkBc"
		argonTail  = "$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"
		cost       = "its cost is above what is accepted"
		damaged    = "it is damaged"
		unknown    = "its format is not known"
	)
	tests := []struct{ name, encoded, want string }{
		{"plain text", "hunter2", unknown},
		{"MD5", "5f4dcc3b5aa765d61d8327deb882cf99", unknown},
		{"MD5 crypt", "$1$salt$abcdefghijklmnopqrstuv", unknown},
		{"PBKDF2 with SHA-1", "pbkdf2_sha1$1000$salt$abcd", unknown},
		{"argon2i", "$argon2i$v=19$m=64,t=1,p=1" + argonTail, unknown},
		{"too long", "$6$" + strings.Repeat("x", 300), "longer"},
		{"argon2id of 4 GiB", "$argon2id$v=19$m=4194304,t=1,p=1" + argonTail, "cost"},
		{"argon2id of 512 MiB", "$argon2id$v=19$m=524288,t=1,p=1" + argonTail, "cost"},
		{"argon2id of 256 MiB, 5 passes", "$argon2id$v=19$m=262144,t=5,p=1" + argonTail, "cost"},
		{"argon2id of 4 GiB, Django", "argon2$argon2id$v=19$m=4194304,t=1,p=1" + argonTail, "cost"},
		{"PBKDF2 of 10^9 iterations", "$pbkdf2-sha512$1000000000" + pbkdf2Tail, cost},
		{"PBKDF2 above the bound", "$pbkdf2-sha512$5000001" + pbkdf2Tail, cost},
		{"PBKDF2 above the bound with two blocks", "$pbkdf2-sha256$2500001" + pbkdf2Tail, cost},
		{"PBKDF2 of 10^30 iterations", "pbkdf2_sha256$1000000000000000000000000000000" + djangoTail, cost},
		{"PBKDF2 of 0 iterations", "pbkdf2_sha256$0" + djangoTail, damaged},
		{"PBKDF2 of -1 iterations", "pbkdf2_sha256$-1" + djangoTail, damaged},
		{"PBKDF2 with a sign", "pbkdf2_sha256$+5" + djangoTail, damaged},
		{"PBKDF2 with an empty salt", "pbkdf2_sha256$1000$$I3VHQ0mqka+S3T5Ix1NJ9nomW4n8fWUPOYKw9KftNQ8=", damaged},
		{"PBKDF2 with a short tag", "pbkdf2_sha256$1000$kBXcM7dB3S4p$I3VHQ0k=", damaged},
		{"PBKDF2 with a part more", "$pbkdf2-sha512$1000" + pbkdf2Tail + "$x", damaged},
		{"PBKDF2 with broken base64", "$pbkdf2-sha512$1000$!!$oQdNQ", damaged},
		{"SHA-512 crypt of 10^9 rounds", "$6$rounds=1000000000$" + sha512Tail, cost},
		{"SHA-512 crypt of few rounds", "$6$rounds=999$" + sha512Tail, damaged},
		{"SHA-512 crypt cut short", "$6$" + sha512Tail[:90], damaged},
		{"SHA-512 crypt with a character of another alphabet", "$6$" + strings.Replace(sha512Tail, "$.Q", "$+Q", 1), damaged},
		{"SHA-512 crypt with a long salt", "$6$x" + sha512Tail, damaged},
		{"scrypt of N=2^30", "$scrypt$ln=30,r=8,p=1" + scryptTail, cost},
		{"scrypt of N=2^62", "$scrypt$ln=62,r=8,p=1" + scryptTail, cost},
		{"scrypt of 256 MiB", "$scrypt$ln=18,r=8,p=1" + scryptTail, cost},
		{"scrypt with a large r", "$scrypt$ln=1,r=9223372036854775807,p=1" + scryptTail, cost},
		{"scrypt with a large p", "$scrypt$ln=17,r=8,p=5" + scryptTail, cost},
		{"scrypt of N=1", "$scrypt$ln=0,r=8,p=1" + scryptTail, damaged},
		{"scrypt of r=0", "$scrypt$ln=10,r=0,p=1" + scryptTail, damaged},
		{"scrypt of N=2^30, Django", "scrypt$1073741824$zQpT2wH3kL9x$8$5$wRTa0yuRyQE6uHNmKwaiTUgsiW6vraxKwGovX97o8NA=", cost},
		{"scrypt of N=1000, Django", "scrypt$1000$zQpT2wH3kL9x$8$5$wRTa0yuRyQE6uHNmKwaiTUgsiW6vraxKwGovX97o8NA=", damaged},
		{"bcrypt of cost 31", "$2b$31$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", cost},
		{"bcrypt of cost 31, Django", "bcrypt_sha256$$2b$31$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", cost},
		{"bcrypt with a salt of another alphabet", "$2b$05$CCCCCCCCCC+CCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", damaged},
		{"bcrypt with a tag of another alphabet", "$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOe=", damaged},
		{"bcrypt with a damaged salt, Django", "bcrypt_sha256$$2b$05$CCCCCCCCCC-CCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", damaged},
		{"bcrypt 2x", "$2x$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", unknown},
	}
	h := cheapHasher()
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			stored, _, err := Import(test.encoded, 0)
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), test.encoded) {
				t.Errorf("Import: got %v, want an error with %q and without the hash", err, test.want)
			}
			if strings.HasPrefix(stored, argonPrefix) {
				return // its bound for a comparison is another: TestParsePHC
			}
			if ok, _, err := h.Verify(t.Context(), test.encoded, "password"); ok || !errors.Is(err, ErrUnreadable) {
				t.Errorf("Verify: got %v, %v, want false, %v", ok, err, ErrUnreadable)
			}
		})
	}
}

// TestForeignHashesWaitForASlot checks that no scheme computes outside of the gate.
func TestForeignHashesWaitForASlot(t *testing.T) {
	h := NewHasher(HasherOptions{Slots: 1, Queue: 1, Wait: 1, Params: cheap})
	release := occupy(t, h.gate)
	defer release()
	for _, test := range knownHashes() {
		stored, _, err := Import(test.encoded, 0)
		if err != nil {
			t.Fatal(err)
		}
		if ok, _, err := h.Verify(t.Context(), stored, test.password); ok || err == nil {
			t.Errorf("%s: got %v, %v, want an error because no slot is free", test.name, ok, err)
		}
	}
}

// TestImportMemory checks that a hash is refused whose memory is above a limit.
func TestImportMemory(t *testing.T) {
	const (
		authelia = "$argon2id$v=19$m=65536,t=3,p=4$Hjc8e7WYcBFcJmEDUOsS9A$ozM7RyZR1EyDR8cuyVpDDfmLrGPGFgo5E2NNqRumui4"
		passlib  = "$scrypt$ln=16,r=8,p=1$fq/V+l/rPef8v3cuRSgFoA$v4iNVzfSibJuSYvLHjp+wcFWitP77gttZ3yhQ3nkkBc"
	)
	for _, encoded := range []string{authelia, passlib} { // 64 MiB each
		for limit, refused := range map[int64]bool{0: false, 64<<20 - 1: true, 64 << 20: false} {
			_, _, err := Import(encoded, limit)
			if refused != (err != nil) {
				t.Errorf("%.9s with a limit of %d: got %v, want refused = %v", encoded, limit, err, refused)
			}
			if want := "it takes 64 MiB of memory, and the memory limit here leaves 63 MiB for it"; refused && err.Error() != want {
				t.Errorf("got %q, want %q", err, want)
			}
		}
	}
}

// TestHeavyHashesRunOneAtATime checks that a stored hash which takes more memory than
// ours waits for another one, and holds neither a slot nor its lane up meanwhile.
func TestHeavyHashesRunOneAtATime(t *testing.T) {
	const (
		argon  = "$argon2id$v=19$m=65,t=1,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"
		scrypt = "$scrypt$ln=8,r=8,p=1$fq/V+l/rPef8v3cuRSgFoA$v4iNVzfSibJuSYvLHjp+wcFWitP77gttZ3yhQ3nkkBc"
	)
	synctest.Test(t, func(t *testing.T) {
		h := NewHasher(HasherOptions{Slots: 4, Params: cheap})
		entered, leave := make(chan error), make(chan struct{})
		go func() {
			entered <- h.gate.doHeavy(t.Context(), Caller{}, func() { entered <- nil; <-leave })
		}()
		if err := <-entered; err != nil {
			t.Fatal(err)
		}
		for _, encoded := range []string{argon, scrypt} {
			waiting := make(chan error)
			go func() { _, _, err := h.Verify(t.Context(), encoded, "x"); waiting <- err }()
			synctest.Wait()
			if err := h.VerifyDummy(t.Context(), "x"); err != nil {
				t.Errorf("a hash of ours: %v", err)
			}
			start := time.Now()
			checkBusy(t, <-waiting)
			if got, want := time.Since(start), 2*time.Second; got != want {
				t.Errorf("%.9s: waited %v, want %v", encoded, got, want)
			}
		}
		close(leave)
		if err := <-entered; err != nil {
			t.Error(err)
		}
		for range 2 { // the turn was given back
			if _, _, err := h.Verify(t.Context(), argon, "x"); err != nil {
				t.Error(err)
			}
		}
		checkIdle(t, h.gate)
	})
}
