//! The password prompt.

use std::io::Write;

use super::common::{Bench, SYSTEMS, finish, signal};
use super::terminal::Terminal;

#[test]
fn the_password_prompt_does_not_echo() {
    let bench = Bench::standard();
    let mut terminal = Terminal::new();
    let child = terminal.start(&bench.command(["get", SYSTEMS, "-u", "admin"]));
    terminal.await_text("Password of admin at ");
    terminal.await_text(": ");
    assert!(!terminal.echoes());
    terminal.user.write_all(b"machine-room\n").unwrap();
    finish(child).exits(0);
    assert!(terminal.echoes());
    let rest = terminal.rest();
    assert!(!rest.contains("machine"), "{rest}");
    assert_eq!(bench.server.open_sessions(), 0);
}

#[test]
fn a_signal_restores_the_terminal() {
    let bench = Bench::standard();
    let mut terminal = Terminal::new();
    let child = terminal.start(&bench.command(["login", "-u", "admin"]));
    terminal.await_text(": ");
    assert!(!terminal.echoes());
    signal(&child, "INT");
    finish(child).exits(130);
    assert!(terminal.echoes());
    assert_eq!(bench.requests(), 0);
}

#[test]
fn a_password_in_the_environment_needs_no_prompt() {
    let bench = Bench::standard();
    let terminal = Terminal::new();
    finish(terminal.start(&bench.as_admin(["get", SYSTEMS]))).exits(0);
    assert_eq!(terminal.rest(), "");
}
