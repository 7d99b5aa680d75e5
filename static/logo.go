package static

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"image/png"
	"io"
	"strconv"
	"strings"
)

// The maximum size of a logo on a page in CSS pixels.
const (
	logoHeight   = 32
	logoMaxWidth = 160
)

// picture describes a logo file.
type picture struct {
	ext           string  // ".svg" or ".png"
	width, height float64 // in any unit; zero if unknown
}

// size returns the size of the picture on a page, in its own proportions.
func (p picture) size() (width, height int) {
	if p.width <= 0 || p.height <= 0 {
		return logoHeight, logoHeight
	}
	wide := p.width / p.height * logoHeight
	if wide > logoMaxWidth {
		return logoMaxWidth, max(1, int(logoMaxWidth*p.height/p.width+0.5))
	}
	return max(1, int(wide+0.5)), logoHeight
}

// CheckLogo returns nil if NewBrand accepts a file as the logo. Otherwise the error
// tells the operator what is wrong with it.
func CheckLogo(content []byte) error {
	_, err := parseLogo(content)
	return err
}

// parseLogo detects the type of a logo from its content and checks whether it may
// be served.
func parseLogo(content []byte) (picture, error) {
	if bytes.HasPrefix(content, []byte("\x89PNG\r\n\x1a\n")) {
		config, err := png.DecodeConfig(bytes.NewReader(content))
		if err != nil {
			return picture{}, fmt.Errorf("the PNG file cannot be read: %w", err)
		}
		return picture{ext: ".png", width: float64(config.Width), height: float64(config.Height)}, nil
	}
	if bytes.Contains(content, []byte("<svg")) {
		return parseSVG(content)
	}
	return picture{}, errors.New("the file is neither SVG nor PNG")
}

// parseSVG reads an SVG file to its end and refuses active content: an SVG file
// that is opened by itself is a document of the portal's origin.
func parseSVG(content []byte) (picture, error) {
	p := picture{ext: ".svg"}
	decoder := xml.NewDecoder(bytes.NewReader(content))
	elements := 0
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return picture{}, fmt.Errorf("the SVG file cannot be read: %w", err)
		}
		switch token := token.(type) {
		case xml.Directive:
			if bytes.Contains(bytes.ToUpper(token), []byte("ENTITY")) {
				return picture{}, errors.New("the SVG file declares entities; save it as plain SVG")
			}
		case xml.StartElement:
			elements++
			if elements == 1 {
				if token.Name.Local != "svg" {
					return picture{}, errors.New("the file is neither SVG nor PNG")
				}
				p.width, p.height = svgSize(token.Attr)
			}
			if err := checkElement(token); err != nil {
				return picture{}, err
			}
		}
	}
	return p, nil
}

// checkElement refuses elements and attributes that can run scripts or load
// documents.
func checkElement(element xml.StartElement) error {
	switch strings.ToLower(element.Name.Local) {
	case "script", "foreignobject", "iframe", "object", "embed":
		return fmt.Errorf("the SVG file contains <%s>; save it without", element.Name.Local)
	}
	for _, attribute := range element.Attr {
		name := strings.ToLower(attribute.Name.Local)
		if strings.HasPrefix(name, "on") {
			return fmt.Errorf("the SVG file contains an %s attribute; save it without", attribute.Name.Local)
		}
		if name == "href" && strings.HasPrefix(strings.ToLower(strings.TrimSpace(attribute.Value)), "javascript:") {
			return errors.New("the SVG file contains a javascript: link; save it without")
		}
	}
	return nil
}

// svgSize reads the proportions of an svg element: from its viewBox, else from
// its width and height.
func svgSize(attributes []xml.Attr) (width, height float64) {
	for _, attribute := range attributes {
		switch attribute.Name.Local {
		case "viewBox":
			box := strings.FieldsFunc(attribute.Value, func(r rune) bool { return r == ' ' || r == ',' })
			if len(box) == 4 {
				return number(box[2]), number(box[3])
			}
		case "width":
			width = number(attribute.Value)
		case "height":
			height = number(attribute.Value)
		}
	}
	return width, height
}

// number reads a length and ignores its unit. It returns 0 for anything else.
func number(s string) float64 {
	n, err := strconv.ParseFloat(strings.TrimRight(s, "pxtemcin%"), 64)
	if err != nil {
		return 0
	}
	return n
}
