//! `readdress key`: the secret behind reply addresses and signed aliases.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Subcommand;

use readdress::config::KeyPlace;
use readdress::connect::key_store;
use readdress::executor::block_on;
use readdress::signed::{AliasKey, KEY_OCTETS, MAX_KEYS};

use super::{Failure, Input};

/// The random numbers of the system.
const RANDOM: &str = "/dev/urandom";

/// The largest text of a key in octets.
const MAX_TEXT: u64 = 4096;

/// Make the key of reply addresses and signed aliases (ALIAS_KEY_PARAM)
#[derive(Subcommand)]
pub(super) enum Command {
    /// Print a new key, or write it into a file that only its owner can read
    ///
    /// To put it into SSM without a trace on disk or in a list of processes:
    ///
    ///   readdress key new | aws ssm put-parameter --name /readdress/key --type SecureString --value file:///dev/stdin
    New {
        /// A key that the new one is to replace: what it has signed still holds. A file, or - for standard input
        #[arg(long, value_name = "FILE")]
        in_place_of: Option<PathBuf>,
        /// The file to write, which must not exist yet
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
    },
}

/// Where the key is, for the commands that need one.
#[derive(clap::Args)]
pub(super) struct KeyArguments {
    /// The key of reply addresses and signed aliases: an SSM parameter or file:PATH
    #[arg(
        long,
        visible_alias = "alias-key-param",
        env = "ALIAS_KEY_PARAM",
        value_name = "KEY"
    )]
    alias_key: Option<String>,
}

impl KeyArguments {
    /// Reads the key. `None`: none is named.
    pub(super) fn read(&self) -> Result<Option<AliasKey>, Failure> {
        let Some(place) = KeyPlace::read(&|_| self.alias_key.clone())? else {
            return Ok(None);
        };
        let key = block_on(async { Ok::<_, Failure>(key_store(&place).await?.read().await) })?;
        key.map(Some).map_err(|error| Failure::Failed(error.to_string()))
    }

    /// Reads the key, which must be there.
    pub(super) fn required(&self) -> Result<AliasKey, Failure> {
        self.read()?.ok_or_else(|| {
            Failure::Usage(
                "there is no key: name it by --alias-key or ALIAS_KEY_PARAM; to make one: readdress key new"
                    .to_owned(),
            )
        })
    }
}

pub(super) fn run(command: &Command) -> Result<ExitCode, Failure> {
    let Command::New { in_place_of, output } = command;
    let mut key = AliasKey::new(random().map_err(|error| Failure::failed(RANDOM, error))?);
    if let Some(path) = in_place_of {
        let (text, name) = Input::open(Some(path))?.read_all(MAX_TEXT)?;
        let older = AliasKey::parse(&text).map_err(|error| Failure::failed(&name, error))?;
        if older.count() == MAX_KEYS {
            eprintln!("readdress: {name} has {MAX_KEYS} keys: what the oldest has signed no longer holds");
        }
        key = key.in_place_of(&older);
    }
    let text = key.to_text();
    match output {
        None => io::stdout()
            .write_all(text.as_bytes())
            .map_err(|error| Failure::output(&error))?,
        Some(path) => write(path, &text).map_err(|error| Failure::failed(path.display(), error))?,
    }
    Ok(ExitCode::SUCCESS)
}

fn random() -> io::Result<[u8; KEY_OCTETS]> {
    let mut octets = [0; KEY_OCTETS];
    File::open(RANDOM)?.read_exact(&mut octets)?;
    Ok(octets)
}

/// Never over another key: what that has signed would be worth nothing.
fn write(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
