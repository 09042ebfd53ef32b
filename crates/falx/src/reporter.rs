//! How long work looks: bars on a terminal, a few plain lines elsewhere, nothing with `-q`.

use std::io::IsTerminal;
use std::sync::Mutex;

use falx_core::{Progress, Silent};
use indicatif::{ProgressBar, ProgressStyle};

/// The listener that fits the standard error at hand.
pub fn reporter(quiet: bool) -> Box<dyn Progress> {
    if quiet {
        Box::new(Silent)
    } else if std::io::stderr().is_terminal() {
        Box::new(Bars::default())
    } else {
        Box::new(Lines::default())
    }
}

#[derive(Default)]
struct Bars(Mutex<Option<ProgressBar>>);

impl Bars {
    fn with(&self, act: impl FnOnce(&ProgressBar)) {
        if let Ok(guard) = self.0.lock()
            && let Some(bar) = guard.as_ref()
        {
            act(bar);
        }
    }
}

impl Progress for Bars {
    fn begin(&self, what: &str, total: Option<u64>) {
        let (bar, template) = match total {
            Some(total) => (
                ProgressBar::new(total),
                "{prefix:28} [{bar:32}] {human_pos}/{human_len} {per_sec} {eta} {msg}",
            ),
            None => (
                ProgressBar::new_spinner(),
                "{prefix:28} {spinner} {human_pos} {elapsed} {msg}",
            ),
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_prefix(what.to_owned());
        bar.enable_steady_tick(std::time::Duration::from_millis(200));
        if let Ok(mut guard) = self.0.lock() {
            *guard = Some(bar);
        }
    }

    fn advance(&self, parts: u64) {
        self.with(|bar| bar.inc(parts));
    }

    fn note(&self, text: &str) {
        self.with(|bar| bar.set_message(text.to_owned()));
    }

    fn finish(&self) {
        self.with(ProgressBar::finish);
    }
}

#[derive(Default)]
struct Lines(Mutex<Step>);

#[derive(Default)]
struct Step {
    what: String,
    total: Option<u64>,
    done: u64,
    note: String,
    told: u64,
}

/// A log file wants a line now and then, not a bar: one at the start and one every quarter.
const QUARTERS: u64 = 4;

impl Step {
    fn quarter(&self) -> u64 {
        self.total.map_or(0, |total| {
            (self.done * QUARTERS).checked_div(total).unwrap_or(0)
        })
    }

    fn tell(&self) {
        let of = self
            .total
            .map(|total| format!("/{total}"))
            .unwrap_or_default();
        eprintln!("{}: {}{of} {}", self.what, self.done, self.note);
    }
}

impl Progress for Lines {
    fn begin(&self, what: &str, total: Option<u64>) {
        if let Ok(mut step) = self.0.lock() {
            *step = Step {
                what: what.to_owned(),
                total,
                ..Step::default()
            };
            let of = total.map(|total| format!(" ({total})")).unwrap_or_default();
            eprintln!("{what}{of}");
        }
    }

    fn advance(&self, parts: u64) {
        if let Ok(mut step) = self.0.lock() {
            step.done += parts;
            let quarter = step.quarter();
            if quarter > step.told && quarter < QUARTERS {
                step.told = quarter;
                step.tell();
            }
        }
    }

    fn note(&self, text: &str) {
        if let Ok(mut step) = self.0.lock() {
            text.clone_into(&mut step.note);
        }
    }

    fn finish(&self) {
        if let Ok(step) = self.0.lock() {
            step.tell();
        }
    }
}
