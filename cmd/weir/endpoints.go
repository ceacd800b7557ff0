package main

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

func newEndpoints() *cobra.Command {
	cmd := newEndpointsList("endpoints [SERVICE]")
	cmd.Short = "Show, add, remove or drain endpoints of a router that runs"
	cmd.Long = `Ask a router that runs who serves its services, or one of them; or change that, from
the next request on. Connections that a change does not concern are not touched.

  weir endpoints
  weir endpoints add web http://10.0.0.22:8000
  weir endpoints drain web http://10.0.0.20:8000
  weir endpoints remove web http://10.0.0.20:8000`
	cmd.AddCommand(newEndpointsList("list [SERVICE]"), newEndpointsAdd(), newEndpointsRemove(), newEndpointsDrain())
	return cmd
}

func newEndpointsList(use string) *cobra.Command {
	flags := new(adminFlags)
	cmd := &cobra.Command{
		Use:   use,
		Short: "Show who serves the services of a router, or one of them",
		Args:  oneService,
		RunE: func(cmd *cobra.Command, args []string) error {
			router, err := flags.connect(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			return failed(showEndpoints(router, flags, args, cmd.OutOrStdout()))
		},
	}
	flags.add(cmd)
	return cmd
}

// rawEndpoints are services with their endpoints as the router wrote them.
type rawEndpoints struct {
	Services []rawService `json:"services"`
}

type rawService struct {
	Name      string                       `json:"name"`
	Endpoints []map[string]json.RawMessage `json:"endpoints"`
}

func showEndpoints(router *adminClient, flags *adminFlags, service []string, w io.Writer) error {
	var list serviceList
	var raw rawEndpoints
	if len(service) == 0 {
		all, err := router.fetch(adminPath("services"), &list)
		if err != nil {
			return err
		}
		_ = json.Unmarshal(all, &raw) // it has been read before
	} else {
		list.Services, raw.Services = make([]serviceState, 1), make([]rawService, 1)
		one, err := router.fetch(adminPath("services", service[0]), &list.Services[0])
		if err != nil {
			return err
		}
		_ = json.Unmarshal(one, &raw.Services[0])
	}
	return flags.write(w, raw.flat(), func() error { return writeEndpoints(w, list.Services, len(service) == 0) })
}

// flat is one list of all endpoints, each with the name of its service.
func (r *rawEndpoints) flat() any {
	list := []map[string]json.RawMessage{} // [] rather than null
	for _, s := range r.Services {
		name, err := json.Marshal(s.Name)
		if err != nil {
			continue // a text is always written
		}
		for _, e := range s.Endpoints {
			e["service"] = name
			list = append(list, e)
		}
	}
	return map[string]any{"endpoints": list}
}

// writeEndpoints writes a table for people. named tells whether the services are to
// be told apart in it.
func writeEndpoints(w io.Writer, services []serviceState, named bool) error {
	g := &grid{head: []string{"SERVICE", "ENDPOINT", "URL", "STATE", "FOR", "WEIGHT", "IN FLIGHT", "FAILURES", "ZONE", "SOURCE", "LAST ERROR"}}
	for _, s := range services {
		name := ""
		if named {
			name = s.Name
		}
		for _, e := range s.Endpoints {
			g.add(name, e.Name, e.elsewhere(), e.state(), age(e.Since), fmt.Sprint(e.Weight), e.inFlight(),
				fmt.Sprint(e.Failures), e.Zone, e.Source, e.LastError)
		}
	}
	if len(g.rows) == 0 {
		_, err := fmt.Fprintln(w, "there are no endpoints yet")
		return err
	}
	return g.write(w)
}
