# Skyfleet. `make help` lists what can be made.
SHELL := /bin/sh
.DEFAULT_GOAL := help
TSX := node --import tsx
SKYFLEET := node bin/skyfleet.mjs
# The stacks that `make local` brings up, side by side: `make local STACKS="local local-eu"`.
STACKS ?= local
# How often `make chaos` kills, and the seed of what it draws.
KILLS ?= 3
SEED ?= 1

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

node_modules/.package-lock.json: package.json package-lock.json
	npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

.PHONY: setup
setup: node_modules/.package-lock.json ## Set up the tools that are missing (cached outside of the checkout)
	@$(TSX) local/cli.ts setup

.PHONY: local
local: node_modules/.package-lock.json ## Run the main job on this machine: emulated AWS, two connected Bacalhau nodes
	@$(TSX) local/cli.ts up $(addprefix --stack ,$(STACKS))

.PHONY: local-down
local-down: node_modules/.package-lock.json ## Destroy the stacks of `make local` and stop all that it started
	@$(TSX) local/cli.ts down

.PHONY: render
render: node_modules/.package-lock.json ## Write the SkyPilot task of each cluster of a stack as files (STACK=name)
	@$(SKYFLEET) render --stack '$(STACK)'

.PHONY: review
review: node_modules/.package-lock.json ## Say what an up would do to one stack or to several (STACK="name …" OUT=folder OPTIONS=--help)
	@$(SKYFLEET) review $(addprefix --stack ,$(STACK)) $(if $(OUT),--out '$(OUT)') $(OPTIONS)

.PHONY: up
up: node_modules/.package-lock.json ## Review a stack and apply just that, unless it is blocked (STACK=name, OPTIONS=--help)
	@$(SKYFLEET) create --stack '$(STACK)' $(OPTIONS)

.PHONY: recover
recover: node_modules/.package-lock.json ## Make a stack ready for up or destroy after Pulumi was killed (STACK=name, OPTIONS=--help)
	@$(SKYFLEET) recover --stack '$(STACK)' $(OPTIONS)

.PHONY: check
check: node_modules/.package-lock.json ## Types, lint and format
	npx tsc --project .
	npx eslint .
	npx prettier --check --log-level warn .

.PHONY: docs
docs: node_modules/.package-lock.json ## Write the references of the configuration, the change classes, the rules, a review and the package
	@$(TSX) config/generate.ts
	@$(TSX) review/generate.ts
	@$(TSX) packaging/reference.ts

.PHONY: package
package: node_modules/.package-lock.json ## Make the npm package of the components and commands
	npm pack

.PHONY: unit
unit: setup ## Tests of pure logic, of components with mocks, and of node scripts
	@$(TSX) local/cli.ts tests --selectProjects unit

.PHONY: plugin-tests
plugin-tests: setup ## Tests of the local plugins
	@$(TSX) local/cli.ts tests --selectProjects plugins

.PHONY: quick
quick: setup ## The tests of `make unit` and `make plugin-tests` at once
	@$(TSX) local/cli.ts tests --selectProjects unit plugins

.PHONY: conformance
conformance: setup ## Contract tests of a plugin: PLUGIN=aws|command, BINARY=path (ours where it is left out)
	@$(TSX) test/plugins/conformance.ts '$(PLUGIN)' '$(BINARY)'

.PHONY: e2e
e2e: setup ## The main job on a rig of its own, end to end
	@$(TSX) local/cli.ts tests --selectProjects e2e --runInBand

.PHONY: test
test: check quick e2e ## All checks and tests

.PHONY: test-long
test-long: setup ## What takes too long for every change: a case for each class of change, and drift
	@$(TSX) local/cli.ts tests --selectProjects long --runInBand

.PHONY: chaos
chaos: setup ## Kill Pulumi, SkyPilot and instances at random times and find the way back (KILLS=100 SEED=1 OUT=file)
	@$(TSX) test/chaos/main.ts --kills '$(KILLS)' --seed '$(SEED)' $(if $(OUT),--out '$(OUT)')

.PHONY: review-examples
review-examples: setup ## Make the reviews of docs/reviews/ anew, on a rig of their own
	@$(TSX) local/review-examples.ts

.PHONY: runbook
runbook: setup ## Run the scripts of docs/runbook/ on a rig of their own, each against its fault
	@$(TSX) local/runbook.ts

.PHONY: session
session: setup ## Record the terminal session of the README anew, on a rig of its own
	@$(TSX) local/session.ts

.PHONY: record-state
record-state: node_modules/.package-lock.json ## Record the stack of `make local` as a state of this version, for upgrades to be tested by
	@$(TSX) local/record-state.ts

.PHONY: bench
bench: setup ## Measure scale, and how soon nodes are connected, against bounds; writes docs/performance.md
	@$(TSX) bench/run.ts

.PHONY: clean-check
clean-check: node_modules/.package-lock.json ## Look for anything that a rig has left behind
	@$(TSX) local/cli.ts rig check-clean
