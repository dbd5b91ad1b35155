//! Peak memory of a process (`VmHWM`).

use std::fs;
use std::io::Read;
use std::process::{Command, Stdio};

/// Runs a program, and returns what it prints and its peak memory in bytes.
///
/// The peak is read after each part of the output, since it is not known after the end. So a program with a short output must
/// wait for the end of its input, which comes after the first part.
pub(crate) fn run(command: &mut Command) -> (Vec<u8>, u64) {
    let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("a process");
    let mut stdout = process.stdout.take().expect("its output");
    let (mut output, mut part, mut peak) = (Vec::new(), vec![0; 64 << 10], 0);
    loop {
        let length = stdout.read(&mut part).expect("its output");
        peak = peak_of(process.id()).unwrap_or(peak);
        drop(process.stdin.take());
        if length == 0 {
            break;
        }
        output.extend_from_slice(&part[..length]);
    }
    assert!(process.wait().expect("its exit status").success() && peak > 0, "{command:?}");
    (output, peak)
}

fn peak_of(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? << 10)
}
