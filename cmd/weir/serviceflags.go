package main

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/weirproxy/weir/config"
)

// serviceFlags are the flags of weir run that say how every service treats its
// requests.
type serviceFlags struct {
	set *pflag.FlagSet

	strategy      string
	usable        string
	nonIdempotent bool
	balance       string
}

var (
	strategies = []string{"single", "failover", "fanout", "hedge"}
	policies   = []string{"round_robin", "least_load", "random", "first", "hash", "maglev"}
)

func (f *serviceFlags) add(cmd *cobra.Command) {
	f.set = cmd.Flags()
	f.set.StringVar(&f.strategy, "strategy", "", "`strategy` by which endpoints are tried, in every service: "+strings.Join(strategies, ", ")+" (default single)")
	f.set.StringVar(&f.usable, "usable", "", "`statuses` that failover, fanout and hedge take for an answer, such as 2xx,404 (default 1xx,2xx,3xx,4xx)")
	f.set.BoolVar(&f.nonIdempotent, "non-idempotent", false, "let requests such as POST be sent to more than one endpoint")
	f.set.StringVar(&f.balance, "balance", "", "`policy` by which an endpoint is chosen, in every service: "+strings.Join(policies, ", ")+" (default round_robin)")
	completeWith(cmd, "strategy", strategies)
	completeWith(cmd, "balance", policies)
}

// over returns s with what the flags say over it.
func (f *serviceFlags) over(s config.Service) config.Service {
	if f.set.Changed("strategy") {
		s.Strategy = f.strategy
	}
	if f.set.Changed("usable") {
		s.Usable = nil
		for status := range strings.SplitSeq(f.usable, ",") {
			s.Usable = append(s.Usable, strings.TrimSpace(status))
		}
	}
	if f.set.Changed("non-idempotent") {
		s.NonIdempotent = f.nonIdempotent
	}
	if f.set.Changed("balance") {
		s.Balance = f.balance
	}
	return s
}

// problems tells what is wrong with the flags, whichever services there are.
func (f *serviceFlags) problems() config.Problems {
	c := config.Config{Services: map[string]config.Service{"default": f.over(config.Service{})}}
	return c.Validate()
}
