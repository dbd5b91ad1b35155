//! Benches of the workspace, each side by side with the same work done by hand or by a library alone.
