//! The command line, started with no environment but the given one.

use std::process::Command;

/// `program` with these arguments.
pub fn readdress(program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    // Nobody answers where instances of EC2 ask for their region and credentials, and the answer is waited for.
    command
        .args(arguments)
        .env_clear()
        .env("AWS_EC2_METADATA_DISABLED", "true");
    command
}
