use super::*;
use crate::events::read_scalars;

fn epoch(number: u64) -> EpochMetrics {
    EpochMetrics {
        gradient_norm: None,
        epoch: number,
        step: number * 5,
        learning_rate: 1e-3,
        training_loss: 0.5 / number as f64,
        validation_loss: 0.4 / number as f64,
        validation_baseline: 0.25,
        validation_auc_any: (number > 1).then_some(0.9),
    }
}

fn about() -> About {
    About {
        title: "Training of <b>".to_owned(),
        facts: vec![("Engine and device".to_owned(), "flex".to_owned())],
        recipe: "seed = 1\n[training]\nepochs = 2\n".to_owned(),
        shown: "on slices as shown: augmented".to_owned(),
        epochs: 2,
        steps: 10,
    }
}

fn steps(watch: &mut Watch, from: u64, to: u64) {
    watch.begin_epoch();
    for step in from..=to {
        watch.step(&StepFacts {
            step,
            loss: 1.0 / step as f64,
            learning_rate: 1e-3,
            gradient_norm: 2.0,
            slices: 4,
            waited: Duration::from_millis(step),
        });
    }
}

#[test]
fn a_run_that_was_killed_and_gone_on_with_is_told_as_if_it_had_never_stopped() {
    let place = tempfile::tempdir().unwrap();
    let folder = RunFolder::new(place.path());
    let mut watch = Watch::begin(&folder, about(), 0, &[]);
    let page = std::fs::read_to_string(folder.page()).unwrap();
    assert!(page.contains("http-equiv=\"refresh\""), "{page}");
    assert!(page.contains("Training of &lt;b&gt;"));
    steps(&mut watch, 1, 5);
    watch.end_epoch(&epoch(1));
    watch.before_checkpoint();
    steps(&mut watch, 6, 8);
    // Killed: no end is told, and three steps are lost with their weights.
    watch.events(EventWriter::flush);
    std::mem::forget(watch);

    let mut watch = Watch::begin(&folder, about(), 5, &[epoch(1)]);
    steps(&mut watch, 6, 10);
    watch.end_epoch(&epoch(2));
    watch.before_checkpoint();
    watch.finished();

    let told = read_scalars(&folder.events()).unwrap();
    let of = |tag: &str| -> Vec<(u64, f32)> {
        let with = told.iter().filter(|told| told.tag == tag);
        with.map(|told| (told.step, told.value)).collect()
    };
    let losses: Vec<(u64, f32)> = (1..=10).map(|n| (n, (1.0 / n as f64) as f32)).collect();
    assert_eq!(of("train/loss"), losses);
    assert_eq!(of("validation/weighted_log_loss"), [(5, 0.4), (10, 0.2)]);
    assert_eq!(of("validation/auc_any"), [(10, 0.9)]);

    let page = std::fs::read_to_string(folder.page()).unwrap();
    assert!(!page.contains("http-equiv=\"refresh\""), "{page}");
    assert!(page.contains("Training has finished."));
    assert!(page.contains("is 0.2000, below the 0.2500 of predicting prevalence"));
    assert!(page.contains("training loss of the steps, on slices as shown: augmented"));
    let timing = crate::folder::read_lines::<EpochTiming>(&folder.timing()).unwrap();
    let epochs: Vec<(u64, u64)> = timing.iter().map(|t| (t.epoch, t.slices)).collect();
    assert_eq!(epochs, [(1, 20), (2, 20)]);
}

#[test]
fn an_error_is_told_and_does_not_leave_a_page_that_waits() {
    let place = tempfile::tempdir().unwrap();
    let folder = RunFolder::new(place.path());
    let mut watch = Watch::begin(&folder, about(), 0, &[]);
    steps(&mut watch, 1, 2);
    drop(watch);
    let page = std::fs::read_to_string(folder.page()).unwrap();
    assert!(page.contains("Training ended with an error"));
    assert!(page.contains("No epoch has been validated yet"));
    assert!(!page.contains("http-equiv=\"refresh\""));
}

#[test]
fn what_cannot_be_written_stops_nothing() {
    let place = tempfile::tempdir().unwrap();
    let folder = RunFolder::new(place.path());
    // Where files ought to be there are folders, and a file where a folder ought to be.
    std::fs::create_dir(folder.page()).unwrap();
    std::fs::create_dir(folder.timing()).unwrap();
    std::fs::write(folder.events(), []).unwrap();
    let mut watch = Watch::begin(&folder, about(), 0, &[]);
    steps(&mut watch, 1, 5);
    watch.end_epoch(&epoch(1));
    watch.before_checkpoint();
    watch.stopped();
}

#[test]
fn long_runs_tell_of_a_part_of_their_steps() {
    let place = tempfile::tempdir().unwrap();
    let folder = RunFolder::new(place.path());
    let about = About {
        steps: 4 * POINTS,
        ..about()
    };
    let mut watch = Watch::begin(&folder, about, 0, &[]);
    steps(&mut watch, 1, 12);
    watch.stopped();
    let told = read_scalars(&folder.events()).unwrap();
    let losses = told.iter().filter(|told| told.tag == "train/loss");
    let losses: Vec<(u64, f32)> = losses.map(|told| (told.step, told.value)).collect();
    assert_eq!(losses.len(), 3);
    // The mean of the first four.
    assert_eq!(
        losses[0],
        (4, ((1.0 + 0.5 + 1.0 / 3.0 + 0.25) / 4.0) as f32)
    );
}
