# Every target runs one command that you can also type yourself.
.DEFAULT_GOAL := help
.PHONY: run test check bench e2e generate help

run: ## Start the portal on http://localhost:8080
	go run ./cmd/web

test: ## Run every check and test that this machine can run
	scripts/test

check: ## The same as in CI: fail if anything is missing
	scripts/test --strict

bench: ## Load the portal and a floor server, and print the results
	scripts/bench

e2e: ## Run only the browser tests
	cd e2e && go test -count=1 ./...

generate: ## Regenerate the Go code of the templates
	go generate ./...

help: ## Show this list
	@sed -n 's/^\([a-z0-9]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 12
