package profile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// FolderFile is the name of a folder's file.
const FolderFile = ".signalbox.toml"

// Folder is a .signalbox.toml: which server, organization and workspace the
// work in a folder is for. It has no token, for it is checked in.
type Folder struct {
	Server       string `toml:"server"`
	Organization string `toml:"organization"`
	Workspace    string `toml:"workspace"`

	// Path is where the file was found; empty means nowhere.
	Path string `toml:"-"`
}

// FindFolder reads the nearest .signalbox.toml from dir upwards.
func FindFolder(dir string) (*Folder, error) {
	for {
		path := filepath.Join(dir, FolderFile)
		raw, err := os.ReadFile(path)
		if err == nil {
			f := Folder{Path: path}
			return &f, decodeStrictly(path, raw, &f)
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("read the folder's settings: %w", err)
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return &Folder{}, nil
		}
		dir = parent
	}
}
