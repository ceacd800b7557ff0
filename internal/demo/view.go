package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// A view is what the router's API says of one worker.
type view struct {
	Name     string `json:"name"`
	InFlight int    `json:"in_flight"`
	// Concurrency is how many requests the worker is sent at a time. Workers of
	// the demo announce some: 0 is that it is sent none.
	Concurrency int `json:"concurrency"`
}

// lookTimeout bounds a question to the API.
const lookTimeout = 2 * time.Second

// look asks the router's API about a worker.
func (r *router) look(ctx context.Context, name string) (view, error) {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.admin+"/v1/services/default", nil)
	if err != nil {
		return view{}, err
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Do(req)
	if err != nil {
		return view{}, err
	}
	defer res.Body.Close()
	var service struct {
		Endpoints []view `json:"endpoints"`
	}
	if err := json.NewDecoder(res.Body).Decode(&service); err != nil {
		return view{}, err
	}
	for _, v := range service.Endpoints {
		if v.Name == name {
			return v, nil
		}
	}
	return view{}, fmt.Errorf("the router knows no worker %s", name)
}
