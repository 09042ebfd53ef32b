use std::path::Path;

use crate::{EpochMetrics, Recipe, RecipeError, metrics};

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
    ] {
        let message = read(&format!("{DATA}{lines}")).unwrap_err().to_string();
        assert!(message.contains(word), "{message}");
        assert!(message.contains("recipe.toml"), "{message}");
    }
    assert!(read("seed = 1\n").unwrap_err().to_string().contains("data"));
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
            training_loss: loss,
            validation_loss: loss * 3.0,
            validation_baseline: loss * 11.0,
            validation_auc_any: Some(loss / 1.7),
        })
        .collect();
    metrics::write(&path, &written).unwrap();
    assert_eq!(metrics::read(&path).unwrap(), written);
}
