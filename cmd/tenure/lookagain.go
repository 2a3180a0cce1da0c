package main

import (
	"context"

	"go.temporal.io/sdk/client"
	"golang.org/x/time/rate"

	"github.com/tenurehq/tenure/workflows"
)

// lookAgain has people's runs look at the ledger again, so many a second, and says
// how many were told. Why is one line for people, which the runs show.
func (c *cli) lookAgain(ctx context.Context, people []string, doing, why string, perSecond rate.Limit) (told int, err error) {
	bar := c.progress(len(people), doing, "people")
	defer func() { _ = bar.Exit() }()
	limit := rate.NewLimiter(perSecond, 1)
	err = c.inNamespace(ctx, func(t client.Client, namespace string) error {
		runs := workflows.NewClient(t, namespace)
		for _, id := range people {
			if err := limit.Wait(ctx); err != nil {
				return err
			}
			if err := runs.Resume(ctx, id, why); err != nil {
				return err
			}
			told++
			_ = bar.Add(1)
		}
		return nil
	})
	return told, err
}
