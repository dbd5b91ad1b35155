//! The README: its first steps run unchanged, and it names every command.

use std::path::Path;
use std::process::{Command, Stdio};

use super::common::{redfish, run};

const README: &str = include_str!("../../README.md");

/// The text between two markers.
fn between<'a>(start: &str, end: &str) -> &'a str {
    README.split_once(start).unwrap().1.split_once(end).unwrap().0
}

#[test]
fn the_first_steps_run_unchanged() {
    let directory = tempfile::tempdir().unwrap();
    let script = between("## First steps\n\n```sh\n", "```");
    let command = Path::new(env!("CARGO_BIN_EXE_redfish")).parent().unwrap();
    let path = format!("{}:{}", command.display(), std::env::var("PATH").unwrap());
    let output = Command::new("sh")
        // Ends the service even if a line fails.
        .args(["-euc", &format!("trap 'kill $! 2>/dev/null || :' EXIT\n{script}")])
        .current_dir(directory.path())
        .env_clear()
        .env("PATH", path)
        .env("REDFISH_STATE_DIR", directory.path().join("state"))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && err.is_empty(), "{out}\n{err}");
    assert!(out.contains(between("`redfish tree` prints:\n\n```text\n", "```")), "{out}");
    assert!(out.contains("\"AssetTag\":\"B7\"") && out.contains("\nOn\n"), "{out}");
}

#[test]
fn every_command_is_named() {
    let help = run(&mut redfish(["--help"])).exits(0).out;
    let commands = help.split_once("Commands:\n").unwrap().1.split_once("\n\n").unwrap().0;
    let table = between("## Commands\n", "## Exit status");
    let mut named = 0;
    for line in commands.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   ")) {
        let name = line.split_whitespace().next().unwrap();
        if name != "help" {
            assert!(table.contains(&format!("`{name}")), "{name} is missing");
            named += 1;
        }
    }
    assert!(named > 15, "{commands}");
}
