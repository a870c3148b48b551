package main

import (
	"bytes"
	"image/color"
	"math"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// A picture is a plot of the page.
type picture struct {
	name, title   string
	xLabel        string
	yLabel        string
	width, height vg.Length
	series        []series
	stores        []string // the names on the y axis, instead of numbers
	numbers       []string // the only ones on the x axis
	limit         float64  // a line for the budget, if there is one
}

// series are the points of one peer or store.
type series struct {
	name   string
	points func(r *results) plotter.XYs
	line   bool
	style  draw.GlyphStyle
}

var plots = []picture{
	{
		name: "requests", title: "get-session: requests a second and core",
		xLabel: "requests a second and core", width: 18 * vg.Centimeter, height: 9 * vg.Centimeter,
		stores: stores,
		series: []series{
			{name: "bare", points: perCore("bare"), style: glyph(grey, draw.RingGlyph{})},
			{name: "auth", points: perCore("auth"), style: glyph(blue, draw.CircleGlyph{})},
			{name: "scs", points: perCore("scs"), style: glyph(green, draw.BoxGlyph{})},
			{name: "better-auth", points: perCore("better-auth"), style: glyph(orange, draw.PyramidGlyph{})},
		},
	},
	{
		name: "latency", title: "get-session while people sign in: 99 of 100 within",
		xLabel: "people who sign in at once", yLabel: "milliseconds", width: 16 * vg.Centimeter, height: 9 * vg.Centimeter,
		numbers: readers, limit: 50,
		series: []series{
			{name: "auth", points: underSignIns("auth"), line: true, style: glyph(blue, draw.CircleGlyph{})},
			{name: "better-auth", points: underSignIns("better-auth"), line: true, style: glyph(orange, draw.PyramidGlyph{})},
		},
	},
	{
		name: "growth-plot", title: "time of a look-up, by the number of sessions",
		xLabel: "sessions", yLabel: "microseconds", width: 16 * vg.Centimeter, height: 9 * vg.Centimeter,
		numbers: sizes,
		series: []series{
			{name: "memory", points: lookUps("memory"), line: true, style: glyph(blue, draw.CircleGlyph{})},
			{name: "SQLite", points: lookUps("SQLite"), line: true, style: glyph(green, draw.BoxGlyph{})},
			{name: "PostgreSQL", points: lookUps("PostgreSQL"), line: true, style: glyph(orange, draw.PyramidGlyph{})},
		},
	},
}

// stores are those of the first plot, from below.
var stores = []string{"cookie cache", "Redis", "MariaDB", "PostgreSQL", "SQLite", "memory"}

// Colours that people tell apart who see few.
var (
	blue   = color.RGBA{0x00, 0x72, 0xb2, 0xff}
	orange = color.RGBA{0xd5, 0x5e, 0x00, 0xff}
	green  = color.RGBA{0x00, 0x9e, 0x73, 0xff}
	grey   = color.RGBA{0x55, 0x55, 0x55, 0xff}
	pale   = color.RGBA{0xdd, 0xdd, 0xdd, 0xff}
)

func glyph(c color.Color, shape draw.GlyphDrawer) draw.GlyphStyle {
	return draw.GlyphStyle{Color: c, Radius: vg.Points(4), Shape: shape}
}

// perCore has the store as y.
func perCore(peer string) func(r *results) plotter.XYs {
	return func(r *results) (points plotter.XYs) {
		for i, store := range stores {
			if value, ok := r.median("Server/get-session/"+store+"/"+peer, "req/s/core"); ok && value > 0 {
				points = append(points, plotter.XY{X: value, Y: float64(i)})
			}
		}
		return points
	}
}

func underSignIns(peer string) func(r *results) plotter.XYs {
	return numbered(readers, func(people string) (string, string) { return "Server/under sign-ins/" + people + "/" + peer, "p99-ms" }, 1)
}

func lookUps(store string) func(r *results) plotter.XYs {
	return numbered(sizes, func(size string) (string, string) { return "Growth/" + store + "/" + size + "/look-up", "ns/op" }, 1e-3)
}

// numbered has as x the numbers that are names of benchmarks.
func numbered(names []string, of func(name string) (benchmark, unit string), scale float64) func(r *results) plotter.XYs {
	return func(r *results) (points plotter.XYs) {
		for _, name := range names {
			x, err := strconv.ParseFloat(name, 64)
			if value, ok := r.median(of(name)); ok && err == nil && value > 0 {
				points = append(points, plotter.XY{X: x, Y: value * scale})
			}
		}
		return points
	}
}

func (p picture) file() string { return "performance-" + p.name + ".svg" }

// draw returns the plot as SVG, nil if nothing of it was measured.
func (p picture) draw(r *results) ([]byte, error) {
	c, legend := p.canvas(), p.legend()
	for _, s := range p.series {
		if points := s.points(r); len(points) > 0 {
			if err := s.add(c, &legend, points); err != nil {
				return nil, err
			}
		}
	}
	if math.IsInf(c.X.Min, 0) {
		r.miss("the plot of " + p.name)
		return nil, nil
	}
	p.widen(c)
	if p.limit > 0 {
		if err := addLimit(c, &legend, p.limit); err != nil {
			return nil, err
		}
	}
	svg := vgsvg.New(p.width, p.height)
	whole := draw.New(svg)
	c.Draw(draw.Crop(whole, 0, -legendWidth, 0, 0))
	legend.Draw(draw.Crop(whole, p.width-legendWidth, 0, 0, -vg.Centimeter))
	var b bytes.Buffer
	_, err := svg.WriteTo(&b)
	return b.Bytes(), err
}

// legendWidth is to the right of the plot.
const legendWidth = 3.4 * vg.Centimeter

func sans(style *draw.TextStyle) {
	style.Font = font.From(font.Font{Typeface: "Liberation", Variant: "Sans"}, style.Font.Size)
}

func (p picture) legend() plot.Legend {
	legend := plot.NewLegend()
	legend.Top, legend.Left, legend.Padding = true, true, vg.Points(3)
	sans(&legend.TextStyle)
	return legend
}

// canvas is the plot without its points. Scales of numbers are logarithmic.
func (p picture) canvas() *plot.Plot {
	c := plot.New()
	c.Title.Text, c.X.Label.Text, c.Y.Label.Text = p.title, p.xLabel, p.yLabel
	c.Title.Padding = vg.Points(6)
	for _, style := range []*draw.TextStyle{&c.Title.TextStyle, &c.X.Label.TextStyle, &c.Y.Label.TextStyle, &c.X.Tick.Label, &c.Y.Tick.Label} {
		sans(style)
	}
	c.X.Scale, c.X.Tick.Marker = plot.LogScale{}, plot.LogTicks{Prec: -1}
	if p.numbers != nil {
		c.X.Tick.Marker = ticksAt(p.numbers)
	}
	if p.stores != nil {
		c.NominalY(p.stores...)
	} else {
		c.Y.Scale, c.Y.Tick.Marker = plot.LogScale{}, plot.LogTicks{Prec: -1}
	}
	grid := plotter.NewGrid()
	grid.Vertical.Color, grid.Horizontal.Color = pale, pale
	c.Add(grid)
	return c
}

func ticksAt(numbers []string) (ticks plot.ConstantTicks) {
	for _, text := range numbers {
		if value, err := strconv.ParseFloat(text, 64); err == nil {
			ticks = append(ticks, plot.Tick{Value: value, Label: thousands(text)})
		}
	}
	return ticks
}

// widen lets the axis of what was measured go from one power of ten to another, and
// leaves some room on the other one.
func (p picture) widen(c *plot.Plot) {
	measured := &c.Y
	if p.stores != nil {
		measured = &c.X
		c.Y.Min, c.Y.Max = -0.5, float64(len(p.stores))-0.5
	} else {
		c.X.Min, c.X.Max = c.X.Min/1.3, c.X.Max*1.3
	}
	measured.Min = math.Pow(10, math.Floor(math.Log10(measured.Min)))
	measured.Max = math.Pow(10, math.Ceil(math.Log10(measured.Max*1.01)))
}

func (s series) add(c *plot.Plot, legend *plot.Legend, points plotter.XYs) error {
	scatter, err := plotter.NewScatter(points)
	if err != nil {
		return err
	}
	scatter.GlyphStyle = s.style
	if s.line {
		line, err := plotter.NewLine(points)
		if err != nil {
			return err
		}
		line.Color = s.style.Color
		c.Add(line)
	}
	c.Add(scatter)
	legend.Add(s.name, scatter)
	return nil
}

// addLimit draws the budget from one end to the other.
func addLimit(c *plot.Plot, legend *plot.Legend, limit float64) error {
	line, err := plotter.NewLine(plotter.XYs{{X: c.X.Min, Y: limit}, {X: c.X.Max, Y: limit}})
	if err != nil {
		return err
	}
	line.Color, line.Dashes = grey, []vg.Length{vg.Points(4), vg.Points(3)}
	c.Add(line)
	legend.Add("budget", line)
	return nil
}
