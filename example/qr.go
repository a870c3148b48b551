package main

import (
	"html/template"

	qr "github.com/piglig/go-qr"
)

// Modules, the squares of a QR code, are this many units of the image wide. The
// standard wants a margin of four modules around the code (ISO/IEC 18004).
const (
	moduleSize = 4
	quietZone  = 4 * moduleSize
)

// qrCode draws a text for a camera, as an image in the page itself: there is no
// URL under which a secret could be cached or logged.
func qrCode(text string) (template.HTML, error) {
	code, err := qr.EncodeText(text, qr.Medium)
	if err != nil {
		return "", err
	}
	svg, err := code.ToSVGBytes(qr.NewQrCodeImgConfig(moduleSize, quietZone, qr.WithOptimalSVG()))
	return template.HTML(svg), err // squares and colors only, nothing of the text
}
