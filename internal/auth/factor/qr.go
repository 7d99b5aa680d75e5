package factor

import (
	"fmt"
	"strings"

	"rsc.io/qr"
)

// quiet is the width of the white border of a QR code in modules (ISO/IEC 18004 §9.1).
const quiet = 4

// QR returns a QR code as a picture: the path of its black modules in a white square
// of size by size units (SVG 2 §9.3).
func QR(text string) (path string, size int, err error) {
	code, err := qr.Encode(text, qr.M)
	if err != nil {
		return "", 0, fmt.Errorf("encode a QR code: %w", err)
	}
	var b strings.Builder
	for y := range code.Size {
		for x := 0; x < code.Size; x++ {
			start := x
			for x < code.Size && code.Black(x, y) {
				x++
			}
			if x > start { // one rectangle for each run of modules
				fmt.Fprintf(&b, "M%d %dh%dv1H%dz", start+quiet, y+quiet, x-start, start+quiet)
			}
		}
	}
	return b.String(), code.Size + 2*quiet, nil
}
