//! Exit codes: one table for all commands.

use std::process::ExitCode;

/// How a command ended, as its exit code tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Done = 0,
    /// Done, and what was asked about is not fine: an audit found errors, a lint failed, some inputs were
    /// refused, or the work was stopped before its end.
    NotFine = 1,
    /// Wrong usage.
    Usage = 2,
    /// The input is unusable; nothing was done.
    Unusable = 3,
    /// A bug in falx.
    Bug = 70,
}

impl Exit {
    /// The number that the shell sees.
    pub const fn code(self) -> u8 {
        self as u8
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// What `falx --help` says of exit codes.
pub const HELP: &str = "Exit codes:
  0   done
  1   done, and what was asked about is not fine (audit found errors, lint failed, some inputs were refused, stopped early)
  2   wrong usage
  3   input unusable, nothing done
  70  a bug in falx

Research use only; not a medical device.";
