package config

import "errors"

// Provider is sources of endpoints that come and go while Weir runs. What several
// tell is merged: an endpoint that two know by one name is as the first says, in the
// order of these keys.
type Provider struct {
	// A file, or a folder of files, that is watched.
	File *FileProvider `yaml:"file"`
	// Addresses of a name in DNS: A and AAAA records.
	DNS *DNSProvider `yaml:"dns"`
	// SRV records in DNS.
	SRV *SRVProvider `yaml:"srv"`
	// Keys in etcd.
	Etcd *EtcdProvider `yaml:"etcd"`
	// Healthy instances of a service in Consul.
	Consul *ConsulProvider `yaml:"consul"`
	// Nodes in ZooKeeper.
	ZooKeeper *ZooKeeperProvider `yaml:"zookeeper"`
}

// FileProvider is endpoints in files of their own. It may be written as its path
// alone.
type FileProvider struct {
	// A file with a list of endpoints, or a folder whose `*.yaml`, `*.yml` and `*.json` are such files.
	Path string `yaml:"path" required:"true"`
}

// DNSProvider is the addresses of a name.
type DNSProvider struct {
	// The name to ask for. One that ends with a dot is asked for as it is; others as the search list of the system says.
	Name string `yaml:"name" required:"true"`
	// The port of the endpoints.
	Port int `yaml:"port" required:"true" min:"1" max:"65535"`
	// How the endpoints are spoken to.
	Scheme string `yaml:"scheme" default:"http" enum:"http,https"`
	// DNS servers, `host` or `host:port`. Left out: those of `/etc/resolv.conf`.
	Servers []string `yaml:"servers"`
}

// SRVProvider is the SRV records of a name (RFC 2782).
type SRVProvider struct {
	// The name to ask for, as in `_http._tcp.example.com`.
	Name string `yaml:"name" required:"true"`
	// How the endpoints are spoken to.
	Scheme string `yaml:"scheme" default:"http" enum:"http,https"`
	// DNS servers, `host` or `host:port`. Left out: those of `/etc/resolv.conf`.
	Servers []string `yaml:"servers"`
}

// EtcdProvider is keys in etcd, below `prefix/service/`.
type EtcdProvider struct {
	// The servers of one cluster: `http://host:port`, `https://host:port`, or `host:port`.
	Endpoints []string `yaml:"endpoints" required:"true" scalar:"true"`
	// What the keys of all services begin with.
	Prefix string `yaml:"prefix" default:"/weir"`
	// What the service is called there. Left out: as it is called here.
	Service string `yaml:"service"`
	// PEM file of the authorities that may have signed the servers' certificates. Left out: the system's.
	CA string `yaml:"ca"`
	// PEM file of the certificate to show.
	Cert string `yaml:"cert"`
	// PEM file of its private key.
	Key string `yaml:"key"`
	// The user to log in as.
	User string `yaml:"user"`
	// Its password.
	Password string `yaml:"password" secret:"true"`
}

// ConsulProvider is the healthy instances of a service in Consul.
type ConsulProvider struct {
	// The agent or server to ask: a URL, `host:port` or `unix:///path`.
	Address string `yaml:"address" default:"http://127.0.0.1:8500"`
	// The token to send.
	Token string `yaml:"token" secret:"true"`
	// The datacenter to ask about. Left out: the agent's own.
	Datacenter string `yaml:"datacenter"`
	// What the service is called there. Left out: as it is called here.
	Service string `yaml:"service"`
	// Only instances that have all of these tags.
	Tags []string `yaml:"tags"`
	// How the endpoints are spoken to.
	Scheme string `yaml:"scheme" default:"http" enum:"http,https"`
	// PEM file of the authorities that may have signed the agent's certificate. Left out: the system's.
	CA string `yaml:"ca"`
	// PEM file of the certificate to show.
	Cert string `yaml:"cert"`
	// PEM file of its private key.
	Key string `yaml:"key"`
}

// ZooKeeperProvider is nodes in ZooKeeper, below `prefix/service`.
type ZooKeeperProvider struct {
	// The servers of one ensemble: `host` or `host:port`.
	Servers []string `yaml:"servers" required:"true" scalar:"true"`
	// The path below which all services stand.
	Prefix string `yaml:"prefix" default:"/weir"`
	// What the service is called there. Left out: as it is called here.
	Service string `yaml:"service"`
	// `user:password` of the digest scheme. It is sent in clear text.
	Auth string `yaml:"auth" secret:"true"`
	// The session timeout that is asked for; a server that is silent for two thirds of it is left.
	Session Duration `yaml:"session" default:"10s" min:"1s"`
}

// empty tells whether there is no source.
func (p *Provider) empty() bool { return p == nil || *p == Provider{} }

func (f *FileProvider) setShort(text string) error {
	if text == "" {
		return errors.New("is empty, want a path, or a mapping of ")
	}
	f.Path = text
	return nil
}

// resolveFiles makes the paths of files relative to dir.
func (p *Provider) resolveFiles(dir string) {
	if p == nil {
		return
	}
	if p.File != nil {
		resolve(dir, &p.File.Path)
	}
	if e := p.Etcd; e != nil {
		resolve(dir, &e.CA, &e.Cert, &e.Key)
	}
	if c := p.Consul; c != nil {
		resolve(dir, &c.CA, &c.Cert, &c.Key)
	}
}
