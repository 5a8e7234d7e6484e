//! The function as the program that it is: started, listened to, measured, ended.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use super::lock;

/// `USER_HZ`, in which /proc counts time: 100 on every Linux of ours, whatever the kernel's own clock.
const TICKS_A_SECOND: u64 = 100;

type Lines = Arc<Mutex<Vec<String>>>;

/// The program: `built`, that of this build, or the one that `READDRESS_BOOTSTRAP` names, such as the one that ships.
pub fn program(built: &str) -> PathBuf {
    let named = std::env::var_os("READDRESS_BOOTSTRAP").map(PathBuf::from);
    named.unwrap_or_else(|| built.into())
}

/// A running program. Killed when dropped.
#[derive(Debug)]
pub struct Bootstrap {
    child: Child,
    started: Instant,
    stdout: Lines,
    stderr: Lines,
}

impl Bootstrap {
    /// Starts the program with this environment and no other.
    ///
    /// # Panics
    /// If it does not start.
    pub fn spawn<'a>(program: &Path, env: impl IntoIterator<Item = (&'a str, String)>) -> Self {
        let started = Instant::now();
        let mut child = Command::new(program)
            .env_clear()
            .envs(env)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{} does not start: {error}", program.display()));
        let stdout = listen(child.stdout.take().expect("it is piped"));
        let stderr = listen(child.stderr.take().expect("it is piped"));
        Bootstrap {
            child,
            started,
            stdout,
            stderr,
        }
    }

    /// When it was started.
    pub fn started(&self) -> Instant {
        self.started
    }

    /// What it wrote so far, line by line: standard output, then standard error.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = lock(&self.stdout).clone();
        lines.extend_from_slice(&lock(&self.stderr));
        lines
    }

    /// Waits for a line that contains `text`; a line is written before, but read after, the answer to an invocation.
    pub fn wait_for_line(&self, text: &str, patience: Duration) -> Option<String> {
        let start = Instant::now();
        loop {
            let found = self.lines().into_iter().find(|line| line.contains(text));
            if found.is_some() || start.elapsed() > patience {
                return found;
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// The most memory that it ever had, in KiB (`VmHWM`).
    ///
    /// # Panics
    /// If it has ended.
    pub fn peak_rss_kib(&self) -> u64 {
        self.status_kib("VmHWM:")
    }

    /// The memory that it has now, in KiB (`VmRSS`).
    ///
    /// # Panics
    /// If it has ended.
    pub fn rss_kib(&self) -> u64 {
        self.status_kib("VmRSS:")
    }

    fn status_kib(&self, name: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("it is running");
        let mut lines = status.lines();
        lines
            .find_map(|line| line.strip_prefix(name)?.trim().strip_suffix(" kB")?.parse().ok())
            .expect("a size in its status")
    }

    /// User CPU time of all of its threads; the system's own time (copying to sockets) is not in it.
    ///
    /// # Panics
    /// If it has ended.
    pub fn user_cpu(&self) -> Duration {
        user_cpu(&format!("/proc/{}/stat", self.child.id()))
    }

    /// The end of the program, if it comes in time.
    pub fn wait(&mut self, patience: Duration) -> Option<ExitStatus> {
        let start = Instant::now();
        loop {
            let status = self.child.try_wait().expect("it is our child");
            if status.is_some() || start.elapsed() > patience {
                return status;
            }
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Bootstrap {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            for line in self.lines() {
                eprintln!("bootstrap: {line}");
            }
        }
    }
}

/// User CPU time of the calling thread.
pub fn user_cpu_of_thread() -> Duration {
    user_cpu("/proc/thread-self/stat")
}

fn user_cpu(stat: &str) -> Duration {
    let stat = fs::read_to_string(stat).expect("it is running");
    // The second field, in parentheses, may have anything in it; `utime` is the 14th.
    let (_, rest) = stat.rsplit_once(") ").expect("the name of the program");
    let ticks: u64 = rest
        .split(' ')
        .nth(11)
        .and_then(|ticks| ticks.parse().ok())
        .expect("utime");
    Duration::from_millis(ticks * 1_000 / TICKS_A_SECOND)
}

fn listen(from: impl Read + Send + 'static) -> Lines {
    let lines = Lines::default();
    let writing = Arc::clone(&lines);
    thread::spawn(move || {
        for line in BufReader::new(from).split(b'\n') {
            let Ok(line) = line else { break };
            lock(&writing).push(String::from_utf8_lossy(&line).into_owned());
        }
    });
    lines
}
