package weir

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// Whoever imports this module cannot name a type from internal/, so none may
// stand in the exported part of these.
var publicPackages = []string{
	".", "config", "endpoint", "balance", "worker",
	"provider", "provider/consul", "provider/dns", "provider/etcd", "provider/file", "provider/zookeeper",
}

func TestPublicPackages_ShowNothingInternal(t *testing.T) {
	for _, folder := range publicPackages {
		files, err := filepath.Glob(filepath.Join(folder, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s has no Go files (%v)", folder, err)
		}
		for _, file := range files {
			if !strings.HasSuffix(file, "_test.go") {
				checkExported(t, file)
			}
		}
	}
}

// checkExported fails the test for every exported declaration in file whose type
// comes from a package under internal/.
func checkExported(t *testing.T, file string) {
	t.Helper()
	fset := token.NewFileSet()
	parsed, err := parser.ParseFile(fset, file, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	internal := internalImports(parsed)
	var visit func(n ast.Node) bool
	visit = func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.StructType:
			for _, field := range n.Fields.List {
				if visible(field) {
					ast.Inspect(field.Type, visit)
				}
			}
			return false
		case *ast.SelectorExpr:
			if pkg, ok := n.X.(*ast.Ident); ok && internal[pkg.Name] {
				t.Errorf("%s: the exported API shows %s.%s, which users cannot name", fset.Position(n.Pos()), pkg.Name, n.Sel.Name)
			}
		}
		return true
	}
	for _, decl := range parsed.Decls {
		for _, shown := range exportedParts(decl) {
			ast.Inspect(shown, visit)
		}
	}
}

// internalImports returns the names under which a file knows packages below
// internal/.
func internalImports(file *ast.File) map[string]bool {
	names := map[string]bool{}
	for _, spec := range file.Imports {
		path, err := strconv.Unquote(spec.Path.Value)
		if err != nil || !strings.HasPrefix(path, module+"/") || !strings.Contains(path, "/internal/") {
			continue
		}
		name := path[strings.LastIndexByte(path, '/')+1:]
		if spec.Name != nil {
			name = spec.Name.Name
		}
		names[name] = true
	}
	return names
}

// exportedParts returns what users see of a declaration: signatures, types,
// and the values that variables without a type are made of.
func exportedParts(decl ast.Decl) (parts []ast.Node) {
	switch d := decl.(type) {
	case *ast.FuncDecl:
		if d.Name.IsExported() && (d.Recv == nil || exportedReceiver(d.Recv)) {
			parts = append(parts, d.Type)
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch s := spec.(type) {
			case *ast.TypeSpec:
				if s.Name.IsExported() {
					parts = append(parts, s.Type)
				}
			case *ast.ValueSpec:
				if s.Names[0].IsExported() && d.Tok != token.CONST { // a constant is its value
					parts = append(parts, s)
				}
			}
		}
	}
	return parts
}

func exportedReceiver(list *ast.FieldList) (exported bool) {
	ast.Inspect(list.List[0].Type, func(n ast.Node) bool {
		id, ok := n.(*ast.Ident)
		exported = exported || ok && id.IsExported()
		return true
	})
	return exported
}

// visible reports whether users see a struct's field; embedded ones they do.
func visible(f *ast.Field) bool {
	for _, name := range f.Names {
		if name.IsExported() {
			return true
		}
	}
	return len(f.Names) == 0
}
