//! How long work tells what it does, and how it is asked to stop. The command line decides how that looks.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A listener for the progress of long work. Steps do not nest.
pub trait Progress: Sync {
    /// A step begins: what it does, and of how many parts it consists where that is known.
    fn begin(&self, what: &str, total: Option<u64>);
    /// `parts` more parts of the current step are done.
    fn advance(&self, parts: u64);
    /// A short text beside the bar (a loss, a rate).
    fn note(&self, text: &str);
    /// The current step is done.
    fn finish(&self);
}

/// A listener that hears nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Progress for Silent {
    fn begin(&self, _what: &str, _total: Option<u64>) {}
    fn advance(&self, _parts: u64) {}
    fn note(&self, _text: &str) {}
    fn finish(&self) {}
}

/// A wish to stop, shared between whoever hears it (Ctrl-C) and the work that ends in good order.
#[derive(Clone, Debug, Default)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Asks the work to stop at its next safe point.
    pub fn request(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// True once a stop was asked for.
    pub fn is_requested(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}
