package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
)

func newServices() *cobra.Command {
	flags := new(adminFlags)
	cmd := &cobra.Command{
		Use:   "services [NAME]",
		Short: "Show the services of a router that runs, or one of them",
		Long: `Ask a router that runs for its services, or for one of them with its endpoints.

  weir services
  weir services shop@v2`,
		Args: oneService,
		RunE: func(cmd *cobra.Command, args []string) error {
			router, err := flags.connect(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			if len(args) == 0 {
				return failed(showServices(router, flags, cmd.OutOrStdout()))
			}
			return failed(showService(router, flags, args[0], cmd.OutOrStdout()))
		},
	}
	flags.add(cmd)
	return cmd
}

// fetch gets a value as the router wrote it, and what is shown of it.
func (c *adminClient) fetch(path string, shown any) (all json.RawMessage, err error) {
	if err := c.get(path, &all); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(all, shown); err != nil {
		return nil, fmt.Errorf("what answers at %s is no admin API of Weir: %w", c.address, err)
	}
	return all, nil
}

func showServices(router *adminClient, flags *adminFlags, w io.Writer) error {
	var list serviceList
	all, err := router.fetch(adminPath("services"), &list)
	if err != nil {
		return err
	}
	return flags.write(w, all, func() error {
		g := &grid{head: []string{"SERVICE", "STRATEGY", "BALANCE", "UP", "IN FLIGHT", "WAITING", "SPLIT"}}
		for _, s := range list.Services {
			g.add(s.Name, s.Strategy, s.Balance, s.up(), s.inFlight(), fmt.Sprint(s.QueueWaiting), s.split())
		}
		return writeServices(w, g, list.Services)
	})
}

func showService(router *adminClient, flags *adminFlags, name string, w io.Writer) error {
	var s serviceState
	all, err := router.fetch(adminPath("services", name), &s)
	if err != nil {
		return err
	}
	return flags.write(w, all, func() error { return s.write(w) })
}

// write writes one service for people.
func (s *serviceState) write(w io.Writer) error {
	g := &grid{head: []string{s.Name, ""}}
	for _, row := range [][2]string{
		{"strategy", s.Strategy},
		{"balance", s.Balance},
		{"in flight", s.inFlight()},
		{"waiting", fmt.Sprint(s.QueueWaiting)},
		{"split", s.split()},
		{"removed", strings.Join(s.Removed, ", ")},
	} {
		if row[1] != "" {
			g.add("  "+row[0], row[1])
		}
	}
	for _, source := range s.Sources {
		g.add("  source", source.String())
	}
	if err := g.write(w); err != nil {
		return err
	}
	if _, err := fmt.Fprintln(w); err != nil {
		return err
	}
	return writeEndpoints(w, []serviceState{*s}, false)
}
