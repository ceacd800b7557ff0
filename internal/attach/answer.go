package attach

import "encoding/json"

// ReadAnswer reads what a worker answers when it is asked who it is: JSON with
// the members service, version, instance, weight, zone, labels and token, each of
// which may be missing; others are ignored, and a weight of 0 is missing. What it returns goes to
// [Door.Identify], which checks it. Whoever reads the answer bounds it.
func ReadAnswer(data []byte) (claim Claim, token string, refusal *Refusal) {
	var said struct {
		Service  string            `json:"service"`
		Version  string            `json:"version"`
		Instance string            `json:"instance"`
		Weight   int               `json:"weight"`
		Zone     string            `json:"zone"`
		Labels   map[string]string `json:"labels"`
		Token    string            `json:"token"`
	}
	if err := json.Unmarshal(data, &said); err != nil {
		// What exactly is wrong might quote the token.
		return Claim{}, "", badAttach("the answer is not a JSON object with members of the right types")
	}
	claim = Claim{
		Service: said.Service, Version: said.Version, Instance: said.Instance,
		Weight: said.Weight, Zone: said.Zone, Labels: said.Labels,
	}
	return claim, said.Token, checkClaim(&claim)
}
