use super::*;

fn measured() -> Measured {
    Measured {
        steps: 4,
        batch: 8,
        loader_slices_per_second: 200.0,
        forward_slices_per_second: 400.0,
        stages: vec![MeasuredStage {
            first_epoch: 1,
            step_slices_per_second: 100.0,
            training_slices_per_second: 80.0,
            waiting_share: 0.01,
        }],
        peak_mib: Some(1000.0),
        weights_bytes: 4 << 20,
        optimizer_bytes: 8 << 20,
        average_bytes: 0,
        file_bytes: Some(500_000.0),
        cached_bytes: Some(150_000.0),
        has_cache: false,
        planes: 3,
    }
}

fn recipe(rest: &str) -> Recipe {
    let data = "[data]\nindex = \"i\"\nsplit = \"s\"\n";
    toml::from_str(&format!("{data}{rest}")).unwrap()
}

const SIZE: Size = Size {
    training: 800,
    validation: 200,
    test: 0,
    shown: 1000,
};

fn forecast(recipe: &Recipe, size: Size) -> Forecast {
    let measured = measured();
    let speeds = Speeds::of(&measured, None, 2);
    Forecast::of(recipe, &measured, &speeds, size, SIZE)
}

#[test]
fn a_run_takes_its_epochs_times_their_steps_times_a_step() {
    let f = forecast(
        &recipe("[training]\nepochs = 3\nbatch = 8\naccumulate = 2\n"),
        SIZE,
    );
    // 125 batches of 8, two to a step of .2 s.
    assert_eq!((f.steps_per_epoch, f.epochs, f.steps), (63, 3, 189));
    assert!((f.stages[0].step_seconds.value - 0.2).abs() < 1e-12);
    assert!((f.training_seconds.value - 189.0 * 0.2).abs() < 1e-9);
    // Validation waits for the loader, and the bundle validates once more.
    assert!((f.validation_seconds.value - 1.0).abs() < 1e-12);
    assert!((f.whole_seconds.value - (189.0 * 0.2 + 3.0 + 1.0)).abs() < 1e-9);
    assert!((f.stages[0].epoch_seconds.value - (63.0 * 0.2 + 1.0)).abs() < 1e-9);
    assert!(f.is_counted);
}

#[test]
fn limits_by_steps_and_minutes_end_a_run_as_training_does() {
    let f = forecast(
        &recipe("[training]\nepochs = 3\nbatch = 8\nsteps = 130\n"),
        SIZE,
    );
    assert_eq!((f.steps_per_epoch, f.epochs, f.steps), (125, 2, 130));
    // An epoch takes 12.5 s: the second is the first that is longer than 15 s.
    let f = forecast(
        &recipe("[training]\nepochs = 9\nbatch = 8\nminutes = 0.25\n"),
        SIZE,
    );
    assert_eq!(f.epochs, 2);
}

#[test]
fn phases_have_their_own_speeds() {
    let mut of_two = measured();
    of_two.stages.push(MeasuredStage {
        first_epoch: 3,
        step_slices_per_second: 50.0,
        training_slices_per_second: 40.0,
        waiting_share: 0.0,
    });
    let recipe = recipe("[training]\nepochs = 5\nbatch = 8\n");
    let speeds = Speeds::of(&of_two, None, 2);
    let f = Forecast::of(&recipe, &of_two, &speeds, SIZE, SIZE);
    assert_eq!((f.stages[0].steps, f.stages[1].steps), (250, 375));
    assert!((f.training_seconds.value - (250.0 * 0.1 + 375.0 * 0.2)).abs() < 1e-9);
    // Another machine is as much faster in all phases.
    let machine = OtherMachine {
        step_slices_per_second: Some(1000.0),
        ..OtherMachine::default()
    };
    let there = Speeds::of(&of_two, Some(&machine), 2);
    assert_eq!(there.stages[0].step, Figure::given(1000.0));
    assert_eq!(there.stages[1].step, Figure::extrapolated(500.0));
}

#[test]
fn shares_stay_as_they_are_on_more_data() {
    let there = SIZE.scaled(752_803);
    assert_eq!(there.all(), 752_803);
    assert_eq!((there.validation, there.shown), (150_561, 752_803));
    // Slices that are shown once stay so, whatever is rounded.
    let once = Size {
        training: 336,
        validation: 101,
        test: 101,
        shown: 336,
    };
    let more = once.scaled(752_803);
    assert_eq!((more.training, more.shown), (470_153, 470_153));
    let f = forecast(&recipe(""), there);
    assert!(!f.is_counted);
    assert!((f.file_bytes.unwrap().value - 752_803.0 * 500_000.0).abs() < 1.0);
    // A slice is read with both of its neighbours.
    assert!((f.epoch_read_bytes.unwrap().value - 752_803.0 * 1_500_000.0).abs() < 1.0);
    let more =
        f.memory.peak.unwrap().value - forecast(&recipe(""), SIZE).memory.peak.unwrap().value;
    assert!((4.0..5.0).contains(&more), "{more} MiB of lists");
}

#[test]
fn another_machine_changes_what_it_names_and_what_follows_from_it() {
    let measured = measured();
    let of = |machine: OtherMachine| Speeds::of(&measured, Some(&machine), 2);
    let threads = of(OtherMachine {
        threads: Some(8),
        ..OtherMachine::default()
    });
    assert_eq!(threads.loader, Figure::extrapolated(800.0));
    assert_eq!(threads.stages[0].step, Figure::measured(100.0));
    assert_eq!(threads.limit(), Limit::Computing);
    let card = of(OtherMachine {
        loader_slices_per_second: Some(900.0),
        step_slices_per_second: Some(2000.0),
        ..OtherMachine::default()
    });
    assert_eq!(card.loader, Figure::given(900.0));
    assert_eq!(card.stages[0].training, Figure::extrapolated(900.0));
    assert_eq!(card.validation, Figure::extrapolated(900.0));
    assert_eq!(card.limit(), Limit::Loading);
    let slow = of(OtherMachine {
        disk_mb_per_second: Some(60.0),
        ..OtherMachine::default()
    });
    assert_eq!(slow.disk, Some(Figure::extrapolated(40.0)));
    assert_eq!(slow.limit(), Limit::Disk);
    // Memory changes no speed: what was measured stays measured.
    let memory = of(OtherMachine {
        memory_gib: Some(64.0),
        ..OtherMachine::default()
    });
    assert_eq!(memory.stages[0].training, Figure::measured(80.0));
}

#[test]
fn a_file_of_a_machine_that_cannot_be_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("machine.toml");
    let read = |text: &str| {
        std::fs::write(&path, text).unwrap();
        OtherMachine::read(&path)
    };
    let machine = read("threads = 16\nmemory_gib = 128\n").unwrap();
    assert_eq!(
        (machine.threads, machine.memory_gib),
        (Some(16), Some(128.0))
    );
    for (text, said) in [
        ("thread = 16\n", "unknown field `thread`"),
        ("threads = 0\n", "threads = 0 is not above 0"),
        ("disk_mb_per_second = -1\n", "disk_mb_per_second = -1"),
        ("step_slices_per_second = nan\n", "is not above 0"),
        ("threads = \"many\"\n", "invalid type"),
    ] {
        let error = read(text).unwrap_err().to_string();
        assert!(
            error.contains(said) && error.contains("machine.toml"),
            "{error}"
        );
    }
}
