package main

import (
	"fmt"
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	testscript.Main(leakChecked{m}, map[string]func(){"weir": main})
}

// leakChecked fails the tests when they leave goroutines behind.
type leakChecked struct{ m *testing.M }

// Run implements testscript.TestingM.
func (l leakChecked) Run() int {
	code := l.m.Run()
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	return code
}

// TestScripts plays testdata/*.txtar. Beside the commands of testscript they have
//
//	endpoint NAME             start a web server; $NAME is its address. It answers
//	                          NAME, below /hold only once it is released, and
//	                          /NAME/STATUS with that status. Configuration files
//	                          may have ${NAME}
//	release NAME              let it answer what it holds
//	start NAME weir …         start a process, wait until it has said where it
//	                          listens; $NAME is its address, $NAME_ADMIN and
//	                          $NAME_ATTACH are those for admins and workers,
//	                          and NAME.out and NAME.err what it writes
//	unread NAME weir …        likewise, but nobody reads its standard output
//	signal NAME TERM|…        send it a signal
//	finish NAME CODE          wait until it ends, with that exit code
//	fails CODE weir …         run a command that ends with that exit code
//	await FILE PATTERN        wait until a file has a line that matches
//	http URL                  GET; status line, fields and content go to stdout
//	post URL                  likewise with a POST without content
//	inquire URL STATUS        GET until the answer has that status
//	sequence N URL            N requests in a row on one connection; what they
//	                          answer goes to stdout
//	hold NAME URL             GET in the background, until NAME holds it
//	answered URL              the answer to that; like http
//	certificate NAME FILE     write a certificate of that name, FILE.pem and FILE.key
//	shown ADDRESS NAME        the certificate there has that name
//	manager                   listen to service notifications, into notify.out
//	worker NAME ADDRESS TOKEN SERVICE
//	                          attach a worker that answers NAME; NAME.worker is
//	                          what becomes of that: attached, or refused 401 …
//
// With UPDATE=1 in the environment, golden output in the scripts is written anew.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		Cmds:                commands,
		UpdateScripts:       os.Getenv("UPDATE") != "",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			e.Values[stageKey] = &stage{endpoints: map[string]*holder{}, processes: map[string]*child{}, pending: map[string]chan answer{}}
			e.Setenv("GORACE", hurry)
			return nil
		},
	})
}

// hurry has the race detector not keep a process for a second before it exits.
const hurry = "atexit_sleep_ms=0"

var commands = map[string]func(*testscript.TestScript, bool, []string){
	"endpoint":    plain(1, startEndpoint),
	"release":     plain(1, release),
	"start":       plain(2, start),
	"unread":      plain(2, unread),
	"signal":      plain(2, sendSignal),
	"finish":      plain(2, finish),
	"fails":       plain(2, fails),
	"await":       plain(2, await),
	"http":        plain(1, get),
	"post":        plain(1, post),
	"inquire":     plain(2, inquire),
	"sequence":    plain(2, sequence),
	"hold":        plain(2, hold),
	"answered":    plain(1, answered),
	"certificate": plain(2, writeCertificate),
	"shown":       plain(2, shown),
	"manager":     plain(0, manager),
	"worker":      plain(4, startWorker),
}

// plain makes a command of f that takes at least least arguments and cannot be
// negated.
func plain(least int, f func(*testscript.TestScript, []string) error) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		if neg || len(args) < least {
			ts.Fatalf("it takes %d arguments, and no !", least)
		}
		ts.Check(f(ts, args))
	}
}

type stageKeyType struct{}

var stageKey stageKeyType

// A stage is what one script has started.
type stage struct {
	endpoints map[string]*holder
	processes map[string]*child
	pending   map[string]chan answer
}

func stageOf(ts *testscript.TestScript) *stage { return ts.Value(stageKey).(*stage) }
