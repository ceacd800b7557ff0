package weir

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/weirproxy/weir/config"
	"github.com/weirproxy/weir/endpoint"
)

// This file is how edits are kept on disk, as JSON that people can read:
//
//	{"version": 1, "services": {"shop@v2": {"endpoints": [{"name": "a", "url": …}],
//	                                         "removed": ["b"], "draining": ["c"]}}}

// A stateFile is all of it.
type stateFile struct {
	Version  int                     `json:"version"`
	Services map[string]stateService `json:"services"`
}

type stateService struct {
	Endpoints []stateEndpoint `json:"endpoints,omitempty"`
	Removed   []string        `json:"removed,omitempty"`
	Draining  []string        `json:"draining,omitempty"`
}

type stateEndpoint struct {
	Name        string            `json:"name"`
	URL         string            `json:"url"`
	Weight      int               `json:"weight"`
	Concurrency int               `json:"concurrency,omitempty"`
	Zone        string            `json:"zone,omitempty"`
	Labels      map[string]string `json:"labels,omitempty"`
	Headers     []stateField      `json:"headers,omitempty"`
}

type stateField struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// stateVersion is the version of the form.
const stateVersion = 1

// maxState bounds how much is read.
const maxState = 256 << 20

// readState returns what a state file has; a file that is not there has nothing.
func readState(path string) (map[serviceKey]*edit, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, writable(path)
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxState))
	if err != nil {
		return nil, err
	}
	all, err := parseState(text)
	if err != nil {
		return nil, fmt.Errorf("%s is not a state file: %w; mend it, or move it away to start without it", path, err)
	}
	return all, nil
}

// writable reports why no state file could be written where there is none yet.
func writable(path string) error {
	info, err := os.Stat(filepath.Dir(path))
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return fmt.Errorf("%s is not a folder", filepath.Dir(path))
	}
	return nil
}

func parseState(text []byte) (map[serviceKey]*edit, error) {
	var file stateFile
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&file); err != nil {
		return nil, err
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, errors.New("something follows its end")
	}
	if file.Version != stateVersion {
		return nil, fmt.Errorf("its version is %d, and this program reads version %d", file.Version, stateVersion)
	}
	all := map[serviceKey]*edit{}
	for full, s := range file.Services {
		name, version, _ := strings.Cut(full, "@")
		key := serviceKey{name, version}
		if err := checkServiceKey(key); err != nil {
			return nil, err
		}
		e, err := s.edit()
		if err != nil {
			return nil, fmt.Errorf("service %s: %w", full, err)
		}
		all[key] = e
	}
	return all, nil
}

func (s stateService) edit() (*edit, error) {
	e := new(edit).clone()
	for _, d := range s.Endpoints {
		address, err := endpoint.ParseAddress(d.URL)
		if err != nil {
			return nil, fmt.Errorf("endpoint %s: %w", d.Name, err)
		}
		if d.Name == "" {
			return nil, fmt.Errorf("endpoint %s has no name", d.URL)
		}
		put := edited{Endpoint: endpoint.Endpoint{
			Name: d.Name, Address: address, Weight: d.Weight, Concurrency: d.Concurrency, Zone: d.Zone, Labels: d.Labels,
		}}
		for _, f := range d.Headers {
			put.headers = append(put.headers, config.Field{Name: f.Name, Value: f.Value})
		}
		e.put[d.Name] = put
	}
	for _, name := range s.Removed {
		e.removed[name] = true
	}
	for _, name := range s.Draining {
		e.drained[name] = true
	}
	if e.size() > 3*maxEdited {
		return nil, fmt.Errorf("more than %d endpoints were changed", maxEdited)
	}
	return e, nil
}

func formatState(all map[serviceKey]*edit) ([]byte, error) {
	file := stateFile{Version: stateVersion, Services: map[string]stateService{}}
	for key, e := range all {
		s := stateService{Removed: slices.Sorted(maps.Keys(e.removed)), Draining: slices.Sorted(maps.Keys(e.drained))}
		for _, name := range slices.Sorted(maps.Keys(e.put)) {
			put := e.put[name]
			d := stateEndpoint{
				Name: name, URL: put.Address.String(), Weight: put.Weight, Concurrency: put.Concurrency,
				Zone: put.Zone, Labels: put.Labels,
			}
			for _, f := range put.headers {
				d.Headers = append(d.Headers, stateField(f))
			}
			s.Endpoints = append(s.Endpoints, d)
		}
		file.Services[key.String()] = s
	}
	text, err := json.MarshalIndent(file, "", " ")
	return append(text, '\n'), err
}

// writeState replaces the state file in one step: whatever happens meanwhile, the
// file is as it was, or as it is to be.
func writeState(path string, all map[serviceKey]*edit) error {
	text, err := formatState(all)
	if err != nil {
		return err
	}
	folder := filepath.Dir(path)
	f, err := os.CreateTemp(folder, "."+filepath.Base(path)+"-*") // readable by its owner alone: fields may be secrets
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // in vain once it has been renamed
	_, err = f.Write(text)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncFolder(folder)
}

// syncFolder has the renaming survive a power cut, too.
func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	defer folder.Close()
	return folder.Sync()
}
