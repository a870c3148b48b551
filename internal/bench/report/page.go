package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

const pageName = "performance.md"

// files are contents by name; nil is for one that has to go.
type files map[string][]byte

// render makes the page and the plots. What is generated stands between marks:
//
//	<!-- bench:begin budgets -->
//	<!-- bench:end budgets -->
func render(r *results, page string) (files, error) {
	out := make(files)
	blocks := map[string]string{"machine": r.machine() + "\n", "budgets": budgetTable(r, budgets)}
	for _, t := range tables {
		blocks[t.name] = t.markdown(r)
	}
	for _, p := range plots {
		picture, err := p.draw(r)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.name, err)
		}
		out[p.file()], blocks[p.name] = picture, ""
		if picture != nil {
			blocks[p.name] = fmt.Sprintf("![%s](%s)\n", p.title, p.file())
		}
	}
	page, err := fill(page, blocks)
	out[pageName] = []byte(page)
	return out, err
}

// fill puts each block between its marks. All have to be there, and no others.
func fill(page string, blocks map[string]string) (string, error) {
	var wrong []error
	for _, name := range slices.Sorted(maps.Keys(blocks)) {
		begin, end := "<!-- bench:begin "+name+" -->\n", "<!-- bench:end "+name+" -->\n"
		before, rest, ok := strings.Cut(page, begin)
		_, after, closed := strings.Cut(rest, end)
		if !ok || !closed || strings.Contains(after, begin) {
			wrong = append(wrong, fmt.Errorf("%s: the marks of %s are not there once", pageName, name))
			continue
		}
		block := blocks[name]
		if block != "" {
			block = "\n" + block + "\n"
		}
		page = before + begin + block + end + after
	}
	if n := strings.Count(page, "<!-- bench:begin "); n > len(blocks) {
		wrong = append(wrong, fmt.Errorf("%s: %d marks for %d parts", pageName, n, len(blocks)))
	}
	return page, errors.Join(wrong...)
}

// write replaces the files that differ, each as a whole, and none unless all could be
// written.
func (f files) write(dir string) (err error) {
	changed := make(map[string]string)
	defer func() {
		for written := range maps.Values(changed) {
			_ = os.Remove(written) // if it was not renamed
		}
	}()
	for name, content := range f {
		name = filepath.Join(dir, name)
		if content == nil {
			continue
		}
		if old, err := os.ReadFile(name); err == nil && slices.Equal(old, content) {
			continue
		}
		if changed[name], err = writeBeside(name, content); err != nil {
			return err
		}
	}
	for name, content := range f {
		if content != nil {
			continue
		}
		if err := os.Remove(filepath.Join(dir, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	for name, written := range changed {
		if err := os.Rename(written, name); err != nil {
			return err
		}
	}
	return nil
}

// writeBeside writes a file of its own in the directory of the name.
func writeBeside(name string, content []byte) (written string, err error) {
	file, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".*")
	if err != nil {
		return "", err
	}
	_, err = file.Write(content)
	err = errors.Join(err, file.Chmod(0o644), file.Close())
	if err != nil {
		_ = os.Remove(file.Name())
	}
	return file.Name(), err
}
