package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/spf13/cobra"
)

// description is an endpoint as it is to be.
type description struct {
	Name        string            `json:"name,omitempty"`
	URL         string            `json:"url"`
	Weight      int               `json:"weight"`
	Concurrency int               `json:"concurrency,omitempty"`
	Zone        string            `json:"zone,omitempty"`
	Labels      map[string]string `json:"labels,omitempty"`
	Headers     map[string]string `json:"headers,omitempty"`
	Source      string            `json:"source,omitempty"`
	Draining    bool              `json:"draining,omitempty"`
}

func newEndpointsAdd() *cobra.Command {
	flags := new(adminFlags)
	var d description
	var labels, headers []string
	cmd := &cobra.Command{
		Use:   "add SERVICE[@VERSION] URL",
		Short: "Add an endpoint to a service, or replace the one of that name",
		Long: `Add an endpoint to a service, or replace the one of that name. It is given requests at
once. A service that nobody knows comes into being with its first endpoint.

  weir endpoints add web http://10.0.0.22:8000
  weir endpoints add shop@v2 unix:/run/shop.sock --name shop-2 --weight 3`,
		Args: exactly(2, "a service and a URL, such as web http://10.0.0.22:8000"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var err error
			d.URL = args[1]
			if d.Labels, err = parsePairs("--label", labels); err != nil {
				return err
			}
			if d.Headers, err = parsePairs("--header", headers); err != nil {
				return err
			}
			if err := d.check(); err != nil {
				return err
			}
			router, err := flags.connect(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			return failed(addEndpoint(router, flags, args[0], d, cmd.OutOrStdout()))
		},
	}
	flags.add(cmd)
	set := cmd.Flags()
	set.StringVar(&d.Name, "name", "", "`name` of the endpoint within the service (default its URL)")
	set.IntVar(&d.Weight, "weight", 1, "share of the requests in proportion to others, `1-1000`")
	set.IntVar(&d.Concurrency, "concurrency", 0, "`number` of requests that it is given at a time (default any)")
	set.StringVar(&d.Zone, "zone", "", "`zone` where it stands")
	set.StringArrayVar(&labels, "label", nil, "further attribute, as `name=value`; repeatable")
	set.StringArrayVar(&headers, "header", nil, "field that each request to it carries, as `name=value`; repeatable")
	return cmd
}

// check finds what can be told without the router.
func (d *description) check() error {
	var wrong []error
	if d.Weight < 1 || d.Weight > 1000 {
		wrong = append(wrong, fmt.Errorf("--weight is %d, and not between 1 and 1000", d.Weight))
	}
	if d.Concurrency < 0 {
		wrong = append(wrong, fmt.Errorf("--concurrency is %d; 0 is any number", d.Concurrency))
	}
	if !strings.Contains(d.URL, "://") && !strings.HasPrefix(d.URL, "unix:/") {
		wrong = append(wrong, fmt.Errorf("%s is not the URL of an endpoint; write http://host:port, https://host:port or unix:/path", quoted(d.URL)))
	}
	return errors.Join(wrong...)
}

func addEndpoint(router *adminClient, flags *adminFlags, service string, d description, w io.Writer) error {
	name := d.Name
	if name == "" {
		name = d.URL
	}
	var now description
	status, err := router.call(http.MethodPut, adminPath("services", service, "endpoints", name), d, &now)
	if err != nil {
		return err
	}
	return flags.write(w, now, func() error {
		done := "replaced %s of %s\n"
		if status == http.StatusCreated {
			done = "added %s to %s\n"
		}
		_, err := fmt.Fprintf(w, done, printable(now.Name), service)
		return err
	})
}

func newEndpointsRemove() *cobra.Command {
	flags := new(adminFlags)
	cmd := &cobra.Command{
		Use:   "remove SERVICE[@VERSION] NAME",
		Short: "Take an endpoint out of a service",
		Long: `Take an endpoint out of a service, by its name or its URL, whoever announced it. It gets
nothing new; requests under way are finished. It stays out until it is added again.

  weir endpoints remove web http://10.0.0.20:8000
  weir endpoints remove shop@v2 shop-2`,
		Args: exactly(2, "a service and an endpoint of it; weir endpoints lists them"),
		RunE: func(cmd *cobra.Command, args []string) error {
			router, err := flags.connect(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			return failed(removeEndpoint(router, flags, args[0], args[1], cmd.OutOrStdout()))
		},
	}
	flags.add(cmd)
	return cmd
}

func removeEndpoint(router *adminClient, flags *adminFlags, service, endpoint string, w io.Writer) error {
	name, err := router.nameOf(service, endpoint)
	if err != nil {
		return err
	}
	if _, err := router.call(http.MethodDelete, adminPath("services", service, "endpoints", name), nil, nil); err != nil {
		return err
	}
	done := struct {
		Service  string `json:"service"`
		Endpoint string `json:"endpoint"`
		Removed  bool   `json:"removed"`
	}{service, name, true}
	return flags.write(w, done, func() error {
		_, err := fmt.Fprintf(w, "removed %s from %s\n", printable(name), service)
		return err
	})
}

// nameOf finds an endpoint by its name, or else by its URL if only one has it.
func (c *adminClient) nameOf(service, endpoint string) (string, error) {
	var list struct {
		Endpoints []description `json:"endpoints"`
	}
	if err := c.get(adminPath("services", service, "endpoints"), &list); err != nil {
		return "", err
	}
	var names []string
	for _, e := range list.Endpoints {
		if e.Name == endpoint {
			return e.Name, nil
		}
		if e.URL == endpoint {
			names = append(names, e.Name)
		}
	}
	switch len(names) {
	case 0:
		return "", fmt.Errorf("service %s has no endpoint %s; weir endpoints %s lists them", service, endpoint, service)
	case 1:
		return names[0], nil
	}
	return "", fmt.Errorf("service %s has %d endpoints at %s; name one: %s", service, len(names), endpoint, printable(strings.Join(names, ", ")))
}

func newEndpointsDrain() *cobra.Command {
	flags := new(adminFlags)
	var undo bool
	cmd := &cobra.Command{
		Use:   "drain SERVICE[@VERSION] NAME",
		Short: "Give an endpoint nothing new, and let it finish what it has",
		Long: `Give an endpoint nothing new, and let it finish what it has, until the router ends or
--undo calls it off.

  weir endpoints drain web http://10.0.0.20:8000
  weir endpoints drain web http://10.0.0.20:8000 --undo`,
		Args: exactly(2, "a service and an endpoint of it; weir endpoints lists them"),
		RunE: func(cmd *cobra.Command, args []string) error {
			router, err := flags.connect(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			return failed(drainEndpoint(router, flags, args[0], args[1], undo, cmd.OutOrStdout()))
		},
	}
	flags.add(cmd)
	cmd.Flags().BoolVar(&undo, "undo", false, "give it requests again")
	return cmd
}

func drainEndpoint(router *adminClient, flags *adminFlags, service, name string, undo bool, w io.Writer) error {
	method, done := http.MethodPost, "%s of %s drains: it gets nothing new, and finishes what it has\n"
	if undo {
		method, done = http.MethodDelete, "%s of %s is given requests again\n"
	}
	var answer struct {
		Service  string `json:"service"`
		Endpoint string `json:"endpoint"`
		Draining bool   `json:"draining"`
	}
	if _, err := router.call(method, adminPath("services", service, "endpoints", name, "drain"), nil, &answer); err != nil {
		return err
	}
	return flags.write(w, answer, func() error {
		_, err := fmt.Fprintf(w, done, printable(answer.Endpoint), service)
		return err
	})
}
