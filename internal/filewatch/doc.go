// Package filewatch tells that a file or a folder may have changed.
//
// It says when to look, not what is there: whoever listens reads again and compares.
// So nothing is lost by several changes that are told as one, and nothing is harmed by
// one that is told without need.
//
// What is watched is the folder that a file stands in, for editors and deployments
// replace files rather than write them; and every folder that a symbolic link on the
// way to it stands in, which is how a ConfigMap of Kubernetes is replaced. Where the
// system cannot notify (a network file system, too many watches), time does.
package filewatch
