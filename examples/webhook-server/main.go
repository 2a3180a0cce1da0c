// webhook-server is a complete service for Tenure's connector "webhook". It keeps accounts
// in a JSON file: put your app's own calls in place of the store, and keep the rest. It
// needs nothing but the standard library.
//
//	TENURE_SECRET=whsec_$(openssl rand -base64 32) webhook-server --listen 127.0.0.1:8090 --file accounts.json
//
// docs/webhook-connector.md describes the contract. Put the service behind a proxy that
// speaks TLS: Tenure sends plain http to its own machine only.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:8090", "where to listen; port 0 takes any")
	file := flag.String("file", "accounts.json", "where accounts are kept")
	entitlements := flag.String("entitlements", "staff,admins", "what can be granted")
	flag.Parse()
	if err := run(*listen, *file, strings.Split(*entitlements, ",")); err != nil {
		log.Fatal(err)
	}
}

func run(listen, file string, entitlements []string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// TENURE_SECRET_OLD holds the old secret while you replace it.
	verifier, err := newVerifier(os.Getenv("TENURE_SECRET"), os.Getenv("TENURE_SECRET_OLD"))
	if err != nil {
		return err
	}
	store, err := openStore(file, entitlements)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	fmt.Printf("http://%s/\n", listener.Addr())
	server := &http.Server{
		Handler:           &handler{verifier: verifier, store: store, answers: newAnswers()},
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
	}
	go func() {
		<-ctx.Done()
		const patience = 10 * time.Second
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
		defer cancel()
		_ = server.Shutdown(ending) // after the deadline, requests that are still running are broken off
	}()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
