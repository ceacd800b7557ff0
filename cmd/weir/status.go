package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
)

func newStatus() *cobra.Command {
	flags := new(adminFlags)
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Tell how a router is that runs",
		Long: `Ask a router that runs which version it is, whether it is ready, and how its services
are.

  weir status
  weir status --admin unix:/run/weir.sock -o json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			router, err := flags.connect(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			return failed(showStatus(router, flags, cmd.OutOrStdout()))
		},
	}
	flags.add(cmd)
	return cmd
}

// A status is what weir status shows.
type status struct {
	Admin    string          `json:"admin"`
	Version  string          `json:"version"`
	Ready    bool            `json:"ready"`
	Reasons  []string        `json:"reasons"`
	Services []serviceStatus `json:"services"`
}

type serviceStatus struct {
	Name      string `json:"name"`
	Up        int    `json:"up"`
	Endpoints int    `json:"endpoints"`
	InFlight  int    `json:"in_flight"`
	Waiting   int    `json:"queue_waiting"`
}

func showStatus(router *adminClient, flags *adminFlags, w io.Writer) error {
	s := status{Admin: router.address, Services: []serviceStatus{}}
	if err := router.get(adminPath("status"), &s); err != nil {
		return err
	}
	var all serviceList
	if err := router.get(adminPath("services"), &all); err != nil {
		return err
	}
	for _, service := range all.Services {
		s.Services = append(s.Services, service.status())
	}
	return flags.write(w, s, func() error { return s.write(w, all.Services) })
}

func (s *serviceState) status() serviceStatus {
	status := serviceStatus{s.Name, 0, len(s.Endpoints), s.InFlight, s.QueueWaiting}
	for _, e := range s.Endpoints {
		if e.Up {
			status.Up++
		}
	}
	return status
}

// write writes it for people.
func (s *status) write(w io.Writer, services []serviceState) error {
	ready := "ready"
	if !s.Ready {
		ready = "not ready: " + strings.Join(s.Reasons, "; ")
	}
	if _, err := fmt.Fprintf(w, "weir %s at %s, %s\n", printable(s.Version), s.Admin, printable(ready)); err != nil {
		return err
	}
	g := &grid{head: []string{"SERVICE", "UP", "IN FLIGHT", "WAITING"}}
	for _, service := range services {
		g.add(service.Name, service.up(), service.inFlight(), fmt.Sprint(service.QueueWaiting))
	}
	return writeServices(w, g, services)
}

// writeServices writes a table of services, and what their sources suffer from.
func writeServices(w io.Writer, g *grid, services []serviceState) error {
	if len(services) == 0 {
		_, err := fmt.Fprintln(w, "there are no services yet")
		return err
	}
	if err := g.write(w); err != nil {
		return err
	}
	for _, service := range services {
		for _, source := range service.Sources {
			if source.State == "ok" {
				continue
			}
			if _, err := fmt.Fprintln(w, printable(service.Name+" has "+source.String())); err != nil {
				return err
			}
		}
	}
	return nil
}
