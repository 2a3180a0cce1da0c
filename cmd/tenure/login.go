package main

import (
	"os"
	"os/user"
	"strconv"

	"github.com/tenurehq/tenure/ledger"
)

// loginName is the name of the account that runs this; empty where it has none (a
// container).
var loginName = func() string {
	if u, err := user.LookupId(strconv.Itoa(os.Getuid())); err == nil {
		return u.Username
	}
	if u, err := user.Current(); err == nil && os.Getuid() < 0 { // Windows has no numbers
		return u.Username
	}
	return ""
}

// machineLogin is the account that runs this, for the record: its number, where it has
// no name. The environment has no say in it, but for who used sudo.
func machineLogin() ledger.Login {
	login := ledger.Login{Name: loginName(), Sudo: os.Getenv("SUDO_USER")}
	if login.Name == "" {
		login.Name = "uid " + strconv.Itoa(os.Getuid())
	}
	return login
}

// operatorFrom shows an operator, by the name that they gave and their login.
func operatorFrom(operator, login string) string {
	if login == "" {
		return operator
	}
	return operator + " (login " + login + ")"
}
