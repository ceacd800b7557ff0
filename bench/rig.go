package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// poolSize is how many idle connections every proxy may keep to each endpoint; it is
// Weir's default.
const poolSize = 256

// rig is what measurements stand on: two cores, the endpoints, and the proxies to start.
type rig struct {
	*workspace
	ctx       context.Context // ends with an interrupt
	self      string          // this program, for its subcommands
	proxyCore int
	loadCore  int
	files     int // limit of open files
	nice      int // priority of everything that is started
	endpoints *process
	ports     []int // of the endpoints
}

func newRig(ctx context.Context, nice int) (*rig, error) {
	w, err := newWorkspace()
	if err != nil {
		return nil, err
	}
	r := &rig{workspace: w, ctx: ctx, nice: nice}
	if r.self, err = os.Executable(); err != nil {
		return nil, err
	}
	if r.files, err = raiseFileLimit(); err != nil {
		return nil, err
	}
	if r.proxyCore, r.loadCore, err = twoCores(); err != nil {
		return nil, err
	}
	return r, r.startEndpoints()
}

// raiseFileLimit lifts the soft limit of open files to the hard one, for the children too.
func raiseFileLimit() (int, error) {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 0, err
	}
	limit.Max = min(limit.Max, 1<<20)
	limit.Cur = limit.Max
	return int(limit.Cur), unix.Setrlimit(unix.RLIMIT_NOFILE, &limit)
}

// twoCores are the first two cores that this process may use; the same one twice if there
// is no other.
func twoCores() (first, second int, err error) {
	var mask unix.CPUSet
	if err := unix.SchedGetaffinity(0, &mask); err != nil {
		return 0, 0, err
	}
	var cores []int
	for core := 0; core < 1024 && len(cores) < 2; core++ {
		if mask.IsSet(core) {
			cores = append(cores, core)
		}
	}
	return cores[0], cores[len(cores)-1], nil
}

func (r *rig) startEndpoints() error {
	ports, err := freePorts(3)
	if err != nil {
		return err
	}
	names := strings.Trim(strings.ReplaceAll(fmt.Sprint(ports), " ", ","), "[]")
	r.endpoints, err = start(command{
		name: "the endpoints", path: r.self, args: []string{"endpoint", "-ports", names}, core: r.loadCore, nice: r.nice,
	})
	if err != nil {
		return err
	}
	r.ports = ports
	_, err = r.endpoints.line(r.ctx)
	return err
}

func (r *rig) close() { r.endpoints.stop() }

// buildWeir compiles the proxy of this checkout.
func (r *rig) buildWeir() error {
	if _, err := os.Stat(filepath.Join(r.root, "cmd", "weir")); err != nil {
		return errors.New("there is no cmd/weir to build")
	}
	cmd := exec.CommandContext(r.ctx, "go", "build", "-o", filepath.Join(r.bin, "weir"), "./cmd/weir")
	cmd.Dir = r.root
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build weir: %w\n%s", err, out)
	}
	return nil
}

// commit is what the checkout stands at; "dirty" follows if it was changed.
func (r *rig) commit() string {
	out, err := exec.CommandContext(r.ctx, "git", "-C", r.root, "describe", "--always", "--dirty", "--exclude", "*").Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(out))
}

// startProxy runs a peer and returns once it answers.
func (r *rig) startProxy(p peer) (*proxy, error) {
	path, err := p.find(r.workspace)
	if err != nil {
		return nil, err
	}
	ports, err := freePorts(5)
	if err != nil {
		return nil, err
	}
	running := &proxy{peer: p, http: ports[0], https: ports[1], log: r.path(p.name + ".access.log")}
	config, err := r.writeConfig(running, ports[2], ports[3], ports[4])
	if err != nil {
		return nil, err
	}
	if p.logsToRing {
		if err := r.startSink(running, ports[3]); err != nil {
			return nil, err
		}
	}
	started := command{name: p.title, path: path, core: r.proxyCore, nice: r.nice, errors: r.path(p.name + ".stderr"), output: r.path(p.name + ".stdout")}
	for _, argument := range p.arguments {
		started.args = append(started.args, strings.ReplaceAll(argument, "CONFIG", config))
	}
	if running.process, err = start(started); err == nil && p.attached != "" {
		err = r.startWorker(running, ports[4])
	}
	if err == nil {
		err = r.awaitProxy(running)
	}
	if err != nil {
		running.stop()
		return nil, err
	}
	return running, nil
}

func (r *rig) startSink(p *proxy, port int) (err error) {
	p.sink, err = start(command{
		name: "the log of " + p.title, path: r.self, args: []string{"sink", "-port", strconv.Itoa(port), "-file", p.log}, core: r.loadCore, nice: r.nice,
	})
	if err == nil {
		_, err = p.sink.line(r.ctx)
	}
	return err
}

// startWorker runs a worker that attaches to a proxy.
func (r *rig) startWorker(p *proxy, port int) (err error) {
	p.worker, err = start(command{
		name: "the worker of " + p.title, path: r.self, args: []string{"worker", "-port", strconv.Itoa(port), "-way", p.attached}, core: r.loadCore, nice: r.nice,
	})
	if err == nil {
		_, err = p.worker.line(r.ctx)
	}
	return err
}

func (r *rig) writeConfig(p *proxy, admin, sink, attach int) (string, error) {
	endpoints := r.ports
	if p.endpoints > 0 {
		endpoints = endpoints[:p.endpoints]
	}
	if p.attached == "" {
		attach = 0
	} else {
		endpoints = nil
	}
	text, err := settings{
		HTTP: p.http, HTTPS: p.https, Admin: admin, Endpoints: endpoints, Attach: attach, Shaped: p.peer.shaped, Streams: workerStreams,
		Pool: poolSize, PoolTotal: poolSize * len(endpoints),
		// A proxied request takes two descriptors, and HAProxy insists on both.
		Connections: min(r.files*2/5, 40000), Files: r.files,
		Dir: r.dir, Log: p.log, Sink: sink, Variant: p.variant,
		Certificate: r.path("site.pem"), Key: r.path("site.key"), Bundle: r.path("site.bundle.pem"),
	}.render(p.config)
	if err != nil {
		return "", err
	}
	path := r.path(p.name + "." + p.config)
	return path, os.WriteFile(path, text, 0o644)
}

// watch fills in whose time a plan takes.
func (r *rig) watch(plan *loadPlan, p *proxy) {
	plan.Watch, plan.Helpers = p.pids(), []int{r.endpoints.pid()}
	plan.Cores = [2]int{r.proxyCore, r.loadCore}
	for _, helper := range []*process{p.sink, p.worker} {
		if helper != nil {
			plan.Helpers = append(plan.Helpers, helper.pid())
		}
	}
}

func (r *rig) awaitProxy(p *proxy) error {
	var err error
	for range 100 {
		if _, err = r.fetch(p, "/bytes/1"); err == nil {
			return nil
		}
		select {
		case <-r.ctx.Done():
			return context.Cause(r.ctx)
		case <-p.process.exited:
			return fmt.Errorf("%s ended at once (%v): see %s", p.title, p.process.err, r.path(p.name+".stderr"))
		case <-time.After(100 * time.Millisecond):
		}
	}
	return fmt.Errorf("%s does not answer: %w; see %s", p.title, err, r.path(p.name+".stderr"))
}

// fetch asks the proxy for a path and returns the body of a 200.
func (r *rig) fetch(p *proxy, path string) (string, error) {
	request, err := http.NewRequestWithContext(r.ctx, http.MethodGet, fmt.Sprintf("http://127.0.0.1:%d%s", p.http, path), nil)
	if err != nil {
		return "", err
	}
	request.Host = "bench.example"
	client := http.Client{Timeout: 2 * time.Second, Transport: &http.Transport{DisableKeepAlives: true, DisableCompression: true}}
	response, err := client.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, block))
	if response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s answers %s", p.title, response.Status)
	}
	return string(body), err
}

// startLoad runs the load generator on its core.
func (r *rig) startLoad(plan loadPlan) (*process, error) {
	text, err := json.Marshal(plan)
	if err != nil {
		return nil, err
	}
	return start(command{name: "the load generator", path: r.self, args: []string{"load", "-plan", string(text)}, core: r.loadCore, nice: r.nice})
}

// load runs the load generator to its end.
func (r *rig) load(plan loadPlan) (*loadResult, error) {
	ctx, cancel := context.WithTimeout(r.ctx, plan.Warmup+plan.Duration+30*time.Second)
	defer cancel()
	generator, err := r.startLoad(plan)
	if err != nil {
		return nil, err
	}
	defer generator.stop()
	return loadOutcome(ctx, generator)
}

func loadOutcome(ctx context.Context, generator *process) (*loadResult, error) {
	text, err := generator.line(ctx)
	if err != nil {
		return nil, err
	}
	var result loadResult
	if err := json.Unmarshal([]byte(text), &result); err != nil {
		return nil, fmt.Errorf("read what the load generator says: %w", err)
	}
	return &result, nil
}
