package main

import (
	"errors"
	"flag"
	"path/filepath"
	"time"
)

// options are the flags of the bench.
type options struct {
	kinds      []kind
	idle       bool
	peers      []peer
	rounds     int
	duration   time.Duration
	warmup     time.Duration
	conns      int
	idleConns  int
	rate       float64
	out        string
	other      string
	profile    time.Duration
	idleRounds int
	syscalls   bool
	nice       int
}

// quick is what a run under three minutes has time for.
const (
	quickKinds    = "small,large,tls,attached,idle"
	quickRounds   = 3
	quickDuration = time.Second
)

func parseOptions(args []string) (options, error) {
	var o options
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	kinds := flags.String("kinds", "small,large,post,tls,attached,idle", "`kinds` of work: small, large, huge, post, tls, attached, idle")
	peers := flags.String("peers", "weir,nginx,haproxy,caddy", "`proxies` to measure; with -profile and -syscalls weir alone unless given")
	quick := flags.Bool("quick", false, "under three minutes: fewer kinds, 3 rounds of 1s")
	flags.IntVar(&o.rounds, "rounds", 9, "`rounds` of every proxy and kind, interleaved")
	flags.DurationVar(&o.duration, "duration", 3*time.Second, "of a round")
	flags.DurationVar(&o.warmup, "warmup", 500*time.Millisecond, "before every round")
	flags.IntVar(&o.conns, "conns", 128, "client `connections`")
	flags.IntVar(&o.idleConns, "idle-conns", 5000, "client `connections` of the kind idle")
	flags.Float64Var(&o.rate, "rate", 0, "`requests/s` of the constant-rate rounds, 0 being half of nginx's peak; of -profile and -syscalls, 0 being all it can")
	flags.StringVar(&o.out, "out", "", "`file` for the report, as well as standard output")
	flags.StringVar(&o.other, "other", "", "another Weir `program`, from before a change say, that is measured beside this checkout's")
	flags.DurationVar(&o.profile, "profile", 0, "only load a proxy with small answers for that long, to attach a profiler")
	flags.BoolVar(&o.syscalls, "syscalls", false, "only count system calls per request with strace")
	flags.IntVar(&o.nice, "nice", 0, "`priority` of all processes of the run; -15 where other programs cannot be stopped")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	given := map[string]bool{}
	flags.Visit(func(f *flag.Flag) { given[f.Name] = true })
	if *quick {
		o.quicken(given, kinds)
	}
	o.idleRounds = o.rounds
	if *quick {
		o.idleRounds = 1
	}
	if (o.syscalls || o.profile > 0) && !given["peers"] {
		*peers = "weir"
	}
	if o.rounds < 1 || o.conns < 1 || o.duration <= 0 {
		return o, errors.New("rounds, connections and duration must be positive")
	}
	var err error
	if o.peers, err = selectPeers(*peers); err != nil {
		return o, err
	}
	if o.other != "" {
		if o.other, err = filepath.Abs(o.other); err != nil {
			return o, err
		}
		o.peers = append(o.peers, otherWeir(o.other, "weir"))
	}
	o.idle = named(*kinds, idleKind)
	o.kinds, err = selectKinds(*kinds, o.conns)
	return o, err
}

// quicken shortens what was not asked for explicitly.
func (o *options) quicken(given map[string]bool, kinds *string) {
	if !given["kinds"] {
		*kinds = quickKinds
	}
	if !given["rounds"] {
		o.rounds = quickRounds
	}
	if !given["duration"] {
		o.duration = quickDuration
	}
	if !given["warmup"] {
		o.warmup = 300 * time.Millisecond
	}
}
