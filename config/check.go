package config

import "errors"

// This file has what other sources of endpoints are checked by, as the file is.

// CheckName tells what is wrong with the name of a service or of a version.
func CheckName(name string) error { return asError(badName(name)) }

// CheckEndpointURL tells what is wrong with the URL of an endpoint.
func CheckEndpointURL(url string) error { return asError(badEndpointURL(url)) }

// CheckEndpointFields tells what is wrong with the fields that requests to an endpoint
// carry.
func CheckEndpointFields(fields Fields) error {
	c := &checker{}
	c.endpointFields(fields, "")
	if len(c.found) == 0 {
		return nil
	}
	f := c.found[0]
	return errors.New(f.path + " " + f.message)
}

func asError(message string) error {
	if message == "" {
		return nil
	}
	return errors.New(message)
}
