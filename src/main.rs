//! The command line of readdress.

mod cli;

fn main() -> std::process::ExitCode {
    cli::run()
}
