//go:build real

package real

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience bounds what should take no time.
const patience = 15 * time.Second

// A process is a child that is killed when its test ends.
type process struct {
	cmd  *exec.Cmd
	done chan struct{}

	mu   sync.Mutex
	said []string
	more chan struct{} // closed when a line is added, and replaced
}

// start starts a program; its output is kept line by line.
func start(t *testing.T, name string, args ...string) *process {
	t.Helper()
	p, err := launch(name, args...)
	if err != nil {
		t.Fatalf("start %s: %v", name, err)
	}
	t.Cleanup(func() {
		p.stop(syscall.SIGTERM)
		if t.Failed() {
			t.Logf("%s said:\n%s", name, strings.Join(p.lines(), "\n"))
		}
	})
	return p
}

func launch(name string, args ...string) (*process, error) {
	p := &process{cmd: exec.Command(name, args...), done: make(chan struct{}), more: make(chan struct{})}
	read, write, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	p.cmd.Stdout, p.cmd.Stderr = write, write
	err = p.cmd.Start()
	_ = write.Close()
	if err != nil {
		_ = read.Close()
		return nil, err
	}
	go p.listen(read)
	go func() {
		_ = p.cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

func (p *process) listen(r io.ReadCloser) {
	defer r.Close()
	in := bufio.NewScanner(r)
	for in.Scan() {
		p.mu.Lock()
		p.said = append(p.said, in.Text())
		close(p.more)
		p.more = make(chan struct{})
		p.mu.Unlock()
	}
}

func (p *process) pid() int { return p.cmd.Process.Pid }

func (p *process) lines() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.said...)
}

// await waits for n lines that contain text, and returns them.
func (p *process) await(t *testing.T, text string, n int) []string {
	t.Helper()
	late := time.After(patience)
	for {
		p.mu.Lock()
		var found []string
		for _, line := range p.said {
			if strings.Contains(line, text) {
				found = append(found, line)
			}
		}
		more := p.more
		p.mu.Unlock()
		if len(found) >= n {
			return found
		}
		select {
		case <-more:
		case <-p.done:
			t.Fatalf("%s ended before it said %q %d times:\n%s", p.cmd.Path, text, n, strings.Join(p.lines(), "\n"))
		case <-late:
			t.Fatalf("%s did not say %q %d times:\n%s", p.cmd.Path, text, n, strings.Join(p.lines(), "\n"))
		}
	}
}

// stop sends a signal, and SIGKILL to who does not heed it.
func (p *process) stop(signal syscall.Signal) {
	_ = p.cmd.Process.Signal(signal)
	select {
	case <-p.done:
	case <-time.After(5 * time.Second):
		_ = p.cmd.Process.Kill()
		<-p.done
	}
}

// output runs a program to its end, which has to be a good one.
func output(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}
