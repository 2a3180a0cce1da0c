package process

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/signal"
	"syscall"
	"testing"
)

// partVariable makes this test binary play a child's part instead of testing.
const partVariable = "PROCESS_TEST_PART"

func TestMain(m *testing.M) {
	switch os.Getenv(partVariable) {
	case "":
		os.Exit(m.Run())
	case "serve":
		asked := make(chan os.Signal, 1)
		signal.Notify(asked, syscall.SIGTERM)
		fmt.Println(listen().Addr())
		<-asked
	case "stubborn":
		signal.Ignore(syscall.SIGTERM)
		fmt.Println(listen().Addr())
		select {}
	case "misconfigured":
		os.Exit(2)
	case "parent":
		p := New(Options{Name: "child", Path: os.Args[0], Log: os.Stdout, Env: append(os.Environ(), partVariable+"=serve")})
		if err := p.Start(context.Background()); err != nil {
			fmt.Println(err)
		}
		select {}
	}
}

// listen accepts connections for as long as the process lives.
func listen() net.Listener {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go func() {
		for {
			if conn, err := ln.Accept(); err == nil {
				_ = conn.Close()
			}
		}
	}()
	return ln
}
