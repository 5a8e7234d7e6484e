//! How far the work is, on a terminal.

use std::io::{self, IsTerminal, Write};

/// Columns of the bar.
const COLUMNS: usize = 30;

/// A line on stderr, where that is a terminal.
pub(super) struct Progress {
    total: usize,
    done: usize,
    left: usize,
    is_shown: bool,
}

impl Progress {
    pub(super) fn new(total: usize) -> Self {
        let progress = Progress {
            total,
            done: 0,
            left: 0,
            is_shown: total > 0 && io::stderr().is_terminal(),
        };
        progress.show();
        progress
    }

    /// One more is done, or is not and cannot be.
    pub(super) fn step(&mut self, is_done: bool) {
        if is_done {
            self.done += 1;
        } else {
            self.left += 1;
        }
        self.show();
    }

    /// Takes the line away, so that another can be written.
    pub(super) fn clear(&self) {
        if self.is_shown {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }

    fn show(&self) {
        if self.is_shown {
            let (bar, done, total) = (self.bar(), self.done, self.total);
            // That nobody sees it is no reason to stop.
            let _ = write!(
                io::stderr(),
                "\r[{bar}] {done} of {total}, {} not done\x1b[K",
                self.left
            );
        }
    }

    fn bar(&self) -> String {
        let columns = ((self.done + self.left) * COLUMNS)
            .checked_div(self.total)
            .unwrap_or(0)
            .min(COLUMNS);
        format!("{}{}", "=".repeat(columns), " ".repeat(COLUMNS - columns))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_full_at_the_end_and_never_more() {
        let mut progress = Progress::new(2);
        assert_eq!(progress.bar().trim(), "");
        progress.step(true);
        assert_eq!(progress.bar().trim().len(), COLUMNS / 2);
        progress.step(false);
        progress.step(true);
        assert_eq!(progress.bar().trim().len(), COLUMNS);
    }
}
