// Package config is the configuration file of Weir: what was written, and
// nothing that was decided from it.
//
// A Config is plain data. [Load] and [Parse] read it from YAML: they expand
// ${ENV} and ${file:PATH}, refuse what is unknown or of the wrong kind, fill in
// the defaults and check the whole across its sections. Nothing stops at the
// first mistake: all that is wrong comes back as [Problems], each with the line
// and column it stands at, and what is legal but unwise as warnings beside
// them.
//
// A Config can as well be built as a Go literal. Then a field left at zero
// means its default, as a key left out does in the file. Where zero itself is
// legal and differs from the default, a literal says [Off], and so does a
// Config that was read from a file with a 0 written there; [Config.WithDefaults]
// and [Config.Validate] treat both origins alike.
//
// The struct tags are the single source of keys, defaults and bounds; the
// decoder, WithDefaults, Validate, docs/reference/configuration.md and
// docs/weir.schema.json all follow them:
//
//	yaml     the key; "-" is not a key
//	default  the value a zero field takes
//	min, max the bounds, inclusive
//	zero     what 0 stands for, where 0 is legal below min or beside a default
//	enum     the legal values, separated by commas; of a list, those of its elements
//	required the key may not be left out; what is not "true" says what would be without it
//	scalar   a list of one may be written as its element
//	secret   the value is never shown, nor is it in the line that a problem quotes
//	bare     the key alone is a section that has all its defaults, not one left out
package config

//go:generate go run ./internal/reference
