//! The work list itself: who is read when.

use std::cmp::{Ordering, Reverse};
use std::collections::{BinaryHeap, VecDeque};
use std::ops::Range;

use rand::Rng;

use super::assumptions::Discipline;
use super::studies::{Studies, Study};

/// How the list is run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    pub(super) discipline: Discipline,
    pub(super) readers: usize,
    pub(super) detector_minutes: f64,
    pub(super) longest_wait: Option<f64>,
}

/// What became of a study.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Read {
    pub(super) study: Study,
    /// Minutes from arrival to the start of the reading.
    pub(super) wait: f64,
    /// Minutes from arrival to its end.
    pub(super) turnaround: f64,
}

/// A study in somebody's hands.
struct Reading {
    study: usize,
    ends: f64,
    /// True where a flagged study may not push it aside.
    keeps: bool,
}

/// A study's place among those that the detector has judged.
#[derive(PartialEq)]
struct Place {
    score: f64,
    study: usize,
}

impl Eq for Place {}

impl PartialOrd for Place {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Place {
    fn cmp(&self, other: &Self) -> Ordering {
        let score = self.score.total_cmp(&other.score);
        score.then_with(|| Reverse(self.study).cmp(&Reverse(other.study)))
    }
}

/// What is known of a study that has arrived.
#[derive(Clone, Copy)]
struct State {
    study: Study,
    left: f64,
    started: Option<f64>,
    waiting: bool,
    known: bool,
}

/// The list at one moment.
struct List {
    rules: Rules,
    states: Vec<State>,
    by_arrival: VecDeque<usize>,
    by_score: BinaryHeap<Place>,
    reading: Vec<Reading>,
}

/// Runs the list until all studies of `counted` have been read, and says what became of those.
pub(super) fn run(
    studies: &mut Studies<'_, impl Rng>,
    rules: Rules,
    counted: Range<usize>,
) -> Vec<Read> {
    let mut list = List {
        rules,
        states: Vec::new(),
        by_arrival: VecDeque::new(),
        by_score: BinaryHeap::new(),
        reading: Vec::new(),
    };
    let mut judged = 0;
    let mut read: Vec<Option<Read>> = vec![None; counted.len()];
    let mut unread = counted.len();
    while unread > 0 {
        let arrival = studies.get(list.states.len());
        // The delay is the same for all, so that answers come in the order of arrival.
        let answer = list
            .states
            .get(judged)
            .map_or(f64::INFINITY, |s| s.study.arrival + rules.detector_minutes);
        let first = list.first_to_end();
        let ends = first.map_or(f64::INFINITY, |(_, ends)| ends);
        let now = ends.min(answer).min(arrival.arrival);
        if let (Some((place, _)), true) = (first, ends <= now) {
            let done = list.reading.swap_remove(place).study;
            if let (Some(state), Some(slot)) = (
                list.states.get(done),
                done.checked_sub(counted.start)
                    .and_then(|i| read.get_mut(i)),
            ) {
                unread -= 1;
                *slot = Some(Read {
                    study: state.study,
                    wait: state.started.unwrap_or(now) - state.study.arrival,
                    turnaround: now - state.study.arrival,
                });
            }
        } else if answer <= now {
            list.judge(judged, now);
            judged += 1;
        } else {
            let study = list.states.len();
            list.states.push(State {
                study: arrival,
                left: arrival.reading,
                started: None,
                waiting: true,
                known: false,
            });
            list.by_arrival.push_back(study);
            // An answer that takes no time is there before anybody looks at the list.
            if rules.detector_minutes == 0.0 {
                list.judge(judged, now);
                judged += 1;
            }
        }
        list.hand_out(now);
    }
    read.into_iter().flatten().collect()
}

impl List {
    fn first_to_end(&self) -> Option<(usize, f64)> {
        let each = self.reading.iter().map(|r| r.ends).enumerate();
        each.min_by(|a, b| a.1.total_cmp(&b.1))
    }

    /// The detector's answer to a study has come.
    fn judge(&mut self, study: usize, now: f64) {
        let Some(state) = self.states.get_mut(study) else {
            return;
        };
        state.known = true;
        let Study { flagged, score, .. } = state.study;
        if !state.waiting {
            if flagged && let Some(reading) = self.reading.iter_mut().find(|r| r.study == study) {
                reading.keeps = true;
            }
            return;
        }
        match self.rules.discipline {
            Discipline::HighestScore => self.by_score.push(Place { score, study }),
            Discipline::FlaggedFirst | Discipline::FlaggedInterrupts if flagged => {
                self.by_score.push(Place { score: 0.0, study });
                if self.rules.discipline == Discipline::FlaggedInterrupts {
                    self.push_aside(now);
                }
            }
            Discipline::FirstInFirstOut
            | Discipline::FlaggedFirst
            | Discipline::FlaggedInterrupts => {}
        }
    }

    /// Where nobody is free, the reader of the unflagged study that arrived last lays it aside.
    fn push_aside(&mut self, now: f64) {
        if self.reading.len() < self.rules.readers {
            return;
        }
        let weakest = self.reading.iter().enumerate().filter(|(_, r)| !r.keeps);
        let Some((place, _)) = weakest.max_by_key(|(_, r)| r.study) else {
            return;
        };
        let aside = self.reading.swap_remove(place);
        if let Some(state) = self.states.get_mut(aside.study) {
            state.left = aside.ends - now;
            state.waiting = true;
            // It arrived before all that wait unflagged: those were passed over by it.
            let at = self.by_arrival.partition_point(|&s| s < aside.study);
            self.by_arrival.insert(at, aside.study);
        }
    }

    /// Free readers take the next studies.
    fn hand_out(&mut self, now: f64) {
        while self.reading.len() < self.rules.readers {
            let Some((study, overdue)) = self.take(now) else {
                return;
            };
            if let Some(state) = self.states.get_mut(study) {
                state.waiting = false;
                state.started.get_or_insert(now);
                self.reading.push(Reading {
                    study,
                    ends: now + state.left,
                    keeps: overdue || (state.known && state.study.flagged),
                });
            }
        }
    }

    /// The next study, and whether it had waited too long.
    fn take(&mut self, now: f64) -> Option<(usize, bool)> {
        let waiting = |s: &usize| self.states.get(*s).is_some_and(|s| s.waiting);
        while self.by_arrival.front().is_some_and(|s| !waiting(s)) {
            self.by_arrival.pop_front();
        }
        let oldest = self.by_arrival.front().copied()?;
        let since = self.states.get(oldest)?.study.arrival;
        let overdue = self.rules.longest_wait.is_some_and(|l| now - since >= l);
        if !overdue {
            while let Some(Place { study, .. }) = self.by_score.pop() {
                if waiting(&study) {
                    return Some((study, false));
                }
            }
        }
        self.by_arrival.pop_front();
        Some((oldest, overdue))
    }
}
