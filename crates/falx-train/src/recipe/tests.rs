use std::path::Path;

use crate::{Change, EpochMetrics, Phase, Recipe, RecipeError, SwaConfig, folder};

fn read(text: &str) -> Result<Recipe, RecipeError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("recipe.toml");
    std::fs::write(&path, text).unwrap();
    Recipe::read(&path)
}

const DATA: &str = "[data]\nindex = \"i.parquet\"\nsplit = \"/elsewhere/s.parquet\"\n";

#[test]
fn a_recipe_of_its_data_alone_is_whole_and_reads_back_as_written() {
    let recipe = read(DATA).unwrap();
    assert_eq!(recipe.network.name, "simple_cnn");
    assert!(recipe.augment.is_none());
    assert!(recipe.data.index.ends_with("i.parquet") && recipe.data.index.is_absolute());
    assert_eq!(recipe.data.split, Path::new("/elsewhere/s.parquet"));
    assert_eq!(read(&recipe.to_toml().unwrap()).unwrap(), recipe);
}

#[test]
fn unknown_keys_and_values_that_cannot_work_are_named() {
    for (lines, word) in [
        ("[training]\nepoch = 3\n", "epoch"),
        ("[training]\nepochs = 0\n", "epochs"),
        ("[training]\nlearning_rate = -1.0\n", "learning_rate"),
        ("[training]\nclip_norm = nan\n", "clip_norm"),
        ("[network]\ndropout = 1.0\n", "dropout"),
        ("[input]\nsize = 4\n", "size"),
        ("[input]\nwindows = []\n", "windows"),
        ("[input]\nwindows = [[40, 0]]\n", "width"),
        (
            "[sampler]\npositive_any_share = 1.0\n",
            "positive_any_share",
        ),
        ("[optimizer]\nname = \"adamax\"\n", "adamax"),
        (
            "[optimizer]\nname = \"rmspropp\"\n",
            "meant to be `rmsprop`",
        ),
        ("[training]\nacumulate = 3\n", "meant to be `accumulate`"),
        ("[traning]\nepochs = 3\n", "meant to be `training`"),
        ("[training]\naccumulate = 0\n", "accumulate"),
        ("[training]\npatience = 0\n", "patience"),
        ("[training]\nminutes = -1.0\n", "minutes"),
        ("[training]\nsteps = 0\n", "steps"),
        ("[training.ema]\ndecay = 1.0\n", "decay"),
        ("[training.swa]\nstart = 1.0\n", "swa.start"),
        ("[training.swa]\nevery = 0\n", "swa.every"),
        ("[training]\nema = {}\nswa = {}\n", "two averages"),
        ("shuffle_labels = true\n", "needs training.swa"),
        ("[network]\nhead = \"denze\"\n", "meant to be `dense`"),
        ("[network]\ncoherence = \"sum\"\n", "coherence"),
        ("[input]\nplanes_mm = []\n", "planes_mm"),
        ("[input]\nrange = [1, 1]\n", "range"),
        ("[input]\nclip_hu = [80, 0]\n", "clip_hu"),
        (
            "[input]\nown_window = true\n",
            "input.own_window needs input.clip_hu",
        ),
        (
            "[training]\nno_augment_epochs = 1\n",
            "the recipe has no `augment`",
        ),
        (
            "[augment]\n[training]\nepochs = 2\nno_augment_epochs = 2\n",
            "must be fewer than training.epochs",
        ),
        (
            "[augment]\n[training]\nno_augment_epochs = 1\npatience = 2\n",
            "may end the run",
        ),
        ("[loss]\ngamma = 2.0\n", "gamma"),
        ("[loss]\nlabel_weights = [0, 0, 0, 0, 0, 0]\n", "weights"),
        (
            "[schedule]\nname = \"plateau\"\nfator = 0.5\n",
            "meant to be `factor`",
        ),
        ("[[phases]]\nfrozen = []\n[[phases]]\n", "phase 1"),
        ("[[phases]]\nepochs = 0\n", "phase 1"),
        ("[[phases]]\nrate = 0.0\n", "rate"),
        ("[[groups]]\nmodule = \"head\"\nrate = -1.0\n", "rate"),
    ] {
        let message = read(&format!("{DATA}{lines}")).unwrap_err().to_string();
        assert!(message.contains(word), "{message}");
        assert!(message.contains("recipe.toml"), "{message}");
    }
    assert!(read("seed = 1\n").unwrap_err().to_string().contains("data"));
}

#[test]
fn a_recipe_with_everything_reads_back_as_written() {
    let everything = format!(
        "layer_decay = 0.8\n{DATA}\
         [network]\nname = \"resnet18\"\nhead = \"dense\"\ncoherence = \"product\"\nweights = \"w.safetensors\"\n\
         [input]\nrange = [-1, 1]\nplanes_mm = [-5, 0, 5]\n\
         [loss]\nname = \"focal\"\ngamma = 1.5\n\
         [schedule]\nname = \"plateau\"\npatience = 1\n\
         [training]\nsteps = 100\naccumulate = 2\npatience = 3\nema = {{ decay = 0.99 }}\n\
         [[phases]]\nepochs = 1\nfrozen = [\"backbone\"]\nrate = 10.0\n[[phases]]\n\
         [[groups]]\nmodule = \"backbone\"\nrate = 0.1\n"
    );
    let recipe = read(&everything).unwrap();
    assert!(recipe.network.weights.as_ref().unwrap().is_absolute());
    assert_eq!(read(&recipe.to_toml().unwrap()).unwrap(), recipe);
    let fetched = read(&format!(
        "{DATA}[network]\nweights = \"pretrained:inception_v3\"\n"
    ));
    assert_eq!(fetched.unwrap().pretrained(), Some("inception_v3"));
}

#[test]
fn values_of_a_recipe_are_changed_where_it_is_used() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("recipe.toml");
    std::fs::write(&path, format!("{DATA}[training]\nepochs = 9\n")).unwrap();
    let with = |texts: &[&str]| {
        let changes: Result<Vec<Change>, String> = texts.iter().map(|text| text.parse()).collect();
        Recipe::read_with(&path, &changes.unwrap())
    };
    let recipe = with(&[
        "training.epochs=2",
        "network.name = resnet18",
        "seed=7",
        "augment=\"full\"",
        "input.planes_mm=[-5, 0, 5]",
    ])
    .unwrap();
    assert_eq!((recipe.training.epochs, recipe.seed), (2, 7));
    assert_eq!(recipe.network.name, "resnet18");
    assert_eq!(recipe.input.planes_mm, [-5.0, 0.0, 5.0]);
    assert_eq!(
        recipe.augment,
        Some(falx_data::augment::AugmentConfig::full())
    );
    let message = with(&["training.epoch=2"]).unwrap_err().to_string();
    assert!(message.contains("meant to be `epochs`"), "{message}");
    assert!(with(&["seed.x=2"]).is_err());
    for text in ["epochs", "=3", "training.=3"] {
        assert!(text.parse::<Change>().is_err(), "{text}");
    }
}

/// The recipes of the repository; each network is built, and its modules are found.
#[test]
fn the_recipes_of_the_house_can_be_used() {
    let recipes = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../recipes");
    let mut folders = vec![recipes];
    let mut seen = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "toml") {
                let recipe = Recipe::read(&path).unwrap_or_else(|error| panic!("{error}"));
                let graph = falx_nn::zoo::build(&recipe.network.config(&recipe.input)).unwrap();
                crate::transfer::Plan::new(&recipe, &graph).unwrap();
                seen += 1;
            }
        }
    }
    assert!(seen >= 10);
}

#[test]
fn the_last_phase_lasts_to_the_end() {
    let phase = |epochs, rate| Phase {
        epochs,
        rate: Some(rate),
        ..Phase::default()
    };
    let rate = |phases: &[Phase], epoch| Phase::at(phases, epoch).and_then(|phase| phase.rate);
    let open = [phase(Some(2), 1.0), phase(Some(1), 2.0), phase(None, 3.0)];
    let rates: Vec<_> = (0..5).map(|epoch| rate(&open, epoch)).collect();
    assert_eq!(rates, [1.0, 1.0, 2.0, 3.0, 3.0].map(Some));
    assert_eq!(rate(&open[..2], 100), Some(2.0));
    assert_eq!(rate(&[], 0), None);
}

#[test]
fn the_last_epochs_show_slices_as_they_are() {
    let recipe = |training: &str| {
        read(&format!(
            "{DATA}[augment]\n[training]\nepochs = 5\n{training}"
        ))
        .unwrap()
    };
    let epochs = |recipe: &Recipe| {
        (0..5)
            .filter(|&epoch| recipe.augment_of_epoch(epoch).is_some())
            .count()
    };
    assert_eq!(epochs(&recipe("")), 5);
    let last_two = recipe("no_augment_epochs = 2\n");
    assert_eq!(epochs(&last_two), 3);
    assert!(last_two.augment_of_epoch(2).is_some());
    assert!(last_two.augment_of_epoch(3).is_none());
    assert_eq!(read(&last_two.to_toml().unwrap()).unwrap(), last_two);
}

#[test]
fn metrics_are_read_back_to_the_last_bit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("metrics.jsonl");
    // A reader of JSON that takes the short way is off by one place in the first of these.
    let written: Vec<EpochMetrics> = [0.475_442_743_182_999_56, 1.0 / 3.0, 0.1 + 0.2, f64::EPSILON]
        .into_iter()
        .map(|loss| EpochMetrics {
            epoch: 1,
            step: 19,
            learning_rate: loss / 7.0,
            gradient_norm: Some(loss * 1.1),
            training_loss: loss,
            validation_loss: loss * 3.0,
            validation_baseline: loss * 11.0,
            validation_auc_any: Some(loss / 1.7),
        })
        .collect();
    folder::write_lines(&path, &written).unwrap();
    assert_eq!(folder::read_lines::<EpochMetrics>(&path).unwrap(), written);
}

#[test]
fn the_last_epochs_are_taken_in() {
    let taken = |start, every, epochs| -> Vec<u64> {
        let config = SwaConfig {
            start,
            every,
            ..SwaConfig::default()
        };
        (0..epochs)
            .filter(|&epoch| config.takes(epoch, epochs))
            .collect()
    };
    assert_eq!(taken(0.75, 1, 8), [6, 7]);
    assert_eq!(taken(0.5, 2, 8), [4, 6]);
    assert_eq!(taken(0.99, 1, 4), [3]);
    assert_eq!(taken(0.0, 3, 7), [0, 3, 6]);
}
