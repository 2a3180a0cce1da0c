// Package compose checks the project's docker-compose.yml and Dockerfile without
// running them: that they can be loaded, and agree with the rest of the project.
// It holds tests only; it is in this module so that the product's go.mod stays
// free of what only they need.
package compose
