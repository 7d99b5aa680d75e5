# Every target is one line over a command you can type yourself.
.DEFAULT_GOAL := help
.PHONY: run test check bench e2e generate help

run: ## Start the portal on http://localhost:8080
	go run ./cmd/web

test: ## Run every check and test this machine can run
	scripts/test

check: ## The same as CI does: whatever is missing fails
	scripts/test --strict

bench: ## Load the portal and a floor server, and print the figures
	scripts/bench

e2e: ## Run the browser tests alone
	cd e2e && go test -count=1 ./...

generate: ## Write the Go code of the templates anew
	go generate ./...

help: ## Show this list
	@sed -n 's/^\([a-z0-9]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 12
