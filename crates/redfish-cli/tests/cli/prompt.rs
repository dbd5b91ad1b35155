//! The question for a password, on a terminal of the test's own.

use std::io::Write;

use super::common::{Bench, SYSTEMS, finish, signal};
use super::terminal::Terminal;

#[test]
fn a_password_is_asked_for_and_not_shown() {
    let bench = Bench::standard();
    let mut terminal = Terminal::new();
    let child = terminal.start(&bench.command(["get", SYSTEMS, "-u", "admin"]));
    terminal.await_text("Password of admin at ");
    terminal.await_text(": ");
    assert!(!terminal.shows_what_is_typed());
    terminal.person.write_all(b"machine-room\n").unwrap();
    finish(child).exits(0);
    assert!(terminal.shows_what_is_typed());
    let rest = terminal.rest();
    assert!(!rest.contains("machine"), "{rest}");
    assert_eq!(bench.server.open_sessions(), 0);
}

#[test]
fn a_signal_leaves_the_terminal_as_it_was() {
    let bench = Bench::standard();
    let mut terminal = Terminal::new();
    let child = terminal.start(&bench.command(["login", "-u", "admin"]));
    terminal.await_text(": ");
    assert!(!terminal.shows_what_is_typed());
    signal(&child, "INT");
    finish(child).exits(130);
    assert!(terminal.shows_what_is_typed());
    assert_eq!(bench.requests(), 0);
}

#[test]
fn a_password_that_is_at_hand_is_not_asked_for() {
    let bench = Bench::standard();
    let terminal = Terminal::new();
    finish(terminal.start(&bench.as_admin(["get", SYSTEMS]))).exits(0);
    assert_eq!(terminal.rest(), "");
}
