# What .ci/run does, a piece at a time. `just` alone lists.
default:
    @just --list

# All checks, as public CI runs them.
ci:
    bash .ci/run

# Tests that need only the toolchain.
test:
    cargo test

# Format, lints and documentation.
lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets --all-features -- -D warnings
    RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps

# The oldest toolchain that is promised, and the core without an operating system.
floor:
    cargo +1.85.0 check -p redfish-proto -p redfish-tls -p redfish-hyper -p redfish-ureq -p redfish-mock -p redfish-cli
    cargo check -p redfish-proto --target wasm32-unknown-unknown

# Licenses, sources, and what must not be in the tree.
deny:
    cargo deny check bans licenses sources

# Known advisories; needs the network.
advisories:
    cargo deny check advisories

# Every dialogue up to a depth.
exhaustive DEPTH='4':
    REDFISH_DEPTH={{DEPTH}} cargo test --release -p redfish-proto --test exhaustive -- --nocapture

# Each fuzz target for SECONDS.
fuzz SECONDS='10':
    fuzz/run {{SECONDS}}

# Times, allocations and instructions, compared with a manual implementation.
bench:
    cargo bench -p redfish-benches
    benches/instructions

# A sweep of SERVICES services, complete and interrupted.
fleet SERVICES='10000':
    .ci/fleet {{SERVICES}}

# One client for 100,000 calls.
soak:
    cargo run --release -p redfish-benches --bin soak

# Interoperability with other clients and services.
interop:
    .ci/interop/run
    .ci/interop/conformance
