//! What `readdress rewrite` does, again and again in one process, for benches/peers/run: how the peers' scripts loop.

use std::error::Error;
use std::fs::File;
use std::io::{Read, Write};
use std::time::{Duration, Instant};

use readdress::header::mailbox::Address;
use readdress::rewrite::{Rewriter, Rules};

/// As the command line reads.
const CHUNK: usize = 1 << 16;

fn once(path: &str, rules: &Rules, out: &mut File) -> Result<(), Box<dyn Error>> {
    let mut message = File::open(path)?;
    let mut chunk = vec![0; CHUNK];
    let mut rewriter = Rewriter::new(rules.clone());
    let mut written = Ok(());
    let mut sink = |bytes: &[u8]| {
        if written.is_ok() {
            written = out.write_all(bytes);
        }
    };
    loop {
        let octets = message.read(&mut chunk)?;
        if octets == 0 {
            break;
        }
        rewriter.write(&chunk[..octets], &mut sink)?;
    }
    rewriter.end(&mut sink)?;
    Ok(written?)
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(path), Some(seconds)) = (arguments.next(), arguments.next()) else {
        return Err("usage: rewrite FILE SECONDS".into());
    };
    let rules = Rules::new(
        Address::parse("shop@example.com")?,
        vec![Address::parse("owner@example.net")?],
    );
    let mut out = File::create("/dev/null")?;
    let end = Instant::now() + Duration::from_secs_f64(seconds.parse()?);
    let mut best = Duration::MAX;
    while Instant::now() < end || best == Duration::MAX {
        let start = Instant::now();
        once(&path, &rules, &mut out)?;
        best = best.min(start.elapsed());
    }
    eprintln!("{}", best.as_secs_f64());
    Ok(())
}
