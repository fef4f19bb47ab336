//! What guards secrets, and what monitoring tells: passwords, sealing, system.

mod passwords;
mod sealing;
mod system;

use std::env;
use std::process::{Command, Stdio};

/// This test alone, in a process of its own.
fn process(module: &str, test: &str) -> Command {
    let (_, module) = module.split_once("::").unwrap();
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", &format!("{module}::{test}"), "--nocapture"]).stdout(Stdio::null());
    command
}
